from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import spline_filter1d

from radcurate.features.kernels.spline import spline_coefficients


@given(
    st.tuples(*[st.sampled_from([1, 2, 3, 7, 33, 65])] * 3),
    st.lists(st.sampled_from([0, 1, 2]), unique=True, max_size=3),
    st.sampled_from([np.float32, np.float64, np.int16]),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=30)
def test_agrees_with_scipy(shape, axes, dtype, seed):
    values = (1000 * np.random.default_rng(seed).normal(size=shape)).astype(dtype)
    before = values.copy()
    expected = values.astype(np.float64)
    for axis in axes:
        if shape[axis] > 1:
            expected = spline_filter1d(expected, order=3, axis=axis, mode="mirror")
    assert spline_coefficients(values, axes) == pytest.approx(expected, abs=1e-8)
    assert np.array_equal(values, before)


def test_the_spline_goes_through_the_values():
    values = np.random.default_rng(0).normal(size=(1, 1, 50))
    line = np.pad(spline_coefficients(values, [2])[0, 0], 1, mode="reflect")
    assert (line[:-2] + 4 * line[1:-1] + line[2:]) / 6 == pytest.approx(values[0, 0], abs=1e-12)


def test_a_line_does_not_depend_on_its_neighbours():
    values = np.random.default_rng(0).normal(size=(40, 41, 42))
    whole = spline_coefficients(values, [2])
    assert np.array_equal(spline_coefficients(values[3:4, 7:8], [2]), whole[3:4, 7:8])
