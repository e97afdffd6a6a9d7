"""Ranges on their way from extract to the release: released regions, declared features, codes of the release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.features.ranges.stability import stability_rows
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import order_of, recode
from radcurate.release.dictionary import Note, Reason
from radcurate.stages._measured import beside, files_of, in_places
from radcurate.tables.stored import Large

RANGES = "ranges.parquet"
# Columns of the release's table beside the ends of the ranges.
ABOUT = ("roi", "perturbations", "overlap")


@dataclass(frozen=True)
class Ranges:
    """What of extract's ranges may be released.

    Attributes:
        schema: columns of the table.
        parts: its rows, a row per region, `_lo` and `_hi` of every declared feature; where ranges are off, no row.
        stability: rows of `PROTECT_STABILITY`, over the same regions and features.
    """

    schema: pa.Schema
    parts: Iterable[pa.Table]
    stability: list[dict[str, Any]]


def released_ranges(
    chunks: list[Path], regions: pa.Array, declared: Columns, code: Callable[[str, str], str], scratch: Path
) -> Ranges:
    """Ranges of the released regions.

    Args:
        chunks: folders of extract whose tables of ranges are sealed.
        regions: codes, inside the run, of the regions to be released.
        declared: config/columns.yaml.
        code: (letter, internal code) to release code.
        scratch: folder that is nobody else's and goes when the stage ends.
    """

    def of_regions(part: pa.Table) -> pa.ChunkedArray:
        return pc.is_in(part["roi"], value_set=regions)

    files = files_of([chunk / RANGES for chunk in sorted(chunks)], tables.EXTRACT_RANGES.arrow, of_regions, ("roi",))
    names = _features(files.schema.names, declared)
    own = files.read([name for name, _ in tables.EXTRACT_RANGES.columns])
    about = recode(own.select(declared.released(ABOUT if names else ["roi"])), declared, code)
    order = order_of(about, declared)
    about, own = about.take(pa.array(order)), own.take(pa.array(order))
    numbers = [name + part for name in names for part in tables.RANGE_PARTS]
    path = scratch / RANGES
    if names:
        tables.write_stream(path, files.only(numbers), in_places(files, numbers, order, own.num_rows, scratch))
    stability = list(stability_rows(own, partial(_columns, path), names))
    ends = [name + end for name in names for end in (tables.LOW, tables.HIGH)]
    schema = pa.schema([*about.schema, *files.only(ends)])
    return Ranges(schema, beside(about, tables.read_parts(path, ends), schema) if names else [about], stability)


def _columns(path: Path, names: Sequence[str]) -> pa.Table:
    return tables.read(path, columns=names)


def _features(columns: Sequence[str], declared: Columns) -> list[str]:
    """Features with ranges that go out as they are: a column that is coarsened or dropped has no range either."""
    names = [name.removesuffix(tables.LOW) for name in columns if name.endswith(tables.LOW)]
    entries = {name: declared.find(name) for name in names}
    return [name for name, entry in entries.items() if entry is not None and entry.role == "feature"]


def range_notes(content: Large, features: Mapping[str, Note]) -> dict[str, Note]:
    """Dictionary notes of the ends of the ranges, from those of their features."""
    words = {tables.LOW: "least", tables.HIGH: "largest"}
    return {
        name + end: replace(
            note, description=f"{word} value of {name} as drawn and under all perturbations: {note.description}"
        )
        for name, note in features.items()
        for end, word in words.items()
        if name + end in content.column_names
    }


def range_reasons(content: Large, declared: Columns) -> dict[str, Reason]:
    """Role and reason of each column; the ends of a range have those of their feature."""
    found = {name: declared.find(feature_of(name)) for name in content.column_names}
    return {name: Reason(entry.role, entry.reason) for name, entry in found.items() if entry is not None}


def feature_of(name: str) -> str:
    """The feature whose range a column belongs to; other names as they are."""
    return name.removesuffix(tables.LOW).removesuffix(tables.HIGH)
