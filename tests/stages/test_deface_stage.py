"""The stage on whole chunks: what is defaced, what stays byte for byte, what goes to a person."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from deface_tools import blob, chunk, planned, synthetic, write_dicom
from radcurate import seals, tables
from radcurate.deface.stack import Stack
from radcurate.demo import scanner
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.settings import Deface
from radcurate.stages import deface
from radcurate.stages._written import seal

NO_DECISIONS = Path("no-decisions.csv")
HEAD, LIMB, PET, ALONE, TWICE = "S-head", "S-limb", "S-pet", "S-alone", "S-rle"


def pet_of(stack):
    """A coarse PET over the same place: uptake in the brain and some in the skin."""
    values = np.clip((stack.values[:, ::2, ::2] + 1000) / 1000, 0, 1.2) * 900
    origins = stack.origins + stack.row_step / 2 + stack.column_step / 2
    return Stack(values.astype(np.float32), origins, 2 * stack.row_step, 2 * stack.column_step)


def contour(folder, stack, points):
    """A NIfTI mask of some voxels of the stack."""
    folder.mkdir(parents=True)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = stack.column_step, stack.row_step
    affine[:3, 2] = (stack.origins[-1] - stack.origins[0]) / (len(stack.origins) - 1)
    affine[:3, 3] = stack.origins[0]
    values = np.zeros(stack.values.shape[::-1], np.uint8)
    values[tuple(np.argwhere(points).T[::-1])] = 1
    nibabel.save(nibabel.Nifti1Image(values, np.diag([-1, -1, 1, 1]) @ affine), folder / "mask.nii.gz")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A chunk with a head CT under a wrong BodyPartExamined, a PET and contours on it, a limb, a PET alone."""
    root = tmp_path_factory.mktemp("deface")
    key = Key(bytes(range(32)))
    stack, tissues, _, mask = planned("CT")
    dicom = root / "in" / "dicom"
    write_dicom(stack, dicom / HEAD, "CT", said="FOOT", frame="1.1")
    write_dicom(pet_of(stack), dicom / PET, "PT", frame="1.1", signed=False)
    write_dicom(blob(size=(20, 40, 40)), dicom / LIMB, "CT", said="HEAD", frame="1.2")
    few = Stack(stack.values[:4], stack.origins[:4], stack.row_step, stack.column_step)
    write_dicom(few, dicom / ALONE, "PT", frame="1.3", said="BRAIN")
    contour(dicom / "S-tumour", stack, tissues["tumour"])
    nose = mask & tissues["face"]
    assert nose.any()
    images = [(HEAD, "CT", "1.1"), (PET, "PT", "1.1"), (LIMB, "CT", "1.2"), (ALONE, "PT", "1.3")]
    chunk(root / "in", key, images, [("S-tumour", "nifti", [HEAD])])
    deface.run(Deface(), root / "in", NO_DECISIONS, root / "out", key, 1)
    return root, key


def rows(root, name="series", schema=tables.DEFACE_SERIES):
    return {row["series"]: row for row in tables.read_rows(root / "out" / f"{name}.parquet", schema)}


def test_every_series_is_told_of(done):
    found = {series: (row["status"], row["reason"], row["face"]) for series, row in rows(done[0]).items()}
    assert found == {
        HEAD: ("ok", None, "removed"),
        PET: ("ok", None, "removed"),
        LIMB: ("ok", None, "none"),
        ALONE: ("quarantined", "pet_alone", None),
        "S-tumour": ("ok", None, None),
    }


def test_the_numbers_of_the_check(done):
    row = rows(done[0], "qc", tables.DEFACE_QC)[HEAD]
    assert row["passed"] and row["outside_equal"] and row["inside_filled"]
    assert row["moved"] > 0.93 and row["brain_dice"] > 0.999 and row["presence_after"] < 0.2 < row["presence_before"]
    assert row["likeness"] < 0.3 < row["control_blurred"] < row["control_likeness"] and row["ears_moved"] > 0.9
    assert row["control_moved"] == 0 and row["control_passed"] is False and row["controls_hold"]
    assert row["overlap_voxels"] == 0 and row["roi_distance"] > 5 and not row["said"]
    assert 0 < row["changed_voxels"] <= row["masked_voxels"]
    assert len(row["outside_sha256"]) == 64


def test_what_shows_no_face_is_the_same_file(done):
    root, _ = done
    for series in (LIMB, ALONE, "S-tumour"):
        for path in sorted((root / "in" / "dicom" / series).iterdir()):
            assert path.samefile(root / "out" / "dicom" / series / path.name)


def test_changed_files_differ_in_masked_voxels_only(done):
    root, _ = done
    _, tissues, _, mask = planned("CT")
    changed = 0
    for plane, path in enumerate(sorted((root / "in" / "dicom" / HEAD).iterdir())):
        before, after = pydicom.dcmread(path), pydicom.dcmread(root / "out" / "dicom" / HEAD / path.name)
        difference = before.pixel_array != after.pixel_array
        assert not (difference & tissues["brain"][plane]).any()
        assert not (difference & ~mask[plane]).any()
        assert (after.pixel_array[difference] == -1000).all()
        changed += int(difference.sum())
        del before.PixelData, after.PixelData
        assert before == after
        if not difference.any() and not mask[plane].any():
            assert path.samefile(root / "out" / "dicom" / HEAD / path.name)
    assert changed == rows(root)[HEAD]["changed_voxels"]


def test_masks_are_told_frame_by_frame(done):
    root, _ = done
    mask = planned("CT")[3]
    names = [path.name for path in sorted((root / "in" / "dicom" / HEAD).iterdir())]
    told = np.zeros_like(mask)
    for row in tables.read_rows(root / "out" / "masks.parquet", tables.DEFACE_MASKS):
        assert row["series"] in (HEAD, PET) and row["frame"] == 0
        if row["series"] == HEAD:
            flags = np.repeat(np.arange(len(row["runs"])) % 2 == 1, row["runs"])
            told[names.index(row["name"])] = flags.reshape(mask.shape[1:])
    np.testing.assert_array_equal(told, mask)


def test_pictures_are_private_and_sealed_tables_hold(done):
    root, key = done
    names = sorted(path.name for path in (root / "out" / "pictures").iterdir())
    assert names == [f"{HEAD}_after.png", f"{HEAD}_before.png"]
    assert (root / "out" / "pictures").stat().st_mode & 0o777 == 0o700
    assert set(seals.check_seal(root / "out", key)) == {
        "series.parquet",
        "qc.parquet",
        "masks.parquet",
        "files.parquet",
    }
    assert json.loads((root / "out" / "seal.json").read_text())["key_id"] == key.key_id


def test_the_same_bytes_on_two_processes(done, tmp_path):
    root, key = done
    deface.run(Deface(), root / "in", NO_DECISIONS, tmp_path / "out", key, 2)
    first = {p.relative_to(root / "out"): p.read_bytes() for p in sorted((root / "out").rglob("*")) if p.is_file()}
    again = {
        p.relative_to(tmp_path / "out"): p.read_bytes() for p in sorted((tmp_path / "out").rglob("*")) if p.is_file()
    }
    assert first == again


def test_a_contour_in_the_face_sets_image_and_contour_aside(tmp_path, key):
    stack, tissues, _, mask = planned("CT")
    write_dicom(stack, tmp_path / "in/dicom" / TWICE, "CT", RLELossless, said="HEAD")
    contour(tmp_path / "in/dicom/S-lip", stack, mask & tissues["face"])
    contour(tmp_path / "in/dicom/S-tumour", stack, tissues["tumour"])
    chunk(tmp_path / "in", key, [(TWICE, "CT", "1.1")], [("S-lip", "nifti", [TWICE]), ("S-tumour", "nifti", [TWICE])])
    deface.run(Deface(pictures=False), tmp_path / "in", NO_DECISIONS, tmp_path / "out", key, 1)
    found = {series: (row["status"], row["reason"]) for series, row in rows(tmp_path).items()}
    assert found[TWICE] == found["S-lip"] == ("quarantined", "roi_overlap")
    assert found["S-tumour"] == ("quarantined", "image_quarantined")
    row = rows(tmp_path, "qc", tables.DEFACE_QC)[TWICE]
    assert row["overlap_voxels"] == (mask & tissues["face"]).sum() and not row["passed"]
    for path in sorted((tmp_path / "in/dicom" / TWICE).iterdir()):  # nothing half-done is left behind
        assert path.samefile(tmp_path / "out/dicom" / TWICE / path.name)
    assert not list((tmp_path / "out/pictures").iterdir())


@pytest.mark.slow
def test_a_whole_pet_alone_is_for_a_person(tmp_path, key):
    write_dicom(pet_of(planned("CT")[0]), tmp_path / "in/dicom" / PET, "PT", signed=False)
    chunk(tmp_path / "in", key, [(PET, "PT", "1.1")])
    deface.run(Deface(), tmp_path / "in", NO_DECISIONS, tmp_path / "out", key, 1)
    assert (rows(tmp_path)[PET]["status"], rows(tmp_path)[PET]["reason"]) == ("quarantined", "pet_alone")


@pytest.mark.slow
def test_limits_that_can_not_be_met_quarantine(tmp_path, key):
    stack = synthetic("MR", seed=12, column=scanner.T2)[0]  # 97.5 % of this head's facial surface moves
    write_dicom(stack, tmp_path / "in/dicom" / HEAD, "MR")
    chunk(tmp_path / "in", key, [(HEAD, "MR", "1.1")])
    deface.run(Deface(least_moved=1.0), tmp_path / "in", NO_DECISIONS, tmp_path / "out", key, 1)
    assert rows(tmp_path, "qc", tables.DEFACE_QC)[HEAD]["moved"] < 1.0
    assert (rows(tmp_path)[HEAD]["status"], rows(tmp_path)[HEAD]["reason"]) == ("quarantined", "checks_disagree")


def test_broken_series_become_rows(tmp_path, key):
    stack = blob(size=(8, 20, 20))
    for name in ("S-cut", "S-mixed", "S-good"):
        write_dicom(stack, tmp_path / "in/dicom" / name, "CT")
    cut = next((tmp_path / "in/dicom/S-cut").iterdir())
    cut.write_bytes(cut.read_bytes()[:-100])
    path = next((tmp_path / "in/dicom/S-mixed").iterdir())
    header = pydicom.dcmread(path)
    header.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    header.save_as(path)
    chunk(tmp_path / "in", key, [(name, "CT", name) for name in ("S-cut", "S-mixed", "S-good")])
    deface.run(Deface(), tmp_path / "in", NO_DECISIONS, tmp_path / "out", key, 1)
    found = {series: (row["status"], row["reason"]) for series, row in rows(tmp_path).items()}
    assert found == {
        "S-cut": ("quarantined", "pixels_unreadable"),
        "S-mixed": ("quarantined", "mixed_orientation"),
        "S-good": ("ok", None),
    }


def test_an_edited_input_is_refused(tmp_path, key):
    write_dicom(blob(size=(8, 20, 20)), tmp_path / "in/dicom" / LIMB, "CT")
    chunk(tmp_path / "in", key, [(LIMB, "CT", "1.1")])
    with (tmp_path / "in/series.parquet").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(CurationError, match="changed after"):
        deface.run(Deface(), tmp_path / "in", NO_DECISIONS, tmp_path / "out", key, 1)


def test_pixels_that_redact_filled_count_as_changed(tmp_path, key):
    """Statistics of an image of which only a text was removed may not come from the whole image either."""
    write_dicom(blob(size=(20, 40, 40)), tmp_path / "in/dicom" / LIMB, "CT")
    source = chunk(tmp_path / "in", key, [(LIMB, "CT", "1.2")])
    (row,) = tables.read_rows(source / "series.parquet", tables.REDACT_SERIES)
    tables.write_rows(source / "series.parquet", tables.REDACT_SERIES, [row | {"changed_pixels": 17}])
    seal(source, ["series.parquet"], key)
    deface.run(Deface(), source, NO_DECISIONS, tmp_path / "out", key, 1)
    assert rows(tmp_path)[LIMB]["changed_voxels"] == 17
