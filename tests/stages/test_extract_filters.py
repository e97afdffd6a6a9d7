"""extract with filters: their columns, what is recorded of them, and that they may be released."""

from __future__ import annotations

import json

import numpy as np
import pytest
from extract_tools import Chunk, write_image, write_mask

from paths import ROOT
from radcurate import tables
from radcurate.privacy.columns import load_columns

SHAPE = (10, 12, 14)
FILTERS = [
    {"kind": "mean", "size": 3},
    {"kind": "log", "sigma": 3},
    {"kind": "wavelet", "family": "haar", "subbands": ["LLH"]},
    {"kind": "simoncelli"},
]
LABELS = ("mean_3", "log_3", "wavelet_haar_LLH", "simoncelli_1")


def image():
    return np.random.default_rng(0).integers(-50, 150, SHAPE).astype(np.int16)


@pytest.fixture
def ct(tmp_path, key):
    """A CT with a region of many voxels and one of a single voxel at the image's corner."""
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[2:7, 3:9, 4:10] = 1
    labels[9, 11, 13] = 2
    chunk = Chunk(tmp_path / "results", key)
    chunk.add("S-ct", "image", "CT", write_image(tmp_path / "ct", image()))
    chunk.add("S-mask", "nifti", "SEG", [write_mask(tmp_path / "a.nii.gz", labels)], ["S-ct"])
    return chunk


def rows(folder, name):
    return tables.read_rows(folder / f"{name}.parquet")


def test_filtered_images_have_columns_and_the_image_keeps_its_own(ct):
    plain = {row["roi_label"]: row for row in rows(ct.extract("plain"), "features")}
    filtered = {row["roi_label"]: row for row in rows(ct.extract("filtered", ct={"filters": FILTERS}), "features")}
    for label, row in filtered.items():
        assert row["status"] == "ok"
        own = [name for name in plain[label] if name != "provenance"]
        assert [repr(row[name]) for name in own] == [repr(plain[label][name]) for name in own]
        assert all(np.isfinite(row[f"{image}__stat_mean"]) for image in LABELS)
        assert not any(f"{image}__morph_volume" in row for image in LABELS)
    big = filtered["1"]
    means = image()[1:8, 2:10, 3:11].astype(float)
    expected = np.lib.stride_tricks.sliding_window_view(means, (3, 3, 3)).mean(axis=(3, 4, 5)).mean()
    assert big["mean_3__stat_mean"] == pytest.approx(expected)


def test_gaps_of_filtered_images_have_reasons(ct):
    out = ct.extract(ct={"filters": FILTERS})
    told = {(row["roi"], name) for row in rows(out, "missing") for name in row["features"]}
    gaps = {
        (row["roi"], name)
        for row in rows(out, "features")
        for name, value in row.items()
        if isinstance(value, float) and np.isnan(value) and "__" in name
    }
    assert gaps and gaps == {pair for pair in told if "__" in pair[1]}


def test_the_filters_are_recorded(ct):
    (record,) = {row["filters"] for row in rows(ct.extract(ct={"filters": FILTERS}), "provenance")}
    assert record == ", ".join(LABELS)
    (record,) = {row["filters"] for row in rows(ct.extract("plain"), "provenance")}
    assert record == "none"


def test_their_parameters_are_recorded(ct):
    (profile,) = {row["profile"] for row in rows(ct.extract(ct={"filters": FILTERS}), "provenance")}
    kept = json.loads(profile)["filters"]
    assert [one["kind"] for one in kept] == ["mean", "log", "wavelet", "simoncelli"]
    assert kept[1]["sigma"] == 3 and kept[1]["cutoff"] == 4 and kept[1]["boundary"] == "mirror"


def test_filters_of_one_modality_leave_gaps_in_the_others(ct):
    out = ct.extract(mr={"filters": FILTERS})
    (reasons,) = {row["reason"] for row in rows(out, "missing") if "log_3__stat_mean" in row["features"]}
    assert reasons == "not_selected"


def test_every_column_of_a_filtered_image_may_be_released(ct):
    declared = load_columns(ROOT / "config" / "columns.yaml")
    names = [name for name in rows(ct.extract(ct={"filters": FILTERS}), "features")[0] if "__" in name]
    assert len(names) > 400 and declared.released(names) == names
    assert declared.released(["patient__name", "log_3__patient"]) == []
