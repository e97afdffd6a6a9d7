"""The data dictionary: every column of a release with its type, unit, definition, role and the reason why it is in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

import pyarrow as pa

NON_IBSI = "non-IBSI"
FEATURE = "feature"


@dataclass(frozen=True)
class Note:
    """What the feature catalogue, or `descriptions`, knows about a column."""

    ibsi: str  # code of the Image Biomarker Standardisation Initiative, or non-IBSI
    unit: str
    aggregation: str  # how texture matrices were merged; empty for other features
    conformance: str  # compliant, deviating or non-IBSI: how the values compare with the IBSI reference values
    description: str


@dataclass(frozen=True)
class Reason:
    """What the steward's table says about a column."""

    role: str
    reason: str


@dataclass(frozen=True)
class Column:
    """A line of the dictionary."""

    table: str
    name: str
    type: str
    unit: str
    ibsi: str
    aggregation: str
    conformance: str
    role: str
    description: str
    reason: str


def columns(table: str, content: pa.Table, notes: Mapping[str, Note], reasons: Mapping[str, Reason]) -> list[Column]:
    """The lines of one table, in the order of its columns. A column without an IBSI code says `non-IBSI`."""
    return [_column(table, field, notes.get(field.name), reasons.get(field.name)) for field in content.schema]


def _column(table: str, field: pa.Field, note: Note | None, reason: Reason | None) -> Column:
    return Column(
        table=table,
        name=field.name,
        type=str(field.type),
        unit=note.unit if note else "",
        ibsi=(note.ibsi or NON_IBSI) if note else NON_IBSI,
        aggregation=note.aggregation if note else "",
        conformance=note.conformance if note else "",
        role=reason.role if reason else "",
        description=note.description if note else "",
        reason=reason.reason if reason else "",
    )


def with_metadata(content: pa.Table, lines: Iterable[Column], file_metadata: Mapping[str, str]) -> pa.Table:
    """The table with each column's dictionary line, and the file's, as Arrow metadata (UTF-8 keys `radcurate.…`)."""
    known = {line.name: line for line in lines}
    schema = pa.schema(
        [field.with_metadata(_field_metadata(known[field.name])) for field in content.schema],
        metadata={f"radcurate.{key}": value for key, value in sorted(file_metadata.items())},
    )
    return content.cast(schema)


def _field_metadata(line: Column) -> dict[str, str]:
    kept = ("ibsi", "unit", "aggregation", "conformance", "role", "description", "reason")
    return {f"radcurate.{key}": str(getattr(line, key)) for key in kept}


def as_csv(lines: Iterable[Column]) -> str:
    """The dictionary as CSV (RFC 4180, but with plain line feeds)."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([field.name for field in fields(Column)])
    writer.writerows([list(asdict(line).values()) for line in lines])
    return stream.getvalue()


def as_json(lines: Iterable[Column]) -> str:
    """The same as a JSON array of objects."""
    return json.dumps([asdict(line) for line in lines], indent=1, ensure_ascii=False) + "\n"
