"""Tables of all chunks as one, kept small: only the columns that the gate judges by, repeated texts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.governance.evidence import FaceCheck
from radcurate.governance.series_rows import Rows
from radcurate.tables.stored import PART, Packed, Stored, packed

CODES = ("series", "subject", "roi")  # columns in which texts hardly repeat themselves
CHECKED = (
    "series",
    "passed",
    "overlap_voxels",
    "moved",
    "brain_dice",
    "control_passed",
    "controls_hold",
    "outside_equal",
    "inside_filled",
)


class Source(Protocol):
    """What reads sealed tables (`_evidence.Reader`)."""

    def content(self, folder: str, name: str, schema: tables.Schema | None = None) -> pa.Table:
        """A sealed table."""

    def path(self, folder: str, name: str) -> Any:
        """A sealed file."""


def gathered(
    reader: Source, folders: Iterable[str], name: str, schema: tables.Schema, wanted: Sequence[str]
) -> pa.Table:
    """Some columns of a table over several folders, rows in their order; texts but codes as dictionary codes.

    Raises:
        CurationError: a table is unsealed or has other columns.
    """
    parts = [schema.arrow.empty_table().select(list(wanted))]
    parts += [reader.content(folder, name, schema).select(list(wanted)) for folder in folders]
    return packed_texts(pa.concat_tables(parts))


def packed_texts(content: pa.Table) -> pa.Table:
    """The same table with texts but codes as dictionary codes."""
    for place, field in enumerate(content.schema):
        if pa.types.is_string(field.type) and field.name not in CODES:
            column = pc.dictionary_encode(content[field.name])
            content = content.set_column(place, field.name, column)
    return content


@dataclass(frozen=True)
class Lines:
    """Rows of a table as dictionaries, some thousands in memory at a time; can be gone through again."""

    content: pa.Table

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.content.to_batches(max_chunksize=PART):
            yield from batch.to_pylist()


class Faces(Mapping[str, FaceCheck]):
    """Deface's decision on each image series, with the numbers of its check."""

    def __init__(self, series: pa.Table, checks: pa.Table) -> None:
        """Args: `series`, with the columns series, kind, face; `checks`, with those of `CHECKED`."""
        images = series.filter(pc.equal(series["kind"].cast(pa.string()), "image"))
        self._face, self._checks = Rows(images.select(["series", "face"])), Rows(checks)

    def __getitem__(self, series: str) -> FaceCheck:
        measured = self._checks.get(series, {})
        return FaceCheck(series, self._face[series]["face"], measured)

    def __iter__(self) -> Iterator[str]:
        return iter(self._face)

    def __len__(self) -> int:
        return len(self._face)


def counted(content: pa.Table, name: str, into: Counter[str]) -> None:
    """Add how often each text of a column occurs."""
    counts = pc.value_counts(content[name])
    for value, number in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
        into[str(value)] += number


def records_of(reader: Source, folders: Iterable[str], features: tables.stored.Large) -> Packed:
    """The provenance records that rows of `features` name, sorted by digest; of several the first one."""
    schema = tables.EXTRACT_PROVENANCE.arrow
    paths = [reader.path(folder, "provenance.parquet") for folder in folders]
    if paths:
        schema = Stored(paths[0]).schema  # lists are named otherwise in a file
    named = features["provenance"].unique() if "provenance" in features.column_names else pa.array([], pa.string())
    content = _joined(paths, schema)
    digests = content["provenance"].cast(pa.string()).combine_chunks()
    order = pc.sort_indices(digests)  # stable
    ordered = digests.take(order)
    wanted = pc.is_in(ordered, value_set=named).to_numpy(zero_copy_only=False)
    wanted[1:] &= pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    return Packed(schema, content.take(order.filter(pa.array(wanted))).combine_chunks())


def _joined(paths: Iterable[Path], schema: pa.Schema) -> pa.Table:
    """Records of all files, texts as codes; the files' own tables are gone when it returns."""
    parts = [packed_texts(schema.empty_table()), *(packed(path, tables.EXTRACT_PROVENANCE) for path in paths)]
    return pa.concat_tables(parts, promote_options="permissive").unify_dictionaries().combine_chunks()
