"""SEG and NIfTI to masks on the image's grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from pydicom.dataset import FileDataset
from volume_files import data_set, item, put_pixels, save, sequence

from radcurate.volumes.grid import Grid
from radcurate.volumes.image import read_volume
from radcurate.volumes.masks import read_rois
from radcurate.volumes.problems import VolumeError

GRID = Grid((6, 7, 9), (2.5, 0.8, 0.9), (-20.0, 10.0, 50.0), np.eye(3)[::-1])
RANDOM = np.random.default_rng(7)
FIRST, SECOND = RANDOM.random((2, 6, 7, 9)) < 0.4  # they overlap
IN_PLANE = [1.0, 0, 0, 0, 1.0, 0]


def segmentation(
    kind: str, frames: list[tuple[int, np.ndarray, int]], orientation: list[float] = IN_PLANE, origin: Any = None
) -> FileDataset:
    """`frames` as (segment, pixels of shape (row, column), plane of GRID)."""
    header = data_set("SEG")
    pixels = np.stack([frame for _, frame, _ in frames])
    put_pixels(header, pixels.astype(np.uint8))
    header.NumberOfFrames, header.SegmentationType = len(frames), kind
    if kind == "BINARY":
        header.BitsAllocated = header.BitsStored = 1
        header.HighBit = 0
        packed = np.packbits(pixels.astype(np.uint8).ravel(), bitorder="little").tobytes()
        header.PixelData = packed + b"\0" * (len(packed) % 2)
    if kind == "FRACTIONAL":
        header.MaximumFractionalValue, header.SegmentationFractionalType = 200, "PROBABILITY"
    header.SegmentSequence = sequence(
        *(item(SegmentNumber=n, SegmentLabel=f"part {n}", SegmentAlgorithmType="AUTOMATIC") for n in (2, 1))
    )
    measures = item(PixelSpacing=[0.8, 0.9], SliceThickness=2.5)
    header.SharedFunctionalGroupsSequence = sequence(
        item(
            PixelMeasuresSequence=sequence(measures),
            PlaneOrientationSequence=sequence(item(ImageOrientationPatient=orientation)),
        )
    )
    corner = np.array(GRID.origin if origin is None else origin)
    header.PerFrameFunctionalGroupsSequence = sequence(
        *(_group(kind, segment, corner + np.array([0, 0, 2.5 * plane])) for segment, _, plane in frames)
    )
    return header


def _group(kind: str, segment: int, position: np.ndarray) -> Any:
    group = item(PlanePositionSequence=sequence(item(ImagePositionPatient=position.tolist())))
    if kind != "LABELMAP":
        group.SegmentIdentificationSequence = sequence(item(ReferencedSegmentNumber=segment))
    return group


def frames_of(scale: int = 1) -> list[tuple[int, np.ndarray, int]]:
    """Both segments' planes in a mixed order, without the empty ones."""
    frames = [(n, mask[plane] * scale, plane) for plane in range(6) for n, mask in ((1, FIRST), (2, SECOND))]
    return [frames[index] for index in RANDOM.permutation(len(frames)) if frames[index][1].any()]


def read(folder: Path, header: FileDataset, grid: Grid = GRID) -> list[Any]:
    return read_rois(save(folder, [header])[0], "seg", grid)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_overlapping_segments_in_any_order(tmp_path: Path, kind: str) -> None:
    first, second = read(tmp_path, segmentation(kind, frames_of(200 if kind == "FRACTIONAL" else 1)))
    np.testing.assert_array_equal(first.mask, FIRST)
    np.testing.assert_array_equal(second.mask, SECOND)
    assert (first.number, first.label, first.method, second.label) == (1, "part 1", "AUTOMATIC", "part 2")


def test_half_of_the_fractional_maximum_belongs(tmp_path: Path) -> None:
    levels = np.arange(63).reshape(7, 9) + 70  # maximum 200
    (only, absent) = read(tmp_path, segmentation("FRACTIONAL", [(1, levels, 0)]))
    np.testing.assert_array_equal(only.mask[0], levels >= 100)
    assert absent.problem.reason == "empty"


def test_label_map(tmp_path: Path) -> None:
    labels = np.where(FIRST, 1, np.where(SECOND, 2, 0))
    first, second = read(
        tmp_path, segmentation("LABELMAP", [(0, labels[plane], plane) for plane in (5, 0, 3, 1, 2, 4)])
    )
    np.testing.assert_array_equal(first.mask, FIRST)
    np.testing.assert_array_equal(second.mask, SECOND & ~FIRST)


def test_sparse_planes(tmp_path: Path) -> None:
    (first, _) = read(tmp_path, segmentation("BINARY", [(1, FIRST[4], 4), (1, FIRST[1], 1)]))
    expected = np.zeros_like(FIRST)
    expected[[1, 4]] = FIRST[[1, 4]]
    np.testing.assert_array_equal(first.mask, expected)


def test_frames_that_are_turned_against_the_image(tmp_path: Path) -> None:
    """Columns run the other way, so does the normal: the lattice is the same."""
    origin = GRID.to_patient([0, 0, 8])
    frames = [(1, FIRST[plane, :, ::-1], plane) for plane in range(6)]
    (first, _) = read(tmp_path, segmentation("BINARY", frames, [-1.0, 0, 0, 0, 1.0, 0], origin))
    np.testing.assert_array_equal(first.mask, FIRST)


def test_other_grids_are_refused(tmp_path: Path) -> None:
    coarser = Grid((6, 7, 9), (2.5, 1.6, 1.8), GRID.origin, GRID.axes)
    shorter = Grid((4, 7, 9), GRID.spacing, GRID.origin, GRID.axes)
    for grid, wanted in ((coarser, "grid_mismatch"), (shorter, "mask_outside")):
        with pytest.raises(VolumeError) as caught:
            read(tmp_path, segmentation("BINARY", frames_of()), grid)
        assert caught.value.reason == wanted


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1)])
def test_nifti_labels_in_any_layout(tmp_path: Path, axes: tuple[int, ...], flips: tuple[int, ...]) -> None:
    labels = np.where(FIRST, 1, np.where(SECOND, 4, 0)).astype(np.int16)
    stored, steps, origin = labels, GRID.steps.copy(), np.array(GRID.origin)
    for axis, flip in enumerate(flips):
        if flip < 0:
            stored, origin = np.flip(stored, axis), origin + steps[axis] * (GRID.shape[axis] - 1)
            steps[axis] *= -1
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = (np.diag([-1, -1, 1]) @ steps[list(axes)].T), np.array([-1, -1, 1]) * origin
    path = tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(stored.transpose(axes), affine), path)
    first, second = read_rois(path, "nifti", GRID)
    np.testing.assert_array_equal(first.mask, FIRST)
    np.testing.assert_array_equal(second.mask, SECOND & ~FIRST)
    assert (first.label, second.label, second.number) == ("1", "4", 4)


def test_nifti_that_is_no_mask(tmp_path: Path) -> None:
    path = tmp_path / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.full((9, 7, 6), 0.3, dtype=np.float32), np.eye(4)), path)
    with pytest.raises(VolumeError, match="mask_unreadable"):
        read_rois(path, "nifti", GRID)
    path.write_bytes(b"no NIfTI")
    with pytest.raises(VolumeError, match="mask_unreadable"):
        read_rois(path, "nifti", GRID)


def test_real_segmentations(real_data: Path) -> None:
    """Voxel counts are of the files' own bits, counted with pydicom's pixel_array."""
    import pydicom

    folder = real_data / "dcmqi/data/segmentations"
    image = read_volume(sorted((folder / "ct-3slice").glob("*.dcm"))).grid
    liver = folder / "liver.dcm"
    (roi,) = read_rois(liver, "seg", image)
    assert roi.mask.sum() == pydicom.dcmread(liver).pixel_array.sum()
    assert len(read_rois(folder / "partial_overlaps.dcm", "seg", image)) == 5
    small = read_volume([folder / "24x38x3/multiframe/mf.dcm"]).grid
    assert [
        read_rois(folder / f"sparse-labelmap-{name}.dcm", "seg", small)[0].mask.sum() for name in ("noppv", "ppv5")
    ] == [630, 630]


def test_real_segmentations_without_a_place_in_the_patient(real_data: Path) -> None:
    folder = real_data / "highdicom/data/test_files"
    for path in sorted(folder.glob("seg_image_sm_*.dcm")):
        with pytest.raises(VolumeError, match="no_geometry"):
            read_rois(path, "seg", GRID)
