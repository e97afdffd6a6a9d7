"""The consent table as text, from CSV or Parquet, whatever program wrote it."""

from __future__ import annotations

import csv
import difflib
import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from radcurate.errors import CurationError
from radcurate.governance.consent import COLUMNS, OPTIONAL

FIX = "correct the consent table; config/consent.example.csv shows its form"


def read_consent(path: Path) -> list[dict[str, str]]:
    """All rows with the columns that consent knows, as text; leading zeros of a patient's number are kept.

    Raises:
        CurationError: absent, unreadable, a column missing or named twice, no rows.
    """
    if not path.is_file():
        raise CurationError(
            "there is no consent table",
            wanted="a CSV or Parquet file",
            found="no file at consent.table",
            fix="set consent.table",
        )
    try:
        heading, rows = _parquet(path) if path.suffix.lower() == ".parquet" else _csv(path)
    except (OSError, pa.ArrowException, csv.Error, UnicodeDecodeError) as error:
        raise CurationError(
            "the consent table can't be read",
            wanted="CSV in UTF-8 or Parquet, with read permission",
            found=type(error).__name__,
            fix=FIX,
        ) from None
    names = [" ".join(str(name).casefold().split()) for name in heading]
    _check_heading(names)
    if not rows:
        raise CurationError("the consent table is empty", wanted="one row or more", found="a heading only", fix=FIX)
    known = [(index, name) for index, name in enumerate(names) if name in (*COLUMNS, *OPTIONAL)]
    return [{name: row[index] for index, name in known} for row in rows]


def _check_heading(names: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in names]
    twice = [name for name in (*COLUMNS, *OPTIONAL) if names.count(name) > 1]
    if not missing and not twice:
        return
    others = [name for name in names if name not in (*COLUMNS, *OPTIONAL)]
    near = {name: match[0] for name in missing if (match := difflib.get_close_matches(name, others, n=1))}
    hint = "; ".join(f"is {found} meant to be {name}?" for name, found in near.items())
    raise CurationError(
        "the consent table has other columns",
        wanted=", ".join(COLUMNS) + " (and, where needed, " + ", ".join(OPTIONAL) + ")",
        found="; ".join(
            part
            for part in (
                f"no {', '.join(missing)}" if missing else "",
                f"{', '.join(twice)} more than once" if twice else "",
            )
            if part
        ),
        fix=hint or FIX,
    )


def _csv(path: Path) -> tuple[list[str], list[list[str]]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    lines = [
        row for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True) if any(c.strip() for c in row)
    ]
    if not lines:
        return [], []
    heading, *rows = lines
    for number, row in enumerate(rows, start=1):
        if len(row) > len(heading) and any(cell.strip() for cell in row[len(heading) :]):
            raise CurationError(
                f"row {number} of the consent table has more cells than the heading",
                wanted=f"{len(heading)} cells",
                found=f"{len(row)}",
                fix=f"put values that hold the separator {delimiter!r} into double quotes",
            )
    return heading, [row[: len(heading)] + [""] * (len(heading) - len(row)) for row in rows]


def _parquet(path: Path) -> tuple[list[str], list[list[str]]]:
    content = pq.read_table(path, partitioning=None)
    return content.column_names, [[_text(value) for value in row.values()] for row in content.to_pylist()]


def _text(value: Any) -> str:
    """A cell as it would stand in CSV."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)
