"""Population uniqueness: simulated populations as truth, formulas by hand, and no number without a fit."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from radcurate.attack.population import population_uniqueness
from radcurate.errors import CurationError

Ints = npt.NDArray[np.int64]


def drawn(population: Ints, fraction: float, seed: int = 5) -> tuple[Ints, int, float]:
    """Class sizes of a sample without replacement, size of the population, its share of unique people."""
    people = np.repeat(np.arange(population.size), population)
    sample = np.random.default_rng(seed).choice(people, int(people.size * fraction), replace=False)
    counts = np.bincount(sample)
    return counts[counts > 0], people.size, float((population == 1).sum() / people.size)


def pitman_population(people: int, alpha: float, theta: float) -> Ints:
    """Classes by Pitman's urn: a new one with chance (theta + alpha classes) / (theta + people so far)."""
    chance = np.random.default_rng(3)
    sizes: list[int] = []
    member: list[int] = []
    for number in range(people):
        if chance.random() * (theta + number) < theta + alpha * len(sizes):
            member.append(len(sizes))
            sizes.append(1)
            continue
        while chance.random() > 1 - alpha / sizes[place := member[chance.integers(number)]]:
            pass
        sizes[place] += 1
        member.append(place)
    return np.array(sizes)


@pytest.fixture(scope="module")
def pitman_classes() -> Ints:
    return pitman_population(20000, 0.5, 100)


@pytest.mark.parametrize(("fraction", "tolerance"), [(0.05, 0.35), (0.2, 0.15), (0.5, 0.15)])
def test_pitman_finds_its_own_model(pitman_classes: Ints, fraction: float, tolerance: float) -> None:
    sizes, people, truth = drawn(pitman_classes, fraction)
    found = population_uniqueness(sizes, people).pitman
    assert found.converged and found.value == pytest.approx(truth, rel=tolerance)


@pytest.mark.parametrize(("shape", "beta"), [(0.5, 0.05), (2.0, 0.3)])
@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_snb_finds_its_own_model(shape: float, beta: float, fraction: float) -> None:
    population = 1 + np.random.default_rng(2).negative_binomial(shape, beta, 20000)
    sizes, people, truth = drawn(population, fraction)
    found = population_uniqueness(sizes, people).snb
    assert found.converged and found.value == pytest.approx(truth, rel=0.15)


def test_zayatz_by_hand() -> None:
    """Classes 1, 1, 2 of 10 people: P(1|1) = C(9,3)/C(10,4) = 0.4, P(1|2) = 2 C(8,3)/C(10,4) = 8/15; weights 2 and 1."""
    found = population_uniqueness(np.array([1, 2, 1]), 10)
    assert math.comb(9, 3) / math.comb(10, 4) == 0.4
    assert found.zayatz.value == pytest.approx(0.5 * (0.4 * 2) / (0.4 * 2 + 8 / 15))
    assert found.sample == 0.5


def test_zayatz_is_near_the_truth_at_half_the_population() -> None:
    sizes, people, truth = drawn(1 + np.random.default_rng(2).negative_binomial(2.0, 0.3, 20000), 0.5)
    assert population_uniqueness(sizes, people).zayatz.value == pytest.approx(truth, abs=0.02)


def test_the_rule_which_to_believe(pitman_classes: Ints) -> None:
    small = population_uniqueness(*drawn(pitman_classes, 0.05)[:2])
    assert small.chosen.name == "pitman" and small.chosen.value == small.pitman.value
    large = population_uniqueness(*drawn(pitman_classes, 0.5)[:2])
    assert large.zayatz.value is not None and large.snb.value is not None
    assert large.chosen.value == min(large.zayatz.value, large.snb.value)


@pytest.mark.parametrize("sizes", [[1] * 30, [1]])
def test_a_sample_that_fits_no_model_gives_no_number(sizes: list[int]) -> None:
    found = population_uniqueness(np.array(sizes), 5000)
    for one in (found.pitman, found.zayatz):
        assert one.value is None and not one.converged and one.detail
    assert found.chosen.value == 1.0 and found.chosen.name in ("sample", "snb")


def test_a_model_driven_to_its_edge_gives_no_number() -> None:
    """Sizes far more even than any draw of Pitman's: hundreds of pairs and one alone."""
    found = population_uniqueness(np.array([1, *([2] * 300)]), 100000)
    assert found.pitman.value is None and not found.pitman.converged
    assert (found.snb.value is None) == (not found.snb.converged)


def test_nobody_alone_or_everybody_known_needs_no_model() -> None:
    nobody = population_uniqueness(np.array([5, 7]), 1000)
    assert nobody.chosen.value == 0 and nobody.pitman.value == 0
    whole = population_uniqueness(np.array([1, 4]), 5)
    assert whole.chosen.value == whole.sample == pytest.approx(0.2)
    assert population_uniqueness(np.array([], dtype=np.int64), 100).chosen.value == 0


def test_an_estimate_is_never_above_the_sample(pitman_classes: Ints) -> None:
    for fraction in (0.001, 0.01, 0.9):
        found = population_uniqueness(*drawn(pitman_classes, fraction)[:2])
        for one in (found.pitman, found.zayatz, found.snb):
            assert one.value is None or 0 <= one.value <= found.sample


def test_row_order_does_not_matter(pitman_classes: Ints) -> None:
    sizes, people, _ = drawn(pitman_classes, 0.2)
    assert population_uniqueness(sizes, people) == population_uniqueness(sizes[::-1].copy(), people)


def test_a_population_smaller_than_the_cohort() -> None:
    with pytest.raises(CurationError, match="smaller than the cohort"):
        population_uniqueness(np.array([3, 3]), 5)


def test_the_document_is_plain() -> None:
    document = population_uniqueness(np.array([1, 1, 2, 3]), 100).document()
    assert set(document) >= {"sample", "pitman", "zayatz", "snb", "chosen", "fraction", "population"}
    assert set(document["pitman"]) == {"value", "converged", "detail"}
