"""A registry that somebody really holds, read from a file. It is read, never copied."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from radcurate.attack.candidates import UNKNOWN, Registry
from radcurate.attack.told import KNOWN, Vocabulary, sex_of
from radcurate.errors import CurationError

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Register:
    """A registry from a file.

    Attributes:
        rows: its visits.
        words: its sexes and institutions.
        person_of: shape (patient of the raw table,), number of the patient's person, -1 where not in it; None: unknown.
        size: number of people.
    """

    rows: Registry
    words: Vocabulary
    person_of: Ints | None
    size: int


def read_register(
    path: Path,
    columns: Mapping[str, str],
    patients: Sequence[str],
    pseudonym: Callable[[str], str],
    code: Callable[[str], str] | None,
) -> Register:
    """Read a registry: CSV (comma, semicolon or tab; UTF-8 or Latin-1) or Parquet, a row per person and visit.

    Args:
        columns: names of its columns where they differ from sex, age, date, site, patient, person; "" where it has none.
        patients: pseudonyms of the raw table's patients, in the order of their numbers.
        pseudonym: of a PatientID, for the truth.
        code: of an institution's name, where the table shows codes; then an attacker knows which hospital a code is.

    Raises:
        CurationError: not readable, other columns, or values that are no ages or dates.
    """
    names = _names(path)
    chosen = _chosen(names, columns)
    content = _read(path, sorted(set(chosen.values())))
    column = {name: content[there].combine_chunks() for name, there in chosen.items()}
    n = content.num_rows
    if not n:
        raise _wrong("has no rows", "a row per person and visit", "none", "give another file")
    sexes, sex = _coded(column.get("sex"), n, sex_of)
    sites, site = _coded(column.get("site"), n, lambda text: text or None)
    people, person = _people(column, n)
    rows = Registry(
        person,
        sex,
        site,
        _numbers(column.get("age"), n, _age, "age"),
        _numbers(column.get("date"), n, _day, "date"),
        np.zeros(n, dtype=np.int64),
    )
    means: dict[str, frozenset[str]] = {}
    for name in sites if code else ():
        means[code(name)] = means.get(code(name), frozenset()) | {name}  # type: ignore[misc]
    truth = _truth(people, patients, pseudonym) if "patient" in column else None
    return Register(rows, Vocabulary(tuple(sexes), tuple(sites), means), truth, len(people))


def _truth(people: Sequence[str | None], patients: Sequence[str], pseudonym: Callable[[str], str]) -> Ints:
    """The person of each patient."""
    number = {pseudonym(name): place for place, name in enumerate(people) if name is not None}
    return np.array([number.get(patient, UNKNOWN) for patient in patients], dtype=np.int64)


def _people(column: Mapping[str, Any], n: int) -> tuple[list[str | None], Ints]:
    """Distinct people and whose each row is: by patient, else by person; rows without a name are people of their own."""
    named = column.get("patient", column.get("person"))
    names, code = _coded(named, n, lambda text: text or None)
    nobody = np.flatnonzero(code == UNKNOWN)
    code[nobody] = len(names) + np.arange(nobody.size)
    return [*names, *[None] * nobody.size], code


def _names(path: Path) -> list[str]:
    """Names of a file's columns."""
    try:
        if path.suffix == ".parquet":
            return list(pyarrow.parquet.read_schema(path).names)
        text = _head(path)
    except (OSError, pa.ArrowException):
        raise _unreadable() from None
    return next(csv.reader(io.StringIO(text), delimiter=_separator(text)), [])


def _head(path: Path) -> str:
    """First line of a text."""
    with path.open(encoding=_encoding(path)) as stream:
        return stream.readline(1_000_000).removeprefix("\ufeff")


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is, else Latin-1, which reads anything."""
    try:
        with path.open(encoding="utf-8") as stream:
            while stream.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _separator(head: str) -> str:
    return max(",;\t|", key=head.count)


def _chosen(names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Which column is what."""
    unknown = sorted(set(columns) - {*KNOWN, "patient", "person"})
    if unknown:
        raise _wrong(
            f"can't have a column for {unknown[0]}",
            "some of " + ", ".join([*KNOWN, "patient", "person"]),
            unknown[0],
            "correct attack.linkage.columns",
        )
    wanted = {name: columns.get(name, name) for name in (*KNOWN, "patient", "person")}
    near = {name.strip().casefold(): name for name in names}
    found = {name: near[there.strip().casefold()] for name, there in wanted.items() if there.strip().casefold() in near}
    absent = [name for name in KNOWN if name not in found and wanted[name] != ""]
    absent += [name for name in ("patient", "person") if columns.get(name) and name not in found]
    if absent or not set(found) & set(KNOWN):
        raise _wrong(
            f"has no column for {', '.join(absent) or 'anything that a release tells'}",
            ", ".join(f"{name}: {wanted[name]}" for name in absent or KNOWN),
            f"{len(names)} columns: {', '.join(names[:12])}" if names else "no columns",
            'name its columns in attack.linkage.columns, such as {sex: Geschlecht, site: ""} where it has no institution',
        )
    return found


def _read(path: Path, names: list[str]) -> pa.Table:
    """Some columns, CSV as text."""
    try:
        if path.suffix == ".parquet":
            with pyarrow.parquet.ParquetFile(path) as stream:
                return stream.read(columns=names, use_threads=False)
        encoding, head = _encoding(path), _head(path)
        return pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(use_threads=False, encoding=encoding),
            pyarrow.csv.ParseOptions(delimiter=_separator(head), newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                include_columns=names, column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True
            ),
        )
    except (OSError, pa.ArrowException):  # its message quotes a row
        raise _unreadable() from None


def _coded(column: Any, n: int, read: Callable[[Any], str | None]) -> tuple[list[str], Ints]:
    """Distinct words, sorted, and the number of each row's, -1 where nothing is told."""
    if column is None:
        return [], np.full(n, UNKNOWN, dtype=np.int64)
    values, codes = _distinct(column)
    words = [None if value is None else read(_plain(value)) for value in values]
    known = sorted({word for word in words if word is not None})
    place = {word: number for number, word in enumerate(known)}
    return known, np.array([UNKNOWN if word is None else place[word] for word in words], dtype=np.int64)[codes]


def _plain(value: Any) -> str:
    """A value as text; 12.0 is 12, as in a table where a blank made numbers of whole numbers."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _distinct(column: Any) -> tuple[list[Any], Ints]:
    """Distinct values, the missing one last, and each row's number among them."""
    coded = column.dictionary_encode()
    values = coded.dictionary.to_pylist()
    return [*values, None], coded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)


def _numbers(column: Any, n: int, read: Callable[[Any], float | None], what: str) -> Reals:
    """Values as numbers, NaN where nothing is told."""
    if column is None:
        return np.full(n, math.nan)
    values, codes = _distinct(column)
    found = [math.nan if value is None or value == "" else read(value) for value in values]
    wrong = np.array([one is None for one in found], dtype=bool)
    if wrong.any():
        forms = {"age": "numbers of years, or DICOM ages such as 063Y", "date": "YYYY-MM-DD, YYYYMMDD or DD.MM.YYYY"}
        raise _wrong(
            f"has {what}s that can't be read",
            f"{forms[what]}, or blank",
            f"{int(wrong[codes].sum())} of {n} in another form",
            "write them so, or leave them blank",
        )
    return np.array(found, dtype=np.float64)[codes]


_UNITS = {"": 1.0, "Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}


def _age(value: Any) -> float | None:
    found = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?)\s*([YMWD]?)\s*", str(value), re.I)
    return float(found[1].replace(",", ".")) * _UNITS[found[2].upper()] if found else None


def _day(value: Any) -> float | None:
    if isinstance(value, date):
        return float(value.toordinal())
    found = re.fullmatch(r"\s*(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?\s*", str(value))
    parts = found.groups() if found else None
    if not parts and (found := re.fullmatch(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})\s*", str(value))):
        parts = tuple(reversed(found.groups()))
    try:
        return float(date(*(int(part) for part in parts)).toordinal()) if parts else None
    except ValueError:
        return None


def _unreadable() -> CurationError:
    return _wrong("can't be read", "a CSV or Parquet file", "something else", "give another file")


def _wrong(problem: str, wanted: str, found: str, fix: str) -> CurationError:
    return CurationError(
        f"the registry of attack.linkage {problem}", wanted=wanted, found=found, fix=f"{fix} (attack.linkage.registry)"
    )
