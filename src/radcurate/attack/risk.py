"""Risks that follow from classes and from the attacks, each reported apart.

Prosecutor: the attacker knows that the person is in the release; the class in the release hides him (1 / f).
Journalist: any person will do; the class in the population hides him (1 / F). Marketer: the share of all patients that
are linked rightly when each is linked at random within his class (mean of 1 / F). El Emam & Dankar, JAMIA 2008; Dankar &
El Emam, PAIS 2010.

Singling out, linkability and inference are the three risks of WP216 (Art. 29 Working Party, Opinion 05/2014):
singling out: share of patients who are alone; linkability: how often two tables are joined rightly; inference: how much
better a sensitive value is guessed within a class than without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.attack.found import Attack

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Crowd:
    """One table's patients.

    Attributes:
        group: shape (patient,), equivalence class by quasi-identifiers, from 0.
        chances: shape (patient,), chance that a random pick among the people who fit is right (1 / F).
        sensitive: by column: shape (patient,), code of the patient's set of values.
        further: by name: shape (patient,), finer classes, such as by what else the table shows.
    """

    group: Ints
    chances: Reals
    sensitive: Mapping[str, Ints]
    further: Mapping[str, Ints]


def risks(crowd: Crowd) -> dict[str, Any]:
    """Risks of one table; every number is between 0 and 1; `inference` does not apply without a sensitive column."""
    sizes = np.bincount(crowd.group)[crowd.group] if crowd.group.size else np.zeros(0, dtype=np.int64)
    gains = {name: inference_gain(crowd.group, held) for name, held in sorted(crowd.sensitive.items())}
    return {
        "prosecutor": _largest(1 / sizes),
        "prosecutor_mean": _mean(1 / sizes),
        "journalist": _largest(crowd.chances),
        "marketer": _mean(crowd.chances),
        "singling_out": _mean(sizes == 1),
        "singling_out_by": {name: alone(group) for name, group in sorted(crowd.further.items())},
        "inference": max(gains.values()) if gains else {"applies": False, "detail": "no column is sensitive"},
        "inference_by": gains,
    }


def alone(group: Ints) -> float:
    """Share of patients that are alone in their class, shape (patient,)."""
    return _mean(np.bincount(group)[group] == 1) if group.size else 0.0


def inference_gain(group: Ints, held: Ints) -> float:
    """How much better a patient's sensitive value is guessed from his class than without it, of what is left to gain.

    Everybody's value is guessed as the commonest among the others, of his class or of all (ties: by lot; nobody else
    in the class: as without it). (accuracy within - accuracy without) / (1 - accuracy without), at least 0. Leaving the
    patient himself out keeps small classes from telling what only he holds.
    """
    if group.size < 2:
        return 0.0
    overall = _guessed(np.zeros(group.size, dtype=np.int64), held)
    within = np.where(np.bincount(group)[group] > 1, _guessed(group, held), overall)
    without = float(overall.mean())
    return max(0.0, (float(within.mean()) - without) / (1 - without)) if without < 1 else 0.0


def _guessed(group: Ints, held: Ints) -> Reals:
    """Chance that the commonest value among the others of a patient's class is his own, shape (patient,)."""
    width = int(held.max(initial=0)) + 1
    pairs, which, count = np.unique(group * width + held, return_inverse=True, return_counts=True)
    order = np.lexsort((-count, pairs // width))
    owner, ranked = (pairs // width)[order], count[order]
    starts = np.searchsorted(owner, np.arange(int(group.max(initial=0)) + 1))
    top = ranked[starts][group]
    tied = np.bincount(owner, weights=ranked == ranked[starts][owner])[group]
    below = np.bincount(owner, weights=ranked == ranked[starts][owner] - 1)[group]
    # without himself his value counts one less, so it must have stood alone on top
    hit = (count[which] == top) & (tied == 1) & (top > 1)
    return np.where(hit, 1 / (1 + below), 0.0)


def joined(attacks: Sequence[Attack]) -> dict[str, float]:
    """How often tables were joined rightly, by attack: upper bounds; attacks that don't apply are left out."""
    return {one.name: one.found.high for one in attacks if one.found and one.name in ("linkage", "fingerprint")}


def _largest(values: npt.NDArray[Any]) -> float:
    return float(values.max(initial=0))


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if values.size else 0.0
