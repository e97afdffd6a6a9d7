"""Tables of all chunks seen as one: small columns in memory, the many columns of numbers file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.privacy.coding import Ints

Kept = Callable[[pa.Table], pa.ChunkedArray]  # flags of the rows that count


@dataclass(frozen=True)
class Files:
    """Parquet tables of one kind, one below the other.

    Attributes:
        paths: in this order.
        kept: the rows that count, from the columns in `needed`; None: all.
        needed: columns that `kept` looks at.
        schema: columns of all of them; one that a file lacks is null there.
    """

    paths: tuple[Path, ...]
    schema: pa.Schema
    kept: Kept | None = None
    needed: tuple[str, ...] = ()

    def read(self, names: Sequence[str]) -> pa.Table:
        """Some columns of all rows."""
        found = [self.only(names).empty_table(), *self._parts(names)]
        return pa.concat_tables(found).combine_chunks()

    def parts(self, names: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """Some columns, some rows at a time: number of the first row, and the rows."""
        start = 0
        for part in self._parts(names):
            yield start, part
            start += part.num_rows

    def only(self, names: Sequence[str]) -> pa.Schema:
        """These columns of the schema."""
        return pa.schema([self.schema.field(name) for name in names])

    def _parts(self, names: Sequence[str]) -> Iterator[pa.Table]:
        empty = self.only(names).empty_table()
        for path in self.paths:
            there = set(tables.read_schema(path).names)
            wanted = [name for name in dict.fromkeys([*names, *self.needed]) if name in there]
            for part in tables.read_parts(path, wanted):
                rows = part if self.kept is None else part.filter(self.kept(part))
                own = rows.select([name for name in names if name in there])
                yield pa.concat_tables([empty, own], promote_options="permissive").select(names)


def files_of(
    paths: Sequence[Path], otherwise: pa.Schema, kept: Kept | None = None, needed: tuple[str, ...] = ()
) -> Files:
    """The tables at `paths`, whose columns are made fit for each other; `otherwise`: columns where there is no table."""
    schemas = [tables.read_schema(path) for path in paths]
    schema = pa.unify_schemas(schemas, promote_options="permissive") if schemas else otherwise
    return Files(tuple(paths), schema, kept, needed)


def measured_files(chunks: Sequence[Path], otherwise: pa.Schema) -> Files:
    """The regions that extract measured: a failed one is counted by its series, and is no row of a release."""
    return files_of([chunk / "features.parquet" for chunk in sorted(chunks)], otherwise, _measured, ("status",))


def _measured(part: pa.Table) -> pa.ChunkedArray:
    return pc.fill_null(pc.equal(part["status"], tables.OK), False)


def in_places(source: Files, names: Sequence[str], rows: Ints, n_rows: int, folder: Path) -> Iterator[pa.Table]:
    """Columns of the numbered rows, in that order, by row groups; see `tables.ordered`.

    Args:
        rows: numbers of rows of `source`, each once at most.
        n_rows: how many rows `source` has.
    """
    place = np.full(n_rows, -1, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    parts = ((place[start : start + part.num_rows], part) for start, part in source.parts(names))
    return tables.ordered(parts, source.only(names), rows.size, folder)


def beside(about: pa.Table, parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of `schema`: columns of `parts`, the others from `about`, which has the same rows."""
    start = 0
    for part in parts:
        rows = about.slice(start, part.num_rows)
        found = [part[name] if name in part.column_names else rows[name] for name in schema.names]
        yield pa.table(found, schema=schema)
        start += part.num_rows
