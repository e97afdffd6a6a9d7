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

from radcurate.attack.matrix import HELD, Ints, Kept, Numbers, column, marked, plain
from radcurate.tables.stored import Large, texts

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
        values: shape (row, feature); NaN where missing; of a large table columns that are read when asked for.
    """

    shown: Mapping[str, Shown]
    owner: Sequence[str]
    row: Sequence[str]
    block: Sequence[tuple[object, ...]]
    features: tuple[str, ...]
    values: Numbers

    def digests(self, features: Sequence[str]) -> list[bytes]:
        """A digest of each row's values of `features`: equal where all values are, else almost surely not."""
        return marked(self.values, self._places(features))

    def told(self, features: Sequence[str]) -> Ints:
        """How many of `features` have a value, shape (row,)."""
        found = np.zeros(len(self.owner), dtype=np.int64)
        for place in self._places(features):
            found += np.isfinite(column(self.values, place))
        return found

    def _places(self, features: Sequence[str]) -> list[int]:
        place = {name: number for number, name in enumerate(self.features)}
        return [place[name] for name in features]

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
            self._only(np.asarray(rows, dtype=np.int64)),
        )

    def _only(self, rows: Ints) -> Numbers:
        return self.values.only(rows) if isinstance(self.values, Kept) else self.values[rows]

    def renamed(self, names: Mapping[str, str]) -> View:
        """The same release with other names of patients; names that are not given stay."""
        shown = {names.get(name, name): shown for name, shown in self.shown.items()}
        owner = [names.get(name, name) for name in self.owner]
        return View(shown, owner, self.row, self.block, self.features, self.values)


def view(features: Large, acquisition: Large, quasi: Sequence[str]) -> View:
    """The view of a release's two tables; `quasi` names quasi-identifiers, absent ones are passed over.

    Features are the floating point columns that are no quasi-identifiers. Where no code of patients is released, every
    row is a patient of its own.
    """
    names = [name for name in quasi if name in features.column_names or name in acquisition.column_names]
    numbers = tuple(
        field.name for field in features.schema if pa.types.is_floating(field.type) and field.name not in names
    )
    rows = features.num_rows
    held = isinstance(features, pa.Table) or rows <= HELD
    owner = _texts(features, SUBJECT, "row")
    shown: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for patient, cell in zip(owner, _cells(features, acquisition, names), strict=True):
        shown[patient].add(cell)
    block = _tuples([texts(features[name]) for name in COMPARABLE if name in features.column_names], rows)
    return View(
        {name: frozenset(cells) for name, cells in shown.items()},
        owner,
        _texts(features, ROI, "region"),
        block,
        numbers,
        _matrix(features, numbers) if held else Kept(numbers, rows, lambda name: _column(features, name)),
    )


def _texts(content: Large, name: str, otherwise: str) -> list[str]:
    if name in content.column_names:
        return [str(value) for value in texts(content[name])]
    return [f"{otherwise} {number}" for number in range(content.num_rows)]


def _cells(features: Large, acquisition: Large, names: Sequence[str]) -> list[tuple[object, ...]]:
    """Of each row of features what it shows, as (name, value) pairs; acquisition is joined by series."""
    place = {}
    if SERIES in acquisition.column_names:
        place = {series: row for row, series in enumerate(acquisition[SERIES].to_pylist())}
    series = features[SERIES].to_pylist() if SERIES in features.column_names else [None] * features.num_rows
    columns = []
    for name in names:
        if name in features.column_names:
            found = texts(features[name])
        else:
            other = texts(acquisition[name])
            found = [other[place[one]] if one in place else None for one in series]
        columns.append([(name, _plain(value)) for value in found])
    return _tuples(columns, features.num_rows)


def _plain(value: object) -> object:
    """NaN is missing, and equal to itself."""
    return None if isinstance(value, float) and np.isnan(value) else value


def _tuples(columns: Sequence[Sequence[object]], rows: int) -> list[tuple[object, ...]]:
    once: dict[tuple[object, ...], tuple[object, ...]] = {}  # equal ones are one object
    return [once.setdefault(line, line) for line in zip(*columns, strict=True)] if columns else [()] * rows


def _matrix(features: Large, names: Sequence[str]) -> Reals:
    values = np.full((features.num_rows, len(names)), np.nan)
    for place, name in enumerate(names):
        values[:, place] = _column(features, name)
    return values


def _column(features: Large, name: str) -> Reals:
    return plain(features[name].cast(pa.float64()).fill_null(np.nan).to_numpy())
