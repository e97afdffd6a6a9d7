import math

import numpy as np
import pytest
from family_tools import computed, of_region, prepared_region
from hypothesis import given, settings
from hypothesis import strategies as st


def by_definition(values, mask, spacing):
    places = np.argwhere(np.ones(values.shape, dtype=bool)) * spacing
    radius = (3000 / (4 * math.pi)) ** (1 / 3)
    means = {}
    for place in np.argwhere(mask):
        near = ((places - place * spacing) ** 2).sum(axis=1) <= radius**2
        inside = values.ravel()[near]
        means[tuple(place)] = inside[np.isfinite(inside)].mean()
    brightest = max(values[place] for place in means)
    return max(m for place, m in means.items() if values[place] == brightest), max(means.values())


@given(st.integers(0, 9999), st.sampled_from([(1.0, 1.0, 1.0), (3.0, 2.0, 1.5), (12.0, 4.0, 4.0)]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_same_as_the_definition(seed, spacing, gaps):
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 9, (7, 9, 8)).astype(np.float64)
    if gaps:
        values[draw.random(values.shape) < 0.05] = math.nan
    mask = draw.random(values.shape) < 0.1
    mask[3, 4, 4], values[3, 4, 4] = True, 9
    found = of_region("loc", prepared_region(values, mask, spacing))
    local, largest = by_definition(values, mask & np.isfinite(values), spacing)
    assert found["loc_peak_loc"] == pytest.approx(local) and found["loc_peak_glob"] == pytest.approx(largest)


def test_voxels_outside_the_region_count():
    values = np.zeros((15, 15, 15))
    mask = np.zeros(values.shape, dtype=bool)
    mask[7, 7, 7] = True
    values[7, 7, 9] = 2042
    found = of_region("loc", prepared_region(values, mask))
    assert found["loc_peak_loc"] == found["loc_peak_glob"] == 2


def test_of_several_brightest_voxels_the_one_with_the_largest_mean():
    values = np.zeros((1, 1, 60))
    values[..., 10] = values[..., 40] = 9
    values[..., 41] = 8
    mask = values == 9
    assert of_region("loc", prepared_region(values, mask))["loc_peak_loc"] == pytest.approx(17 / 13)


def test_a_voxel_without_neighbours_is_its_own_peak():
    assert set(computed("loc", [4.0]).values()) == {4.0}
    assert set(
        of_region("loc", prepared_region(np.full((1, 1, 1), 4.0), np.ones((1, 1, 1)), (9.0, 9.0, 9.0))).values()
    ) == {4.0}


def test_nothing_changes_further_away_than_the_ball():
    values = np.random.default_rng(4).normal(size=(30, 30, 30))
    mask = np.zeros(values.shape, dtype=bool)
    mask[14:16, 14:16, 14:16] = True
    still = of_region("loc", prepared_region(values, mask))
    values[:7] = values[:, 23:] = values[:, :, :7] = 1e6
    assert of_region("loc", prepared_region(values, mask)) == still
