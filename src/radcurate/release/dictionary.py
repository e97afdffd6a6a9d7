"""The data dictionary: every column of a release with its type, unit, definition, role and the reason why it is in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.tables.stored import Large

NON_IBSI = "non-IBSI"
FEATURE = "feature"
OF_FEATURES = ("minimum", "maximum", "icc", "microaggregated", "noise", "harmonised")


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
    minimum: str = ""  # least and largest value in the release; of features only, as the five below
    maximum: str = ""
    icc: str = ""  # by modality, as JSON; empty where nothing was perturbed
    microaggregated: str = ""  # a value is the mean of at least so many patients; 0: it is the patient's own
    noise: str = ""  # noise that was added, as a share of the standard deviation
    harmonised: str = ""  # none, or the method


@dataclass(frozen=True)
class Treatment:
    """What was done to feature values after they were measured."""

    microaggregated: int = 0
    noise: float = 0.0
    harmonised: str = "none"
    harmonised_columns: frozenset[str] | None = None  # None: all features

    @property
    def as_measured(self) -> bool:
        """Whether every value is the one that was measured."""
        return not self.microaggregated and not self.noise and self.harmonised == "none"


def detailed(
    lines: Iterable[Column], table: str, content: Large, icc: Mapping[str, Mapping[str, Any]], treatment: Treatment
) -> list[Column]:
    """The same lines, those of one table's features with range, stability and what was done to the values.

    Args:
        lines: of any tables.
        table: name of the one that holds the features.
        content: that table as released.
        icc: feature -> modality -> icc, icc_lo, icc_hi, grade.
        treatment: the same for all features, but harmonisation, which may be of some.
    """

    def chosen(line: Column) -> bool:
        return line.table == table and line.role == FEATURE

    return [_detailed(line, content, icc, treatment) if chosen(line) else line for line in lines]


def _detailed(line: Column, content: Large, icc: Mapping[str, Mapping[str, Any]], treatment: Treatment) -> Column:
    own = icc.get(line.name, {})
    least, largest = _ends(content[line.name])
    chosen = treatment.harmonised_columns is None or line.name in treatment.harmonised_columns
    return replace(
        line,
        minimum=least,
        maximum=largest,
        icc=json.dumps(own, sort_keys=True) if own else "",
        microaggregated=str(treatment.microaggregated),
        noise=f"{treatment.noise:g}",
        harmonised=treatment.harmonised if chosen else "none",
    )


def _ends(column: pa.ChunkedArray) -> tuple[str, str]:
    """Least and largest number of a column; empty where there is none."""
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return "", ""
    values = column.drop_null().to_numpy()
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return (repr(values.min().item()), repr(values.max().item())) if len(values) else ("", "")


def columns(table: str, content: Large, notes: Mapping[str, Note], reasons: Mapping[str, Reason]) -> list[Column]:
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
    return content.cast(described(content.schema, lines, file_metadata))


def described(schema: pa.Schema, lines: Iterable[Column], file_metadata: Mapping[str, str]) -> pa.Schema:
    """The columns of a table with what `with_metadata` says of them."""
    known = {line.name: line for line in lines}
    return pa.schema(
        [field.with_metadata(_field_metadata(known[field.name])) for field in schema],
        metadata={f"radcurate.{key}": value for key, value in sorted(file_metadata.items())},
    )


def _field_metadata(line: Column) -> dict[str, str]:
    always = ("ibsi", "unit", "aggregation", "conformance", "role", "description", "reason")
    told = {f"radcurate.{key}": str(getattr(line, key)) for key in always}
    return told | {f"radcurate.{key}": str(getattr(line, key)) for key in OF_FEATURES if getattr(line, key)}


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
