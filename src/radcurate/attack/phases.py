"""Can a patient be found by another image of the same lesion?

Contrast phases, modalities and follow-ups of one patient show a lesion of about the same shape, and a contour that was
copied from one to the other has exactly the same. No simulation: the other image is in the run.
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from radcurate.attack.found import Share, share
from radcurate.attack.records import Floats, Ints, Records
from radcurate.attack.scores import normal_scores

SHAPE = "morph_"  # what images of different kinds have in common (IBSI morphology)
TOLERANCE = 1e-9


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
    shown = _shape(released, names)
    asked = _shape(raw, names)
    wins, chances = [], []
    for label, rows in _by_label(released).items():
        series = np.array([released.series[row] for row in rows])
        subject = np.array([released.subject[row] for row in rows])
        for row in (place for place, other in enumerate(raw.label) if other == label):
            there = series != raw.series[row]
            who = subject[there]
            if raw.subject[row] in who and len(set(who.tolist())) > 1:
                wins.append(_won(asked[row], shown[rows[there]], who, raw.subject[row]))
                chances.append(1 / len(set(who.tolist())))
    return share(math.fsum(wins), len(wins), math.fsum(chances) / len(chances)) if wins else None


def _by_label(table: Records) -> dict[str, Ints]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(table.label):
        found[label].append(row)
    return {label: np.array(found[label], dtype=np.int64) for label in sorted(found)}


def _shape(table: Records, names: list[str]) -> Floats:
    """Normal scores of the features of shape among all regions, missing in the middle; (row, feature)."""
    place = {name: column for column, name in enumerate(table.names)}
    return np.nan_to_num(normal_scores(table.values[:, [place[name] for name in names]]))


def _won(query: Floats, shown: Floats, who: np.ndarray[tuple[int], np.dtype[np.str_]], right: str) -> float:
    """1 if the nearest patient is the right one, 1/s if s are as near."""
    distance = ((shown - query) ** 2).sum(axis=1)
    slack = TOLERANCE * float((query**2).sum() + 1)
    nearest = set(who[distance <= distance.min() + slack].tolist())
    return 1 / len(nearest) if right in nearest else 0.0
