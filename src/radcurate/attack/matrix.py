"""Numbers of a table of regions: an array, or columns that are read when they are asked for.

A million rows of 200 numbers take 1.6 GB, and an attack looks at two tables. Nearly all that it does, it does column by
column, so that no more than one column, or one matrix of scores, has to be in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Marks = NDArray[np.uint64]
HELD = 65_536  # rows of a table that is held in memory
_MIX = tuple(np.uint64(word) for word in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True)
class Kept:
    """Columns that are read when they are asked for.

    Attributes:
        names: of the columns.
        number: of rows.
        load: a column by its name, shape (row,).
    """

    names: tuple[str, ...]
    number: int
    load: Callable[[str], Floats]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.number, len(self.names)

    def only(self, rows: Ints) -> Kept:
        """Some rows, in the order given."""
        return Kept(self.names, len(rows), lambda name: self.load(name)[rows])


Numbers = Floats | Kept


def column(values: Numbers, place: int) -> Floats:
    """One column, shape (row,)."""
    return values.load(values.names[place]) if isinstance(values, Kept) else values[:, place]


def some_rows(values: Numbers, rows: Ints) -> Floats:
    """Some rows as an array, shape (row, column)."""
    if not isinstance(values, Kept):
        return values[rows]
    found = np.empty((len(rows), len(values.names)))
    for place in range(len(values.names)):
        found[:, place] = column(values, place)[rows]
    return found


def some_columns(values: Numbers, places: Sequence[int] | Ints) -> Numbers:
    """Some columns, in the order given."""
    if not isinstance(values, Kept):
        return values[:, places]
    return Kept(tuple(values.names[place] for place in places), values.number, values.load)


def beside(values: Numbers, extra: Floats, names: Sequence[str]) -> Numbers:
    """Further columns after those of a table."""
    if not isinstance(values, Kept):
        return np.hstack([values, extra])
    further = {name: extra[:, place] for place, name in enumerate(names)}
    first = values

    def load(name: str) -> Floats:
        return further[name] if name in further else first.load(name)

    return Kept((*values.names, *names), values.number, load)


def marks(values: Numbers, places: Sequence[int] | Ints) -> Marks:
    """Two numbers for each row, shape (row, 2): equal where the bits of all these columns are, else almost surely not.

    SplitMix64 (Steele et al. 2014) over the columns, from two starts.
    """
    found = np.tile(np.array(_MIX[:2]), (values.shape[0], 1))
    for place in places:
        bits = np.ascontiguousarray(column(values, int(place))).view(np.uint64)
        found = _mixed(found ^ bits[:, None])
    return found


def _mixed(state: Marks) -> Marks:
    with np.errstate(over="ignore"):
        state = state + np.array([_MIX[0], _MIX[2]])
        state = (state ^ (state >> np.uint64(30))) * _MIX[1]
        state = (state ^ (state >> np.uint64(27))) * _MIX[2]
        return np.asarray(state ^ (state >> np.uint64(31)))


def marked(values: Numbers, places: Sequence[int] | Ints) -> list[bytes]:
    """`marks` as something that a dictionary can hold."""
    return np.ascontiguousarray(marks(values, places)).view("V16").ravel().tolist()


def plain(values: Floats) -> Floats:
    """Equal numbers with equal bits: -0 is 0, and there is one NaN."""
    found = values + 0.0
    found[np.isnan(found)] = np.nan
    return found


def seed_of(what: str, values: Numbers) -> int:
    """A number for a generator, from a fixed word and the data."""
    digest = hashlib.sha256(what.encode() + repr(values.shape).encode())
    if isinstance(values, Kept):
        digest.update(marks(values, range(len(values.names))).tobytes())
    else:
        digest.update(np.ascontiguousarray(values + 0.0).tobytes())
    return int.from_bytes(digest.digest()[:8], "big")
