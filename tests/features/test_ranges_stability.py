"""ICC(1,1) against a published example, against sums of squares counted by hand, and on planted features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from radcurate.features.ranges.stability import agreement, grade

# Shrout and Fleiss 1979, table 2: six targets, four judges. Their text: ICC(1,1) = 0.17, mean squares 11.24 and 6.26.
# Interval and F as R's psych::ICC prints them for these data (its help page): 1.79, -0.133, 0.72.
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def measured(values: np.ndarray):
    """Of one feature, from values of shape (region, perturbation)."""
    means, variances = values.mean(axis=1)[:, None], values.var(axis=1, ddof=1)[:, None]
    return agreement(means, variances, np.full(len(values), values.shape[1]))


def test_the_published_example():
    found = measured(JUDGES)
    assert found.icc[0] == pytest.approx(0.17, abs=0.005)
    assert found.low[0] == pytest.approx(-0.133, abs=0.0005)
    assert found.high[0] == pytest.approx(0.72, abs=0.005)
    assert found.regions.tolist() == [6]


def by_hand(groups: list[np.ndarray]) -> tuple[float, float, float]:
    """One-way analysis of variance, value by value."""
    every = np.concatenate(groups)
    n, total = len(groups), len(every)
    between = sum(len(group) * (group.mean() - every.mean()) ** 2 for group in groups) / (n - 1)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (total - n)
    k = (total - sum(len(group) ** 2 for group in groups) / total) / (n - 1)
    ratio = between / within
    lower = ratio / stats.f.ppf(0.975, n - 1, total - n)
    upper = ratio * stats.f.ppf(0.975, total - n, n - 1)
    return tuple((f - 1) / (f + k - 1) for f in (ratio, lower, upper))


@given(st.integers(0, 10_000), st.integers(2, 9), st.booleans())
def test_sums_of_squares_counted_value_by_value(seed, n, even):
    chance = np.random.default_rng(seed)
    sizes = [5] * n if even else chance.integers(2, 9, n)
    groups = [chance.normal(chance.normal(3, 2), 1, size) for size in sizes]
    means = np.array([[group.mean()] for group in groups])
    variances = np.array([[group.var(ddof=1)] for group in groups])
    found = agreement(means, variances, np.array(sizes))
    assert (found.icc[0], found.low[0], found.high[0]) == pytest.approx(by_hand(groups), rel=1e-9, abs=1e-9)
    assert found.low[0] <= found.icc[0] <= found.high[0]


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Regions of variance 4, perturbations of variance 1: the true ICC is 0.8."""
    chance = np.random.default_rng(3)
    values = chance.normal(0, 2, (400, 12, 1)) + chance.normal(0, 1, (400, 12, 10))
    found = agreement(values.mean(axis=2).T, values.var(axis=2, ddof=1).T, np.full(12, 10))
    assert np.mean((found.low <= 0.8) & (found.high >= 0.8)) == pytest.approx(0.95, abs=0.03)


def test_a_planted_unstable_feature_is_graded_poor_and_a_stable_one_excellent():
    chance = np.random.default_rng(0)
    truth = chance.normal(100, 20, (30, 1))
    stable = truth + chance.normal(0, 0.5, (30, 10))
    unstable = chance.normal(100, 20, (30, 10))
    means = np.stack([part.mean(axis=1) for part in (stable, unstable)], axis=1)
    variances = np.stack([part.var(axis=1, ddof=1) for part in (stable, unstable)], axis=1)
    found = agreement(means, variances, np.full(30, 10))
    assert [grade(low) for low in found.low] == ["excellent", "poor"]
    assert found.cov[0] < 0.01 < found.cov[1]


def test_what_has_no_icc():
    nothing = agreement(np.full((3, 1), np.nan), np.full((3, 1), np.nan), np.array([5, 5, 5]))
    assert np.isnan(nothing.icc[0]) and nothing.regions[0] == 0
    one = agreement(np.array([[2.0]]), np.array([[0.5]]), np.array([5]))
    assert np.isnan(one.icc[0]) and one.regions[0] == 1 and one.cov[0] == pytest.approx(np.sqrt(0.5) / 2)
    alike = agreement(np.full((4, 1), 0.1 + 0.2), np.full((4, 1), 1e-33), np.full(4, 5))
    assert np.isnan(alike.icc[0])
    still = agreement(np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)), np.full(3, 5))
    assert (still.icc[0], still.low[0], still.high[0]) == (1, 1, 1)
    assert grade(np.nan) == "unknown"


def test_regions_with_a_missing_value_or_one_perturbation_do_not_count():
    whole = measured(JUDGES)
    means = np.append(JUDGES.mean(axis=1), [np.nan, 3.0])[:, None]
    variances = np.append(JUDGES.var(axis=1, ddof=1), [1.0, 0.0])[:, None]
    found = agreement(means, variances, np.array([4] * 7 + [1]))
    assert found.icc[0] == pytest.approx(whole.icc[0]) and found.regions[0] == 6


@pytest.mark.parametrize(("low", "word"), [(0.9, "excellent"), (0.89, "good"), (0.6, "moderate"), (0.2, "poor")])
def test_grades(low, word):
    assert grade(low) == word
