"""A look of its own at the pixels of what is about to be released: is anything that names the patient drawn in them?

Not every slice is read. What stands on any slice of a series, brighter or darker than what others show there, stands in the
brightest and darkest values over all slices, and what stands on all of them in their mean; those three pictures are read
for each series, with a keyed sample of slices by themselves. Wherever redact filled a box, every slice is read there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels import apply_color_lut, pixel_array

from radcurate.verify.layout import Layout
from radcurate.verify.lookalike import Own, tells
from radcurate.verify.outside import BITS, COLUMNS, FRAMES, PHOTOMETRIC, PLANAR, ROWS, SAMPLES, Allowed, Rectangle

Page = NDArray[np.uint8]  # (row, column)
Values = NDArray[Any]  # (row, column)
STORED, SIGNED = 0x00280101, 0x00280103
FEW = 8  # frames of a picture that are all read by themselves; of more a sample
DECODED = 12  # frames of a compressed series that are looked at, beside those that redact changed
MARGIN = 8  # pixels around a box that are read with it
SHEET = 736  # pixels: boxes are laid out on sheets of this width and height
SMALL, ENLARGED = 24, 2  # a box of fewer rows is enlarged
SHORT_SIDE = 320  # pictures whose longer side is shorter are enlarged
LONG_SIDE, TILE, SHARED, MOST_TILES = 1536, 1024, 128, 40  # larger ones are made smaller, and read in tiles too
LEAST_SIDE = 64  # the reader takes nothing smaller
SURE = 0.4  # confidence of a reading; it counts only where it says something of the patient
VAGUE = (1.0, 99.0)  # percentiles of the values that become black and white


@dataclass(frozen=True, order=True)
class Saying:
    """A reading that tells of the patient. name: the file, or nothing where slices were looked at together."""

    name: str
    category: str
    keyword: str


@dataclass
class _Stack:
    """Frames of one size, looked at together."""

    brightest: Values
    darkest: Values
    total: NDArray[np.float64]
    count: int = 1
    read: bool = False  # the only frame was read by itself

    def add(self, values: Values) -> None:
        np.maximum(self.brightest, values, out=self.brightest)
        np.minimum(self.darkest, values, out=self.darkest)
        self.total += values
        self.count += 1

    def pages(self) -> list[Page]:
        """What may be drawn, as pictures; of a single frame nothing but itself."""
        mean = self.total / self.count
        return [_stretched(self.brightest), _even(self.brightest)] + (
            [_even(self.darkest), _even(mean)] if self.count > 1 else []
        )


@dataclass
class Pages:
    """What is to be read of one series, gathered file by file."""

    own: Own
    frames: int  # of the series, as far as is known before
    whole: bool = False  # all slices by themselves where they are few: pictures, not planes of an image
    sample: frozenset[str] = frozenset()
    looked: int = 0
    found: set[Saying] = field(default_factory=set)
    _stacks: dict[tuple[int, int], _Stack] = field(default_factory=dict)
    _strips: list[tuple[str, Page]] = field(default_factory=list)
    _decoded: int = 0

    def take(self, name: str, path: Path, layout: Layout, changed: Allowed) -> None:
        """Take in one file.

        Raises:
            ValueError: pixels can't be decoded (or any other error of a decoder).
        """
        count = layout.number(FRAMES) or 1
        alone = name in self.sample or (self.whole and max(self.frames, count) <= FEW)
        for frame in range(count):
            boxes = changed.rectangles.get(frame, ())
            picked = alone and (count <= FEW or frame % -(-count // FEW) == 0)
            if not (boxes or picked or self._wanted(layout)):
                continue
            values = frame_values(path, layout, frame)
            self._decoded += bool(layout.fragments)
            stack = self._together(values)
            stack.read = stack.read or picked
            self._strips += [(name, _cut(values, box)) for box in boxes]
            if picked:
                self._read(name, _tiles(values))
            if len(self._strips) > 4 * FEW * FEW:
                self._read_strips()

    def done(self) -> set[Saying]:
        """Read what was gathered; everything that tells of the patient."""
        self._read_strips()
        for stack in self._stacks.values():
            if stack.count > 1 or not stack.read:
                self._read("", [sized for page in stack.pages() for sized in _sizes(page)])
        self._stacks.clear()
        return self.found

    def _wanted(self, layout: Layout) -> bool:
        """Whether a frame is worth decoding for what it shows together with others."""
        return not layout.fragments or self._decoded < DECODED

    def _together(self, values: Values) -> _Stack:
        shape = (values.shape[0], values.shape[1])
        if shape in self._stacks:
            self._stacks[shape].add(values)
        else:
            self._stacks[shape] = _Stack(values.copy(), values.copy(), values.astype(np.float64))
        return self._stacks[shape]

    def _read_strips(self) -> None:
        for names, sheet in sheets(self._strips):
            self._read(names, [sheet])
        self._strips.clear()

    def _read(self, name: str, pages: Sequence[Page]) -> None:
        for page in pages:
            self.looked += 1
            lines = texts(page)
            for text in [*lines, *map(" ".join, pairwise(lines))]:  # a name may go on in the next line
                self.found |= {Saying(name, *told) for told in tells(text, self.own)}


def frame_values(path: Path, layout: Layout, frame: int) -> Values:
    """Brightness of one frame as it is stored, shape (row, column); of colours the brightest sample.

    Raises:
        ValueError: it can't be decoded, or the pixels are fewer than declared.
    """
    rows, columns, samples = (layout.number(tag) or 1 for tag in (ROWS, COLUMNS, SAMPLES))
    photometric, bits = layout.value(PHOTOMETRIC) or "", layout.number(BITS) or 0
    plain = layout.pixels and not layout.fragments and photometric != "PALETTE COLOR"
    if not plain or bits not in (8, 16, 32) or photometric == "YBR_FULL_422" or layout.excess[0].tag != 0x7FE00010:
        return _grey(_pydicom_values(path, photometric, frame), photometric)
    kind = np.dtype(f"{layout.order}{'i' if layout.number(SIGNED) else 'u'}{bits // 8}")
    start = layout.pixels[0][0] + frame * rows * columns * samples * kind.itemsize
    flat = np.frombuffer(layout.data, kind, rows * columns * samples, start)
    values = flat.reshape((samples, rows, columns) if layout.number(PLANAR) == 1 else (rows, columns, samples))
    if layout.number(PLANAR) == 1:
        values = np.moveaxis(values, 0, 2)
    stored = layout.number(STORED) or bits
    if stored < bits and not layout.number(SIGNED):
        values = values & ((1 << stored) - 1)
    return _grey(values, photometric)


def _pydicom_values(path: Path, photometric: str, frame: int) -> Values:
    values = np.asarray(pixel_array(path, index=frame, raw=True))
    if photometric == "PALETTE COLOR":
        values = np.asarray(apply_color_lut(values, dcmread(path, stop_before_pixels=True)))
    return values if values.ndim == 3 else values[..., None]


def _grey(values: Values, photometric: str) -> Values:
    return values[..., 0] if photometric.startswith("YBR") or values.shape[2] == 1 else values.max(axis=2)


def _stretched(values: Values) -> Page:
    """From the least value to the greatest."""
    return _between(values, float(values.min()), float(values.max()))


def _even(values: Values) -> Page:
    """What most pixels show, with local contrast."""
    low, high = np.percentile(values, VAGUE)
    page: Any = cv2.createCLAHE(2.0, (8, 8)).apply(_between(values, float(low), float(high)))
    return np.asarray(page, np.uint8)


def _between(values: Values, low: float, high: float) -> Page:
    scaled = (values.astype(np.float32) - low) * (255 / max(high - low, 1e-6))
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)


def _cut(values: Values, box: Rectangle) -> Page:
    """A box and what is around it, enlarged where it is small."""
    top, left, bottom, right = box
    part = values[max(top - MARGIN, 0) : bottom + MARGIN, max(left - MARGIN, 0) : right + MARGIN]
    if not part.size:
        return np.zeros((1, 1), np.uint8)
    low, high = np.percentile(part, VAGUE)
    page = _between(part, float(low), float(high))
    if bottom - top >= SMALL:
        return page
    larger = cv2.resize(page, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, np.uint8)


def sheets(strips: Sequence[tuple[str, Page]]) -> Iterator[tuple[str, Page]]:
    """Cuttings laid out on sheets, row by row; the name of the first cutting's file stands for the sheet."""
    sheet, name = np.zeros((SHEET, SHEET), np.uint8), ""
    row = column = height = 0
    for file, strip in strips:
        for part in _in_sheets(strip):
            if column + part.shape[1] > SHEET:
                row, column, height = row + height + MARGIN, 0, 0
            if row + part.shape[0] > SHEET:
                yield name, sheet
                sheet, name = np.zeros((SHEET, SHEET), np.uint8), ""
                row = column = height = 0
            name = name or file
            sheet[row : row + part.shape[0], column : column + part.shape[1]] = part
            column, height = column + part.shape[1] + MARGIN, max(height, part.shape[0])
    if name:
        yield name, sheet[: row + height]


def _in_sheets(strip: Page) -> Iterator[Page]:
    """A cutting that is larger than a sheet, in overlapping parts."""
    rows, columns = strip.shape
    for top in range(0, max(rows - SHARED, 1), SHEET - SHARED):
        for left in range(0, max(columns - SHARED, 1), SHEET - SHARED):
            yield strip[top : top + SHEET, left : left + SHEET]


def _tiles(values: Values) -> list[Page]:
    """Pictures of one frame, in the sizes in which it is read."""
    return [sized for page in (_stretched(values), _even(values)) for sized in _sizes(page)]


def _sizes(page: Page) -> list[Page]:
    """A picture no larger than the reader can take in: a smaller one, and tiles of a large one as it is."""
    longer = max(page.shape)
    if longer < SHORT_SIDE:
        return [np.asarray(cv2.resize(page, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)]
    if longer <= LONG_SIDE:
        return [page]
    share = LONG_SIDE / longer
    small = np.asarray(cv2.resize(page, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)
    tiles = [
        page[top : top + TILE, left : left + TILE]
        for top in range(0, max(page.shape[0] - SHARED, 1), TILE - SHARED)
        for left in range(0, max(page.shape[1] - SHARED, 1), TILE - SHARED)
    ]
    return [small, *(tiles if len(tiles) <= MOST_TILES else [])]


def texts(page: Page) -> list[str]:
    """Lines that can be read in a picture, from above to below."""
    missing = [(0, max(0, LEAST_SIDE - side)) for side in page.shape]
    found = _reader()(np.repeat(np.pad(page, missing)[..., None], 3, axis=2))
    return [str(text) for text in found.txts or ()] if hasattr(found, "txts") else []


@cache
def _reader() -> Any:
    """rapidocr as it comes, on one thread; made in the process that uses it."""
    from rapidocr import RapidOCR  # large, and needed only where there are pixels

    cv2.setNumThreads(1)
    one = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    size = {"Det.limit_type": "max", "Det.limit_side_len": 4000, "Global.min_side_len": 16, "Global.max_side_len": 4000}
    return RapidOCR(params={**one, **size, "Global.text_score": SURE, "Global.log_level": "error"})
