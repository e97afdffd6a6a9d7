import logging

import numpy as np
import pytest
from extract_tools import Chunk, image, labels, write_image, write_mask

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.features import provenance
from radcurate.stages import _regions
from radcurate.stages.extract import WRITTEN


@pytest.fixture
def chunk(tmp_path, key):
    return Chunk(tmp_path / "results", key)


@pytest.fixture
def ct(chunk, tmp_path):
    """A CT with two regions."""
    chunk.add("S-ct", "image", "CT", write_image(tmp_path / "ct", image()))
    chunk.add("S-mask", "nifti", "SEG", [write_mask(tmp_path / "a.nii.gz", labels())], ["S-ct"])
    return chunk


def read(folder, name):
    return tables.read_rows(folder / f"{name}.parquet")


def ends(folder):
    return {row["series"]: (row["status"], row["reason"]) for row in read(folder, "series")}


def test_a_row_per_region_with_everything_that_belongs_to_it(ct, key):
    out = ct.extract()
    rows = {row["roi_label"]: row for row in read(out, "features")}
    big, small = rows["1"], rows["2"]
    assert big["roi"] == "R-" + key.code("roi", "S-mask", "1") and big["status"] == small["status"] == "ok"
    assert (big["series"], big["contour"], big["subject"], big["modality"]) == ("S-ct", "S-mask", "P-1", "CT")
    assert (big["site"], big["sex"], big["age"], big["study_date"]) == ("H-1", "F", 61.0, "2015-03-02")
    assert big["morph_vol_approx"] == 5 * 6 * 6 * 8
    assert big["stat_mean"] == pytest.approx(image()[labels() == 1].mean())
    assert small["stat_mean"] == image()[8, 10, 12]
    assert ends(out) == {"S-ct": ("ok", None), "S-mask": ("ok", None)}
    assert {row["series"]: row["rois"] for row in read(out, "series")} == {"S-ct": 2, "S-mask": 2}


def test_gaps_have_reasons_and_only_gaps(ct):
    out = ct.extract()
    told = {(row["roi"], name): row["reason"] for row in read(out, "missing") for name in row["features"]}
    gaps = {
        (row["roi"], name)
        for row in read(out, "features")
        for name, value in row.items()
        if isinstance(value, float) and np.isnan(value)
    }
    assert gaps and set(told) == gaps and set(told.values()) == {"one_voxel"}


def test_every_row_joins_its_provenance_and_its_acquisition(ct):
    out = ct.extract()
    records = {row["provenance"]: row for row in read(out, "provenance")}
    for row in read(out, "features"):
        record = records[row["provenance"]]
        assert provenance.lacking(record) == []
        plain = {name: value for name, value in record.items() if name != "provenance"}
        assert provenance.digest(plain) == row["provenance"]
    (acquisition,) = read(out, "acquisition")
    assert (acquisition["series"], acquisition["kvp"], acquisition["planes"]) == ("S-ct", 120.0, 10)
    assert acquisition["echo_time"] is None


def test_a_row_without_a_complete_record_is_refused(ct, monkeypatch):
    whole = provenance.record
    monkeypatch.setattr(_regions.provenance, "record", lambda *args: {**whole(*args), "voxel_size": []})
    out = ct.extract()
    assert {(row["status"], row["reason"]) for row in read(out, "features")} == {("failed", "provenance_incomplete")}
    assert ends(out)["S-ct"] == ("failed", "provenance_incomplete") and read(out, "provenance") == []


def test_columns_are_the_same_whatever_happens(ct, chunk, tmp_path):
    whole = tables.read(ct.extract() / "features.parquet").schema
    ct.rows[1]["verify"] = "failed"
    assert tables.read(ct.extract("nothing") / "features.parquet").schema == whole


def test_other_dimensions_add_columns_for_every_modality(ct):
    out = ct.extract(mr={"textures": ["2.5D"]})
    row = read(out, "features")[0]
    assert np.isnan(row["cm_corr_2_5D_avg"])
    assert {"one_voxel", "not_selected"} == {told["reason"] for told in read(out, "missing")}


def test_bytes_do_not_depend_on_the_number_of_processes(ct, tmp_path):
    ct.add("S-ct2", "image", "CT", write_image(tmp_path / "ct2", image(1)))
    ct.add("S-mask2", "nifti", "SEG", [write_mask(tmp_path / "b.nii.gz", labels())], ["S-ct2", "S-ct"])
    one, two = ct.extract("one", threads=1), ct.extract("two", threads=2)
    for name in (*WRITTEN, "seal.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert len({row["roi"] for row in read(one, "features")}) == 6


def test_what_was_not_usable_before_keeps_its_end(ct, tmp_path):
    files = write_image(tmp_path / "other", image(2))
    ct.add("S-face", "image", "CT", files, status="quarantined", reason="contour_in_face")
    ct.add("S-onface", "nifti", "SEG", [tmp_path / "a.nii.gz"], ["S-face"])
    ct.add("S-leak", "image", "CT", files, verify="failed")
    ct.add("S-unchecked", "image", "CT", files, verify=None)
    ct.add("S-bare", "image", "CT", files)
    ct.add("S-us", "image", "US", files)
    ct.add("S-lost", "nifti", "SEG", [tmp_path / "a.nii.gz"], ["S-elsewhere"])
    found = ends(ct.extract())
    assert found["S-face"] == ("quarantined", "contour_in_face")
    assert found["S-onface"] == ("quarantined", "image_quarantined")
    assert found["S-leak"] == ("failed", "identifier")
    assert found["S-unchecked"] == ("failed", "not_verified")
    assert found["S-bare"] == ("excluded", "no_contour")
    assert found["S-us"] == ("excluded", "no_profile")
    assert found["S-lost"] == ("excluded", "no_image")
    assert found["S-ct"] == found["S-mask"] == ("ok", None)


def test_a_contour_elsewhere_fails_and_the_other_stays(ct, tmp_path):
    far = write_mask(tmp_path / "far.nii.gz", labels(), spacing=5.0)
    ct.add("S-far", "nifti", "SEG", [far], ["S-ct"])
    found = ends(ct.extract())
    assert found["S-far"][0] == "failed" and found["S-far"][1]
    assert found["S-mask"] == ("ok", None)


def test_a_region_that_interpolation_swallows_is_a_row_with_a_reason(ct):
    rows = {row["roi_label"]: row for row in read(ct.extract(ct={"voxel_size": 7}), "features")}
    assert rows["1"]["status"] == "ok"
    assert (rows["2"]["status"], rows["2"]["reason"]) == ("failed", "empty_after_interpolation")
    assert np.isnan(rows["2"]["stat_mean"]) and rows["2"]["provenance"] is None


def test_pet_without_suv_is_refused(chunk, tmp_path):
    chunk.add("S-pt", "image", "PT", write_image(tmp_path / "pt", image(), "PT"))
    chunk.add("S-mask", "nifti", "SEG", [write_mask(tmp_path / "a.nii.gz", labels())], ["S-pt"])
    found = ends(chunk.extract())
    assert found["S-pt"][0] == found["S-mask"][0] == "failed"
    assert found["S-pt"][1].startswith("suv")


def test_wrong_unit_is_refused(chunk, tmp_path):
    chunk.add("S-mr", "image", "MR", write_image(tmp_path / "mr", image(), "MR"))
    chunk.add("S-mask", "nifti", "SEG", [write_mask(tmp_path / "a.nii.gz", labels())], ["S-mr"])
    assert ends(chunk.extract())["S-mr"] == ("ok", None)
    assert ends(chunk.extract("other", mr={"unit": "HU"}))["S-mr"] == ("failed", "wrong_unit")


def test_whole_image_statistics_are_refused_after_defacing(chunk, tmp_path):
    """Seed trap: z-score over the whole image makes features far from the face depend on it."""
    before, after = image(), image()
    after[:, :3] = -1000
    chunk.add(
        "S-mr",
        "image",
        "MR",
        write_image(tmp_path / "after", after, "MR"),
        exported=write_image(tmp_path / "before", before, "MR"),
        changed_voxels=int((before != after).sum()),
    )
    drawn = labels()
    drawn[2:5, :5, 2:5] = 7  # reaches into what is removed
    chunk.add("S-mask", "nifti", "SEG", [write_mask(tmp_path / "a.nii.gz", drawn)], ["S-mr"])

    def extract(out, region):
        return chunk.extract(out, mr={"normalisation": "zscore", "normalisation_region": region})

    assert ends(extract("image", "image"))["S-mr"] == ("failed", "normalisation_image_cleaned")
    (record, *_) = read(extract("unchanged", "unchanged"), "provenance")
    kept = before[before == after].astype(float)
    assert (record["normalisation_mean"], record["normalisation_deviation"]) == pytest.approx((kept.mean(), kept.std()))
    out = extract("contour", "contour:1")
    rows = {row["roi_label"]: row for row in read(out, "features")}
    assert rows["1"]["stat_mean"] == pytest.approx(0, abs=1e-9)
    assert {row["normalisation_region"] for row in read(out, "provenance")} == {"contour:1"}
    assert ends(extract("touched", "contour:7"))["S-mr"] == ("failed", "normalisation_region_cleaned")
    reasons = {row["roi_label"]: row["reason"] for row in read(extract("own", "roi"), "features")}
    assert reasons["1"] is None and reasons["7"] == "normalisation_region_cleaned"
    assert ends(extract("absent", "contour:fat"))["S-mr"] == ("failed", "normalisation_region_absent")


def test_unexpected_errors_become_rows_and_quote_nothing(ct, monkeypatch, caplog):
    def broken(*_args, **_more):
        raise RuntimeError("SECRET^NAME")

    monkeypatch.setattr(_regions, "iter_rois", broken)
    with caplog.at_level(logging.INFO):
        out = ct.extract()
    status, reason = ends(out)["S-mask"]
    assert status == "failed" and reason.startswith("unexpected:RuntimeError")
    assert ends(out)["S-ct"][0] == "failed"
    assert "SECRET" not in caplog.text and not any(b"SECRET" in (out / name).read_bytes() for name in WRITTEN)


def test_an_edited_table_is_noticed(ct):
    ct.extract()
    original = ct._write

    def tamper():
        original()
        path = ct.folder / "verify" / "series.parquet"
        path.write_bytes(path.read_bytes() + b"x")

    ct._write = tamper
    with pytest.raises(CurationError):
        ct.extract("again")


def test_a_wrong_profile_stops_the_run(ct):
    with pytest.raises(CurationError):
        ct.extract(ct={"voxelsize": 1})


def test_one_line_is_logged(ct, caplog):
    with caplog.at_level(logging.INFO):
        ct.extract()
    lines = [record.getMessage() for record in caplog.records if record.name == "radcurate"]
    assert lines == ["extract: 2 series, 2 regions with features, 0 regions failed, 0 series failed or quarantined"]


@pytest.mark.parametrize(
    ("name", "modality", "unit"), [("CT", "CT", "HU"), ("PET", "PT", "SUVbw"), ("MR_T1", "MR", "1")]
)
def test_real_sarcomas(real_data, chunk, name, modality, unit):
    """Volumes against the NIfTI masks beside the images, which the stage doesn't see."""
    import nibabel

    folder = real_data / "ibsi" / "ibsi_validation"
    truth = {}
    for patient in sorted((folder / "dicom").iterdir()):
        files = {part: sorted((patient / name / part).iterdir()) for part in ("image", "mask")}
        series = chunk.add(f"S-{patient.name}", "image", modality, files["image"])
        chunk.add(f"S-{patient.name}-rs", "rtstruct", "RTSTRUCT", files["mask"], [series])
        mask = nibabel.load(folder / "nifti" / patient.name / f"{name}_mask.nii.gz")
        truth[series] = float((mask.get_fdata() > 0).sum()) * float(np.prod(mask.header.get_zooms()[:3]))
    out = chunk.extract()
    rows = {row["series"]: row for row in read(out, "features")}
    assert len(rows) == 9 and all(row["status"] == "ok" for row in rows.values())
    for series, volume in truth.items():
        assert rows[series]["morph_vol_approx"] == pytest.approx(volume, rel=0.06)
    assert {row["unit"] for row in read(out, "provenance")} == {unit}
    assert read(out, "missing") == []


def test_the_dictionary_will_know_what_pyradiomics_calls_its_features(ct):
    def described(engine):
        rows = read(ct.extract(engine, engine=engine), "columns")
        return {row["name"]: row["description"] for row in rows}

    theirs, ours = described("pyradiomics"), described("radcurate")
    assert theirs["cm_joint_max_3D_avg"].endswith("3D_avg; in pyradiomics glcm_MaximumProbability")
    assert theirs["ih_mean"].endswith("; in pyradiomics firstorder_Mean of grey levels")
    assert theirs["morph_moran_i"] == ours["morph_moran_i"] and "pyradiomics" not in " ".join(ours.values())
