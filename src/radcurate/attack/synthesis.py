"""A registry synthesised around a cohort: the patients themselves, and other people who resemble them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.attack.candidates import Registry

YEARS, DAYS = 10, 365  # how far other people are from the patients they are drawn like
OTHERS_EACH, OTHERS_MOST = 9, 10_000


@dataclass(frozen=True)
class Synthesis:
    """How a registry is synthesised: other people beside the patients, how often they are drawn, and from which seed."""

    others: int
    draws: int
    seed: int


def others_for(n_patients: int, wanted: int | None) -> int:
    """How many other people a registry gets: as wanted, or nine for each patient, at most 10,000."""
    return min(OTHERS_EACH * n_patients, OTHERS_MOST) if wanted is None else wanted


def others(cohort: Registry, n_sites: int, synthesis: Synthesis, draws: int) -> Registry:
    """Other people, drawn `draws` times (a block each): visits as a random patient's, some years and days away, with
    the sex and the institution of other random patients.
    """
    chance = np.random.default_rng([synthesis.seed, 1])
    total = synthesis.others * draws
    n = cohort.n_people
    lengths = np.bincount(cohort.person, minlength=n)
    starts, order = np.cumsum(lengths) - lengths, np.argsort(cohort.person, kind="stable")
    like, same_sex, same_site = (chance.integers(0, n, total) for _ in range(3))
    years = chance.integers(-YEARS, YEARS + 1, total).astype(np.float64)
    days = chance.integers(-DAYS, DAYS + 1, total).astype(np.float64)
    person = np.repeat(np.arange(total), lengths[like])
    nth = np.arange(person.size) - np.repeat(np.cumsum(lengths[like]) - lengths[like], lengths[like])
    row = order[starts[like[person]] + nth]
    first = order[starts]
    return Registry(
        person,
        cohort.sex[first[same_sex[person]]],
        cohort.site[first[same_site[person]]],
        np.maximum(cohort.age[row] + years[person], 0.0),
        cohort.day[row] + days[person],
        person // max(synthesis.others, 1),
    )
