import numpy as np
import pytest
from feature_tools import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from radcurate.features.resample import around, bounding_box, cut, interpolate, interpolate_mask, lattice

SPACINGS = st.sampled_from([0.7, 0.977, 1.0, 2.0, 3.27, 5.0])


@given(st.integers(1, 40), SPACINGS, SPACINGS)
def test_grid_has_the_ceiled_size_and_the_same_centre(n, old, new):
    axis = lattice((n, 1, 1), (old, 1, 1), (new, 1, 1)).coordinates[0]
    assert len(axis) == max(1, int(np.ceil(round(n * old / new, 9))))
    assert (axis[0] + axis[-1]) / 2 == pytest.approx((n - 1) / 2)
    assert np.diff(axis) == pytest.approx(new / old)


def test_grid_of_the_ibsi_phantom():
    """204 x 201 x 60 voxels of 0.977 x 0.977 x 3 mm: 100 x 99 x 90 at 2 mm (IBSI-1 diagnostics, configuration C)."""
    axes = lattice((60, 201, 204), (3, 0.97699999809265, 0.97699999809265), (2, 2, 2)).coordinates
    assert [len(axis) for axis in axes] == [90, 99, 100]


@pytest.mark.parametrize("method", ["nearest", "linear", "cubic"])
def test_same_spacing_is_the_identity(method):
    values = noise((5, 6, 7))
    grid = lattice(values.shape, (3.1, 0.7, 1.1), (3.1, 0.7, 1.1))
    assert interpolate(values, grid, method) == pytest.approx(values, abs=1e-12)


@pytest.mark.parametrize(("method", "order"), [("linear", 1), ("cubic", 3)])
def test_agrees_with_scipy(method, order):
    values = noise((8, 9, 10), most=100)
    grid = lattice(values.shape, (3, 1, 1), (2, 1.7, 0.6))
    limited = [np.clip(axis, 0, n - 1) for axis, n in zip(grid.coordinates, values.shape, strict=True)]
    points = np.stack(np.meshgrid(*limited, indexing="ij"))
    expected = map_coordinates(values, points, order=order, mode="mirror")
    assert interpolate(values, grid, method) == pytest.approx(expected, abs=1e-9)


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    st.tuples(SPACINGS, SPACINGS, SPACINGS),
    SPACINGS,
    st.sampled_from(["nearest", "linear"]),
    st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_reading_only_the_neighbourhood_changes_no_bit(shape, spacing, size, method, seed):
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    mask = np.random.default_rng(seed + 1).random(shape) < 0.2
    mask.flat[seed % mask.size] = True
    whole = lattice(shape, spacing, (size, size, size))
    everywhere = interpolate_mask(mask, whole, method, 0.5)
    part = around(whole, mask)
    if not all(len(axis) for axis in part.coordinates):
        assert not everywhere.any()
        return
    near = interpolate_mask(mask, part, method, 0.5)
    assert near.sum() == everywhere.sum()
    if near.any():
        box = bounding_box(near)
        expected = interpolate(values, whole, method)[bounding_box(everywhere)]
        assert np.array_equal(interpolate(values, cut(part, box), method), expected)
        assert np.array_equal(near[box], everywhere[bounding_box(everywhere)])


def test_half_a_voxel_belongs_to_the_mask():
    mask = np.array([1, 1, 0, 0], dtype=bool).reshape(1, 1, 4)
    grid = lattice((1, 1, 4), (1, 1, 1), (1, 1, 0.5))  # centres at -0.25, 0.25, …, 3.25
    found = interpolate_mask(mask, grid, "linear", 0.5)
    assert found.ravel().tolist() == [True] * 4 + [False] * 4
    halves = lattice((1, 1, 2), (1, 1, 1), (1, 1, 2))  # one voxel, its centre between the two
    assert interpolate_mask(np.array([[[True, False]]]), halves, "linear", 0.5).item()
    assert not interpolate_mask(np.array([[[True, False]]]), halves, "linear", 0.51).item()
