from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.features.kernels.interpolate import Taps, weighted

DTYPES = [np.uint8, np.int16, np.float32, np.float64, np.int64, np.uint16]


def taps(points, size, width, random):
    return Taps(random.integers(0, size, (points, width)), random.normal(size=(points, width)))


@given(
    st.tuples(*[st.integers(1, 6)] * 3),
    st.tuples(*[st.integers(0, 6)] * 3),
    st.tuples(*[st.integers(1, 5)] * 3),
    st.sampled_from(DTYPES),
    st.integers(0, 99),
)
def test_is_the_sum_over_all_taps(shape, points, widths, dtype, seed):
    random = np.random.default_rng(seed)
    values = random.integers(0, 200, shape).astype(dtype)
    axes = tuple(taps(*part, random) for part in zip(points, shape, widths, strict=True))
    expected = values.astype(np.float64)
    for number, axis in enumerate(axes):
        matrix = np.zeros((len(axis.places), shape[number]))
        for point, (places, weights) in enumerate(zip(axis.places, axis.weights, strict=True)):
            np.add.at(matrix[point], places, weights)
        expected = np.moveaxis(np.tensordot(matrix, expected, (1, number)), 0, number)
    found = weighted(values, axes)
    assert found.shape == points
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_single_tap_copies_every_bit():
    values = np.array([[[np.nan, -0.0, 5e-324, np.inf]]])
    one, all_ = Taps(np.zeros((1, 1), np.int64), np.ones((1, 1))), Taps(np.arange(4)[:, None], np.ones((4, 1)))
    assert weighted(values, (one, one, all_)).tobytes() == values.tobytes()


def test_places_outside_the_image_are_refused():
    one = Taps(np.zeros((1, 1), np.int64), np.ones((1, 1)))
    with pytest.raises(AssertionError):
        weighted(np.zeros((1, 1, 1)), (one, one, Taps(np.ones((1, 1), np.int64), np.ones((1, 1)))))
