"""The inventory as a stage: from a folder to sealed tables."""

from __future__ import annotations

import random
import shutil
import stat
from collections import Counter
from pathlib import Path
from typing import Any

import nibabel
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from inventory_files import Export, mask, tree_state, uid
from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.stages import _scan, inventory

IMAGE = uid("image")
PLAIN = Key(bytes(range(32)))


def run(source: Path, out: Path, threads: int = 1, **options: Any) -> Path:
    inventory.run(Inventory(**options), source, out, PLAIN, threads)
    return out


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    schema = getattr(tables, f"INVENTORY_{table.upper()}")
    return [
        row for path in sorted((out / "chunks").glob(f"*/{table}.parquet")) for row in tables.read_rows(path, schema)
    ]


def unplaced(out: Path) -> dict[str, str]:
    found = tables.read_rows(out / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    return {row["path"]: row["reason"] for row in found}


def outcome(out: Path) -> dict[str, tuple[str, str | None]]:
    return {row["series_instance_uid"]: (row["status"], row["reason"]) for row in rows(out, "series")}


def fill(folder: Path, patient: str = "PAT-4711", image: str = IMAGE, **more: Any) -> Export:
    """A patient with an image and a contour."""
    export = Export(folder, patient, **more)
    export.image(image)
    export.rtstruct(image, [uid(image, 3.0)], name="rs.dcm")
    return export


def test_tables_of_a_small_export(tmp_path: Path) -> None:
    export = fill(tmp_path / "in")
    out = run(tmp_path / "in", tmp_path / "out")
    image, contour = sorted(rows(out, "series"), key=lambda row: row["kind"])
    assert (image["status"], contour["status"]) == ("ok", "ok")
    assert (image["patient_id"], image["n_instances"], image["rows"], image["spacing"]) == (
        "PAT-4711",
        4,
        8,
        [3.0, 2.0, 1.5],
    )
    assert (contour["images"], contour["link"]) == ([PLAIN.series(IMAGE)], "instance")
    assert contour["frame_of_reference_uid"] == image["frame_of_reference_uid"]
    slices = [row for row in rows(out, "instances") if row["series"] == image["series"]]
    in_order = sorted(slices, key=lambda row: row["order"])
    heights = [float(dcmread(export.folder / row["path"]).ImagePositionPatient[2]) for row in in_order]
    assert heights == [0.0, 3.0, 6.0, 9.0]
    assert {("name", "Falke^Zita"), ("id", "PAT-4711"), ("text", "GTV Falke"), ("date", "20230405")} <= {
        (row["category"], row["value"]) for row in rows(out, "identifiers")
    }


def test_the_source_is_never_written_to(tmp_path: Path) -> None:
    fill(tmp_path / "in")
    mask(tmp_path / "in" / "m.nii.gz")
    before = tree_state(tmp_path / "in")
    run(tmp_path / "in", tmp_path / "out")
    assert tree_state(tmp_path / "in") == before


def test_folders_are_private_and_sealed_and_nothing_else_is_left(tmp_path: Path) -> None:
    fill(tmp_path / "in")
    out = run(tmp_path / "in", tmp_path / "out")
    for path in (out, *out.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert sorted(seals.check_seal(out, PLAIN)) == ["unplaced.parquet"]
    (chunk,) = (out / "chunks").iterdir()
    assert sorted(seals.check_seal(chunk, PLAIN)) == ["identifiers.parquet", "instances.parquet", "series.parquet"]
    assert sorted(path.name for path in out.iterdir()) == ["chunks", "headers", "seal.json", "unplaced.parquet"]


def cohort(folder: Path) -> None:
    """Three patients, a mask, and files that can't be used."""
    for k in range(3):
        export = fill(folder / f"p{k}", f"PAT-{k}", uid("image", k))
        export.other(SeriesDescription="Report")
    Export(folder / "p0", "PAT-0").slice(uid("image", 0), 12.0)  # a grid of its own
    mask(folder / "p0" / "mask.nii", count=5)
    (folder / "note.txt").write_text("hello")
    (folder / "p1" / "cut").write_bytes((folder / "p1" / "rs.dcm").read_bytes()[:300])


def test_one_process_or_several_write_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort(tmp_path / "in")
    monkeypatch.setattr(_scan, "BATCH", 3)
    monkeypatch.setattr(_scan, "WAVE", 2)
    one = run(tmp_path / "in", tmp_path / "one", threads=1)
    two = run(tmp_path / "in", tmp_path / "two", threads=2)
    again = run(tmp_path / "in", tmp_path / "one", threads=1)
    contents = [tables_in(out) for out in (one, two, again)]
    assert contents[0] == contents[1] == contents[2]


def tables_in(out: Path) -> dict[str, str]:
    """Digests of what later stages read."""
    return {path: state[0] for path, state in tree_state(out).items() if not path.startswith("headers/")}


def described(out: Path) -> Counter[str]:
    """What the tables say, but for names of files and what follows from them."""
    paths = {row["series"] for row in rows(out, "series") if row["kind"] == "nifti"}
    found = []
    for table in ("series", "instances", "identifiers"):
        for row in rows(out, table):
            if row.get("keyword") == "file_name":
                continue
            kept = {k: v for k, v in row.items() if k not in ("path", "file", "mtime_ns")}
            found.append(repr({k: "mask" if v in paths else v for k, v in kept.items() if not isinstance(v, list)}))
    return Counter(found)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_names_and_folders_of_files_play_no_part(tmp_path: Path, seed: int) -> None:
    chance, base = random.Random(seed), tmp_path / str(seed)
    shutil.rmtree(base, ignore_errors=True)
    cohort(base / "in")
    first = run(base / "in", base / "first")
    names = list(range(1000))
    chance.shuffle(names)
    for number, path in zip(names, sorted(p for p in (base / "in").rglob("*") if p.is_file()), strict=False):
        suffix = ".nii" if path.suffix == ".nii" else chance.choice(["", ".dcm", ".IMA", ".txt"])
        target = base / "mixed" / chance.choice(["", "x", "x/y", "z"]) / f"f{number}{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    second = run(base / "mixed", base / "second")
    assert described(first) == described(second)
    assert Counter(unplaced(first).values()) == Counter(unplaced(second).values())


def test_every_file_is_accounted_for(tmp_path: Path) -> None:
    cohort(tmp_path / "in")
    out = run(tmp_path / "in", tmp_path / "out")
    placed = [row["path"] for row in rows(out, "instances")]
    there = sorted(str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*") if path.is_file())
    assert sorted([*placed, *unplaced(out)]) == there


def test_other_objects_are_quarantined_and_not_dropped(tmp_path: Path) -> None:
    export = fill(tmp_path / "in")
    report = export.other()
    out = run(tmp_path / "in", tmp_path / "out")
    assert outcome(out)[report] == ("quarantined", "unsupported_kind")
    assert all(row["remedy"] for row in rows(out, "series") if row["status"] != "ok")


def test_a_gap_a_copy_a_mix_and_an_orphan_are_each_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    export = fill(tmp_path / "in")
    planted = {"slice_gap": "gap", "duplicate_instance": "copy", "mixed_orientation": "mix", "no_image": "orphan"}
    series = {reason: uid(what) for reason, what in planted.items()}
    for z in (0.0, 3.0, 9.0, 12.0):
        export.slice(series["slice_gap"], z)
    export.image(series["duplicate_instance"])
    export.slice(series["duplicate_instance"], 3.0, "other pixels", SOPInstanceUID=uid("new"), BitsStored=12)
    export.image(series["mixed_orientation"])
    export.slice(series["mixed_orientation"], 12.0, ImageOrientationPatient=[0.0, 1.0, 0.0, 0.0, 0.0, -1.0])
    series["no_image"] = export.seg(uid("absent"), [uid("absent", 1)], heights=[100.0, 103.0], name="orphan")
    out = run(tmp_path / "in", tmp_path / "out")
    found = {row["series_instance_uid"]: row for row in rows(out, "series")}
    for reason, name in series.items():
        assert (found[name]["status"], found[name]["reason"]) == ("quarantined", reason)
        assert found[name]["remedy"]
        assert f"{reason} 1" in caplog.text
    assert outcome(out)[IMAGE] == ("ok", None)


def test_two_series_in_one_folder_and_one_series_in_two_folders(tmp_path: Path) -> None:
    export = fill(tmp_path / "in" / "a")
    export.image(uid("second"), modality="MR")
    for path in list((tmp_path / "in" / "a").iterdir())[::2]:
        (tmp_path / "in" / "b").mkdir(exist_ok=True)
        path.rename(tmp_path / "in" / "b" / path.name)
    found = outcome(run(tmp_path / "in", tmp_path / "out"))
    assert found[IMAGE] == ("ok", None)
    assert found[uid("second")] == ("quarantined", "no_contour")


def test_a_series_claimed_by_two_patients_is_quarantined(tmp_path: Path) -> None:
    fill(tmp_path / "in" / "a", "PAT-1", uid("image", 1))
    export = fill(tmp_path / "in" / "b", "PAT-2", uid("image", 2))
    Export(tmp_path / "in" / "c", "PAT-3").slice(uid("image", 2), 12.0)
    out = run(tmp_path / "in", tmp_path / "out")
    claimed = [row for row in rows(out, "series") if row["series_instance_uid"] == uid("image", 2)]
    assert [(row["status"], row["reason"]) for row in claimed] == [("quarantined", "two_patients")]
    assert outcome(out)[uid("image", 1)] == ("ok", None)
    assert export.patient in {row["patient_id"] for row in rows(out, "series")}
    assert "two_patients" in unplaced(out).values()


def test_two_birth_dates_under_one_number_are_quarantined(tmp_path: Path) -> None:
    fill(tmp_path / "in" / "a", "PAT-1", uid("image", 1))
    export = fill(tmp_path / "in" / "b", "PAT-2", uid("image", 2))
    export.other(PatientBirthDate="19991231")
    found = outcome(run(tmp_path / "in", tmp_path / "out"))
    assert found[uid("image", 2)] == ("quarantined", "contradictory_patient")
    assert found[uid("image", 1)] == ("ok", None)


def test_blanks_around_a_patient_s_number_and_a_missing_issuer_split_nobody(tmp_path: Path) -> None:
    export = Export(tmp_path / "in")
    export.image(IMAGE, IssuerOfPatientID="HOSP")
    export.rtstruct(IMAGE, [uid(IMAGE, 3.0)], PatientID=" PAT-4711 ")
    out = run(tmp_path / "in", tmp_path / "out")
    assert {row["subject"] for row in rows(out, "series")} == {PLAIN.subject("PAT-4711", "HOSP")}
    assert {row["status"] for row in rows(out, "series")} == {"ok"}


def test_one_number_of_two_issuers_is_two_patients(tmp_path: Path) -> None:
    for issuer in ("A", "B"):
        export = Export(tmp_path / "in" / issuer, study=issuer)
        export.image(uid(issuer), IssuerOfPatientID=issuer)
        export.rtstruct(uid(issuer), [uid(uid(issuer), 3.0)], IssuerOfPatientID=issuer)
    out = run(tmp_path / "in", tmp_path / "out")
    assert len({row["subject"] for row in rows(out, "series")}) == 2
    assert {row["status"] for row in rows(out, "series")} == {"ok"}


def test_a_file_without_a_patient_s_number_belongs_to_nobody(tmp_path: Path) -> None:
    export = fill(tmp_path / "in")
    export.slice(uid("nobody"), 0.0, "nobody", PatientID="")
    assert unplaced(run(tmp_path / "in", tmp_path / "out")) == {"nobody": "missing_patient_id"}


def test_a_cut_slice_quarantines_its_series(tmp_path: Path) -> None:
    export = fill(tmp_path / "in")
    last = sorted(export.folder.glob("*_9.0"))[0]
    last.write_bytes(last.read_bytes()[:-50])
    export.image(uid("whole"), modality="MR")
    export.seg(uid("whole"), [uid(uid("whole"), 0.0), uid(uid("whole"), 3.0)])
    out = run(tmp_path / "in", tmp_path / "out")
    assert outcome(out)[IMAGE] == ("quarantined", "truncated")
    reasons = {row["path"]: row["reason"] for row in rows(out, "instances")}
    assert reasons[last.name] == "truncated"


def test_a_nifti_mask_is_a_contour_of_the_series_with_its_grid(tmp_path: Path) -> None:
    export = Export(tmp_path / "in")
    export.image(IMAGE)
    mask(tmp_path / "in" / "Falke" / "m.nii.gz")
    image = nibabel.load(tmp_path / "in" / "Falke" / "m.nii.gz")
    flipped = image.as_reoriented([[1, -1], [0, 1], [2, -1]])
    flipped.to_filename(tmp_path / "in" / "turned.nii")
    out = run(tmp_path / "in", tmp_path / "out")
    masks = [row for row in rows(out, "series") if row["kind"] == "nifti"]
    assert [(row["status"], row["link"], row["images"]) for row in masks] == [("ok", "grid", [PLAIN.series(IMAGE)])] * 2
    assert outcome(out)[IMAGE] == ("ok", None)
    assert {row["value"] for row in rows(out, "identifiers") if row["keyword"] == "file_name"} >= {"Falke", "turned"}


def test_masks_without_one_image_are_quarantined(tmp_path: Path) -> None:
    export = fill(tmp_path / "in")
    mask(tmp_path / "in" / "other_grid.nii", count=5)
    assert unplaced(run(tmp_path / "in", tmp_path / "out")) == {"other_grid.nii": "no_grid"}
    export.image(uid("twin"), modality="MR")
    mask(tmp_path / "in" / "twin.nii")
    found = unplaced(run(tmp_path / "in", tmp_path / "out"))
    assert found["twin.nii"] == "ambiguous_grid"


def test_no_contour_at_all_is_an_error_with_counts(tmp_path: Path) -> None:
    export = Export(tmp_path / "in")
    export.image(IMAGE)
    (tmp_path / "in" / "note.txt").write_text("x")
    with pytest.raises(CurationError, match="no image series has a contour") as error:
        run(tmp_path / "in", tmp_path / "out")
    assert "1 image series" in error.value.found
    assert "no_contour 1" in error.value.found
    assert "not_dicom 1" in error.value.found
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["headers"]  # no tables, and nothing half done


@pytest.mark.parametrize("what", ["absent", "empty", "a file"])
def test_an_input_that_can_t_be_used_is_explained(tmp_path: Path, what: str) -> None:
    source = tmp_path / "in"
    if what == "empty":
        (source / "deep").mkdir(parents=True)
    elif what == "a file":
        source.write_text("x")
    with pytest.raises(CurationError, match="input folder can't be used"):
        run(source, tmp_path / "out")


def test_an_unreadable_input_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.setattr(Path, "iterdir", lambda _: (_ for _ in ()).throw(PermissionError()))
    with pytest.raises(CurationError, match="input folder can't be used") as error:
        inventory.run(Inventory(), tmp_path / "in", tmp_path / "out", PLAIN, 1)
    assert error.value.found == "no permission"


def test_the_log_holds_no_identifier(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    cohort(tmp_path / "in" / "Falke")
    run(tmp_path / "in", tmp_path / "out")
    assert "usable: 3 image series, 4 contours" in caplog.text
    assert not any(word in caplog.text for word in ("Falke", "PAT-", "2.25."))


@pytest.mark.parametrize("chunks", [1, 7])
def test_all_series_of_a_patient_share_a_chunk(tmp_path: Path, chunks: int) -> None:
    cohort(tmp_path / "in")
    found = rows(run(tmp_path / "in", tmp_path / "out", n_chunks=chunks), "series")
    pairs = {(row["subject"], row["chunk"]) for row in found}
    assert len(pairs) == len({subject for subject, _ in pairs}) == 3
    assert {int(chunk) for _, chunk in pairs} <= set(range(chunks))


def test_the_sarcoma_cohort_is_linked_whole(real_data: Path, tmp_path: Path) -> None:
    found = rows(run(real_data / "ibsi" / "ibsi_validation" / "dicom", tmp_path / "out"), "series")
    counts = Counter((row["kind"], row["status"], row["link"]) for row in found)
    assert counts == {("image", "ok", None): 27, ("rtstruct", "ok", "series"): 27}
    modality = {row["series"]: (row["subject"], row["modality"]) for row in found if row["kind"] == "image"}
    drawn = Counter(modality[row["images"][0]] for row in found if row["kind"] == "rtstruct")
    assert len(drawn) == 27
    assert all(row["subject"] == modality[row["images"][0]][0] for row in found if row["kind"] == "rtstruct")


# image series and contours that can be used, by hand from the folders' contents
REAL = {
    "ibsi/ibsi_1_ct_radiomics_phantom/dicom": (1, 1),
    "dcmqi": (3, 4),
    "rt_utils": (1, 1),
    "highdicom": (1, 1),
}


@pytest.mark.parametrize("folder", REAL)
def test_real_exports_are_linked(real_data: Path, tmp_path: Path, folder: str) -> None:
    found = rows(run(real_data / folder, tmp_path / "out"), "series")
    usable = [row["kind"] == "image" for row in found if row["status"] == "ok" and row["kind"] != "picture"]
    assert (usable.count(True), usable.count(False)) == REAL[folder]


WITHOUT_CONTOURS = {
    "fnndsc_data/dicom": {"mosaic": 2, "slice_gap": 1},
    "dcm_qa_ct": {"gantry_tilt": 1},
    "dcm_qa_enh": {"several_volumes": 2},
    "pydicom_testfiles": None,
    "pydicom_data": None,
    "seg3ddata": None,
    "jsl_visual_nlp": None,
    "presidio": None,
    "dcm_qa_agfa": None,
    "dcm_qa_toshiba": None,
    "nibabel": None,
}


@pytest.mark.parametrize("folder", WITHOUT_CONTOURS)
def test_odd_files_are_sorted_out_without_a_crash(real_data: Path, tmp_path: Path, folder: str) -> None:
    with pytest.raises(CurationError, match="no image series has a contour") as error:
        run(real_data / folder, tmp_path / "out")
    for reason, count in (WITHOUT_CONTOURS[folder] or {}).items():
        assert f"{reason} {count}" in error.value.found
