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
Value = str | float | int | bool | None
_ROOM = 2**62  # products of code ranges stay below it


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
    found: list[Any] = coded.dictionary.to_pylist()
    order = sorted(range(len(found)), key=lambda position: found[position])
    place = np.empty(len(found) + 1, dtype=np.int64)
    place[order] = np.arange(len(found))
    place[len(found)] = len(found)
    raw = coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False).astype(np.int64)
    values: list[Value] = [found[position] for position in order]
    return Coded(place[raw], tuple([*values, None] if array.null_count else values))


def combine(columns: Sequence[Ints], n_rows: int) -> Ints:
    """One code per row, shape (row,), equal where all `columns` (each (row,), not negative) are equal."""
    joint, size = np.zeros(n_rows, dtype=np.int64), 1
    for codes in columns:
        width = int(codes.max()) + 1 if codes.size else 1
        if size * width >= _ROOM:
            joint = np.unique(joint, return_inverse=True)[1].astype(np.int64)
            size = int(joint.max()) + 1
        joint, size = joint * width + codes, size * width
    return joint
