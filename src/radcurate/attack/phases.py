"""Can a patient be found by another image of the same lesion?

Contrast phases, modalities and follow-ups of one patient show a lesion of about the same shape, and a contour that was
copied from one to the other has exactly the same. No simulation: the other image is in the run.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from radcurate.attack.found import Share, share
from radcurate.attack.matrix import HELD, Floats, Ints, seed_of, some_columns
from radcurate.attack.records import Records
from radcurate.attack.scores import scores_by

SHAPE = "morph_"  # what images of different kinds have in common (IBSI morphology)
TOLERANCE = 1e-9
SOUGHT = 2000  # regions of a table that is not held in memory


def another_series(released: Records, raw: Records) -> Share | None:
    """Seek the patient of each measured region among the released regions of the same label in other series, by shape.

    Args:
        released: the tables of the release.
        raw: the tables of the run, under the codes of the release.

    Returns:
        How often the right patient was nearest, ties by lot, over all regions whose patient has such another one and
        where there is somebody to confuse him with; None where there are none, or no features of shape.
    """
    names = [name for name in released.names if name.startswith(SHAPE) and name in raw.names]
    if not names:
        return None
    shown, asked = _shape(released, names), _shape(raw, names)
    series, subject = _numbers(released.series, raw.series), _numbers(released.subject, raw.subject)
    drawn = _drawn(len(raw.region), raw)
    wins, chances = [], []
    for label, rows in _by_label(released).items():
        place = _Label(shown[rows], series[0][rows], subject[0][rows])
        for row in (row for row in drawn if raw.label[row] == label):
            found = place.sought(asked[row], int(series[1][row]), int(subject[1][row]))
            if found is not None:
                wins.append(found[0])
                chances.append(found[1])
    return share(math.fsum(wins), len(wins), math.fsum(chances) / len(chances)) if wins else None


def _drawn(number: int, raw: Records) -> list[int]:
    """Rows that are sought: all of them or, of a large table, some drawn at random."""
    if number <= HELD:
        return list(range(number))
    rng = np.random.default_rng(seed_of("phases", raw.values))
    return sorted(rng.choice(number, SOUGHT, replace=False).tolist())


def _numbers(*words: Sequence[str]) -> tuple[Ints, ...]:
    """Words of several tables as numbers, equal where they are equal."""
    known: dict[str, int] = {}
    return tuple(np.array([known.setdefault(word, len(known)) for word in part], dtype=np.int64) for part in words)


class _Label:
    """The released regions of one label: numbers, series and patients, a row each."""

    def __init__(self, shown: Floats, series: Ints, subject: Ints) -> None:
        self.shown, self.series, self.subject = shown, series, subject
        self.regions = dict(zip(*(part.tolist() for part in np.unique(subject, return_counts=True)), strict=True))

    def sought(self, query: Floats, series: int, right: int) -> tuple[float, float] | None:
        """Whether the right patient is nearest in other series (1/s if s are as near), and the chance of it.

        None where he has no other series, or there is nobody to confuse him with.
        """
        same = self.series == series
        own = dict(zip(*(part.tolist() for part in np.unique(self.subject[same], return_counts=True)), strict=True))
        others = len(self.regions) - sum(self.regions[who] == number for who, number in own.items())
        if self.regions.get(right, 0) == own.get(right, 0) or others < 2:
            return None
        return _won(query, self.shown[~same], self.subject[~same], right), 1 / others


def _by_label(table: Records) -> dict[str, Ints]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(table.label):
        found[label].append(row)
    return {label: np.array(found[label], dtype=np.int64) for label in sorted(found)}


def _shape(table: Records, names: list[str]) -> Floats:
    """Normal scores of the features of shape among all regions, missing in the middle; (row, feature)."""
    place = {name: number for number, name in enumerate(table.names)}
    values = some_columns(table.values, [place[name] for name in names])
    return np.nan_to_num(scores_by(values, ("",) * len(table.region)))


def _won(query: Floats, shown: Floats, who: Ints, right: int) -> float:
    """1 if the nearest patient is the right one, 1/s if s are as near."""
    distance = ((shown - query) ** 2).sum(axis=1)
    slack = TOLERANCE * float((query**2).sum() + 1)
    nearest = set(who[distance <= distance.min() + slack].tolist())
    return 1 / len(nearest) if right in nearest else 0.0
