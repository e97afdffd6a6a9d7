"""Regions of interest of an image, from whatever they were stored in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from radcurate.volumes.contours import Structure, rasterise, read_structures
from radcurate.volumes.grid import Grid
from radcurate.volumes.lattice import transfer
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.segmentation import read_segments

Mask = NDArray[np.bool_]
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Roi:
    """A region on the image's grid.

    Attributes:
        label: ROIName, SegmentLabel or the number of a label in a NIfTI file.
        mask: shape (plane, row, column); empty when there is a `problem`.
        method: ROIGenerationAlgorithm or SegmentAlgorithmType; empty where not told.
        number: ROINumber, SegmentNumber or the label's value.
        problem: why this region can't be used, while others of the file may; None when it can.
        notes: what was noticed, such as planes_without_contour:2, contours_ignored:1, resampled.
    """

    label: str
    mask: Mask
    method: str
    number: int
    problem: VolumeError | None = None
    notes: tuple[str, ...] = ()


def read_rois(path: Path, kind: str, grid: Grid) -> list[Roi]:
    """All regions of a file on `grid`, by number. See `iter_rois` for one at a time, which takes less memory.

    A region that can't be used comes with an empty mask and its `problem`.

    Args:
        path: one RTSTRUCT, SEG or NIfTI file.
        kind: rtstruct, seg or nifti.
        grid: the image's.

    Raises:
        VolumeError: no region can be used (with the first one's reason: contour_outside, contour_orientation,
            grid_mismatch, mask_outside, empty, …), or the file as a whole can't.
    """
    rois = list(iter_rois(path, kind, grid))
    problems = [roi.problem for roi in rois if roi.problem]
    if not rois:
        raise _empty("no regions in the file")
    if len(problems) == len(rois):
        raise problems[0]
    return rois


def iter_rois(path: Path, kind: str, grid: Grid) -> Iterator[Roi]:
    """The regions of a file on `grid`, one by one, by number; arguments and errors as in `read_rois`."""
    if kind == "nifti":
        yield from map(_checked, _from_nifti(path, grid))
        return
    header = pydicom.dcmread(path, force=True)
    if kind == "rtstruct":
        yield from (_checked(_from_structure(structure, grid)) for structure in read_structures(header))
    elif kind == "seg":
        for segment in read_segments(header, grid):
            notes = () if segment.exact or segment.problem else ("resampled",)
            yield _checked(Roi(segment.label, segment.mask, segment.method, segment.number, segment.problem, notes))
    else:
        raise ValueError("kind must be rtstruct, seg or nifti")


def _checked(roi: Roi) -> Roi:
    if roi.problem or roi.mask.any():
        return roi
    return Roi(roi.label, roi.mask, roi.method, roi.number, _empty("no voxel centre inside it"), roi.notes)


def _from_structure(structure: Structure, grid: Grid) -> Roi:
    ignored = (f"contours_ignored:{structure.ignored}",) if structure.ignored else ()
    try:
        raster = rasterise(structure.contours, grid)
    except VolumeError as error:
        return Roi(
            structure.label, np.zeros(grid.shape, dtype=bool), structure.method, structure.number, error, ignored
        )
    return Roi(structure.label, raster.mask, structure.method, structure.number, None, (*ignored, *raster.notes))


def _from_nifti(path: Path, grid: Grid) -> Iterator[Roi]:
    labels, own = _read_labels(path)
    for number in np.unique(labels[labels != 0]).tolist():
        try:
            mask, exact = transfer(labels == number, own, grid)
            yield Roi(str(number), mask, "", int(number), None, () if exact else ("resampled",))
        except VolumeError as error:
            yield Roi(str(number), np.zeros(grid.shape, dtype=bool), "", int(number), error)


def _read_labels(path: Path) -> tuple[NDArray[np.int64], Grid]:
    """Labels as whole numbers and their grid in LPS; NIfTI's own axes are taken as (plane, row, column) in any order."""
    import nibabel  # 0.1 s, for those who have NIfTI masks
    from nibabel.filebasedimages import ImageFileError

    try:
        image = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
    except (OSError, ValueError, EOFError, ImageFileError) as error:
        raise _unreadable("a NIfTI file", type(error).__name__) from None
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise _unreadable("three dimensions", f"{values.ndim}")
    labels = np.rint(values).astype(np.int64)
    if values.dtype.kind == "f" and np.abs(values - labels).max() > 1e-4:
        raise _unreadable("whole numbers", "fractions")
    affine = np.asarray(image.affine, dtype=np.float64)
    steps = (RAS_TO_LPS @ affine[:3, :3]).T
    spacing = np.linalg.norm(steps, axis=1)
    if not np.isfinite(affine).all() or spacing.min() <= 0 or abs(np.linalg.det(steps)) < 1e-9:
        raise _unreadable("a placement in the patient", "none")
    origin = tuple((RAS_TO_LPS @ affine[:3, 3]).tolist())
    return labels, Grid(values.shape, tuple(spacing.tolist()), origin, steps / spacing[:, None])


def _unreadable(wanted: str, found: str) -> VolumeError:
    return VolumeError(
        "mask_unreadable", "the mask can't be read", wanted=wanted, found=found, fix="export the mask again"
    )


def _empty(found: str) -> VolumeError:
    return VolumeError(
        "empty",
        "the region is empty",
        wanted="at least one voxel",
        found=found,
        fix="check that it was drawn on this image",
    )
