"""Features of the rows that are released, some columns or some rows at a time: a million rows of 200 need 1.6 GB at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.errors import CurationError
from radcurate.privacy.coding import Reals

BLOCK = 8  # columns at a time: 64 MB of a million rows


@dataclass(frozen=True)
class Values:
    """A table of numbers, rows in the order of the release.

    Attributes:
        names: its columns.
        columns: a table of some of them, all rows.
        parts: tables of all of them, some rows each, in order.
    """

    names: tuple[str, ...]
    columns: Callable[[Sequence[str]], pa.Table]
    parts: Callable[[], Iterator[pa.Table]]

    def blocks(self) -> Iterator[tuple[slice, Reals]]:
        """All rows of some columns: which ones, and their values, shape (row, column)."""
        for place in slices(len(self.names)):
            yield place, matrix(self.columns(self.names[place]), self.names[place])

    def groups(self) -> Iterator[tuple[slice, Reals]]:
        """All columns of some rows: which ones, and their values, shape (row, column)."""
        start = 0
        for part in self.parts():
            yield slice(start, start + part.num_rows), matrix(part, self.names)
            start += part.num_rows

    def whole(self) -> Reals:
        """All values, shape (row, column)."""
        found = [values for _, values in self.groups()]
        return np.concatenate(found) if found else np.zeros((0, len(self.names)))


def slices(n: int) -> Iterator[slice]:
    """`BLOCK` columns each. Never one alone beside others: numpy adds up a single column in another order."""
    starts = list(range(0, n, BLOCK))
    if len(starts) > 1 and n - starts[-1] == 1:
        starts[-1] -= 1
    yield from (slice(*ends) for ends in pairwise([*starts, n]))


def values_of(content: pa.Table, names: Sequence[str]) -> Values:
    """Those of a table in memory."""
    return Values(tuple(names), content.select, lambda: iter([content]))


def check_numbers(schema: pa.Schema, names: Sequence[str]) -> None:
    """Raise a CurationError where a column of these isn't one of numbers."""
    for name in names:
        kind = schema.field(name).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
            raise CurationError(
                f"feature {name} is no number",
                wanted="numbers in every column of role feature, to take means of",
                found=str(kind),
                fix="give the column another role in config/columns.yaml",
            )


def matrix(content: pa.Table, names: Sequence[str]) -> Reals:
    """Columns as an array, shape (row, column); NaN where nothing is. Raises as `check_numbers` does."""
    check_numbers(content.schema, names)
    found = [_numbers(content[name]) for name in names]
    return np.stack(found, axis=1) if found else np.zeros((content.num_rows, 0))


def _numbers(column: Any) -> Reals:
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64()), float("nan")).to_numpy(), dtype=np.float64)
