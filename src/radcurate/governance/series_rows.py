"""What the stages' tables say of each series, for a million of them: columns are kept, rows are made when asked for.

A dictionary per series would take gigabytes. Each class here is a `Mapping` or an iterable, so that whoever reads the
evidence sees no difference to plain dictionaries and tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from radcurate.governance.evidence import Member, Step
from radcurate.tables.stored import PART, texts

Row = Mapping[str, Any]
STEP = ("series", "status", "reason", "remedy")
MEMBER = ("series", "subject", "kind", "modality", "files", "status", "reason", "remedy")


@dataclass(frozen=True)
class Steps:
    """Rows of a stage's series table as `Step`s, in their order; `content` has the columns of `STEP`."""

    content: pa.Table

    def __len__(self) -> int:
        return int(self.content.num_rows)

    def __iter__(self) -> Iterator[Step]:
        for batch in self.content.to_batches(max_chunksize=PART):
            series, status, reason, remedy = (batch[name].to_pylist() for name in STEP)
            yield from map(Step, series, map(str, status), reason, remedy)


@dataclass(frozen=True)
class Members:
    """Inventoried series as `Member`s, in their order; `content` has the columns of `MEMBER`."""

    content: pa.Table

    def __len__(self) -> int:
        return int(self.content.num_rows)

    def __iter__(self) -> Iterator[Member]:
        for batch in self.content.to_batches(max_chunksize=PART):
            series, subject, kind, modality, files, status, reason, remedy = (
                batch[name].to_pylist() for name in MEMBER
            )
            steps = map(Step, series, map(str, status), reason, remedy)
            yield from map(Member, series, subject, kind, modality, files, steps)


def step_table(steps: Iterable[Step]) -> pa.Table:
    """The columns of `STEP` of any steps."""
    if isinstance(steps, Steps):
        return steps.content
    rows = list(steps)
    return pa.table({name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in STEP})


def member_table(members: Iterable[Member]) -> pa.Table:
    """The columns of `MEMBER` of any members."""
    if isinstance(members, Members):
        return members.content
    rows = list(members)
    own = {name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in MEMBER[:4]}
    own |= {"files": pa.array([row.files for row in rows], pa.int64())}
    return pa.table(own | {name: pa.array([getattr(row.step, name) for row in rows], pa.string()) for name in STEP[1:]})


class Rows(Mapping[str, Row]):
    """Series -> its row, of a table with one row a series; of several the last one."""

    def __init__(self, content: pa.Table) -> None:
        """`content` has a column `series` and those that are asked for."""
        self.columns = {name: texts(content[name]) for name in content.column_names if name != "series"}
        self.names = content["series"].combine_chunks()

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names.to_pylist())}

    def __getitem__(self, series: str) -> dict[str, Any]:
        row = self._place[series]
        return {"series": series} | {name: values[row] for name, values in self.columns.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)


class Column(Mapping[str, Any]):
    """Series -> a value; of several the last one."""

    def __init__(self, names: pa.ChunkedArray, values: pa.ChunkedArray) -> None:
        self.names, self.content = names.combine_chunks(), values.combine_chunks()

    @cached_property
    def _known(self) -> dict[str, Any]:
        return dict(zip(self.names.to_pylist(), texts(self.content), strict=True))

    def __getitem__(self, series: str) -> Any:
        return self._known[series]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def number_of(found: Mapping[str, int | None], names: pa.Array) -> npt.NDArray[np.float64]:
    """The number that each of `names` has in `found`, shape (name,); NaN where it has none."""
    if isinstance(found, Column):
        known, values = found.names, found.content
    else:
        known, values = pa.array(list(found), pa.string()), pa.array(list(found.values()), pa.int64())
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    place = last_place(known, names)
    return np.where(place < 0, np.nan, np.append(numbers, np.nan)[place])


def last_place(known: pa.Array, names: pa.Array) -> npt.NDArray[np.int64]:
    """The last row of `known` that holds each of the different `names`, shape (name,); -1 where none does."""
    where = place_in(known, names)
    found = np.full(len(names), -1, dtype=np.int64)
    rows = np.flatnonzero(where >= 0)
    found[where[rows]] = rows  # of equal ones the last one stays
    return found


def place_in(values: pa.Array | pa.ChunkedArray, names: pa.Array) -> npt.NDArray[np.int64]:
    """Which of the different `names` each value is, shape (value,); -1 where it is none."""
    found = pa.compute.index_in(values, value_set=names)
    whole = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return np.asarray(whole.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


class Grouped(Mapping[str, tuple[Row, ...]]):
    """Series -> its rows, in their order; a table with any number of rows a series."""

    def __init__(self, content: pa.Table) -> None:
        series = texts(content["series"])
        self.columns = {name: texts(content[name]) for name in content.column_names}
        self._rows: dict[str, list[int]] = {}
        for row, name in enumerate(series):
            self._rows.setdefault(name, []).append(row)

    def __getitem__(self, series: str) -> tuple[dict[str, Any], ...]:
        return tuple({name: values[row] for name, values in self.columns.items()} for row in self._rows[series])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
