"""What a table tells about patients in words that an outsider may know: sex, age, date, institution."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radcurate.attack.candidates import UNKNOWN, Registry, Shown
from radcurate.attack.labels import ANYTHING, Bounds, ages, days
from radcurate.attack.names import alike

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
KNOWN = ("sex", "age", "date", "site")

_SEX = {
    **dict.fromkeys(("m", "male", "man", "maennlich", "männlich", "masculin", "homme", "h", "1"), "M"),
    **dict.fromkeys(("f", "female", "woman", "w", "weiblich", "feminin", "féminin", "femme", "2"), "F"),
    **dict.fromkeys(("o", "other", "d", "divers", "x", "3"), "O"),
    **dict.fromkeys(("", "*", "u", "unknown", "0", "9", "n/a", "na"), None),
}


def sex_of(value: object) -> str | None:
    """M, F, O, a word of its own, or None where nothing is told (also ISO 5218 and German and French words)."""
    text = "" if value is None else str(value).strip().casefold()
    return _SEX.get(text, text)


@dataclass(frozen=True)
class Told:
    """Rows of a table, sorted so that their order in the table doesn't matter.

    Attributes:
        patient: shape (row,), number of the patient; every patient of the table has a row.
        region: code of each row.
        sex: M, F, O, … or None: anything.
        age: shape (row, 2), least and largest age in years.
        day: shape (row, 2), first and last day.
        site: names of institutions that the row may mean, or None: any.
    """

    patient: Ints
    region: tuple[str, ...]
    sex: tuple[str | None, ...]
    age: Reals
    day: Reals
    site: tuple[frozenset[str] | None, ...]

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return int(self.patient.max(initial=-1)) + 1

    def of(self, patients: Ints) -> Told:
        """Only these patients (sorted numbers), renumbered from 0."""
        number = np.full(self.n_patients, -1, dtype=np.int64)
        number[patients] = np.arange(patients.size)
        rows = np.flatnonzero(number[self.patient] >= 0)
        return Told(
            number[self.patient[rows]],
            tuple(self.region[row] for row in rows),
            tuple(self.sex[row] for row in rows),
            self.age[rows],
            self.day[rows],
            tuple(self.site[row] for row in rows),
        )

    def without(self, name: str) -> Told:
        """As if one of `KNOWN` were not told."""
        n = len(self.region)
        nothing = np.tile(np.array(ANYTHING), (n, 1))
        return Told(
            self.patient,
            self.region,
            (None,) * n if name == "sex" else self.sex,
            nothing if name == "age" else self.age,
            nothing if name == "date" else self.day,
            (None,) * n if name == "site" else self.site,
        )


def raw_told(patient: Ints, region: Sequence[str], columns: Mapping[str, Sequence[object]]) -> Told:
    """From a table with values as measured; `columns` has some of `KNOWN`, a value per row."""
    return _told(patient, region, columns, None)


def released_told(patient: Ints, region: Sequence[str], columns: Mapping[str, Sequence[object]], raw: Told) -> Told:
    """From a table with coarsened values.

    A label that can't be read, and a group of institutions, stand for the raw values of the rows that carry it: whoever
    published the hierarchy told as much.
    """
    place = {code: row for row, code in enumerate(raw.region)}
    return _told(patient, region, columns, _Behind(raw, [place.get(code) for code in region]))


@dataclass(frozen=True)
class _Behind:
    """The raw table, and where in it each row is."""

    raw: Told
    rows: Sequence[int | None]

    def of(self, values: Sequence[object], label: object) -> list[int]:
        """Raw rows of the rows that carry a label."""
        return [row for value, row in zip(values, self.rows, strict=True) if value == label and row is not None]


def _told(
    patient: Ints, region: Sequence[str], columns: Mapping[str, Sequence[object]], behind: _Behind | None
) -> Told:
    n = len(region)
    values = {name: columns.get(name, (None,) * n) for name in KNOWN}
    age = _bounds(values["age"], ages, behind, behind.raw.age if behind else None)
    day = _bounds(values["date"], days, behind, behind.raw.day if behind else None)
    site = _sites(values["site"], behind)
    order = sorted(range(n), key=lambda row: (int(patient[row]), region[row]))
    sexes = [sex_of(value) for value in values["sex"]]
    return Told(
        patient[order],
        tuple(region[row] for row in order),
        tuple(sexes[row] for row in order),
        age[order],
        day[order],
        tuple(site[row] for row in order),
    )


def _bounds(
    values: Sequence[object], read: Callable[[object], Bounds | None], behind: _Behind | None, raw: Reals | None
) -> Reals:
    """Ends of each row's value, shape (row, 2)."""
    known = {value: read(value) for value in set(values)}
    for label in [label for label, ends in known.items() if ends is None]:
        found = raw[behind.of(values, label)] if behind is not None and raw is not None else np.zeros((0, 2))
        known[label] = (float(found[:, 0].min()), float(found[:, 1].max())) if len(found) else ANYTHING
    return np.array([known[value] for value in values], dtype=np.float64).reshape(len(values), 2)


def _sites(values: Sequence[object], behind: _Behind | None) -> list[frozenset[str] | None]:
    """Names that each row's value may mean."""
    texts = [None if value in (None, "", "*") else str(value) for value in values]
    names = {text: frozenset([text]) for text in texts if text is not None}
    plain = {name for one in behind.raw.site if one for name in one} if behind else set(names)
    for label in set(names) - plain:
        meant = [behind.raw.site[row] for row in behind.of(texts, label)] if behind else []
        if meant and all(meant):
            names[label] = frozenset(name for one in meant if one for name in one)
    return [None if text is None else names[text] for text in texts]


@dataclass(frozen=True)
class Vocabulary:
    """Codes that both sides share: sexes and institutions of the registry, and what a name in the table may be there."""

    sexes: tuple[str, ...]
    sites: tuple[str, ...]
    means: Mapping[str, frozenset[str]]  # for a code in the table: the registry's own names for it

    def sex(self, value: str | None) -> int:
        """Code of a sex; one that the registry lacks matches nobody."""
        if value is None:
            return UNKNOWN
        return self.sexes.index(value) if value in self.sexes else len(self.sexes)

    def labels(self, told: Told) -> list[frozenset[str]]:
        """The distinct meanings of institutions in a table; a row of `alike` each."""
        return sorted({one for one in told.site if one is not None}, key=sorted)

    def alike(self, told: Told, least: float) -> Flags:
        """Which meaning may be which institution of the registry, shape (meaning, institution)."""
        labels = self.labels(told)
        names = sorted({name for one in labels for told_name in one for name in self.means.get(told_name, {told_name})})
        place = {name: row for row, name in enumerate(names)}
        close = alike(names, self.sites, least)
        found = np.zeros((len(labels), len(self.sites)), dtype=bool)
        for row, one in enumerate(labels):
            for told_name in one:
                found[row] |= close[[place[name] for name in self.means.get(told_name, {told_name})]].any(axis=0)
        return found


def shown(told: Told, words: Vocabulary, block: int = 0) -> Shown:
    """The rows in the codes of a registry."""
    number = {one: place for place, one in enumerate(words.labels(told))}
    return Shown(
        told.patient,
        np.array([words.sex(value) for value in told.sex], dtype=np.int64),
        np.array([UNKNOWN if one is None else number[one] for one in told.site], dtype=np.int64),
        told.age[:, 0],
        told.age[:, 1],
        told.day[:, 0],
        told.day[:, 1],
        np.full(told.patient.size, block, dtype=np.int64),
    )


def registry_of(told: Told, words: Vocabulary) -> Registry:
    """The patients themselves as the people of a registry, with their raw values; a row per region."""
    site = {name: place for place, name in enumerate(words.sites)}
    return Registry(
        told.patient,
        np.array([words.sex(value) for value in told.sex], dtype=np.int64),
        np.array([UNKNOWN if not one else site[min(one)] for one in told.site], dtype=np.int64),
        _middle(told.age),
        np.floor(_middle(told.day)),
        np.zeros(told.patient.size, dtype=np.int64),
    )


def words_of(told: Told) -> Vocabulary:
    """The vocabulary of a registry that is made from the table itself."""
    sexes = sorted({value for value in told.sex if value is not None})
    return Vocabulary(tuple(sexes), tuple(sorted({min(one) for one in told.site if one})), {})


def _middle(ends: Reals) -> Reals:
    """A point for each pair of ends, NaN where one is open."""
    known = np.isfinite(ends).all(axis=1)
    found = np.full(len(ends), math.nan)
    found[known] = ends[known].mean(axis=1)
    return found
