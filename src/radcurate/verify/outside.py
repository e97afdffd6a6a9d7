"""Pixel values before redact and deface, and after: they may differ only where those stages say that they changed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels import iter_pixels

from radcurate.verify.examine import read_bytes
from radcurate.verify.layout import PIXEL_DATA, Layout, UnreadableError, read_layout
from radcurate.verify.sources import read_source

Flags = NDArray[np.bool_]
Rectangle = tuple[int, int, int, int]  # top, left, bottom, right: rows top … bottom − 1, columns left … right − 1
ROWS, COLUMNS, SAMPLES, FRAMES, BITS = 0x00280010, 0x00280011, 0x00280002, 0x00280008, 0x00280100
PHOTOMETRIC, PLANAR = 0x00280004, 0x00280006
PAIRED = "YBR_FULL_422"  # two pixels of a row share their colour


@dataclass(frozen=True)
class Allowed:
    """Where a file may differ, by frame from 0: rectangles, and runs along the rows, in turn kept and changed."""

    rectangles: Mapping[int, tuple[Rectangle, ...]] = field(default_factory=dict)
    runs: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def flags(self, frame: int, rows: int, columns: int) -> Flags:
        """The part of a frame, shape (rows, columns).

        Raises:
            UnreadableError: unreadable, where runs are longer than the frame.
        """
        found = np.zeros((rows, columns), bool)
        for top, left, bottom, right in self.rectangles.get(frame, ()):
            found[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
        runs = np.asarray(self.runs.get(frame, ()), np.int64)
        if len(runs):
            if runs.min() < 0 or runs.sum() > rows * columns:
                raise UnreadableError("unreadable")
            turns = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
            found |= np.pad(turns, (0, rows * columns - len(turns))).reshape(rows, columns)
        return found


@dataclass(frozen=True)
class Difference:
    """How many pixels of a file differ: where it may, and where nothing says that it may."""

    inside: int = 0
    outside: int = 0


def difference(before: Path, after: Path, allowed: Allowed) -> Difference:
    """Compare two files frame by frame: bit by bit where both are uncompressed, as decoded by pydicom where one is not.

    Args:
        before: a source file, in whatever shape it came.
        after: what was written.
        allowed: where it may differ.

    Raises:
        UnreadableError: where either can't be followed or decoded, or where their sizes differ.
    """
    old, new = read_source(read_bytes(before)), read_layout(read_bytes(after))
    shape = _shape(old)
    if shape != _shape(new):
        raise UnreadableError("unreadable")
    frames, rows, columns, _ = shape
    comparable = old.pixels and new.pixels and old.order == new.order and not (old.fragments or new.fragments)
    pairs = _native(old, new) if comparable else _decoded(before, after, old, new)
    inside = outside = seen = 0
    for frame, (here, paired) in enumerate(pairs):
        may = allowed.flags(frame, rows, columns)
        may_pair = may | _neighbour(may) if paired is not None else may
        inside += int((here & may).sum())
        outside += int((here & ~may).sum()) + (int((paired & ~may_pair).sum()) if paired is not None else 0)
        seen += 1
    if seen != frames:
        raise UnreadableError("unreadable")
    return Difference(inside, outside)


def _shape(layout: Layout) -> tuple[int, int, int, int]:
    """Frames, rows, columns, samples."""
    number = layout.number
    return number(FRAMES) or 1, number(ROWS) or 0, number(COLUMNS) or 0, number(SAMPLES) or 1


def _neighbour(flags: Flags) -> Flags:
    """Of each pixel the other one of its pair."""
    found = flags.copy()
    even = flags.shape[1] // 2 * 2
    found[:, :even:2], found[:, 1:even:2] = flags[:, 1:even:2], flags[:, :even:2]
    return found


def _native(old: Layout, new: Layout) -> Iterator[tuple[Flags, Flags | None]]:
    """For each frame the pixels whose bits differ; beside them those whose shared colour does."""
    (first, last), (start, end) = old.pixels[0], new.pixels[0]
    if last - first != end - start or old.number(BITS) != new.number(BITS):
        raise UnreadableError("unreadable")
    frames, rows, columns, samples = _shape(new)
    bits = new.number(BITS) or (32 if 0x7FE00008 in (e.tag for e in new.excess) else 64)
    one, two = memoryview(old.data)[first:last], memoryview(new.data)[start:end]
    if bits == 1:
        yield from _single_bits(one, two, (frames, rows, columns * samples))
        return
    size = (end - start) // frames
    for frame in range(frames):
        here = slice(frame * size, (frame + 1) * size)
        differs = np.frombuffer(one[here], np.uint8) != np.frombuffer(two[here], np.uint8)
        if new.value(PHOTOMETRIC) == PAIRED and size == rows * columns * 2:
            yield _paired(differs, rows, columns)
        elif new.number(PLANAR) == 1 and samples > 1:
            yield differs.reshape(samples, rows, columns, -1).any(axis=(0, 3)), None
        else:
            yield differs.reshape(rows, columns, -1).any(axis=2), None


def _paired(differs: Flags, rows: int, columns: int) -> tuple[Flags, Flags]:
    """Of Y Y Cb Cr: own brightness, and the colour that two pixels share, noted at the first."""
    parts = differs.reshape(rows, columns // 2, 4)
    own = parts[:, :, :2].reshape(rows, columns)
    shared = np.zeros((rows, columns), bool)
    shared[:, ::2] = parts[:, :, 2:].any(axis=2)
    return own, shared


def _single_bits(one: memoryview, two: memoryview, shape: tuple[int, int, int]) -> Iterator[tuple[Flags, None]]:
    count = shape[0] * shape[1] * shape[2]
    bits = [np.unpackbits(np.frombuffer(part, np.uint8), bitorder="little")[:count] for part in (one, two)]
    differs: Flags = np.not_equal(bits[0], bits[1]).reshape(shape)
    for frame in range(shape[0]):
        yield np.asarray(differs[frame]), None


def _decoded(before: Path, after: Path, old: Layout, new: Layout) -> Iterator[tuple[Flags, None]]:
    """As pydicom decodes them: in the colours that are stored where both store the same, else in RGB."""
    colours = {(layout.value(PHOTOMETRIC) or "").replace(PAIRED, "YBR_FULL") for layout in (old, new)}
    raw = len(colours) == 1
    try:
        pairs = zip(iter_pixels(dcmread(before, force=True), raw=raw), iter_pixels(after, raw=raw), strict=True)
        for one, two in pairs:
            differs: NDArray[Any] = np.not_equal(one, two)
            yield np.asarray(differs.reshape(*one.shape[:2], -1).any(axis=2), bool), None
    except Exception:  # a damaged frame raises almost anything, and may quote a header
        raise UnreadableError("unreadable") from None


def has_pixels(layout: Layout) -> bool:
    """Whether there is an image that could differ."""
    return bool(layout.fragments) or any(end > start for start, end in layout.pixels) or PIXEL_DATA in layout.at
