"""Where each frame of an object lies: from the header, or from functional groups (PS3.3 C.7.6.16)."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from radcurate.dicom import values
from radcurate.dicom.geometry import Stack
from radcurate.dicom.values import Elements

# position (3), orientation (6), spacing (2), all mm or cosines
Plane = tuple[float, ...]


def single_plane(dataset: Elements, frames: int) -> tuple[Plane, ...]:
    """The plane of a single-frame image; empty without geometry or where frames have none of their own."""
    position = values.numbers(dataset, "ImagePositionPatient", 3)
    orientation = values.numbers(dataset, "ImageOrientationPatient", 6)
    spacing = values.numbers(dataset, "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None or frames != 1:
        return ()
    return ((*position, *orientation, *spacing),)


def frame_planes(dataset: Elements, frames: int) -> tuple[Plane, ...]:
    """One plane per frame of a multi-frame object; empty where any frame lacks position, orientation or spacing."""
    shared = (values.items(dataset, "SharedFunctionalGroupsSequence") or [Dataset()])[0]
    groups = values.items(dataset, "PerFrameFunctionalGroupsSequence")
    if len(groups) != frames:
        return ()
    orientation = _macro(shared, "PlaneOrientationSequence", "ImageOrientationPatient", 6)
    spacing = _macro(shared, "PixelMeasuresSequence", "PixelSpacing", 2)
    position = _macro(shared, "PlanePositionSequence", "ImagePositionPatient", 3)
    planes = []
    for group in groups:
        parts = (
            position or _macro(group, "PlanePositionSequence", "ImagePositionPatient", 3),
            orientation or _macro(group, "PlaneOrientationSequence", "ImageOrientationPatient", 6),
            spacing or _macro(group, "PixelMeasuresSequence", "PixelSpacing", 2),
        )
        if None in parts:
            return ()
        planes.append(tuple(number for part in parts if part for number in part))
    return tuple(planes)


def stack_of(planes: list[Plane], thickness: float | None) -> Stack:
    """Planes as arrays, in the given order."""
    table = np.array(planes, dtype=np.float64).reshape(len(planes), 11)
    return Stack(table[:, :3], table[:, 3:9], table[:, 9:], thickness)


def _macro(group: Dataset, macro: str, keyword: str, count: int) -> tuple[float, ...] | None:
    found = values.items(group, macro)
    return values.numbers(found[0], keyword, count) if found else None
