"""Columns as whole numbers: equal values have equal codes, a missing value is a value of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.errors import CurationError

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Value = str | float | int | bool | None
_ROOM = 2**62  # products of code ranges stay below it
_DENSE = 8  # codes below so many times their number are counted in a table, which is faster than sorting them


@dataclass(frozen=True)
class Coded:
    """A column: `codes`, shape (row,), point into `values` (sorted, a missing value last)."""

    codes: Ints
    values: tuple[Value, ...]


def encode(column: Any, name: str = "column") -> Coded:
    """Codes of a pyarrow column of text, numbers or flags. Null and NaN are one value, None. Independent of row order.

    Raises:
        CurationError: the column holds lists or other things that have no order.
    """
    numbers, found, lacking = _coded(column, name)
    return Coded(numbers, tuple([*found.to_pylist(), None] if lacking else found.to_pylist()))


def codes_of(column: Any, name: str = "column") -> Ints:
    """`encode` without the values: where nearly every row has its own, they would take more room than the table."""
    return _coded(column, name)[0]


def distinct(column: Any, name: str = "column") -> tuple[Ints, Any]:
    """`encode` with the values as a pyarrow array; missing ones have the code after the last."""
    return _coded(column, name)[:2]


def _coded(column: Any, name: str) -> tuple[Ints, Any, bool]:
    """Codes, values in order, and whether any is missing."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    kind = array.type
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
    elif not (
        pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    ):
        raise CurationError(
            f"column {name} can't be grouped by",
            wanted="text, numbers or flags",
            found=str(kind),
            fix="give it another role in config/columns.yaml",
        )
    coded = array.dictionary_encode()
    found = coded.dictionary
    order = np.asarray(pc.array_sort_indices(found), dtype=np.int64) if len(found) else np.zeros(0, dtype=np.int64)
    place = np.empty(len(found) + 1, dtype=np.int64)
    place[order] = np.arange(len(found))
    place[len(found)] = len(found)
    raw = coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    return place[raw], found.take(pa.array(order)), array.null_count > 0


def combine(columns: Sequence[Ints], n_rows: int) -> Ints:
    """One code per row, shape (row,), equal where all `columns` (each (row,), not negative) are equal."""
    joint, size = np.zeros(n_rows, dtype=np.int64), 1
    for codes in columns:
        width = int(codes.max()) + 1 if codes.size else 1
        if size * width >= _ROOM:
            joint, size = renumber(joint)
        joint, size = joint * width + codes, size * width
    return joint


def renumber(codes: Ints) -> tuple[Ints, int]:
    """`codes` (not negative) as numbers from 0 without gaps, in the same order, and how many there are."""
    width = int(codes.max(initial=-1)) + 1
    if width <= _DENSE * codes.size:
        seen = np.zeros(width, dtype=bool)
        seen[codes] = True
        found = np.flatnonzero(seen)
        place = np.empty(width, dtype=np.int64)  # read only where something was seen
        place[found] = np.arange(found.size)
        return place[codes], int(found.size)
    order = np.argsort(codes)
    first = starts(codes[order])
    number = np.empty(codes.size, dtype=np.int64)
    number[order] = np.cumsum(first) - 1
    return number, int(first.sum())


def starts(ordered: Ints) -> Flags:
    """Where another value begins in sorted codes, shape (code,)."""
    first = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def counted(codes: Ints, weight: Ints | None = None) -> tuple[Ints, Ints]:
    """The distinct codes (not negative), sorted, and how often each occurs, or the sum of its `weight` (> 0)."""
    width = int(codes.max(initial=-1)) + 1
    if width <= _DENSE * codes.size:
        table = tally(codes, width, weight)
        found = np.flatnonzero(table)
        return found, table[found]
    order = np.argsort(codes) if weight is not None else None
    ordered = np.sort(codes) if order is None else codes[order]
    places = np.flatnonzero(starts(ordered))
    if weight is None:
        return ordered[places], np.diff(np.append(places, codes.size))
    return ordered[places], np.add.reduceat(weight[order], places)


def tally(codes: Ints, size: int, weight: Ints | None = None) -> Ints:
    """How often each number below `size` occurs, shape (size,), or the sum of its `weight` (whole numbers)."""
    if weight is None:
        return np.bincount(codes, minlength=size)
    return np.bincount(codes, weights=weight, minlength=size).astype(np.int64)  # exact below 2^53
