"""What is wrong with a series, one planted fault at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from inventory_files import AXIAL, Export, mask, uid
from radcurate.dicom import reasons
from radcurate.dicom.scan import scan_batch
from radcurate.dicom.series import Series, build, file_digest, group
from radcurate.dicom.tree import find_files

IMAGE = uid("image")


def only(folder: Path) -> Series:
    """The one series of a folder."""
    batch = scan_batch(list(find_files(folder)), folder)
    ((name, files),) = group(batch.headers).items()
    return build(name, files, 0.01, lambda header, start: file_digest(folder, header, start))


def heights(series: Series) -> list[float]:
    return [header.planes[0][2] for header in series.members]


def changed(path: Path, **values: object) -> None:
    dataset = dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


Plant = Callable[[Export, list[Path]], object]
PLANTED: dict[str, Plant] = {
    "slice_gap": lambda e, f: f[2].unlink(),
    "truncated": lambda e, f: f[1].write_bytes(f[1].read_bytes()[:-9]),
    "missing_geometry": lambda e, f: changed(f[1], ImagePositionPatient=None),
    "mixed_orientation": lambda e, f: changed(f[1], ImageOrientationPatient=[0, 1, 0, 0, 0, -1]),
    "mixed_spacing": lambda e, f: changed(f[1], PixelSpacing=[3, 3]),
    "mixed_size": lambda e, f: changed(f[1], Rows=4, Columns=16),
    "mixed_modality": lambda e, f: changed(f[1], SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR"),
    "several_frames_of_reference": lambda e, f: changed(f[1], FrameOfReferenceUID="2.25.5"),
    "not_grayscale": lambda e, f: [changed(p, SamplesPerPixel=3, Rows=4, Columns=5) for p in f],
    "mosaic": lambda e, f: [changed(p, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]) for p in f],
    "gantry_tilt": lambda e, f: [changed(p, ImagePositionPatient=[0, 0.3 * 3 * k, 3.0 * k]) for k, p in enumerate(f)],
    "uneven_spacing": lambda e, f: changed(f[2], ImagePositionPatient=[-10, -20, 6.5]),
    "several_volumes": lambda e, f: (
        [e.slice(IMAGE, 3.0 * k, f"second{k}", SOPInstanceUID=uid(k)) for k in range(5)]
        and [changed(p, RescaleSlope=2) for p in f]
    ),
    "duplicate_instance": lambda e, f: e.slice(IMAGE, 3.0, "again", RescaleSlope=7),
    "unsupported_kind": lambda e, f: [changed(p, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.22") for p in f],
}


@pytest.mark.parametrize("reason", PLANTED)
def test_a_planted_fault_quarantines_the_series(tmp_path: Path, reason: str) -> None:
    export = Export(tmp_path)
    _, files = export.image(IMAGE, count=5)
    assert only(tmp_path).reason is None
    PLANTED[reason](export, files)
    assert only(tmp_path).reason == reason


@pytest.mark.parametrize("place", ["1", "1.1", "1.2", "6.1", "3.1", "7", "7.4", "12.1"])
def test_pictures_need_no_planes_and_may_differ_in_size(tmp_path: Path, place: str) -> None:
    export = Export(tmp_path)
    _, files = export.image(IMAGE, count=3)
    for path in files:
        changed(
            path, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{place}", ImagePositionPatient=None, FrameOfReferenceUID=None
        )
    changed(files[1], Rows=4, Columns=16)
    found = only(tmp_path)
    assert (found.kind, found.reason, len(found.members)) == ("picture", None, 3)


def test_a_picture_that_is_cut_off_is_none(tmp_path: Path) -> None:
    export = Export(tmp_path)
    _, files = export.image(IMAGE, count=2)
    for path in files:
        changed(path, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    files[1].write_bytes(files[1].read_bytes()[:-9])
    assert only(tmp_path).reason == "truncated"


def test_every_reason_has_a_remedy() -> None:
    used = {*PLANTED}
    assert used <= set(reasons.SERIES_REMEDIES)
    for reason in reasons.SERIES_REMEDIES:
        assert len(reasons.series_remedy(reason)) > 20
    for reason in reasons.FILE_REMEDIES:
        assert len(reasons.file_remedy(reason)) > 20


def test_an_identical_copy_is_set_aside_and_the_series_goes_on(tmp_path: Path) -> None:
    _, files = Export(tmp_path).image(IMAGE)
    shutil.copy(files[1], tmp_path / "z_copy")
    found = only(tmp_path)
    assert found.reason is None
    assert [(h.file.path, why) for h, why in found.dropped] == [("z_copy", "duplicate_instance")]
    assert heights(found) == [0.0, 3.0, 6.0, 9.0]


def test_a_copy_with_another_file_meta_is_a_copy(tmp_path: Path) -> None:
    _, files = Export(tmp_path).image(IMAGE)
    dataset = dcmread(files[1])
    dataset.file_meta.ImplementationVersionName = "OTHER"
    dataset.save_as(tmp_path / "z_copy")
    assert only(tmp_path).reason is None


def test_the_same_pixels_at_the_same_place_under_a_new_number_are_a_copy(tmp_path: Path) -> None:
    export = Export(tmp_path)
    export.image(IMAGE)
    export.slice(IMAGE, 3.0, "again", SOPInstanceUID=uid("new"))
    found = only(tmp_path)
    assert found.reason is None
    assert len(found.dropped) == 1


@pytest.mark.parametrize("numbers", [[0, 1, 2, 3], [7, 7, 7, 7], [None, 2, "", 1], [4, 3, 2, 1]])
def test_instance_numbers_play_no_part(tmp_path: Path, numbers: list[object]) -> None:
    _, files = Export(tmp_path).image(IMAGE)
    for path, number in zip(files, numbers, strict=True):
        changed(path, InstanceNumber=number)
    found = only(tmp_path)
    assert found.reason is None
    assert heights(found) == [0.0, 3.0, 6.0, 9.0]


def test_noise_of_writing_plays_no_part(tmp_path: Path) -> None:
    _, files = Export(tmp_path).image(IMAGE)
    for k, path in enumerate(files):
        changed(path, ImagePositionPatient=[-10, -20.0004 + 0.0002 * k, 3 * k + 0.0003 * (-1) ** k])
        changed(path, ImageOrientationPatient=[*AXIAL[:4], 0.999998, 0.000012 * k])
    assert only(tmp_path).reason is None


def test_a_screen_shot_among_slices_is_set_aside(tmp_path: Path) -> None:
    export = Export(tmp_path)
    _, files = export.image(IMAGE)
    changed(export.slice(IMAGE, 100.0, "shot"), SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    found = only(tmp_path)
    assert found.reason is None
    assert [why for _, why in found.dropped] == ["foreign_instance"]
    assert len(found.members) == len(files)


def test_an_enhanced_object_is_one_volume_whatever_the_order_of_its_frames(tmp_path: Path) -> None:
    Export(tmp_path).enhanced(IMAGE, (6.0, 0.0, 3.0))
    found = only(tmp_path)
    assert found.reason is None
    assert found.geometry is not None
    assert found.geometry.order == (1, 2, 0)
    assert found.geometry.spacing == (3.0, 2.0, 1.5)
    assert found.shape == (3, 8, 8)


@pytest.mark.parametrize(("planes", "reason"), [((0, 3, 9), "slice_gap"), ((0, 3, 0, 3), "several_volumes")])
def test_a_faulty_enhanced_object_is_named(tmp_path: Path, planes: tuple[float, ...], reason: str) -> None:
    Export(tmp_path).enhanced(IMAGE, planes)
    assert only(tmp_path).reason == reason


def test_masks_are_no_headers(tmp_path: Path) -> None:
    mask(tmp_path / "m.nii.gz")
    batch = scan_batch(list(find_files(tmp_path)), tmp_path)
    assert (len(batch.masks), len(batch.headers), len(batch.unusable)) == (1, 0, 0)
