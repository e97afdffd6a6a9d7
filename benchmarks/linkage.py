"""Linkage: 100,000 patients sought in a registry of 1,000,000 people, with hospitals' names as people write them."""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.figure import Figure
from benchmarks.measure import cpu
from radcurate.attack.candidates import Candidates, Limits, Registry, Shown, candidates
from radcurate.attack.names import alike

PEOPLE, PATIENTS, TOWNS, LOOKED_AT, REPEATS = 1_000_000, 100_000, 100, 200, 5
SPELLINGS = ("University Hospital of {}", "Univ. Hosp. {}", "The {} Medical Centre", "{} Med. Ctr.")
LIKENESS, YEARS, DAYS = 0.85, 1.0, 7


def names() -> list[str]:
    """Two hospitals in each of some towns with names that nobody takes for each other, each spelled in two ways."""
    chance = np.random.default_rng(3)
    letters = [list("bdfghklmnprstvw"), list("aeiou")]
    towns = ["".join(str(chance.choice(letters[place % 2])) for place in range(9)).title() for _ in range(TOWNS)]
    return [spelling.format(town) for town in towns for spelling in SPELLINGS]


def cohort(n_names: int) -> tuple[Shown, Registry]:
    """Patients with exact values, out of the registry's people."""
    chance = np.random.default_rng(1)
    nothing = np.zeros(PEOPLE, dtype=np.int64)
    held = Registry(
        np.arange(PEOPLE),
        chance.integers(0, 2, PEOPLE),
        chance.integers(0, n_names, PEOPLE),
        chance.integers(0, 100, PEOPLE).astype(np.float64),
        chance.integers(730_000, 733_650, PEOPLE).astype(np.float64),
        nothing,
    )
    who = np.sort(chance.choice(PEOPLE, PATIENTS, replace=False))
    age, day = held.age[who], held.day[who]
    return Shown(np.arange(PATIENTS), held.sex[who], held.site[who], age, age, day, day, nothing[:PATIENTS]), held


def agreeing(shown: Shown, held: Registry, close: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> int:
    """Patients, of some, whose candidates are those that a look at every person finds."""
    found = candidates(shown, held, Limits(YEARS, DAYS, close))
    return sum(_same(patient, shown, held, close, found) for patient in range(LOOKED_AT))


def _same(
    patient: int,
    shown: Shown,
    held: Registry,
    close: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    found: Candidates,
) -> bool:
    near = np.abs(held.age - shown.age_low[patient]) <= YEARS
    near &= np.abs(held.day - shown.day_low[patient]) <= DAYS
    near &= (held.sex == shown.sex[patient]) & close[shown.site[patient], held.site]
    people = np.flatnonzero(near)
    sole = int(people[0]) if people.size == 1 else -1
    return bool(found.people[patient] == people.size and found.sole[patient] == sole)


def figures() -> list[Figure]:
    """CPU seconds with the comparison of names, and agreement with a look at every pair."""
    spelled = names()
    close = alike(spelled, spelled, LIKENESS)
    shown, held = cohort(len(spelled))
    times = [cpu(lambda: candidates(shown, held, Limits(YEARS, DAYS, close))) for _ in range(REPEATS)]
    named = [cpu(lambda: alike(spelled, spelled, LIKENESS)) for _ in range(REPEATS)]
    both = statistics.median(times) + statistics.median(named)
    what = f"{PATIENTS:,} × {PEOPLE:,}, {len(spelled)} spellings of {2 * TOWNS} hospitals compared"
    return [
        Figure(f"linkage: {what}", both, 1, "CPU-s"),
        Figure(
            "linkage: candidates as by looking at every pair", agreeing(shown, held, close), LOOKED_AT, "of 200", False
        ),
    ]


if __name__ == "__main__":
    print("\n".join(str(figure) for figure in figures()))
