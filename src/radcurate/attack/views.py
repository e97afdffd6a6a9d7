"""A release as somebody sees it who compares releases: who is in it, what it shows of each, which vectors are alike."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SUBJECT, SERIES, ROI = "subject", "series", "roi"
COMPARABLE = ("modality", "roi_label")  # regions with equal values of these can share a vector
Shown = frozenset[tuple[object, ...]]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """A release.

    Attributes:
        shown: patient -> the set of quasi-identifier tuples of its rows.
        owner: patient of each row.
        row: name of each row, the same in all releases where there are codes of regions.
        block: what a row can be compared with, one tuple a row.
        features: names of the features.
        values: shape (row, feature); NaN where missing.
    """

    shown: Mapping[str, Shown]
    owner: Sequence[str]
    row: Sequence[str]
    block: Sequence[tuple[object, ...]]
    features: tuple[str, ...]
    values: Reals

    def digests(self, features: Sequence[str]) -> list[bytes]:
        """A digest of each row's values of `features`: equal exactly where all values are."""
        place = {name: number for number, name in enumerate(self.features)}
        chosen = np.ascontiguousarray(self.values[:, [place[name] for name in features]])
        return [hashlib.blake2b(line.tobytes(), digest_size=16).digest() for line in chosen]

    @cached_property
    def mark(self) -> bytes:
        """Equal for views that show the same, whatever the order of rows and columns."""
        names = sorted(self.features)
        rows = sorted(zip(self.owner, self.row, map(repr, self.block), self.digests(names), strict=True))
        people = sorted((name, sorted(map(repr, shown))) for name, shown in self.shown.items())
        return hashlib.blake2b(repr((names, rows, people)).encode(), digest_size=16).digest()

    def without(self, patient: str) -> View:
        """The same release without a patient."""
        return self.of_rows([number for number, owner in enumerate(self.owner) if owner != patient])

    def of_rows(self, rows: Sequence[int]) -> View:
        """The same release with these rows, in this order."""
        kept = {self.owner[number] for number in rows}
        return View(
            {name: shown for name, shown in self.shown.items() if name in kept},
            [self.owner[number] for number in rows],
            [self.row[number] for number in rows],
            [self.block[number] for number in rows],
            self.features,
            self.values[np.asarray(rows, dtype=np.int64)],
        )

    def renamed(self, names: Mapping[str, str]) -> View:
        """The same release with other names of patients; names that are not given stay."""
        shown = {names.get(name, name): shown for name, shown in self.shown.items()}
        owner = [names.get(name, name) for name in self.owner]
        return View(shown, owner, self.row, self.block, self.features, self.values)


def view(features: pa.Table, acquisition: pa.Table, quasi: Sequence[str]) -> View:
    """The view of a release's two tables; `quasi` names quasi-identifiers, absent ones are passed over.

    Features are the floating point columns that are no quasi-identifiers. Where no code of patients is released, every
    row is a patient of its own.
    """
    names = [name for name in quasi if name in features.column_names or name in acquisition.column_names]
    numbers = tuple(
        field.name for field in features.schema if pa.types.is_floating(field.type) and field.name not in names
    )
    rows = features.num_rows
    owner = _texts(features, SUBJECT, "row")
    shown: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for patient, cell in zip(owner, _cells(features, acquisition, names), strict=True):
        shown[patient].add(cell)
    block = _tuples([features[name].to_pylist() for name in COMPARABLE if name in features.column_names], rows)
    return View(
        {name: frozenset(cells) for name, cells in shown.items()},
        owner,
        _texts(features, ROI, "region"),
        block,
        numbers,
        _matrix(features, numbers),
    )


def _texts(content: pa.Table, name: str, otherwise: str) -> list[str]:
    if name in content.column_names:
        return [str(value) for value in content[name].to_pylist()]
    return [f"{otherwise} {number}" for number in range(content.num_rows)]


def _cells(features: pa.Table, acquisition: pa.Table, names: Sequence[str]) -> list[tuple[object, ...]]:
    """Of each row of features what it shows, as (name, value) pairs; acquisition is joined by series."""
    place = {}
    if SERIES in acquisition.column_names:
        place = {series: row for row, series in enumerate(acquisition[SERIES].to_pylist())}
    series = features[SERIES].to_pylist() if SERIES in features.column_names else [None] * features.num_rows
    columns = []
    for name in names:
        if name in features.column_names:
            found = features[name].to_pylist()
        else:
            other = acquisition[name].to_pylist()
            found = [other[place[one]] if one in place else None for one in series]
        columns.append([(name, _plain(value)) for value in found])
    return _tuples(columns, features.num_rows)


def _plain(value: object) -> object:
    """NaN is missing, and equal to itself."""
    return None if isinstance(value, float) and np.isnan(value) else value


def _tuples(columns: Sequence[Sequence[object]], rows: int) -> list[tuple[object, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * rows


def _matrix(features: pa.Table, names: Sequence[str]) -> Reals:
    values = np.full((features.num_rows, len(names)), np.nan)
    for place, name in enumerate(names):
        values[:, place] = features[name].cast(pa.float64()).fill_null(np.nan).to_numpy()
    values += 0.0  # -0.0 is 0.0
    values[np.isnan(values)] = np.nan  # one NaN
    return values
