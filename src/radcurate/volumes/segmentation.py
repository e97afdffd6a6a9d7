"""DICOM segmentations (PS3.3 A.51, C.8.20) as masks on the image's grid.

Frames may come in any order, leave planes out, overlap between segments and lie mirrored or permuted against the
image: the lattice is rebuilt from each frame's position and then carried over (`lattice.transfer`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import pixel_array

from radcurate.volumes.grid import Grid
from radcurate.volumes.image import Frame, frames_of
from radcurate.volumes.lattice import transfer
from radcurate.volumes.problems import VolumeError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Segment:
    """One segment on the image's grid; `exact` tells whether the lattices coincide."""

    number: int
    label: str
    method: str
    mask: Mask
    exact: bool
    problem: VolumeError | None = None


def read_segments(header: pydicom.Dataset, grid: Grid) -> Iterator[Segment]:
    """Each segment of a SEG, by number, on `grid`. One that can't be carried over comes empty, with its problem.

    Raises:
        VolumeError: no_geometry, mixed_orientation or pixels_unreadable, which concern all segments.
    """
    frames = frames_of(header)
    numbers = _frame_segments(header)
    planes, own = _own_grid(frames, (int(header.Rows), int(header.Columns)), grid)
    decode = _decoder(header)
    for item in sorted(header.get("SegmentSequence") or [], key=lambda item: int(item.SegmentNumber)):
        number = int(item.SegmentNumber)
        if _is_background(item, number, header):
            continue
        mask = np.zeros(own.shape, dtype=bool)
        for index, plane in enumerate(planes):
            if numbers is None or numbers[index] == number:
                mask[plane] |= _member(decode(index), number, header)
        label, method = str(item.get("SegmentLabel") or number), str(item.get("SegmentAlgorithmType") or "")
        try:
            carried, exact = transfer(mask, own, grid)
            yield Segment(number, label, method, carried, exact)
        except VolumeError as error:
            yield Segment(number, label, method, np.zeros(grid.shape, dtype=bool), False, error)


def _is_label_map(header: pydicom.Dataset) -> bool:
    return str(header.get("SegmentationType")) == "LABELMAP"


def _is_background(item: pydicom.Dataset, number: int, header: pydicom.Dataset) -> bool:
    """In a label map, segment 0 and the padding value stand for "no segment"."""
    return _is_label_map(header) and number in {0, header.get("PixelPaddingValue", 0)}


def _frame_segments(header: pydicom.Dataset) -> list[int] | None:
    """The segment of each frame; None for a label map, whose frames hold all segments."""
    if _is_label_map(header):
        return None
    shared = list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
    result = []
    for group in header.get("PerFrameFunctionalGroupsSequence") or [pydicom.Dataset()]:
        found = [item for part in [group, *shared] for item in part.get("SegmentIdentificationSequence") or []]
        if not found:
            raise _problem(
                "no_geometry", "a frame names no segment", "SegmentIdentificationSequence in each frame", "none"
            )
        result.append(int(found[0].ReferencedSegmentNumber))
    return result


def _own_grid(frames: list[Frame], size: tuple[int, int], image: Grid) -> tuple[list[int], Grid]:
    """The plane of each frame, and the smallest lattice that holds all frames."""
    orientations = np.array([frame.orientation for frame in frames])
    if np.ptp(orientations, axis=0).max() > 1e-3 or np.ptp([frame.spacing for frame in frames], axis=0).max() > 1e-4:
        raise _problem(
            "mixed_orientation", "frames that are not parallel", "one orientation and pixel spacing", "several"
        )
    along_row, along_column = orientations[0].reshape(2, 3)
    normal = np.cross(along_row, along_column)
    positions = np.array([frame.position for frame in frames])
    depths = (positions - positions[np.argmin(positions @ normal)]) @ normal
    distance = _plane_distance(depths, normal, frames[0], image)
    planes = np.rint(depths / distance).astype(int)
    origin = positions[int(np.argmin(depths))]
    spacing = (distance, frames[0].spacing[0], frames[0].spacing[1])
    shape = (int(planes.max()) + 1, *size)
    return planes.tolist(), Grid(shape, spacing, tuple(origin.tolist()), np.array([normal, along_column, along_row]))


def _plane_distance(depths: NDArray[np.float64], normal: NDArray[np.float64], frame: Frame, image: Grid) -> float:
    """Spacing of the planes in mm: the image's along that direction where it fits (planes may be left out), else the smallest."""
    levels = np.unique(np.round(depths, 3))
    along = int(np.argmax(np.abs(image.axes @ normal)))
    expected = image.spacing[along]
    steps = levels / expected
    if np.abs(steps - np.rint(steps)).max() <= 0.05:
        return expected
    smallest = float(np.diff(levels)[np.diff(levels) > 0.01].min())
    if np.abs(levels / smallest - np.rint(levels / smallest)).max() > 0.1:
        raise _problem("grid_mismatch", "the frames lie on no lattice", "evenly spaced frames", "uneven distances")
    return smallest


def _member(frame: NDArray[Any], number: int, header: pydicom.Dataset) -> Mask:
    """Which pixels belong: set bits, at least half of the fractional maximum, or the label itself."""
    kind = str(header.get("SegmentationType"))
    if kind == "LABELMAP":
        return np.asarray(frame == number)
    if kind == "FRACTIONAL":
        return np.asarray(2 * frame.astype(np.int64) >= int(header.MaximumFractionalValue))
    return np.asarray(frame != 0)


def _decoder(header: pydicom.Dataset) -> Callable[[int], NDArray[Any]]:
    """Gives the stored values of one frame, shape (row, column). Frames of single bits needn't start at a byte."""
    rows, columns = int(header.Rows), int(header.Columns)
    compressed = header.file_meta.TransferSyntaxUID.is_encapsulated

    def of_bits(index: int) -> NDArray[Any]:
        start = index * rows * columns
        part = packed[start // 8 : -(-(start + rows * columns) // 8)]
        bits = np.unpackbits(part, bitorder="little")[start % 8 : start % 8 + rows * columns]
        if bits.size != rows * columns:
            raise _problem("pixels_unreadable", "pixels can't be decoded", "whole pixel data", "too few bits")
        return bits.reshape(rows, columns)

    def of_any(index: int) -> NDArray[Any]:
        try:
            return np.asarray(pixel_array(header, index=index, raw=True))
        except (ValueError, RuntimeError, NotImplementedError, AttributeError, KeyError, IndexError) as error:
            raise _problem(
                "pixels_unreadable", "pixels can't be decoded", "a known transfer syntax", type(error).__name__
            ) from None

    if int(header.BitsAllocated) == 1 and not compressed:
        packed = np.frombuffer(header.PixelData, dtype=np.uint8)
        return of_bits
    return of_any


def _problem(reason: str, sentence: str, wanted: str, found: str) -> VolumeError:
    return VolumeError(
        reason, sentence, wanted=wanted, found=found, fix="export the segmentation again, or leave it out"
    )
