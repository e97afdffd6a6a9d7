"""Tables too large to hold: read from their file column by column, or part by part, when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from radcurate.tables.files import ROW_GROUP, Schema, insist_columns, unreadable

PART = ROW_GROUP  # rows that are looked at together


@dataclass(frozen=True)
class Stored:
    """A Parquet file as a table whose columns are read when they are asked for, and not kept.

    It has what most readers need of a `pyarrow.Table`: `num_rows`, `schema`, `column_names`, `[name]` and `select`.
    """

    path: Path

    @cached_property
    def _metadata(self) -> Any:
        with _readable(self.path):
            return pq.read_metadata(self.path)

    @cached_property
    def schema(self) -> pa.Schema:
        """Names, types and what the dictionary says of them."""
        with _readable(self.path), pq.ParquetFile(self.path, metadata=self._metadata) as stream:
            return stream.schema_arrow

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self._metadata.num_rows)

    @property
    def column_names(self) -> list[str]:
        """In the order of the file."""
        return list(self.schema.names)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """One column."""
        return self.select([name])[name]

    def select(self, names: Sequence[str]) -> pa.Table:
        """Some columns, in memory.

        Raises:
            CurationError: the file can't be read.
        """
        with _readable(self.path), pq.ParquetFile(self.path, metadata=self._metadata) as stream:
            return stream.read(columns=list(names), use_threads=False).select(list(names))

    def parts(self, names: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows group by group as they were written, all columns or some; an empty table is one empty part.

        Raises:
            CurationError: the file can't be read.
        """
        wanted = self.column_names if names is None else list(names)
        if not self.num_rows:
            yield self.select(wanted)
            return
        with _readable(self.path), pq.ParquetFile(self.path, metadata=self._metadata) as stream:
            for number in range(stream.num_row_groups):
                yield stream.read_row_group(number, columns=wanted, use_threads=False).select(wanted)

    def rows(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Row by row as dictionaries; a few thousand are in memory at a time."""
        for part in self.parts(names):
            for batch in part.to_batches(max_chunksize=PART):
                yield from batch.to_pylist()


@dataclass(frozen=True)
class Packed:
    """A table in memory whose texts are kept once each: for columns that repeat themselves.

    Attributes:
        schema: as the table looks to whoever reads it.
        content: the same with texts as dictionary codes.
    """

    schema: pa.Schema
    content: pa.Table

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self.content.num_rows)

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
        return list(self.schema.names)

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """One column, unpacked."""
        return self.content[name].cast(self.schema.field(name).type)

    def select(self, names: Sequence[str]) -> pa.Table:
        """Some columns, unpacked."""
        return pa.table({name: self[name] for name in names})

    def parts(self, names: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Unpacked, `PART` rows at a time; an empty table is one empty part."""
        wanted = self.column_names if names is None else list(names)
        schema = pa.schema([self.schema.field(name) for name in wanted])
        for start in range(0, max(self.num_rows, 1), PART):
            yield self.content.select(wanted).slice(start, PART).cast(schema)


Large: TypeAlias = pa.Table | Stored | Packed  # what offers `num_rows`, `schema`, `column_names` and `[name]`


def packed(path: Path, schema: Schema) -> pa.Table:
    """A Parquet table with its texts as dictionary codes, for `Packed`.

    Raises:
        CurationError: the file can't be read, or has other columns.
    """
    insist_columns(path, Stored(path).schema, schema)
    words = [name for name, kind in schema.columns if pa.types.is_string(kind)]
    with _readable(path), pq.ParquetFile(path, read_dictionary=words) as stream:
        return stream.read(use_threads=False)


def parts_of(content: Large) -> Iterator[pa.Table]:
    """The rows of any table, part by part."""
    if isinstance(content, pa.Table):
        yield content
    else:
        yield from content.parts()


def texts(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """A column as a list in which equal texts are one object; other values as they are."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_string(whole.type):
        whole = whole.dictionary_encode()
    if not pa.types.is_dictionary(whole.type):
        return list(whole.to_pylist())
    words = [*whole.dictionary.to_pylist(), None]
    codes = whole.indices.fill_null(len(words) - 1).to_pylist()
    return [words[code] for code in codes]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None
