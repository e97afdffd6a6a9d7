"""Tables as files: deterministic reading and writing.

Writing is byte-identical for equal content: fixed encoder options, no time stamps, rows sorted by the schema's key, row
groups of one size. So a table of any length can be read and written row group by row group.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from radcurate.errors import CurationError

ROW_GROUP = 65_536  # rows: 105 MB of 200 numbers each


@dataclass(frozen=True)
class Schema:
    """Columns of a table and the columns that its rows are sorted by."""

    name: str
    columns: list[tuple[str, pa.DataType]]
    key: tuple[str, ...]

    @property
    def arrow(self) -> pa.Schema:
        """The columns as pyarrow knows them."""
        return pa.schema(self.columns)


def table(schema: Schema, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of `schema`, sorted by its key. A missing column becomes null; an unknown one is an error."""
    rows = list(rows)
    names = [name for name, _ in schema.columns]
    unknown = {key for row in rows for key in row} - set(names)
    if unknown:
        raise ValueError(f"columns not in {schema.name}: {sorted(unknown)}")
    arrays = [pa.array([row.get(name) for row in rows], type=kind) for name, kind in schema.columns]
    return sort(schema, pa.table(arrays, schema=schema.arrow))


def sort(schema: Schema, content: pa.Table) -> pa.Table:
    """Rows in the order of the schema's key."""
    return content.sort_by([(name, "ascending") for name in schema.key]) if content.num_rows else content


def write(path: Path, content: pa.Table) -> None:
    """Write deterministically: to a temporary name, then renamed. The caller sorts (see `table`, `sort`)."""
    write_parts(path, content.schema, groups([content], content.schema))


def write_stream(path: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """`write` for a table that needn't be in memory as a whole; where its parts end changes no byte."""
    write_parts(path, schema, groups(parts, schema))


def groups(parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of `parts` in tables of `ROW_GROUP` rows, the last one of fewer; one without rows where there are none."""
    waiting, made = schema.empty_table(), False
    for part in parts:
        waiting = pa.concat_tables([waiting, part]) if waiting.num_rows else part
        while waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP).combine_chunks()
            waiting, made = waiting.slice(ROW_GROUP), True
    if waiting.num_rows or not made:
        yield waiting.combine_chunks()


def write_parts(path: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """As `write`, with a row group for each part, however long it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pq.ParquetWriter(
            temporary, schema, compression="zstd", version="2.6", write_statistics=True, store_schema=True
        ) as writer:
            for part in parts:
                writer.write_table(part)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_rows(path: Path, schema: Schema, rows: Iterable[Mapping[str, Any]]) -> None:
    """`write` of `table`."""
    write(path, table(schema, rows))


def read(path: Path, schema: Schema | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet table, or only some of its columns, and, given a schema, insist on its columns.

    Raises:
        CurationError: absent, damaged, or with other columns.
    """
    try:
        with pq.ParquetFile(path) as stream:  # read_table imports what takes 50 MB
            content = stream.read(columns=columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None
    if schema is not None:
        insist_columns(path, content.schema, schema)
    return content


def insist_columns(path: Path, found: pa.Schema, schema: Schema) -> None:
    """Insist on the columns of a table.

    Raises:
        CurationError: there are others.
    """
    if not found.equals(schema.arrow, check_metadata=False):
        raise CurationError(
            f"table {path.name} has other columns",
            wanted=f"the columns of {schema.name}",
            found=f"{len(found)} columns that differ",
            fix="delete it and run snakemake again",
        )


def read_schema(path: Path) -> pa.Schema:
    """Columns of a Parquet table. Raises as `read` does."""
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def read_parts(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """As `read`, at most `ROW_GROUP` rows at a time."""
    try:
        with pq.ParquetFile(path) as stream:
            for batch in stream.iter_batches(ROW_GROUP, columns=columns, use_threads=False):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: Exception) -> CurationError:
    """A table that is absent or damaged."""
    return CurationError(
        f"table {path.name} can't be read",
        wanted="a Parquet file written by this version",
        found=type(error).__name__,
        fix="delete it and run snakemake again",
    )


def read_rows(path: Path, schema: Schema | None = None) -> list[dict[str, Any]]:
    """`read` as a list of dictionaries."""
    return list(read(path, schema).to_pylist())
