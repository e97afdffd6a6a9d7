"""The kernel for weighted sums along an axis, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from radcurate.features.kernels.convolve import BOUNDARIES, convolve

SCIPY = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}


@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    length=st.integers(1, 30),
    axis=st.integers(0, 2),
    boundary=st.sampled_from(sorted(BOUNDARIES)),
    seed=st.integers(0, 99),
)
def test_agrees_with_another_implementation(shape, length, axis, boundary, seed):
    random = np.random.default_rng(seed)
    values, weights = random.normal(size=shape), random.normal(size=length)
    found = convolve(values, weights.tolist(), -(length // 2), axis, boundary)
    expected = ndimage.correlate1d(values, weights, axis=axis, mode=SCIPY[boundary])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)


@given(
    axis=st.integers(0, 2), first=st.integers(-9, 3), start=st.tuples(*[st.integers(0, 4)] * 3), seed=st.integers(0, 99)
)
def test_a_place_has_the_same_bits_in_any_array_that_holds_what_it_reads(axis, first, start, seed):
    random = np.random.default_rng(seed)
    values, weights = random.normal(size=(21, 39, 45)), random.normal(size=7).tolist()
    whole = convolve(values, weights, first, axis, "mirror")
    box = tuple(slice(at, at + 16) for at in start)
    part = convolve(values[box], weights, first, axis, "mirror")
    reach = max(-first, first + 6, 0)
    inside = [slice(None)] * 3
    inside[axis] = slice(reach, 16 - reach) if reach < 8 else slice(0, 0)
    assert np.array_equal(part[tuple(inside)], whole[box][tuple(inside)])


@pytest.mark.parametrize("boundary", sorted(BOUNDARIES))
def test_kernels_longer_than_the_image(boundary):
    values = np.array([[[1.0, 2.0, 4.0]]])
    line = {
        "zero": [0] * 6 + [1, 2, 4] + [0] * 6,
        "nearest": [1] * 6 + [1, 2, 4] + [4] * 6,
        "periodic": [1, 2, 4] * 5,
        "mirror": [1, 2, 4, 4, 2, 1, 1, 2, 4, 4, 2, 1, 1, 2, 4],
    }[boundary]
    weights = np.arange(13.0)
    found = convolve(values, weights.tolist(), -6, 2, boundary)
    assert found.ravel().tolist() == [float(weights @ line[at : at + 13]) for at in range(3)]


def test_nothing_of_nothing():
    assert convolve(np.zeros((0, 3, 3)), [1.0], 0, 1, "mirror").shape == (0, 3, 3)
