"""The turned grid against SciPy's interpolation, point by point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates, spline_filter

from radcurate.features.kernels.affine import Points, sample, straight


def image(shape=(7, 9, 8), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def turned(angle: float, shape=(6, 11, 10)) -> Points:
    plane, row, column = (np.arange(n, dtype=float) - 1.3 for n in shape)
    return Points(
        plane * 0.9,
        np.stack([np.cos(angle) * row, np.sin(angle) * row]),
        np.stack([-np.sin(angle) * column, np.cos(angle) * column]),
    )


def places(points: Points, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Clipped coordinates of all points, an array an axis."""
    whole = np.zeros(points.shape)
    axes = [whole + points.plane[:, None, None]]
    axes += [whole + points.row[axis][:, None] + points.column[axis] for axis in range(2)]
    return [np.clip(axis, 0, n - 1) for axis, n in zip(axes, shape, strict=True)]


@given(st.floats(-3.2, 3.2))
def test_linear_is_linear(angle):
    values, points = image(), turned(angle)
    wanted = map_coordinates(values, places(points, values.shape), order=1, mode="nearest")
    assert sample(values, points, "linear") == pytest.approx(wanted, abs=1e-12)


@given(st.floats(-3.2, 3.2))
def test_the_spline_is_the_spline(angle):
    values, points = image(), turned(angle)
    wanted = map_coordinates(values, places(points, values.shape), order=3, mode="mirror")
    found = sample(spline_filter(values, order=3, mode="mirror"), points, "spline")
    assert found == pytest.approx(wanted, abs=1e-11)


def test_nearest_takes_the_voxel_that_is_nearest():
    values, points = image(), turned(0.4)
    plane, row, column = (np.floor(axis + 0.5).astype(int) for axis in places(points, values.shape))
    assert (sample(values, points, "nearest") == values[plane, row, column]).all()


def test_cubic_convolution_keeps_quadratic_images():
    """Keys' kernel with a = -1/2 is exact up to the second degree, inside."""
    plane, row, column = np.indices((9, 9, 9), dtype=float)
    values = plane**2 - 2 * row * column + 3 * column**2 + row
    axis = np.array([3.0, 3.3, 4.75])
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    found = sample(values, straight(axis, axis, axis), "keys")
    assert found == pytest.approx(z**2 - 2 * y * x + 3 * x**2 + y, abs=1e-10)


@pytest.mark.parametrize("method", ["nearest", "linear", "spline", "keys"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 4), (3, 1, 2)])
def test_flat_images_stay_as_they_are(method, shape):
    values = np.full(shape, 7.0)
    assert sample(values, turned(0.3), method) == pytest.approx(7.0, abs=1e-12)


def test_counting_from_another_voxel_changes_nothing():
    values, points = image((9, 12, 11)), turned(0.2)
    inside = Points(points.plane + 3, points.row + 2, points.column + 2)
    part = values[2:, 1:, 1:]
    near = sample(part, inside.less((2, 1, 1)), "linear")
    clear = np.array([axis > 2 for axis in places(inside, values.shape)]).all(axis=0)
    assert near[clear] == pytest.approx(sample(values, inside, "linear")[clear], abs=1e-12)
    assert clear.any()
