"""Overlays that lie beside the pixels, in (60xx,3000): what is drawn on which frame, and wiping it (PS3.3 C.9.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from radcurate.redact.found import Box, Flags
from radcurate.volumes.stored import Pixels, open_pixels

GROUPS = range(0x6000, 0x6020, 2)


@dataclass(frozen=True)
class _Overlay:
    """One group. top, left: of its first pixel on the image; first: the image's frame that its first frame lies on."""

    rows: int
    columns: int
    frames: int
    top: int
    left: int
    first: int
    data: bytes
    start: int  # offset of the data in the file; 0 where it isn't told

    @property
    def everywhere(self) -> bool:
        """Whether it lies on all frames of the image."""
        return self.first < 0 and self.frames == 1


def drawn_overlays(header: Dataset, pixels: Pixels) -> tuple[Flags, ...]:
    """What overlays draw, shape (row, column) of the image: one for each of its frames, or one for all, or none.

    An overlay of a single frame that doesn't say which it belongs to lies on all of them.
    """
    found = list(_overlays(header))
    if not found:
        return ()
    frames = 1 if all(overlay.everywhere for overlay in found) else pixels.frames
    drawn = [np.zeros((pixels.rows, pixels.columns), dtype=bool) for _ in range(frames)]
    for overlay in found:
        bits = np.unpackbits(np.frombuffer(overlay.data, np.uint8), bitorder="little")
        count = overlay.rows * overlay.columns
        for number, those in _frames(overlay, frames):
            flags = bits[number * count : (number + 1) * count].astype(bool).reshape(overlay.rows, overlay.columns)
            for frame in those:
                _paste(drawn[frame], flags, overlay.top, overlay.left)
    return tuple(drawn)


def wipe_overlays(path: Path, boxes: Mapping[int, Sequence[Box]]) -> None:
    """Set what overlays draw within boxes to nothing, in the file itself; no other bit of it changes.

    Args:
        path: a file that is nobody else's.
        boxes: by frame, in pixels of the image.
    """
    pixels, header = open_pixels(path)
    for overlay in _overlays(header):
        if not overlay.start:
            continue
        bits = np.unpackbits(np.frombuffer(overlay.data, np.uint8), bitorder="little")
        count = overlay.rows * overlay.columns
        for number, frames in _frames(overlay, pixels.frames):
            shaped = bits[number * count : (number + 1) * count].reshape(overlay.rows, overlay.columns)
            for box in (box for frame in frames for box in boxes.get(frame, ())):
                rows = slice(max(box.top - overlay.top, 0), max(box.bottom - overlay.top, 0))
                shaped[rows, max(box.left - overlay.left, 0) : max(box.right - overlay.left, 0)] = 0
        with path.open("r+b") as stream:
            stream.seek(overlay.start)
            stream.write(np.packbits(bits, bitorder="little").tobytes())


def _overlays(header: Dataset) -> Iterator[_Overlay]:
    for group in GROUPS:
        found: Any = header.get_item((group, 0x3000))
        if found is None:
            continue
        data = bytes(found.value or b"")
        rows, columns = _whole(header, group, 0x0010, 0), _whole(header, group, 0x0011, 0)
        frames = max(_whole(header, group, 0x0015, 1), 1)
        if rows < 1 or columns < 1 or len(data) * 8 < rows * columns * frames:
            continue
        top, left = _origin(header, group)
        first = _whole(header, group, 0x0051, 0) - 1
        yield _Overlay(rows, columns, frames, top, left, first, data, int(getattr(found, "value_tell", 0) or 0))


def _frames(overlay: _Overlay, frames: int) -> Iterator[tuple[int, list[int]]]:
    """The frames of an overlay, and the image's that each lies on."""
    if overlay.everywhere:
        yield 0, list(range(frames))
        return
    for number in range(overlay.frames):
        frame = max(overlay.first, 0) + number
        if frame < frames:
            yield number, [frame]


def _whole(header: Dataset, group: int, element: int, default: int) -> int:
    found = header.get((group, element))
    try:
        return int(found.value) if found is not None else default
    except (TypeError, ValueError):
        return default


def _origin(header: Dataset, group: int) -> tuple[int, int]:
    found: Any = header.get((group, 0x0050))
    try:
        row, column = (int(part) - 1 for part in found.value)
    except (AttributeError, TypeError, ValueError):
        return 0, 0
    return row, column


def _paste(onto: Flags, flags: Flags, top: int, left: int) -> None:
    """Where the overlay lies on the image; what lies beside it is not shown with it."""
    rows = slice(max(top, 0), min(top + flags.shape[0], onto.shape[0]))
    columns = slice(max(left, 0), min(left + flags.shape[1], onto.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = flags[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        onto[rows, columns] |= part
