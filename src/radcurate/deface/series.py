"""A series of CT, MR or PET as a stack, and writing a fill value into single voxels of its files.

Nothing but masked voxels changes, see `volumes.patch`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from radcurate.deface.stack import Flags, Stack
from radcurate.volumes.grid import Grid
from radcurate.volumes.image import Frame, frames_of, stored_frames
from radcurate.volumes.patch import Patch, patch_file
from radcurate.volumes.problems import VolumeError

AIR_HU = -1000.0
SAME_PLACE_MM = 0.01
Words = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Loaded:
    """A series in memory.

    frames: the frames at each plane's position (several in a time series), stored values beside them.
    """

    paths: tuple[Path, ...]
    stack: Stack
    frames: tuple[tuple[Frame, ...], ...]
    stored: Mapping[tuple[int, int], Words]  # (file, frame) -> (row, column)

    def grid(self) -> Grid:
        """The grid on which contours of this series lie; meaningful where planes are evenly spaced."""
        origins, (planes, rows, columns) = self.stack.origins, self.stack.values.shape
        step = (origins[-1] - origins[0]) / max(1, planes - 1)
        steps = np.array([step if planes > 1 else self.stack.normal, self.stack.row_step, self.stack.column_step])
        spacing = np.linalg.norm(steps, axis=1)
        first = (float(origins[0][0]), float(origins[0][1]), float(origins[0][2]))
        sizes = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
        return Grid((planes, rows, columns), sizes, first, steps / spacing[:, None])


def load(paths: Sequence[Path]) -> Loaded:
    """Read all planes of a series, sorted along their normal.

    Raises:
        VolumeError: no_geometry, mixed_orientation, mixed_size, colour, no_rescale, float_pixels, pixels_unreadable.
    """
    frames: list[Frame] = []
    stored: dict[tuple[int, int], Words] = {}
    for file, path in enumerate(paths):
        header = pydicom.dcmread(path, force=True)
        if "PixelData" not in header:
            raise _problem("float_pixels", "pixels are not whole numbers", "PixelData", "another kind of pixels")
        if int(header.get("SamplesPerPixel") or 1) != 1:
            raise _problem("colour", "a colour image has no intensities", "one sample a pixel", "several")
        found = frames_of(header, file)
        frames += found
        stored.update({(file, frame.number): words for frame, words in zip(found, stored_frames(header), strict=True)})
    _require_parallel(frames, stored)
    return _assemble(tuple(paths), frames, stored)


def _require_parallel(frames: list[Frame], stored: Mapping[tuple[int, int], Words]) -> None:
    if len({words.shape for words in stored.values()}) > 1 or np.ptp([f.spacing for f in frames], axis=0).max() > 1e-3:
        raise _problem("mixed_size", "planes of different size", "one size and pixel spacing", "several")
    if np.ptp([frame.orientation for frame in frames], axis=0).max() > 1e-2:
        raise _problem(
            "mixed_orientation", "planes that are not parallel", "one orientation", "several, as in a localiser"
        )


def _assemble(paths: tuple[Path, ...], frames: list[Frame], stored: dict[tuple[int, int], Words]) -> Loaded:
    along_row, along_column = np.array(frames[0].orientation).reshape(2, 3)
    normal = np.cross(along_row, along_column)
    frames = sorted(frames, key=lambda frame: (float(np.dot(frame.position, normal)), frame.file, frame.number))
    places: list[list[Frame]] = []
    for frame in frames:
        if places and np.linalg.norm(np.subtract(frame.position, places[-1][0].position)) < SAME_PLACE_MM:
            places[-1].append(frame)
        else:
            places.append([frame])
    first = [place[0] for place in places]
    values = np.stack([_rescaled(stored[frame.file, frame.number], frame) for frame in first])
    origins = np.array([frame.position for frame in first])
    rows, columns = frames[0].spacing
    stack = Stack(values, origins, along_column * rows, along_row * columns)
    return Loaded(paths, stack, tuple(tuple(place) for place in places), stored)


def _rescaled(words: Words, frame: Frame) -> NDArray[np.float32]:
    return words.astype(np.float32) * np.float32(frame.slope) + np.float32(frame.intercept)


def fill_of(frame: Frame, modality: str, header: pydicom.Dataset) -> int:
    """Stored value of air (CT) or background (MR, PET: 0), within what the header's bits can hold."""
    bits = int(header.BitsStored)
    signed = int(header.get("PixelRepresentation") or 0) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    wanted = round((AIR_HU - frame.intercept) / frame.slope) if modality == "CT" else 0
    return int(np.clip(wanted, low, high))


def filling(
    frame: Frame, modality: str, header: pydicom.Dataset, shape: tuple[int, ...], painted: NDArray[np.float32] | None
) -> NDArray[np.int64]:
    """Stored values that masked voxels of a frame get: air, or what was painted, within what the header's bits can hold.

    Args:
        painted: modality units, NaN where air is to be; None: air everywhere.
    """
    air = np.full(shape, fill_of(frame, modality, header), np.int64)
    if painted is None:
        return air
    bits = int(header.BitsStored)
    signed = int(header.get("PixelRepresentation") or 0) == 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    drawn = np.isfinite(painted)
    words = np.rint((painted[drawn].astype(np.float64) - frame.intercept) / frame.slope)
    air[drawn] = np.clip(words, low, high).astype(np.int64)
    return air


def write_masked(
    loaded: Loaded, mask: Flags, modality: str, out: Path, painted: NDArray[np.float32] | None = None
) -> dict[str, int]:
    """Write the files with masked voxels into `out`, filled; the others are left to the caller.

    Args:
        mask: shape (plane, row, column), of the loaded stack.
        painted: of the same shape, see `filling`.

    Returns:
        changed voxels by file name, of the files that were written.
    """
    planes = {(f.file, f.number): (plane, f) for plane, place in enumerate(loaded.frames) for f in place}
    changed: dict[str, int] = {}
    for file, path in enumerate(loaded.paths):
        mine = {number: planes[f, number] for f, number in planes if f == file}
        if not any(mask[plane].any() for plane, _ in mine.values()):
            continue
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        patches = {}
        for number, (plane, frame) in mine.items():
            drawn = None if painted is None else painted[plane]
            fill = filling(frame, modality, header, mask[plane].shape, drawn)
            patches[number] = [Patch(0, 0, fill, mask[plane])]
        changed[path.name] = patch_file(path, out / path.name, patches).changed
    return changed


@dataclass(frozen=True)
class Identity:
    """What a comparison of the written with the original stored values found."""

    outside_equal: bool
    inside_filled: bool
    digest: str  # SHA-256 of the written values outside the mask, plane by plane


def compare(
    loaded: Loaded,
    written: Sequence[Path],
    mask: Flags,
    modality: str,
    painted: NDArray[np.float32] | None = None,
) -> tuple[Identity, Stack]:
    """Read the written series back and hold it against the original; also its stack, for the checks on the image.

    Args:
        written: the files in the order of `loaded.paths`.
        painted: what was to be written into the mask, as for `write_masked`.
    """
    stored: dict[tuple[int, int], Words] = {}
    fills: dict[tuple[int, int], NDArray[np.int64]] = {}
    planes = {(f.file, f.number): plane for plane, place in enumerate(loaded.frames) for f in place}
    frames = {(f.file, f.number): f for place in loaded.frames for f in place}
    for file, path in enumerate(written):
        header = pydicom.dcmread(path, force=True)
        for number, words in enumerate(stored_frames(header)):
            stored[file, number] = words
            plane = planes[file, number]
            drawn = None if painted is None else painted[plane]
            fills[file, number] = filling(frames[file, number], modality, header, words.shape, drawn)[mask[plane]]
    digest, outside, inside = hashlib.sha256(), True, True
    for plane, place in enumerate(loaded.frames):
        for frame in place:
            at = (frame.file, frame.number)
            kept = stored[at][~mask[plane]]
            outside &= bool(np.array_equal(kept, loaded.stored[at][~mask[plane]]))
            inside &= bool(np.array_equal(stored[at][mask[plane]], fills[at]))
            digest.update(np.ascontiguousarray(kept.astype("<i4")).tobytes())
    first = [place[0] for place in loaded.frames]
    values = np.stack([_rescaled(stored[frame.file, frame.number], frame) for frame in first])
    stack = Stack(values, loaded.stack.origins, loaded.stack.row_step, loaded.stack.column_step)
    return Identity(outside, inside, digest.hexdigest()), stack


def _problem(reason: str, sentence: str, wanted: str, found: str) -> VolumeError:
    return VolumeError(reason, sentence, wanted=wanted, found=found, fix="export the series again, or leave it out")
