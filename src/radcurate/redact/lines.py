"""Lines of text in one picture: found in several views and sizes, and read.

Large pictures are looked at in tiles that overlap by more than a line is high, and once made smaller as a whole, so that
memory stays bounded and large letters are seen as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from radcurate.redact import reader, views
from radcurate.redact.found import Box, Picture
from radcurate.redact.reader import Bytes, Corners, Reading

TILE = 1024  # pixels of the picture
OVERLAP = 160
LARGEST_WHOLE = 1280  # a longer picture is cut into tiles
SMALLEST_SIDE = 8  # nothing legible fits into less
GROWN_TO = 1152  # a picture is enlarged at most to this
SAME = 0.5  # share of the smaller outline that two finds of one line have in common
CLEAR = 0.85  # confidence at which no other view is asked
FLAT = 1.5  # of 255: a tile with no more contrast in any view is empty
TALLEST, TALLEST_SHARE = 48, 0.35  # pixels of a line's height, or share of the picture's shorter side
UPRIGHT = 1.3  # a line longer than high by this is read along its length only

View = Callable[[views.Shades, views.Levels], Bytes]


@dataclass(frozen=True)
class Effort:
    """How hard a picture is looked at: views and enlargements, and the least the detector must see."""

    passes: tuple[tuple[View, float], ...]
    level: float = 0.4


FULL = Effort(
    (
        (views.wide, 1),
        (views.middle, 1),
        (views.local, 1),
        (views.wide, 2),
        (views.local, 2),
        (views.fine, 2),
    )
)


LIGHT = Effort(((views.wide, 1), (views.local, 1), (views.fine, 2)))  # of one frame among many
PARTS = Effort(((views.middle, 1), (views.local, 1)))  # of the tiles of a large picture
MANY_TILES = 8


class Line(NamedTuple):
    """A line in a picture. length, height: in its own direction; seen: the detector's score; times: in how many views."""

    box: Box
    length: float
    height: float
    text: str
    confidence: float
    seen: float
    times: int


class _Find(NamedTuple):
    corners: Corners  # in pixels of the picture
    score: float
    look: int  # place of its view in the tile's list


def lines(picture: Picture, effort: Effort = FULL) -> list[Line]:
    """Everything in a picture that the detector takes for text, with what it reads; most of it may be none.

    Errors: none; a picture too small for letters has none.
    """
    rows, columns = picture.values.shape[:2]
    if min(rows, columns) < SMALLEST_SIDE:
        return []
    found: list[Line] = []
    of = views.levels(picture)
    parts = list(_tiles(rows, columns))
    for part in parts:
        found += _in_tile(views.shades(picture, part), of, part, 1.0, effort if len(parts) < MANY_TILES else PARTS)
    if max(rows, columns) > LARGEST_WHOLE:
        small, factor = _smaller(picture)
        found += _in_tile(small, of, Box(0, 0, *small.shape[:2]), factor, effort)
    return _one_of_each(found)


def line_at(look: Bytes, spot: reader.Spot) -> Line:
    """What one view says at a spot."""
    reading, (length, height) = _read(look, spot.corners)
    return Line(_bounds(spot.corners), length, height, reading.text, reading.confidence, spot.score, 1)


def legible(spot: reader.Spot, rows: int, columns: int) -> bool:
    """Whether a spot is no higher than text in a picture of that size: rings and ribs look like huge letters."""
    return min(reader.sides(spot.corners)) <= max(TALLEST, TALLEST_SHARE * min(rows, columns))


def _in_tile(tile: views.Shades, of: views.Levels, part: Box, factor: float, effort: Effort) -> list[Line]:
    """Lines of a tile. factor: pixels of the tile for one of the picture."""
    made: dict[View, Bytes] = {}
    same = views.middle if of.least == of.low and of.greatest == of.high else None
    looks: list[Bytes] = []
    finds: list[_Find] = []
    for view, scale in effort.passes:
        if view is same:
            continue
        if view not in made:
            made[view] = view(tile, of)
        look = made[view]
        if int(look.max()) - int(look.min()) <= FLAT:
            continue
        scale = min(scale, max(1.0, GROWN_TO / max(look.shape[:2])))
        if scale > 1 and scale < 1.2:
            continue
        looks.append(look)
        finds += [
            _Find(spot.corners, spot.score, len(looks) - 1)
            for spot in reader.find(look, effort.level, scale)
            if legible(spot, *look.shape[:2])
        ]
    return [_line(group, looks, part, factor) for group in _groups(finds)]


def _line(group: Sequence[_Find], looks: Sequence[Bytes], part: Box, factor: float) -> Line:
    """The finds of one line as one: the best that any of them reads."""
    best, sides = Reading("", 0.0), reader.sides(group[0].corners)
    asked: set[int] = set()
    for find in group:
        if find.look in asked and len(asked) > 1:
            continue
        asked.add(find.look)
        reading, of_it = _read(looks[find.look], find.corners)
        if reading.confidence * _weight(reading.text) > best.confidence * _weight(best.text):
            best, sides = reading, of_it
        if best.confidence >= CLEAR and _weight(best.text) >= 1:
            break
    corners = np.concatenate([find.corners for find in group if _alike(find, group[0])])
    left, top = np.floor(corners.min(axis=0) / factor).astype(int)
    right, bottom = np.ceil(corners.max(axis=0) / factor).astype(int)
    box = Box(
        part.top + max(0, int(top)), part.left + max(0, int(left)), part.top + int(bottom), part.left + int(right)
    )
    length, height = (side / factor for side in sides)
    return Line(box, length, height, best.text, best.confidence, group[0].score, len({find.look for find in group}))


def _read(look: Bytes, corners: Corners) -> tuple[Reading, tuple[float, float]]:
    """The best reading over the ways a line may be turned, and the line's length and height as it is read."""
    along, across = reader.sides(corners)
    turns = [0, 2] if along >= across else [1, 3]
    if max(along, across) < UPRIGHT * min(along, across):
        turns = [0, 1, 3, 2]
    best, way = Reading("", 0.0), 0
    for turn in turns:
        reading = reader.read(look, reader.turned(corners, turn))
        if reading.confidence > best.confidence:
            best, way = reading, turn
        if best.confidence >= CLEAR:
            break
    return best, (along, across) if way in (0, 2) else (across, along)


def _weight(text: str) -> float:
    """How much a reading tells: a full line counts 1, a letter or two less."""
    return min(1.0, sum(letter.isalnum() for letter in text) / 3)


def _groups(finds: Sequence[_Find]) -> list[list[_Find]]:
    """Finds of the same line, the surest first."""
    groups: list[list[_Find]] = []
    for find in sorted(finds, key=lambda find: -find.score):
        for group in groups:
            if _alike(find, group[0]):
                group.append(find)
                break
        else:
            groups.append([find])
    return groups


def _alike(one: _Find, other: _Find) -> bool:
    """Whether two outlines have most of the larger in common."""
    first, second = _bounds(one.corners), _bounds(other.corners)
    shared = _shared(first, second)
    return shared >= SAME * max(_area(first), _area(second))


def _bounds(corners: Corners) -> Box:
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return Box(max(0, int(top)), max(0, int(left)), int(np.ceil(bottom)), int(np.ceil(right)))


def _shared(one: Box, other: Box) -> int:
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    return max(0, high) * max(0, wide)


def _area(box: Box) -> int:
    return (box.bottom - box.top) * (box.right - box.left)


def _one_of_each(found: Sequence[Line]) -> list[Line]:
    """Lines found in two tiles once, the better reading first."""
    kept: list[Line] = []
    for line in sorted(found, key=lambda line: (-line.confidence * _weight(line.text), line.box)):
        if all(_shared(line.box, other.box) < 0.7 * max(1, max(_area(line.box), _area(other.box))) for other in kept):
            kept.append(line)
    return kept


def _tiles(rows: int, columns: int) -> Iterator[Box]:
    for top, bottom in _cuts(rows):
        for left, right in _cuts(columns):
            yield Box(top, left, bottom, right)


def _cuts(length: int) -> list[tuple[int, int]]:
    """Stretches of TILE at most that overlap."""
    if length <= LARGEST_WHOLE:
        return [(0, length)]
    count = int(np.ceil((length - OVERLAP) / (TILE - OVERLAP)))
    starts = np.linspace(0, length - TILE, count).astype(int)
    return [(int(start), int(start) + TILE) for start in starts]


def _smaller(picture: Picture) -> tuple[NDArray[np.float32], float]:
    """The whole picture on at most TILE pixels a side, band by band, and how much smaller it is."""
    rows, columns = picture.values.shape[:2]
    factor = TILE / max(rows, columns)
    high, wide = max(1, round(rows * factor)), max(1, round(columns * factor))
    edges = np.linspace(0, rows, high // 64 + 2).astype(int)
    bands = []
    for top, bottom in pairwise(edges):
        target = round(bottom * factor) - round(top * factor)
        if target > 0:
            band = views.shades(picture, Box(int(top), 0, int(bottom), columns))
            bands.append(cv2.resize(band, (wide, target), interpolation=cv2.INTER_AREA))
    return np.concatenate(bands).astype(np.float32), factor
