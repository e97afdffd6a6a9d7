"""Features before cleaning against those extracted, and what is planted to be found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from extract_tools import Chunk, write_image, write_mask

from radcurate import tables

SHAPE = (24, 40, 40)
ROI = (slice(6, 12), slice(5, 12), slice(5, 12))
LINEAR = {"voxel_size": 3, "image_interpolation": "linear"}


def values() -> np.ndarray:
    return np.random.default_rng(4).integers(-50, 150, SHAPE).astype(np.int16)


@pytest.fixture
def chunk(tmp_path, key) -> Chunk:
    return Chunk(tmp_path / "results", key)


def added(chunk: Chunk, tmp_path: Path, place: tuple[int, int, int] | None, changed_voxels: int = 1) -> Chunk:
    """A CT of which cleaning changed the voxel at `place`, and a region."""
    cleaned = values()
    if place is not None:
        cleaned[place] += 300
    exported = write_image(tmp_path / "exported", values())
    files = write_image(tmp_path / "cleaned", cleaned)
    chunk.add("S-ct", "image", "CT", files, exported=exported, changed_voxels=changed_voxels if place else 0)
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[ROI] = 1
    chunk.add("S-mask", "nifti", "SEG", [write_mask(tmp_path / "mask.nii.gz", labels)], ["S-ct"])
    return chunk


def told(out: Path) -> dict:
    (row,) = tables.read_rows(out / "invariance.parquet", tables.EXTRACT_INVARIANCE)
    return row


def test_the_same_voxels_and_mask_can_not_differ(chunk, tmp_path):
    row = told(added(chunk, tmp_path, None).extract(ct=LINEAR))
    assert (row["basis"], row["different"], row["largest_change"], row["changed"]) == ("same_input", 0, 0, [])
    assert row["features"] > 100 and row["roi"].startswith("R-") and row["series"] == "S-ct"


def test_a_change_out_of_reach_leaves_every_bit(chunk, tmp_path):
    row = told(added(chunk, tmp_path, (20, 30, 30)).extract(ct=LINEAR))
    assert (row["basis"], row["different"], row["changed_voxels"]) == ("out_of_reach", 0, 1)
    # from the voxel (11, 11, 11) to (20, 30, 30), 2 mm each
    assert row["distance"] == pytest.approx(2 * np.sqrt(9**2 + 19**2 + 19**2))


def test_one_changed_voxel_in_the_region_is_found(chunk, tmp_path):
    row = told(added(chunk, tmp_path, (8, 8, 8)).extract(ct=LINEAR))
    assert row["basis"] == "within_reach" and row["distance"] == 0
    assert row["different"] > 50 and row["largest_change"] > 0.01
    assert "stat_mean" in row["changed"] and "morph_volume" not in row["changed"]
    assert row["changes"] == sorted(row["changes"], reverse=True) and row["changes"][0] == row["largest_change"]


def test_a_change_beside_the_region_is_within_reach_of_its_peak(chunk, tmp_path):
    row = told(added(chunk, tmp_path, (8, 8, 13)).extract(ct={"voxel_size": None}))
    assert row["basis"] == "within_reach"
    assert {name.partition("_")[0] for name in row["changed"]} <= {"loc"}


def test_one_changed_voxel_is_felt_by_a_filter_that_reaches_it(chunk, tmp_path):
    filters = [{"kind": "log", "sigma": 4.0}]
    row = told(added(chunk, tmp_path, (8, 8, 18)).extract(ct={**LINEAR, "filters": filters}))
    assert row["basis"] == "within_reach" and row["different"] > 0
    assert all("__" in name for name in row["changed"])


def test_statistics_of_a_cleaned_image_are_refused(chunk, tmp_path):
    whole = {"normalisation": "zscore", "normalisation_region": "image"}
    prepared = added(chunk, tmp_path, (20, 30, 30))
    plain = {**LINEAR, "rounding": None, "range": None, "discretisation": "fixed_bin_number", "bin_number": 16}
    refused = prepared.extract("refused", ct={**plain, **whole})
    (row,) = tables.read_rows(refused / "features.parquet")
    assert (row["status"], row["reason"]) == ("failed", "normalisation_image_cleaned")
    assert tables.read_rows(refused / "invariance.parquet") == []


def test_statistics_of_unchanged_voxels_are_the_same_before_and_after(chunk, tmp_path):
    rest = {"normalisation": "zscore", "normalisation_region": "unchanged"}
    plain = {**LINEAR, "rounding": None, "range": None, "discretisation": "fixed_bin_number", "bin_number": 16}
    row = told(added(chunk, tmp_path, (20, 30, 30)).extract(ct={**plain, **rest}))
    assert (row["basis"], row["different"]) == ("out_of_reach", 0)


def test_a_text_box_and_a_face_change_no_statistics_and_no_feature_far_away(chunk, tmp_path):
    """Both cleanings at once, with statistics of what neither touched; those of the whole image would move them."""
    before = values()
    after = before.copy()
    after[20, 2:6, 4:30] = 40  # a line of text on one plane, filled
    after[16:, :, 34:] = -1000  # a face
    files, exported = (write_image(tmp_path / name, v) for name, v in (("cleaned", after), ("exported", before)))
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[ROI] = 1
    mask = write_mask(tmp_path / "mask.nii.gz", labels)
    chunk.add("S-ct", "image", "CT", files, exported=exported, changed_voxels=int((before != after).sum()))
    chunk.add("S-mask", "nifti", "SEG", [mask], ["S-ct"])
    plain = {**LINEAR, "rounding": None, "range": None, "discretisation": "fixed_bin_number", "bin_number": 16}
    rest = {"normalisation": "zscore", "normalisation_region": "unchanged"}
    out = chunk.extract(ct={**plain, **rest})
    row = told(out)
    assert (row["basis"], row["different"]) == ("out_of_reach", 0)
    (record,) = tables.read_rows(out / "provenance.parquet")
    left = before[before == after].astype(np.float64)
    assert record["normalisation_mean"] == pytest.approx(left.mean())
    assert abs(left.mean() - after.mean()) > 10  # what the whole image would have said


def test_what_the_refusal_of_whole_image_statistics_prevents(chunk, tmp_path):
    """Were the stage not told that a voxel was changed, the features would move, and the comparison would say so."""
    whole = {"normalisation": "zscore", "normalisation_region": "image"}
    plain = {**LINEAR, "rounding": None, "range": None, "discretisation": "fixed_bin_number", "bin_number": 16}
    row = told(added(chunk, tmp_path, (20, 30, 30), changed_voxels=0).extract(ct={**plain, **whole}))
    assert row["basis"] == "within_reach" and row["different"] > 0 and "stat_mean" in row["changed"]


def test_a_header_that_changes_values_is_found(chunk, tmp_path):
    prepared = added(chunk, tmp_path, None)
    for path in (tmp_path / "cleaned").glob("*.dcm"):
        header = pydicom.dcmread(path)
        header.RescaleSlope = "1.01"
        header.save_as(path)
    row = told(prepared.extract(ct={"voxel_size": None}))
    assert row["basis"] == "within_reach" and row["changed_voxels"] > 1000 and "stat_mean" in row["changed"]


def test_a_header_that_moves_the_image_is_found(chunk, tmp_path):
    prepared = added(chunk, tmp_path, None)
    for path in (tmp_path / "cleaned").glob("*.dcm"):
        header = pydicom.dcmread(path)
        header.PixelSpacing = [2.1, 2.0]
        header.save_as(path)
    row = told(prepared.extract(ct={"voxel_size": None}))
    assert row["basis"] == "within_reach" and row["changed_voxels"] is None and "morph_volume" in row["changed"]


@pytest.mark.parametrize(("gone", "reason"), [("exported/003.dcm", "original_"), ("mask.nii.gz", "contour")])
def test_nothing_to_compare_with_is_said(chunk, tmp_path, gone, reason):
    prepared = added(chunk, tmp_path, None)
    if gone.startswith("exported"):
        (tmp_path / gone).unlink()
    else:
        prepared.made = [row for row in prepared.made if row["series"] != "S-mask"]
    row = told(prepared.extract(ct=LINEAR))
    assert row["basis"] is None and reason in row["reason"] and row["largest_change"] is None
    assert str(tmp_path) not in row["reason"]


def test_it_can_be_left_out(chunk, tmp_path):
    out = added(chunk, tmp_path, None).extract(invariance=False, ct=LINEAR)
    assert tables.read_rows(out / "invariance.parquet", tables.EXTRACT_INVARIANCE) == []
