"""Whether new patients look like those of the release before: drift of a batch, feature by feature.

Compared are the patients who are new with those who were there, per modality and region name, one value a patient (the
mean of its regions). Test: two-sample Kolmogorov–Smirnov, asymptotic with Stephens' correction (J. R. Stat. Soc. B 32,
1970), false discovery rate by Benjamini and Hochberg (J. R. Stat. Soc. B 57, 1995). A small shift in many patients is
significant without mattering, so the distance must be large, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import chdtrc, kolmogorov

from radcurate.tables.stored import Large, texts

FEWEST = 5  # patients on either side
RATE = 0.01  # of false discoveries
DISTANCE = 0.3  # between the two distributions, from 0 to 1
TOLD = 20  # features that are told by name, those that drifted most first
CATEGORIES = ("site", "sex", "modality")
COLUMNS = 16  # features that are in memory at a time
Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shift:
    """One feature in one group of regions."""

    group: str
    feature: str
    distance: float  # Kolmogorov–Smirnov
    p: float
    standardised: float | None  # difference of means in standard deviations of the patients before


def drift(before: Large, now: Large, names: Sequence[str], fewest: int = FEWEST) -> dict[str, Any]:
    """What is told in changes.json.

    Args:
        before: features of the release before; columns `subject`, and `names`.
        now: of this one.
        names: feature columns that both have.
        fewest: patients that must be on either side, so that no number is about few.
    """
    old, fresh = (content["subject"].cast(pa.string()).unique() for content in (before, now))
    new = fresh.filter(pc.invert(pc.is_in(fresh, value_set=old)))
    told: dict[str, Any] = {"patients_before": len(old), "new_patients": len(new)}
    if min(len(old), len(new)) < fewest:
        return told | {"measured": False, "detail": f"needs {fewest} patients before and {fewest} new ones"}
    batch = pc.is_in(now["subject"].cast(pa.string()), value_set=new).to_numpy()
    sides = _Side(before, np.arange(before.num_rows)), _Side(now, np.flatnonzero(batch))
    shifts = _shifts(_groups(*sides, fewest), sides, names)
    categories = [found for name in CATEGORIES if (found := _category(*sides, name))]
    if not shifts and not categories:
        return told | {"measured": False, "detail": f"no kind of region with {fewest} patients before and new"}
    limit = _discoveries([shift.p for shift in shifts] + [one["p"] for one in categories])
    flagged = sorted(
        (one for one in shifts if one.p <= limit and one.distance >= DISTANCE),
        key=lambda one: (-one.distance, one.group, one.feature),
    )
    for one in categories:
        one["flagged"] = bool(one["p"] <= limit and one["distance"] >= DISTANCE)
    return told | {
        "measured": True,
        "compared": len(shifts),
        "flagged": len(flagged) + sum(one["flagged"] for one in categories),
        "features": [vars(one) for one in flagged[:TOLD]],
        "categories": categories,
        "detail": f"distance at least {DISTANCE}, false discovery rate {RATE}",
    }


@dataclass(frozen=True)
class _Side:
    """Rows of a table, read column by column."""

    content: Large
    rows: Ints

    def has(self, name: str) -> bool:
        return name in self.content.column_names

    def words(self, name: str) -> list[Any]:
        """A column of texts."""
        return texts(self.content[name].take(pa.array(self.rows)))

    def numbers(self, names: Sequence[str]) -> Reals:
        """Columns of numbers, shape (row, column)."""
        return np.column_stack([self.content[name].to_numpy().astype(np.float64)[self.rows] for name in names])


@dataclass(frozen=True)
class _People:
    """Rows of one kind of region: their places on a side, sorted by patient, and the first row of each patient."""

    places: Ints
    starts: Ints

    @staticmethod
    def of(places: Ints, patient: Ints) -> _People:
        order = np.argsort(patient[places], kind="stable")
        return _People(places[order], np.flatnonzero(np.diff(patient[places][order], prepend=-1)))

    def means(self, values: Reals) -> Reals:
        """Mean of each patient's regions, shape (patient, feature); NaN where a patient has no value."""
        own = values[self.places]
        there = ~np.isnan(own)
        total = np.add.reduceat(np.where(there, own, 0.0), self.starts, axis=0)
        count = np.add.reduceat(there.astype(np.float64), self.starts, axis=0)
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


_Group = tuple[str, _People, _People]


def _groups(before: _Side, now: _Side, fewest: int) -> list[_Group]:
    """Kinds of regions that enough patients have on both sides."""
    keys = [name for name in ("modality", "roi_label") if before.has(name) and now.has(name)]
    kinds = [_kinds(side, keys) for side in (before, now)]
    patients = [np.unique(np.array(side.words("subject")), return_inverse=True)[1] for side in (before, now)]
    found = []
    for kind in sorted(set(kinds[0]) & set(kinds[1])):
        people = [_People.of(own[kind], patient) for own, patient in zip(kinds, patients, strict=True)]
        if min(part.starts.size for part in people) >= fewest:
            found.append((" ".join(kind) or "all", people[0], people[1]))
    return found


def _kinds(side: _Side, keys: Sequence[str]) -> dict[tuple[str, ...], Ints]:
    """Places of the rows of each kind."""
    if not keys:
        return {(): np.arange(side.rows.size)}
    found: dict[tuple[str, ...], list[int]] = {}
    for place, kind in enumerate(zip(*(map(str, side.words(key)) for key in keys), strict=True)):
        found.setdefault(kind, []).append(place)
    return {kind: np.array(places, dtype=np.int64) for kind, places in found.items()}


def _shifts(groups: Sequence[_Group], sides: tuple[_Side, _Side], names: Sequence[str]) -> list[Shift]:
    """All groups and features; some columns are in memory at a time."""
    found = []
    for start in range(0, len(names) if groups else 0, COLUMNS):
        some = names[start : start + COLUMNS]
        values = [side.numbers(some) for side in sides]
        for group, *people in groups:
            means = [own.means(part) for own, part in zip(people, values, strict=True)]
            for place, name in enumerate(some):
                a, b = (part[:, place][~np.isnan(part[:, place])] for part in means)
                if min(len(a), len(b)) >= FEWEST:
                    distance = ks_distance(a, b)
                    found.append(Shift(group, name, distance, _p(distance, len(a), len(b)), _standardised(a, b)))
    return found


def ks_distance(a: Reals, b: Reals) -> float:
    """Largest distance of two empirical distribution functions."""
    points = np.sort(np.concatenate([a, b]))
    shares = [np.searchsorted(np.sort(values), points, side="right") / len(values) for values in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def _p(distance: float, n: int, m: int) -> float:
    root = np.sqrt(n * m / (n + m))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def _standardised(a: Reals, b: Reals) -> float | None:
    spread = float(np.std(a, ddof=1))
    return float((b.mean() - a.mean()) / spread) if spread > 0 else None


def _category(before: _Side, now: _Side, name: str) -> dict[str, Any] | None:
    """Shares of a column's values among patients, before and new; None where there is nothing to compare."""
    if not before.has(name) or not now.has(name):
        return None
    counts = [_patients_by(side, name) for side in (before, now)]
    values = sorted(set(counts[0]) | set(counts[1]))
    table = np.array([[own.get(value, 0) for value in values] for own in counts], np.float64)
    if len(values) < 2:
        return None
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    shares = table / table.sum(1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return {"column": name, "distance": distance, "p": float(chdtrc(len(values) - 1, statistic))}


def _patients_by(side: _Side, name: str) -> Counter[str]:
    pairs = set(zip(map(str, side.words(name)), side.words("subject"), strict=True))
    return Counter(value for value, _ in pairs)


def _discoveries(found: Sequence[float]) -> float:
    """The largest p that Benjamini and Hochberg's procedure still calls a discovery; below 0 where there is none."""
    ordered = np.sort(np.array(found, np.float64))
    holds = np.flatnonzero(ordered <= RATE * np.arange(1, len(ordered) + 1) / max(len(ordered), 1))
    return float(ordered[holds[-1]]) if len(holds) else -1.0
