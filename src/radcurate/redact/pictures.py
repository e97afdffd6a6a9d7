"""The frames of a series, opened from its files and decoded one at a time.

Places are in order of file and frame. Where the frames are planes of one volume they are in order along its normal; with
several images of the same planes (phases, echoes) one pass after the other, so that neighbours are neighbours in the body.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from radcurate.dicom import values
from radcurate.dicom.frames import Plane, frame_planes, single_plane
from radcurate.redact.found import Box, Flags, Picture, Pictures, Place
from radcurate.redact.overlays import drawn_overlays
from radcurate.volumes.problems import VolumeError
from radcurate.volumes.stored import Pixels, Reader, beyond, open_pixels, value_bits

PLANES = 5  # fewer positions are no volume: two planes may well have the same anatomy
PARALLEL = 1e-2  # largest difference of a direction cosine
SAME_PLACE_MM = 0.01
GRAPHICS = 5  # RegionSpatialFormat: a drawing, no image (PS3.3 C.8.5.5.1.1)


@dataclass(frozen=True, eq=False)
class _File:
    """What is remembered of a file."""

    pixels: Pixels
    planes: tuple[Plane, ...]
    palette: NDArray[np.uint8] | None
    first_index: int
    overlay: tuple[Flags, ...]  # one for all frames, or one a frame; empty: none
    regions: tuple[Box, ...]


def open_series(paths: Sequence[Path]) -> Pictures:
    """The pictures of a series; headers are read now, pixels when they are asked for.

    Args:
        paths: the files of a series; they are counted in sorted order.

    Raises:
        VolumeError: of the reasons of `volumes.stored.open_pixels` and palette now; frame_empty and pixels_unreadable when
            a frame is read.
    """
    files = [_open(path) for path in sorted(paths)]
    places = [Place(number, frame) for number, file in enumerate(files) for frame in range(file.pixels.frames)]
    ordered = _along_normal(files, places)
    return Pictures(ordered or places, _Decoder(files), ordered is not None)


class _Decoder:
    """Reads a picture; remembers the file before, whose coded frames are in memory."""

    def __init__(self, files: Sequence[_File]) -> None:
        self._files = files
        self._last: tuple[int, Reader] | None = None

    def __call__(self, place: Place) -> Picture:
        file = self._files[place.file]
        if self._last is None or self._last[0] != place.file:
            self._last = (place.file, Reader(file.pixels))
        words, photometric = self._last[1].words(place.frame)
        odd = beyond(words, file.pixels)
        return Picture(
            place,
            value_bits(words, file.pixels),
            photometric,
            file.pixels.stored,
            file.palette,
            file.first_index,
            _drawn(odd, file.overlay, place.frame),
            file.regions,
        )


def _drawn(odd: Flags | None, overlay: tuple[Flags, ...], frame: int) -> Flags | None:
    if not overlay:
        return odd
    drawn = overlay[min(frame, len(overlay) - 1)]
    if odd is None:
        return drawn if drawn.any() else None
    return drawn | odd


def _open(path: Path) -> _File:
    pixels, header = open_pixels(path)
    several = values.present(header, "PerFrameFunctionalGroupsSequence")
    planes = frame_planes(header, pixels.frames) if several else single_plane(header, pixels.frames)
    palette, first = _palette(header, pixels)
    return _File(pixels, planes, palette, first, drawn_overlays(header, pixels), ultrasound_regions(header))


def _palette(header: Dataset, pixels: Pixels) -> tuple[NDArray[np.uint8] | None, int]:
    """The colours of a palette, (entry, 3), and the stored value of the first.

    Raises:
        VolumeError: palette.
    """
    if pixels.photometric != "PALETTE COLOR":
        return None, 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            count, first, _ = (int(part) for part in header.RedPaletteColorLookupTableDescriptor)
            first = first - (1 << 16) if pixels.signed and first >= 1 << 15 else first
            colours = apply_color_lut(first + np.arange(count or 1 << 16, dtype=np.int64), header)[:, :3]
    except Exception:  # of many kinds, on malformed tables
        raise VolumeError(
            "palette",
            "the colours of an image are not told",
            wanted="three lookup tables of 8 or 16 bits",
            found="none, or broken ones",
            fix="export the series again, or leave it out",
        ) from None
    # 8-bit colours may stand in 16-bit entries
    wide = colours.dtype.itemsize > 1 and int(colours.max(initial=0)) > 255
    return (colours >> 8 if wide else colours).astype(np.uint8), first


def ultrasound_regions(header: Dataset) -> tuple[Box, ...]:
    """The parts that show an image, from SequenceOfUltrasoundRegions (PS3.3 C.8.5.5); broken ones are left out.

    A region that is a drawing (RegionSpatialFormat graphics) shows no image.
    """
    rows, columns = values.whole(header, "Rows") or 0, values.whole(header, "Columns") or 0
    found: list[Box] = []
    for item in values.items(header, "SequenceOfUltrasoundRegions"):
        corners = [values.whole(item, f"RegionLocation{name}") for name in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if None in corners or values.whole(item, "RegionSpatialFormat") == GRAPHICS:
            continue
        left, top, right, bottom = (int(corner or 0) for corner in corners)
        if 0 <= left < right and 0 <= top < bottom and left < columns and top < rows:
            found.append(Box(top, left, min(bottom + 1, rows), min(right + 1, columns)))
    return tuple(found)


def _along_normal(files: Sequence[_File], places: Sequence[Place]) -> list[Place] | None:
    """The places in order along the normal; None where they are no planes of one volume."""
    first = files[0].pixels if files else None
    if first is None or any(_kind(file.pixels) != _kind(first) or not file.planes for file in files):
        return None
    planes = np.array([files[place.file].planes[place.frame] for place in places])
    if len(planes) < PLANES or np.ptp(planes[:, 3:9], axis=0).max() > PARALLEL:
        return None
    distance = planes[:, :3] @ np.cross(planes[0, 3:6], planes[0, 6:9])
    order = np.argsort(distance, kind="stable")
    new = np.diff(distance[order], prepend=-np.inf) > SAME_PLACE_MM
    if np.count_nonzero(new) < PLANES:
        return None
    starts = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    turn = np.arange(len(order)) - starts  # first image of a plane, second image …
    return [places[number] for number in order[np.argsort(turn, kind="stable")]]


def _kind(pixels: Pixels) -> tuple[object, ...]:
    return (pixels.shape, pixels.photometric, pixels.stored, pixels.signed)
