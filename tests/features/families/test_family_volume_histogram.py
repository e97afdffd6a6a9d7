import math

import numpy as np
import pytest
from family_tools import computed
from hypothesis import given, settings
from hypothesis import strategies as st


def by_definition(x, intensities):
    """V and I from the whole table of intensities i, γ and ν."""
    span = intensities[-1] - intensities[0]
    fractions = (intensities - intensities[0]) / span
    volumes = np.array([(x >= i - 1e-9).mean() for i in intensities])
    found = {f"v{percent}": volumes[fractions >= percent / 100 - 1e-9].max() for percent in (10, 90)}
    for percent in (10, 90):
        rare = intensities[volumes <= percent / 100 + 1e-9]
        found[f"i{percent}"] = rare.min() if len(rare) else math.nan
    found["diff_v10_v90"] = found["v10"] - found["v90"]
    found["diff_i10_i90"] = found["i10"] - found["i90"]
    return {f"ivh_{tag}": value for tag, value in found.items()}


def same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-9, nan_ok=True), name


@given(st.integers(0, 9999), st.integers(2, 200), st.sampled_from([None, [-20, 60], [-20, None]]))
@settings(max_examples=40, deadline=None)
def test_whole_numbers_as_they_are(seed, n, limits):
    x = np.random.default_rng(seed).integers(-20, 60, n).astype(np.float64)
    x[:2] = -20, 59
    low, high = limits or (None, None)
    grid = np.arange(x.min() if low is None else low, (x.max() if high is None else high) + 1)
    same(computed("ivh", x, range=limits, bin_anchor=None), by_definition(x, grid))


@given(st.integers(0, 9999), st.integers(2, 200))
@settings(max_examples=40, deadline=None)
def test_centres_of_bins_of_a_fixed_size(seed, n):
    x = np.random.default_rng(seed).uniform(0, 10, n)
    choices = {"volume_histogram": "fixed_bin_size", "volume_histogram_bin_size": 0.5, "range": [0, 10]}
    centres = 0.25 + 0.5 * np.arange(20)
    same(computed("ivh", x, **choices), by_definition(0.25 + np.floor(x / 0.5) * 0.5, centres))


@given(st.integers(0, 9999), st.integers(2, 200), st.sampled_from([7, 1000]))
@settings(max_examples=40, deadline=None)
def test_numbers_of_a_fixed_number_of_bins(seed, n, number):
    x = np.random.default_rng(seed).normal(0, 1, n)
    bins = np.minimum(np.floor(number * (x - x.min()) / np.ptp(x)) + 1, number)
    choices = {"volume_histogram": "fixed_bin_number", "volume_histogram_bin_number": number}
    same(computed("ivh", x, **choices), by_definition(bins, np.arange(1.0, number + 1)))


def test_the_example_of_the_manual():
    """The digital phantom: 50 voxels of 1, one of 3, 16 of 4, 7 of 6."""
    x = np.repeat([1.0, 3.0, 4.0, 6.0], [50, 1, 16, 7])
    found = computed("ivh", x)
    assert found["ivh_v10"] == pytest.approx(24 / 74) and found["ivh_v90"] == pytest.approx(7 / 74)
    assert (found["ivh_i10"], found["ivh_i90"], found["ivh_diff_i10_i90"]) == (5, 2, 3)


def test_a_flat_region_has_no_histogram_over_its_own_range():
    for choices in ({}, {"volume_histogram": "fixed_bin_number"}):
        assert all(math.isnan(value) for value in computed("ivh", [3.0, 3.0], **choices).values())
    found = computed("ivh", [3.0, 3.0], range=[0, 10])
    assert found["ivh_v10"] == 1 and found["ivh_v90"] == 0 and found["ivh_i90"] == 4
