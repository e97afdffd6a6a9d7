import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.kernels import buckets
from radcurate.features.kernels.buckets import order_statistics

KINDS = {
    "even": lambda draw, n: draw.uniform(-5, 5, n),
    "bell": lambda draw, n: draw.normal(0, 100, n),
    "whole": lambda draw, n: np.round(draw.normal(0, 2, n)),
    "one_far_away": lambda draw, n: np.append(draw.normal(0, 1, n - 1), 1e12),
    "many_equal": lambda draw, n: np.where(draw.random(n) < 0.9, 7.0, draw.normal(7, 1e-9, n)),
    "equal": lambda draw, n: np.full(n, -3.25),
    "tiny_differences": lambda draw, n: 1 + draw.integers(0, 3, n) * np.finfo(float).eps,
    "subnormal": lambda draw, n: draw.integers(0, 9, n) * 5e-324,
    "huge": lambda draw, n: draw.choice([-1.7e308, 0.0, 1.7e308], n),
}


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 9999), n=st.integers(1, 30_000))
@settings(max_examples=15, deadline=None)
def test_the_same_as_sorting(kind, seed, n):
    draw = np.random.default_rng(seed)
    x = np.asarray(KINDS[kind](draw, n), dtype=np.float64)
    ranks = np.unique(draw.integers(0, n, 12))
    assert np.array_equal(order_statistics(x, ranks), np.sort(x)[ranks])


def test_values_are_left_as_they_were():
    x = np.random.default_rng(1).normal(size=20_000)
    before = x.copy()
    order_statistics(x, np.array([0, 5, 19_999]))
    assert np.array_equal(x, before)


def test_most_values_are_never_sorted(monkeypatch):
    sizes = []
    sort = np.sort
    monkeypatch.setattr(buckets.np, "sort", lambda x: sizes.append(len(x)) or sort(x))
    order_statistics(np.random.default_rng(2).normal(size=200_000), np.array([20_000, 100_000, 180_000]))
    assert sizes and sum(sizes) < 2_000
