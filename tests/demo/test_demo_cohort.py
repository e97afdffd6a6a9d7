"""The cohort is what it promises: deterministic, small, with each defect and consent state."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from radcurate.demo import make_cohort
from radcurate.errors import CurationError


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_tree_and_another_seed_another(tmp_path):
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        make_cohort(tmp_path / name, seed, 3)
    one, two, three = (tree_hash(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two != three


def test_a_smaller_cohort_is_the_beginning_of_the_larger_one(cohort, tmp_path):
    make_cohort(tmp_path, n_patients=1)
    small = sorted(p.relative_to(tmp_path / "export") for p in (tmp_path / "export").rglob("*") if p.is_file())
    assert small
    for path in small:
        assert (tmp_path / "export" / path).read_bytes() == (cohort.export / path).read_bytes()


def test_a_cohort_is_never_written_over(tmp_path):
    (tmp_path / "export").mkdir()
    with pytest.raises(CurationError):
        make_cohort(tmp_path, n_patients=1)


def test_size_and_counts(cohort):
    files = [p for p in cohort.out.rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 150e6
    patients = cohort.truth["patients"]
    assert len(patients) >= 24
    assert {p["hospital"] for p in patients} == {"A", "B", "C"}
    assert max(p["age"] for p in patients) > 89
    assert {s["modality"] for s in cohort.series(kind="image")} == {"CT", "MR", "PT"}
    assert {s["kind"] for s in cohort.truth["series"]} == {"image", "rtstruct", "seg", "nifti", "picture"}
    assert 10 <= sum(s["face"] for s in cohort.truth["series"]) <= 14
    assert sum(not p["excluded"] for p in patients) >= 20


def test_every_file_of_the_export_is_accounted_for(cohort):
    listed = [f for s in cohort.truth["series"] for f in s["files"]] + [f["file"] for f in cohort.truth["files"]]
    present = [p.relative_to(cohort.export).as_posix() for p in cohort.export.rglob("*") if p.is_file()]
    assert len(listed) == len(set(listed))
    assert sorted(listed) == sorted(present)


def test_the_series_of_the_truth_are_the_series_of_the_headers(cohort):
    for series in cohort.truth["series"]:
        if series["kind"] == "nifti":
            continue
        headers = [dcmread(cohort.export / f, stop_before_pixels=True) for f in series["files"]]
        assert {h.SeriesInstanceUID for h in headers} == {series["series_uid"]}
        assert {h.Modality for h in headers} == {series["modality"]}
        assert {h.PatientID for h in headers} == {series["patient"]}
        assert {h.file_meta.TransferSyntaxUID for h in headers} == {series["transfer_syntax"]}


def test_transfer_syntaxes(cohort):
    assert {s["transfer_syntax"] for s in cohort.series(kind="image")} == {
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEG2000Lossless,
    }
    for syntax in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless):
        (series,) = cohort.series(kind="image", transfer_syntax=syntax)
        middle = dcmread(cohort.export / series["files"][len(series["files"]) // 2])
        assert 0.1 < np.mean(middle.pixel_array > 200) < 0.95


def positions(cohort, series) -> list[float]:
    headers = [dcmread(cohort.export / f, stop_before_pixels=True) for f in series["files"]]
    normal = np.cross(*np.reshape([float(v) for v in headers[0].ImageOrientationPatient], (2, 3)))
    return sorted(float(normal @ [float(v) for v in h.ImagePositionPatient]) for h in headers)


def test_only_the_series_with_a_gap_has_one(cohort):
    for series in cohort.series(kind="image"):
        steps = np.diff(positions(cohort, series))
        uneven = np.abs(steps / np.median(steps) - 1) > 0.002
        assert uneven.any() == (series["outcome"] == "quarantined:slice_gap")
    assert len(cohort.series(outcome="quarantined:slice_gap")) == 1


def test_planes_lie_in_all_three_ways(cohort):
    normals = set()
    for series in cohort.series(kind="image"):
        header = dcmread(cohort.export / series["files"][0], stop_before_pixels=True)
        normal = np.cross(*np.reshape([float(v) for v in header.ImageOrientationPatient], (2, 3)))
        normals.add("oblique" if np.abs(normal).max() < 0.999 else "xyz"[int(np.abs(normal).argmax())])
    assert normals == {"x", "z", "oblique"}


def outcomes(cohort) -> Counter:
    return Counter(f["outcome"] for f in cohort.truth["files"])


def test_each_promised_defect_is_there(cohort):
    assert outcomes(cohort) == {
        "quarantined:not_dicom": 3,
        "quarantined:truncated": 2,
        "quarantined:duplicate_instance": 1,
        "quarantined:dicomdir": 1,
    }
    for file in cohort.truth["files"]:
        path = cohort.export / file["file"]
        raw = path.read_bytes()
        if file["outcome"] == "quarantined:not_dicom":
            assert raw[128:132] != b"DICM"
        if file["outcome"] == "quarantined:dicomdir":
            assert path.name == "DICOMDIR" and len(dcmread(path).DirectoryRecordSequence) > 10
        if file["outcome"] == "quarantined:duplicate_instance":
            twins = [p for p in path.parent.iterdir() if p != path and p.read_bytes() == raw]
            assert len(twins) == 1


def test_truncated_files_lack_what_they_announce(cohort):
    header_cut, pixels_cut = (f["file"] for f in cohort.truth["files"] if f["outcome"] == "quarantined:truncated")
    assert "PixelData" not in dcmread(cohort.export / header_cut)
    broken = dcmread(cohort.export / pixels_cut)
    assert "PixelData" not in broken or len(broken.PixelData) < 2 * broken.Rows * broken.Columns


def test_one_folder_mixes_two_series(cohort):
    folders = defaultdict(set)
    for series in cohort.series(kind="image"):
        for file in series["files"]:
            folders[Path(file).parent].add(series["series_uid"])
    assert sorted(len(found) for found in folders.values())[-1] == 2


def test_some_names_have_no_extension_and_lie_deep(cohort):
    files = [Path(f) for s in cohort.truth["series"] for f in s["files"]]
    assert any(f.suffix == "" for f in files)
    assert max(len(f.parts) for f in files) >= 5


def test_the_orphan_references_nothing_that_is_there(cohort):
    (orphan,) = cohort.series(outcome="quarantined:no_image")
    dataset = dcmread(cohort.export / orphan["files"][0])
    frame = dataset.ReferencedFrameOfReferenceSequence[0]
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    known = {s["series_uid"] for s in cohort.truth["series"]}
    frames = {
        dcmread(cohort.export / s["files"][0], stop_before_pixels=True).FrameOfReferenceUID
        for s in cohort.series(kind="image")
    }
    assert series.SeriesInstanceUID not in known
    assert frame.FrameOfReferenceUID not in frames


def test_consent_table_and_outcomes_agree(cohort):
    with (cohort.out / "consent.csv").open(encoding="utf-8") as stream:
        rows = {row["patient"]: row for row in csv.DictReader(stream)}
    newest = max(row["date"] for row in rows.values())
    for patient in cohort.truth["patients"]:
        row = rows.get(patient["patient"])
        if row is None:
            expected = "no_record"
        elif row["withdrawn"]:
            assert row["withdrawn"] <= newest
            expected = "withdrawn"
        else:
            expected = "" if "research" in row["purposes"].split(";") else "other_purpose"
        assert patient["excluded"] == expected
        for series in cohort.series(patient=patient["patient"]):
            kept = {"released", "excluded:picture"}
            assert (
                (series["outcome"].partition(":")[2] == expected)
                if expected
                else (series["outcome"] in kept or series["outcome"].startswith("quarantined:"))
            )
    assert {row["model"] for row in rows.values()} == {"broad", "dynamic", "waiver"}
    assert all(row["governance"] for row in rows.values() if row["model"] == "broad")
    assert {p["excluded"] for p in cohort.truth["patients"]} == {"", "no_record", "withdrawn", "other_purpose"}


def test_the_waiver_meets_its_four_conditions(cohort):
    waiver = yaml.safe_load((cohort.out / "waiver.yaml").read_text(encoding="utf-8"))
    assert waiver["irb_reference"]
    assert set(waiver["conditions"]) == {"minimal_risk", "rights_and_welfare", "impracticable", "privacy_protections"}
    assert all(c["holds"] is True and c["because"] for c in waiver["conditions"].values())


def test_k_is_one_before_and_five_after_generalisation(cohort):
    usable = [p for p in cohort.truth["patients"] if not p["excluded"]]
    with_rows = {s["patient"] for s in cohort.truth["series"] if s["lesions"] and s["outcome"] == "released"}
    assert {p["patient"] for p in usable} == with_rows
    before = Counter((p["age"], p["sex"], p["hospital"], p["study_date"]) for p in usable)
    after = Counter((p["age"] // 20, p["sex"], p["study_date"][:4]) for p in usable)
    assert min(before.values()) == 1
    assert min(after.values()) >= 5


def test_ages_and_birth_dates_agree(cohort):
    for patient in cohort.truth["patients"]:
        series = cohort.series(patient=patient["patient"])[0]
        header = dcmread(cohort.export / series["files"][0], stop_before_pixels=True)
        born, seen = header.PatientBirthDate, header.StudyDate
        age = int(seen[:4]) - int(born[:4]) - (seen[4:] < born[4:])
        assert age == patient["age"] == int(header.PatientAge[:3])
        assert header.PatientSex == patient["sex"]


def test_a_relative_folder_will_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_cohort(Path("cohort"), n_patients=2)
    assert (tmp_path / "cohort" / "truth.json").exists()
