"""Images as arrays in modality units on their grid.

Values are float32 where that is exact (whole-numbered rescale, as in CT and plain MR: every stored value of up to 24
bits has its own float32) and float64 otherwise (PET, scaled MR), so that a 512 x 512 x 400 CT takes 0.4 GB, not 0.8,
and nothing is rounded before the features are computed. PixelPaddingValue is left as it is: whether padding is part
of a region is for the mask to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import iter_pixels
from pydicom.tag import BaseTag, Tag

from radcurate.volumes.grid import Grid
from radcurate.volumes.instances import (
    BITS_ALLOCATED,
    COLUMNS,
    NUMBER_OF_FRAMES,
    PIXEL_DATA,
    ROWS,
    SAMPLES_PER_PIXEL,
    native_frames,
    read_instances,
    value,
)
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.suv import suv_factors

Values = NDArray[np.float32] | NDArray[np.float64]
EXACT = 2**24  # whole numbers below are exact in float32
LATERAL = 0.1  # largest share of a pixel that a slice may lie off the straight line through the others
# a functional group macro and the attribute in it
POSITION = (Tag("PlanePositionSequence"), Tag("ImagePositionPatient"))
ORIENTATION = (Tag("PlaneOrientationSequence"), Tag("ImageOrientationPatient"))
SPACING = (Tag("PixelMeasuresSequence"), Tag("PixelSpacing"))
THICKNESS = (Tag("PixelMeasuresSequence"), Tag("SliceThickness"))
SLOPE = (Tag("PixelValueTransformationSequence"), Tag("RescaleSlope"))
INTERCEPT = (Tag("PixelValueTransformationSequence"), Tag("RescaleIntercept"))
PER_FRAME, MODALITY = Tag("PerFrameFunctionalGroupsSequence"), Tag("Modality")
BITS_STORED, HIGH_BIT = Tag("BitsStored"), Tag("HighBit")
PIXELS = (PIXEL_DATA, Tag("FloatPixelData"), Tag("DoubleFloatPixelData"))
PARALLEL = 1e-3  # largest difference of a direction cosine between slices


@dataclass(frozen=True, eq=False)
class Volume:
    """An image.

    Attributes:
        values: shape (plane, row, column), in `unit`, after the rescale.
        grid: where the voxels lie.
        unit: HU (CT), SUVbw (PET; g/ml) or 1 (arbitrary).
        paths: the file of each plane, in plane order.
    """

    values: Values
    grid: Grid
    unit: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Frame:
    """One plane of an image as its header describes it."""

    file: int  # index into the paths
    number: int  # frame in the file, from 0
    position: tuple[float, ...]  # mm, centre of its first pixel
    orientation: tuple[float, ...]  # direction cosines of (row, column), PS3.3 C.7.6.2.1.1
    spacing: tuple[float, ...]  # mm between (rows, columns)
    thickness: float  # mm, 0 where not told
    slope: float
    intercept: float


def read_volume(paths: Sequence[Path], *, allow_tilt: bool = False, gap_tolerance: float = 0.1) -> Volume:
    """Read a series of CT, MR or PET, single- or multi-frame, sorted by the position along the normal.

    Args:
        paths: the files of one series, in any order.
        allow_tilt: accept planes that are shifted against each other (gantry tilt), which leaves the grid sheared:
            right for finding places, wrong for features.
        gap_tolerance: largest deviation of a slice distance from the median one, as a share of it. Positions
            are often written with one decimal, so this is wider than the inventory's own check.

    Raises:
        VolumeError: no_geometry, mixed_orientation, mixed_size, duplicate_position, slice_gap, gantry_tilt, no_rescale,
            no_pixels, colour, or one of the suv_… reasons.
    """
    paths = list(paths)
    headers = read_instances(paths)
    frames = [frame for file, header in enumerate(headers) for frame in frames_of(header, file)]
    if not frames:
        raise _problem("no_pixels", "the series has no frames", "at least one plane", "none")
    _require_alike(headers, frames)
    frames = _sorted(frames)
    size = (int(headers[0].Rows), int(headers[0].Columns))
    grid = _grid(frames, size, allow_tilt, gap_tolerance)
    modality = str(headers[0].get("Modality", ""))
    factors = suv_factors(headers) if modality == "PT" else [1.0] * len(headers)
    values = _values(headers, frames, factors, grid)
    unit = {"CT": "HU", "PT": "SUVbw"}.get(modality, "1")
    return Volume(values, grid, unit, tuple(paths[frame.file] for frame in frames))


def frames_of(header: pydicom.Dataset, file: int = 0) -> list[Frame]:
    """The planes of one instance, from its functional groups (PS3.3 C.7.6.16) where it has any."""
    if not any(tag in header for tag in PIXELS):
        raise _problem("no_pixels", "an instance has no pixels", "pixel data in each instance", "none")
    number = int(value(header, NUMBER_OF_FRAMES) or 1)
    per_frame = value(header, PER_FRAME)
    if not per_frame:
        if number != 1:
            raise _problem(
                "no_geometry",
                "frames without positions",
                "functional groups for each frame",
                f"{number} frames without",
            )
        return [_frame(header, [header], file, 0)]
    if len(per_frame) != number:
        raise _problem("no_geometry", "frames without positions", f"{number} functional groups", f"{len(per_frame)}")
    shared = list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
    return [_frame(header, [group, *shared], file, index) for index, group in enumerate(per_frame)]


def _frame(header: pydicom.Dataset, groups: list[pydicom.Dataset], file: int, number: int) -> Frame:
    position, orientation = _macro(groups, *POSITION), _macro(groups, *ORIENTATION)
    spacing = _macro(groups, *SPACING)
    if position is None or orientation is None or spacing is None or min(map(float, spacing)) <= 0:
        raise _problem(
            "no_geometry",
            "a plane has no position in the patient",
            "position, orientation and pixel spacing of each plane",
            "one is absent",
        )
    slope, intercept = _macro(groups, *SLOPE), _macro(groups, *INTERCEPT)
    if value(header, MODALITY) == "CT" and (slope is None or intercept is None):
        raise _problem(
            "no_rescale", "a CT without rescale is not in Hounsfield units", "RescaleSlope and RescaleIntercept", "none"
        )
    return Frame(
        file,
        number,
        tuple(map(float, position)),
        tuple(map(float, orientation)),
        tuple(map(float, spacing)),
        float(_macro(groups, *THICKNESS) or 0),
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
    )


def _macro(groups: list[pydicom.Dataset], sequence: BaseTag, attribute: BaseTag) -> Any:
    """A value from the first functional group that has it, or from the data set itself; None when absent or empty."""
    for group in groups:
        for item in [*(value(group, sequence) or []), group]:
            found = value(item, attribute)
            if found is not None:
                return found
    return None


def _require_alike(headers: list[pydicom.Dataset], frames: list[Frame]) -> None:
    sizes = {(value(header, ROWS), value(header, COLUMNS)) for header in headers}
    spacings = np.array([frame.spacing for frame in frames])
    if len(sizes) > 1 or np.ptp(spacings, axis=0).max() > 1e-3 * spacings.min():
        raise _problem("mixed_size", "planes of different size", "one size and pixel spacing", f"{len(sizes)} sizes")
    if any(int(value(header, SAMPLES_PER_PIXEL) or 1) != 1 for header in headers):
        raise _problem("colour", "a colour image has no intensities", "one sample a pixel", "several")
    orientations = np.array([frame.orientation for frame in frames])
    if np.ptp(orientations, axis=0).max() > PARALLEL:
        raise _problem(
            "mixed_orientation", "planes that are not parallel", "one orientation", "several, as in a localiser"
        )


def _sorted(frames: list[Frame]) -> list[Frame]:
    """By position along the normal, which is row direction x column direction."""
    cosines = np.array(frames[0].orientation).reshape(2, 3)
    normal = np.cross(cosines[0], cosines[1])
    return sorted(frames, key=lambda frame: (float(np.dot(frame.position, normal)), frame.file, frame.number))


def _grid(frames: list[Frame], size: tuple[int, int], allow_tilt: bool, gap_tolerance: float) -> Grid:
    along_row, along_column = np.array(frames[0].orientation).reshape(2, 3)
    along_row, along_column = along_row / np.linalg.norm(along_row), along_column / np.linalg.norm(along_column)
    normal = np.cross(along_row, along_column)
    positions = np.array([frame.position for frame in frames])
    if len(frames) == 1:
        step = normal * _thickness(frames[0])
    else:
        _require_even((positions - positions[0]) @ normal, gap_tolerance)
        step = (positions[-1] - positions[0]) / (len(frames) - 1)
        _require_straight(positions, step, frames[0].spacing)
    distance = float(np.linalg.norm(step))
    spacing = (distance, frames[0].spacing[0], frames[0].spacing[1])
    origin = (float(positions[0, 0]), float(positions[0, 1]), float(positions[0, 2]))
    grid = Grid((len(frames), *size), spacing, origin, np.array([step / distance, along_column, along_row]))
    if grid.tilt > 0.5 and not allow_tilt:
        raise _problem(
            "gantry_tilt",
            "planes are shifted against each other",
            "planes stacked along their normal",
            f"a tilt of {grid.tilt:.1f} degrees",
        )
    return grid


def _thickness(frame: Frame) -> float:
    if frame.thickness <= 0:
        raise _problem("no_geometry", "a single plane of unknown thickness", "SliceThickness", "none")
    return frame.thickness


def _require_even(distances: NDArray[np.float64], tolerance: float) -> None:
    gaps = np.diff(distances)
    median = float(np.median(gaps))
    if gaps.min() < 0.01 or gaps.min() < 0.01 * median:
        raise _problem(
            "duplicate_position",
            "several planes at one position",
            "one plane at each position",
            f"{int((gaps < 0.01).sum())} more",
        )
    uneven = int((np.abs(gaps - median) > tolerance * median).sum())
    if uneven:
        raise _problem(
            "slice_gap", "planes are not evenly spaced", f"distances of {median:.4g} mm", f"{uneven} other distances"
        )


def _require_straight(positions: NDArray[np.float64], step: NDArray[np.float64], spacing: tuple[float, ...]) -> None:
    ideal = positions[0] + np.arange(len(positions))[:, None] * step
    along = step / np.linalg.norm(step)
    aside = (positions - ideal) - ((positions - ideal) @ along)[:, None] * along
    if np.linalg.norm(aside, axis=1).max() > LATERAL * max(spacing):
        raise _problem(
            "slice_gap", "planes are not on one line", "planes stacked in one direction", "planes that lie aside"
        )


def _values(headers: list[pydicom.Dataset], frames: list[Frame], factors: list[float], grid: Grid) -> Values:
    """Rescaled values, shape (plane, row, column); each data set's pixels are dropped once used."""
    exact = all(frame.slope.is_integer() and frame.intercept.is_integer() for frame in frames) and set(factors) == {1.0}
    limit = max(
        abs(frame.slope) * 2.0 ** int(value(headers[frame.file], BITS_ALLOCATED)) + abs(frame.intercept)
        for frame in frames
    )
    values = np.empty(grid.shape, dtype=np.float32 if exact and limit <= EXACT else np.float64)
    planes = {(frame.file, frame.number): plane for plane, frame in enumerate(frames)}
    for file, header in enumerate(headers):
        for number, stored in enumerate(stored_frames(header)):
            plane = planes[file, number]
            frame = frames[plane]
            scaled = stored.astype(values.dtype, copy=False) * values.dtype.type(frame.slope) + values.dtype.type(
                frame.intercept
            )
            values[plane] = scaled if factors[file] == 1.0 else scaled * factors[file]
        header.clear()
    return values


def stored_frames(header: pydicom.Dataset) -> Iterator[NDArray[Any]]:
    """Each frame's stored values, shape (row, column), decompressed, cut to BitsStored and sign-extended."""
    native = native_frames(header)
    try:
        for frame in iter_pixels(header, raw=True) if native is None else native:
            yield _stored_bits(frame, header)
    except (ValueError, RuntimeError, NotImplementedError, AttributeError, KeyError, IndexError) as error:
        raise _problem(
            "pixels_unreadable",
            "pixels can't be decoded",
            "whole pixel data in a known transfer syntax",
            type(error).__name__,
        ) from None


def _stored_bits(frame: NDArray[Any], header: pydicom.Dataset) -> NDArray[Any]:
    """The bits outside BitsStored may hold anything (PS3.5 8.1.1), once even overlays."""
    if frame.dtype.kind == "f":
        return frame
    allocated, stored = frame.dtype.itemsize * 8, int(value(header, BITS_STORED) or frame.dtype.itemsize * 8)
    high = int(value(header, HIGH_BIT) or stored - 1)
    if stored >= allocated or high < stored - 1 or high >= allocated:
        return frame
    return (frame << (allocated - 1 - high)) >> (allocated - stored)


def _problem(reason: str, sentence: str, wanted: str, found: str) -> VolumeError:
    return VolumeError(reason, sentence, wanted=wanted, found=found, fix="export the series again, or leave it out")
