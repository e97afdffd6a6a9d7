"""Ranges out of the extract stage: by configuration alone, for every region, the same on any number of processes."""

from __future__ import annotations

import numpy as np
import pytest
from extract_tools import Chunk, write_image, write_mask

from radcurate import tables
from radcurate.features.ranges import spread
from radcurate.stages import _regions

SHAPE = (12, 20, 20)
RANGES = {"perturbations": 3, "features": ["stat_*", "morph_vol*"]}
CT = {"voxel_size": 2.0, "range": None, "discretisation": "fixed_bin_number", "bin_number": 8}


@pytest.fixture
def ct(tmp_path, key):
    """A CT with a large region and one of a single voxel, and a second CT with the same large region."""
    chunk = Chunk(tmp_path / "results", key)
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[3:9, 5:14, 6:15] = 1
    labels[10, 18, 18] = 2
    for number in (1, 2):
        values = np.random.default_rng(number).normal(50, 20, SHAPE).astype(np.int16)
        chunk.add(f"S-ct{number}", "image", "CT", write_image(tmp_path / f"ct{number}", values))
        mask = write_mask(tmp_path / f"{number}.nii.gz", labels)
        chunk.add(f"S-mask{number}", "nifti", "SEG", [mask], [f"S-ct{number}"])
    return chunk


def rows(folder, name="ranges"):
    return {row["roi"]: row for row in tables.read_rows(folder / f"{name}.parquet")}


def test_ranges_are_off_unless_asked_for(ct):
    out = ct.extract(ct=CT)
    found = tables.read(out / "ranges.parquet", tables.EXTRACT_RANGES)
    assert found.num_rows == 0


def test_every_measured_region_has_a_range_around_its_value(ct):
    out = ct.extract(ct=CT, ranges=RANGES)
    features, ranges = rows(out, "features"), rows(out)
    assert set(ranges) == set(features) and len(ranges) == 4
    names = [name for name in next(iter(features.values())) if name.startswith(("stat_", "morph_vol"))]
    tables.read(out / "ranges.parquet", tables.with_ranges(names))
    for roi, row in ranges.items():
        assert (row["subject"], row["modality"]) == ("P-1", "CT")
        for name in names:
            value, low, high = features[roi][name], row[name + "_lo"], row[name + "_hi"]
            assert (np.isnan(value) and np.isnan(low) and np.isnan(high)) or low <= value <= high
    large = [row for roi, row in ranges.items() if features[roi]["roi_label"] == "1"]
    assert all(row["perturbations"] == 3 and row["stat_mean_lo"] < row["stat_mean_hi"] for row in large)
    assert large[0]["overlap"] != large[1]["overlap"]  # chance follows from the image too


def test_the_same_bytes_on_two_processes(ct):
    one, two = ct.extract("one", ct=CT, ranges=RANGES), ct.extract("two", threads=2, ct=CT, ranges=RANGES)
    assert (one / "ranges.parquet").read_bytes() == (two / "ranges.parquet").read_bytes()


def test_features_are_the_same_with_and_without(ct):
    one, two = ct.extract("one", ct=CT), ct.extract("two", ct=CT, ranges=RANGES)
    assert (one / "features.parquet").read_bytes() == (two / "features.parquet").read_bytes()


def test_a_failure_costs_the_range_and_not_the_row(ct, monkeypatch):
    def broken(*_):
        raise RuntimeError("JOHN DOE")

    monkeypatch.setattr(spread, "place", broken)
    out = ct.extract(ct=CT, ranges=RANGES)
    assert {row["status"] for row in rows(out, "features").values()} == {"ok"}
    for row in rows(out).values():
        assert row["perturbations"] == 0 and row["reason"].startswith("unexpected:") and "DOE" not in row["reason"]
        assert np.isnan(row["stat_mean_lo"])


def test_regions_that_failed_have_no_range(ct, monkeypatch):
    whole = _regions.provenance.record
    monkeypatch.setattr(_regions.provenance, "record", lambda *args: {**whole(*args), "voxel_size": []})
    assert rows(ct.extract(ct=CT, ranges=RANGES)) == {}
