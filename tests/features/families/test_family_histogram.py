import math

import numpy as np
import pytest
from family_tools import computed
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats


def by_definition(levels):
    counts = np.bincount(levels)[1:].astype(np.float64)
    shares = counts[counts > 0] / counts.sum()
    slopes = np.gradient(counts) if len(counts) > 1 else np.array([math.nan])
    low, high = np.percentile(levels, [10, 90])
    inner = levels[(levels >= low) & (levels <= high)]
    quarters = np.percentile(levels, [25, 75])
    modes = np.flatnonzero(counts == counts.max()) + 1
    return {
        "mean": levels.mean(),
        "var": levels.var(),
        "skew": stats.skew(levels) if levels.var() else 0,
        "kurt": stats.kurtosis(levels) if levels.var() else 0,
        "median": np.median(levels),
        "min": levels.min(),
        "p10": low,
        "p90": high,
        "max": levels.max(),
        "mode": modes[np.argmin(np.abs(modes - levels.mean()))],
        "iqr": quarters[1] - quarters[0],
        "range": np.ptp(levels),
        "mad": np.abs(levels - levels.mean()).mean(),
        "rmad": np.abs(inner - inner.mean()).mean() if len(inner) else math.nan,
        "medad": np.abs(levels - np.median(levels)).mean(),
        "cov": levels.std() / levels.mean(),
        "qcod": (quarters[1] - quarters[0]) / (quarters[1] + quarters[0]),
        "entropy": stats.entropy(shares, base=2),
        "uniformity": (shares**2).sum(),
        "max_grad": slopes.max(),
        "max_grad_g": np.argmax(slopes) + 1,
        "min_grad": slopes.min(),
        "min_grad_g": np.argmin(slopes) + 1,
    }


@given(st.integers(0, 9999), st.sampled_from([1, 2, 5, 60]), st.sampled_from([1, 4, 40]), st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_the_same_as_the_formulas_by_scipy_and_numpy(seed, n_levels, step, n):
    """`np.gradient` is IBSI's gradient: central differences inside, the next bin's at either end."""
    levels = 1 + step * np.random.default_rng(seed).integers(0, n_levels, n)
    found = computed("ih", levels.astype(np.float64), bin_anchor=1, range=[1, None])
    expected = by_definition(levels)
    assert set(found) == {f"ih_{tag}" for tag in expected}
    for tag, value in expected.items():
        if levels.max() == 1 and "grad" in tag:
            value = math.nan
        assert found[f"ih_{tag}"] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), tag


def test_a_billion_empty_levels_cost_nothing():
    found = computed("ih", [0.0, 0.0, 1e9])
    assert found["ih_max"] == 1_000_000_001 and found["ih_mode"] == 1
    assert found["ih_min_grad"] == -2 and found["ih_min_grad_g"] == 1
    assert found["ih_max_grad"] == 1 and found["ih_max_grad_g"] == 1_000_000_001


def test_two_modes():
    assert computed("ih", [1.0, 1.0, 2.0, 3.0, 3.0])["ih_mode"] == 1  # equally near to the mean: the lower one
    assert computed("ih", [1.0, 1.0, 4.0, 4.0, 3.0])["ih_mode"] == 4  # nearer


def test_one_level_has_no_gradient():
    found = computed("ih", [5.0, 5.0, 5.0])
    assert all(math.isnan(found[f"ih_{tag}"]) for tag in ("max_grad", "max_grad_g", "min_grad", "min_grad_g"))
    assert found["ih_entropy"] == 0 and found["ih_uniformity"] == 1 and found["ih_skew"] == found["ih_kurt"] == 0
