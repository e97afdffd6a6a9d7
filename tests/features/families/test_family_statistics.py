import math

import numpy as np
import pytest
from family_tools import computed, of_region, prepared_region, region_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from radcurate.features.families.statistics import STATISTICS, Sample, sample


def by_definition(x):
    low, high = np.percentile(x, [10, 90])
    inner = x[(x >= low) & (x <= high)]
    quarters = np.percentile(x, [25, 75])
    return {
        "mean": x.mean(),
        "var": x.var(),
        "skew": stats.skew(x),
        "kurt": stats.kurtosis(x),
        "median": np.median(x),
        "min": x.min(),
        "p10": low,
        "p90": high,
        "max": x.max(),
        "iqr": quarters[1] - quarters[0],
        "range": np.ptp(x),
        "mad": np.abs(x - x.mean()).mean(),
        "rmad": np.abs(inner - inner.mean()).mean(),
        "medad": np.abs(x - np.median(x)).mean(),
        "cov": x.std() / x.mean(),
        "qcod": (quarters[1] - quarters[0]) / (quarters[1] + quarters[0]),
        "energy": (x**2).sum(),
        "rms": math.sqrt((x**2).mean()),
        "total_energy": (x**2).sum(),
        "sd": x.std(),
    }


@given(st.integers(0, 9999), st.sampled_from([1.0, 0.37]), st.sampled_from([3, 20, 9000]))
@settings(max_examples=25, deadline=None)
def test_the_same_as_the_formulas_by_scipy_and_numpy(seed, step, n):
    x = np.round(np.random.default_rng(seed).gamma(2, 30, n) + 5) * step
    x[0] += 0.0 if seed % 2 else 1e-3  # counted, or one by one
    found = computed("stat", x)
    for tag, value in by_definition(x).items():
        assert found[f"stat_{tag}"] == pytest.approx(value, rel=1e-9, abs=1e-12), tag
    assert len(found) == 20


@given(st.integers(0, 9999), st.integers(1, 300))
@settings(max_examples=25, deadline=None)
def test_counting_gives_what_a_list_gives(seed, n):
    x = np.random.default_rng(seed).integers(-400, 400, n).astype(np.float64)
    found = computed("stat", x)
    with np.errstate(all="ignore"):
        expected = {feature.tag: feature.function(Sample(x)) for feature in STATISTICS.features}
    for tag, value in expected.items():
        assert found[tag] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), tag


def test_whole_numbers_are_counted_and_others_are_not():
    assert sample(region_of([3.0, 1.0, 3.0]).prepared).counts.tolist() == [1, 2]
    assert sample(region_of([0.5, 1.5, 1.5]).prepared).counts.tolist() == [1, 2]
    assert sample(region_of([3.0, 1.1, 3.0]).prepared).counts is None
    assert sample(region_of([0.0, 1e9]).prepared).counts is None
    assert sample(region_of([0.1, 0.1 + 1, 1e15]).prepared).counts is None


@given(st.integers(-500, 500), st.integers(1, 7), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_shift_and_scale(shift, scale, seed):
    x = np.random.default_rng(seed).integers(-50, 50, 200).astype(np.float64)
    still, moved = computed("stat", x), computed("stat", scale * x + shift)
    for name in ("mean", "median", "min", "p10", "p90", "max"):
        assert moved[f"stat_{name}"] == pytest.approx(scale * still[f"stat_{name}"] + shift, abs=1e-9)
    for name in ("iqr", "range", "mad", "rmad", "medad"):
        assert moved[f"stat_{name}"] == pytest.approx(scale * still[f"stat_{name}"], abs=1e-9)
    for name in ("skew", "kurt"):
        assert moved[f"stat_{name}"] == pytest.approx(still[f"stat_{name}"], abs=1e-9)
    assert moved["stat_var"] == pytest.approx(scale**2 * still["stat_var"])


def test_a_flat_region_has_no_spread_and_skewness_0():
    """IBSI: skewness and kurtosis are 0 where the variance is 0."""
    for value in (7.0, 0.1):
        found = computed("stat", np.full(50, value))
        assert found["stat_mean"] == value and found["stat_rms"] == pytest.approx(value)
        for tag in ("var", "skew", "kurt", "iqr", "range", "mad", "rmad", "medad", "cov", "qcod"):
            assert found[f"stat_{tag}"] == 0, tag


def test_one_voxel():
    found = computed("stat", np.array([4.0]))
    assert found["stat_mean"] == found["stat_p10"] == found["stat_max"] == 4 and found["stat_energy"] == 16
    assert all(math.isfinite(value) for value in found.values())


def test_undefined_ratios_are_not_numbers():
    found = computed("stat", np.array([-1.0, -1.0, 1.0, 1.0]))
    assert not math.isfinite(found["stat_cov"]) and not math.isfinite(found["stat_qcod"])


def test_two_voxels_between_their_percentiles_leave_nothing_for_the_robust_deviation():
    assert math.isnan(computed("stat", np.array([1.0, 2.0]))["stat_rmad"])


def test_total_energy_counts_the_volume_of_a_voxel():
    found = of_region("stat", prepared_region(np.full((2, 2, 2), 3.0), np.ones((2, 2, 2)), (2.0, 1.5, 1.0)))
    assert found["stat_energy"] == 72 and found["stat_total_energy"] == 216
