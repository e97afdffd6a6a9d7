"""Ranges on their way from extract to the release: released regions, declared features, codes of the release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.features.ranges.stability import stability_rows
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import in_order, recode
from radcurate.release.dictionary import Note, Reason
from radcurate.tables.stored import Large

RANGES = "ranges.parquet"
# Columns of the release's table beside the ends of the ranges.
ABOUT = ("roi", "perturbations", "overlap")


@dataclass(frozen=True)
class Ranges:
    """What of extract's ranges may be released.

    Attributes:
        table: a row per region, `_lo` and `_hi` of every declared feature; where ranges are off, no row.
        stability: rows of `PROTECT_STABILITY`, over the same regions and features.
    """

    table: pa.Table
    stability: list[dict[str, Any]]


def released_ranges(
    chunks: list[Path], regions: pa.ChunkedArray, declared: Columns, code: Callable[[str, str], str]
) -> Ranges:
    """Ranges of the released regions.

    Args:
        chunks: folders of extract whose tables of ranges are sealed.
        regions: codes, inside the run, of the regions to be released.
        declared: config/columns.yaml.
        code: (letter, internal code) to release code.
    """
    found = [tables.read(chunk / RANGES) for chunk in sorted(chunks)]
    content = pa.concat_tables(found or [tables.table(tables.EXTRACT_RANGES, [])], promote_options="permissive")
    content = content.filter(pc.is_in(content["roi"], value_set=regions.combine_chunks()))
    names = _features(content, declared)
    about = declared.released(ABOUT if names else ["roi"])
    ends = [name + end for name in names for end in (tables.LOW, tables.HIGH)]
    table = in_order(recode(content.select([*about, *ends]), declared, code), declared)
    return Ranges(table, list(stability_rows(content, names)))


def _features(content: pa.Table, declared: Columns) -> list[str]:
    """Features with ranges that go out as they are: a column that is coarsened or dropped has no range either."""
    names = [name.removesuffix(tables.LOW) for name in content.column_names if name.endswith(tables.LOW)]
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
