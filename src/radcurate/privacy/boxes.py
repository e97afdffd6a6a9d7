"""Labels and penalties of groups of values that lie next to each other: what a region of a partition shows.

Values of a ladder get places on a line, so that all that share a coarser label lie together. Numbers and dates are
shown as a range of labels, `61-67`, `85+`, `2018/2020` (ISO 8601: start/end); anything else as the finest label that
holds for all of them. A range that has a missing value in it, or every value, is `*`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radcurate.privacy.coding import Ints, Reals, counted
from radcurate.privacy.hierarchies import ANY, Ladder

RANGES = ("age", "interval", "date")  # kinds of ladders whose values have an order


@dataclass(frozen=True)
class Line:
    """A ladder laid out.

    `place`, shape (value,): place of each value's label at the finest level allowed. `example`, shape (place,): a value
    there. `upto`, shape (place + 1,): finest labels of the column before each place. `loss`, for each level allowed shape
    (value,): penalty.
    """

    ladder: Ladder
    place: Ints
    example: Ints
    upto: Ints
    loss: tuple[Reals, ...]

    @property
    def size(self) -> int:
        """Number of places."""
        return int(self.example.size)


def line(ladder: Ladder) -> Line:
    """Lay a ladder out: by value where values have an order, else by label from the coarsest to the finest."""
    rungs = range(ladder.least, len(ladder.names))
    fine = [ladder.labels[rung] for rung in rungs]
    if ladder.kind == "date":  # days as labels sort by time, however they were written
        keys: list[tuple[object, ...]] = [(label is None, label or "") for label in ladder.labels[0]]
    elif ladder.kind in RANGES:  # values are sorted, a missing one is last
        keys = [(place,) for place in range(len(ladder.values))]
    else:
        keys = [tuple((label is None, label or "") for label in reversed(each)) for each in zip(*fine, strict=True)]
    order = sorted(range(len(ladder.values)), key=lambda value: keys[value])
    place, known = np.zeros(len(order), dtype=np.int64), dict[str | None, int]()
    for value in order:
        place[value] = known.setdefault(fine[0][value], len(known))
    example = np.zeros(len(known), dtype=np.int64)
    example[place[order[::-1]]] = order[::-1]
    finest = {(int(place[value]), ladder.labels[0][value]) for value in order}
    each = np.bincount([at for at, _ in finest], minlength=len(known)) if finest else np.zeros(0, dtype=np.int64)
    loss = tuple(ladder.loss(rung) for rung in rungs)
    return Line(ladder, place, example, np.concatenate([[0], np.cumsum(each)]).astype(np.int64), loss)


@dataclass(frozen=True)
class Shown:
    """What regions show of a column: `texts[code]` and `loss`, both by region, shape (region,)."""

    texts: tuple[str | None, ...]
    code: Ints
    loss: Reals

    @property
    def labels(self) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        """Label of each region, shape (region,); None where it shows no value."""
        return np.array([*self.texts, None], dtype=object)[:-1][self.code]


def shown(found: Line, low: Ints, high: Ints) -> Shown:
    """Of regions from place `low` to place `high`, both inclusive and of shape (region,)."""
    size = max(found.size, 1)
    boxes, _ = counted(low * size + high)
    made = [_box(found, int(box) // size, int(box) % size) for box in boxes]
    texts = tuple(dict.fromkeys(text for text, _ in made))
    number = {text: place for place, text in enumerate(texts)}
    code = np.array([number[text] for text, _ in made], dtype=np.int64)
    loss = np.array([cost for _, cost in made], dtype=np.float64)
    which = np.searchsorted(boxes, low * size + high)
    return Shown(texts, code[which], loss[which])


def _box(found: Line, low: int, high: int) -> tuple[str | None, float]:
    """Label and penalty."""
    ladder, first, last = found.ladder, int(found.example[low]), int(found.example[high])
    whole = max(int(found.upto[-1]) - 1, 1)
    if low == high:
        return ladder.labels[ladder.least][first], float(found.upto[low + 1] - found.upto[low] - 1) / whole
    if ladder.kind not in RANGES:
        rung = next(
            r for r in range(ladder.least, len(ladder.names)) if ladder.labels[r][first] == ladder.labels[r][last]
        )
        return ladder.labels[rung][first], float(found.loss[rung - ladder.least][first])
    start, end = ladder.labels[ladder.least][first], ladder.labels[ladder.least][last]
    if start is None or end is None or high - low + 1 == found.size:
        return ANY, 1.0
    text = f"{start}/{end}" if ladder.kind == "date" else _range(start, end)
    return text, float(found.upto[high + 1] - found.upto[low] - 1) / whole


def _range(start: str, end: str) -> str:
    """`60-64` and `70-74` as `60-74`, `61` and `90+` as `61+`."""
    low = _numbers(start)[0]
    return f"{low}+" if end.endswith("+") else f"{low}-{_numbers(end)[-1]}"


def _numbers(label: str) -> Sequence[str]:
    found = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?\+?", label)
    if found is None:  # not reached: labels of intervals are made by `hierarchies`
        raise AssertionError("no interval")
    return [part for part in found.groups() if part is not None]
