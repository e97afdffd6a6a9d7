"""Linkage: can a patient of the release be found in a registry of people? (M(d) of `candidates`.)

The synthesised registry is the worst that can be: complete (every patient of the cohort is in it, with raw values, as
if the attacker knew each patient's date shift) and as small as the population. The other people in it are drawn again
and again, which is where the interval comes from. A patient whom even the cohort alone hides can't be linked in any
draw: that bounds the rate by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from radcurate.attack.candidates import Limits, Shown, candidates, fits
from radcurate.attack.found import PLANTED, RAW, Attack, Control, Share, at_chance, exact
from radcurate.attack.registry import Register
from radcurate.attack.synthesis import Synthesis, others
from radcurate.attack.told import KNOWN, Told, registry_of, shown, words_of

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
CONTROLLED = 2000  # patients that controls are made with, at most
_ROWS = 500_000  # rows over all draws


@dataclass(frozen=True)
class Overlooked:
    """What an attacker overlooks: years, days, and the least similarity of two institutions' names."""

    age: float = 1.0
    days: int = 7
    likeness: float = 0.85


@dataclass(frozen=True)
class Tried:
    """Outcome for each patient and draw, shape (patient, draw).

    Attributes:
        people: size of M(d).
        right: whether M(d) is exactly the right person.
        holds: shape (patient,): whether the right person is in M(d).
        possible: shape (patient,): whether some registry that holds the whole cohort could give the patient away.
    """

    people: Ints
    right: Flags
    holds: Flags
    possible: Flags

    @property
    def alone(self) -> Flags:
        """Whether M(d) has exactly one element, right or wrong."""
        return np.asarray(self.people == 1)

    @property
    def chances(self) -> Reals:
        """Chance that one of M(d), picked at random, is right, shape (patient,), mean over draws."""
        each = np.divide(1.0, self.people, out=np.zeros(self.people.shape), where=self.people > 0)
        return np.asarray(self.holds * each.mean(axis=1))


@dataclass(frozen=True)
class Linked:
    """The attack, and what risks are computed from.

    Attributes:
        attack: as for attack.json.
        chances: of each released patient, shape (patient,): chance that a random pick from M(d) is right.
        chances_raw: the same on the raw table.
    """

    attack: Attack
    chances: Reals
    chances_raw: Reals


def attack_linkage(
    released: Told,
    raw: Told,
    truth: Ints,
    overlooked: Overlooked,
    synthesis: Synthesis,
    register: Register | None = None,
) -> Linked:
    """Link the release with a synthesised registry and, where there is one, with the steward's.

    Args:
        truth: shape (released patient,), number of the same patient in `raw`.
        register: what somebody really holds; whichever registry links better is what counts.
    """
    if not released.n_patients:
        return Linked(Attack("linkage", "nobody is released", None), np.zeros(0), np.zeros(0))
    cohort = _Cohort(raw, overlooked, synthesis)
    tried = cohort.tried(released, truth)
    made = over_draws(tried.right, float(tried.possible.mean()), 1 / cohort.size)
    held = _held(released, register, truth, overlooked) if register else None
    worse = held is not None and held.share.high > made.high
    positive, negative, chances_raw = _controls(cohort)
    attack = Attack(
        "linkage",
        _detail(cohort, released, overlooked, register is not None),
        held.share if held and worse else made,
        positive,
        negative,
        _telling(cohort, released, truth, made) if made.successes else (),
        {"synthesised": made, **({"registry": held.share} if held else {})},
        _numbers(tried, cohort) | (held.numbers if held else {}),
    )
    chances = held.chances if held and held.chances.mean() > tried.chances.mean() else tried.chances
    return Linked(attack, chances, chances_raw)


class _Cohort:
    """A cohort as a registry, with other people drawn around it."""

    def __init__(self, raw: Told, overlooked: Overlooked, synthesis: Synthesis) -> None:
        self.raw, self.overlooked, self.synthesis = raw, overlooked, synthesis
        self.words = words_of(raw)
        self.registry = registry_of(raw, self.words)
        self.size = raw.n_patients + synthesis.others

    def limits(self, told: Told) -> Limits:
        """For rows in this registry's codes."""
        return Limits(self.overlooked.age, self.overlooked.days, self.words.alike(told, self.overlooked.likeness))

    def tried(self, told: Told, truth: Ints) -> Tried:
        """Attack each patient of a table in every draw; `truth`, shape (patient,), is a person's number or -1."""
        limits, rows = self.limits(told), shown(told, self.words)
        inside = candidates(rows, self.registry, limits)
        holds = fits(rows, self.registry, limits, truth)
        draws = self.draws(told)
        outside = self._outside(rows, limits, draws)
        people = inside.people[:, None] + outside
        right = ((inside.people == 1) & (inside.sole == truth) & holds)[:, None] & (outside == 0)
        return Tried(people, right, holds, (inside.people == 1) & holds)

    def draws(self, told: Told) -> int:
        """As many as asked for, fewer where the tables are very large."""
        visits = len(self.raw.region) / max(self.raw.n_patients, 1)
        most = _ROWS // max(len(told.region), int(self.synthesis.others * visits), 1)
        return max(1, min(self.synthesis.draws, most))

    def _outside(self, rows: Shown, limits: Limits, draws: int) -> Ints:
        """How many of the other people fit each patient in each draw, shape (patient, draw)."""
        n = rows.n_patients
        if not self.synthesis.others:
            return np.zeros((n, draws), dtype=np.int64)
        drawn = others(self.registry, len(self.words.sites), self.synthesis, draws)
        every = np.tile(np.arange(rows.patient.size), draws)
        block = np.repeat(np.arange(draws), rows.patient.size)
        many = replace(rows.rows(every), patient=rows.patient[every] + block * n, block=block)
        return candidates(many, drawn, limits).people.reshape(draws, n).T


def over_draws(right: Flags, possible: float, chance: float) -> Share:
    """Share of right links with its interval, from `right`, shape (patient, draw).

    Patients are not drawn (all are attacked), registries are; successes within a draw hang together. So the interval
    is the exact one for as many trials as the variance between draws leaves: between the number of draws and
    patients × draws. Without any success the number of draws counts. `possible` bounds the rate by construction.
    """
    n, draws = right.shape
    rate = float(right.mean())
    between = float(right.mean(axis=0).var(ddof=1)) / draws if draws > 1 else 0.0
    trials = rate * (1 - rate) / between if between > 0 else float(draws)
    effective = int(min(max(trials, draws), n * draws))
    bounds = exact(rate * effective, effective)
    return Share(
        n * draws, int(right.sum()), rate, min(bounds.low, rate), max(rate, min(bounds.high, possible)), chance
    )


def _controls(cohort: _Cohort) -> tuple[Control, Control, Reals]:
    """On the raw table; where that gives nothing away, on a planted one of as many patients."""
    some = _some(cohort.raw.n_patients, cohort.synthesis.seed)
    raw = cohort.raw.of(some)
    tried = cohort.tried(raw, some)
    positive = _succeeds(tried, cohort, RAW)
    if not positive.passed:
        cohort = _Cohort(planted(cohort.raw.n_patients), cohort.overlooked, cohort.synthesis)
        raw, on = cohort.raw.of(some), PLANTED
        positive = _succeeds(cohort.tried(raw, some), cohort, on)
    # nobody keeps what was told about him: each patient's values are sought for the next one
    astray = np.roll(some, 1) if some.size > 1 else np.array([-1])
    shuffled = cohort.tried(raw, astray)
    negative = at_chance(over_draws(shuffled.right, 1.0, 1 / max(some.size, 2)))
    return positive, negative, tried.chances


def _succeeds(tried: Tried, cohort: _Cohort, on: str) -> Control:
    found = over_draws(tried.right, 1.0, 1 / cohort.size)
    return Control(found, found.low > found.chance and found.successes > 0, on)


def _some(n: int, seed: int) -> Ints:
    """Numbers of the patients that controls are made with, sorted."""
    if n <= CONTROLLED:
        return np.arange(n, dtype=np.int64)
    return np.sort(np.random.default_rng([seed, 2]).choice(n, CONTROLLED, replace=False)).astype(np.int64)


def planted(n: int) -> Told:
    """Patients whom everybody can tell apart: visits a month from each other, ages and sexes that change."""
    number = np.arange(n, dtype=np.int64)
    age, day = 20.0 + number % 60, 700_000.0 + 30 * number
    return Told(
        number,
        tuple(f"R-{row:08}" for row in range(n)),
        tuple("MF"[row % 2] for row in range(n)),
        np.stack([age, age], axis=1),
        np.stack([day, day], axis=1),
        (frozenset(["planted"]),) * n,
    )


@dataclass(frozen=True)
class _Held:
    """What a registry that somebody holds gave: share of links, chances of a random pick, shape (patient,), numbers."""

    share: Share
    chances: Reals
    numbers: dict[str, float]


def _held(released: Told, register: Register, truth: Ints, overlooked: Overlooked) -> _Held:
    """The same with a registry that somebody holds: a census, so what is uncertain is only whom a sole candidate is."""
    alike = register.words.alike(released, overlooked.likeness)
    limits, rows = Limits(overlooked.age, overlooked.days, alike), shown(released, register.words)
    found = candidates(rows, register.rows, limits)
    alone, some = found.people == 1, found.people > 0
    known = register.person_of is not None
    person = register.person_of[truth] if register.person_of is not None else found.sole
    right = alone & (found.sole == person)
    holds = fits(rows, register.rows, limits, person) if known else some
    rate, exactly = float(right.mean()), float(alone.mean())
    numbers = {
        "registry_people": register.size,
        "registry_exactly_one": exactly,
        "registry_nobody_fits": float((~some).mean()),
        "registry_truth_known": known,
    }
    share = Share(right.size, int(right.sum()), rate, rate, exactly, 1 / register.size)
    return _Held(share, holds / np.maximum(found.people, 1), numbers)


def _telling(cohort: _Cohort, released: Told, truth: Ints, made: Share) -> Sequence[tuple[str, float]]:
    """How much less often a link succeeds without each of the four."""
    some = _some(released.n_patients, cohort.synthesis.seed)
    table = released.of(some)
    lost = {name: made.rate - float(cohort.tried(table.without(name), truth[some]).right.mean()) for name in KNOWN}
    return sorted(((name, weight) for name, weight in lost.items() if weight > 0), key=lambda one: (-one[1], one[0]))


def _numbers(tried: Tried, cohort: _Cohort) -> dict[str, float]:
    half = np.where(tried.holds[:, None], 0.5 ** tried.people.astype(np.float64), 0.0)
    return {
        "patients": int(tried.people.shape[0]),
        "draws": int(tried.people.shape[1]),
        "people": cohort.size,
        "exactly_one": float(tried.alone.mean()),
        "correct": float(tried.right.mean()),
        "fewest_candidates": int(tried.people.min()),
        "linkable_in_cohort": float(tried.possible.mean()),
        "half_registry": float(half.mean()),
    }


def _detail(cohort: _Cohort, released: Told, overlooked: Overlooked, register: bool) -> str:
    return (
        f"every released patient sought in {cohort.draws(released)} registries of all {cohort.raw.n_patients} patients and "
        f"{cohort.synthesis.others} synthesised others by sex, age within {overlooked.age:g} years, date within "
        f"{overlooked.days} days and institution; interval: over the registries drawn, and at most the share of patients "
        "whom the cohort alone leaves with one candidate"
        + ("; the registry of the configuration was searched too, and the worse of both counts" if register else "")
    )
