import numpy as np
import pytest
from feature_tools import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d, map_coordinates

from radcurate.features.resample import around, bounding_box, cut, interpolate, interpolate_mask, lattice, support

SPACINGS = st.sampled_from([0.7, 0.977, 1.0, 2.0, 3.27, 5.0])
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
KINDS = ("nearest", "linear", "cubic_spline", "cubic_convolution")


@given(st.integers(1, 40), SPACINGS, SPACINGS)
def test_grid_has_the_ceiled_size_and_the_same_centre(n, old, new):
    axis = lattice((n, 1, 1), (old, 1, 1), (new, 1, 1)).coordinates[0]
    assert len(axis) == max(1, int(np.ceil(round(n * old / new, 9))))
    assert (axis[0] + axis[-1]) / 2 == pytest.approx((n - 1) / 2)
    assert np.diff(axis) == pytest.approx(new / old)


def test_grid_of_the_ibsi_phantom():
    """204 x 201 x 60 voxels of 0.977 x 0.977 x 3 mm: 100 x 99 x 90 at 2 mm (IBSI-1 diagnostics, configuration C)."""
    assert lattice((60, 201, 204), (3, 0.97699999809265, 0.97699999809265), (2, 2, 2)).shape == (90, 99, 100)


@given(SHAPES, st.tuples(SPACINGS, SPACINGS, SPACINGS), st.sampled_from(KINDS), st.booleans())
def test_same_spacing_is_the_identity(shape, spacing, kind, smooth):
    values = noise(shape)
    assert np.array_equal(interpolate(values, lattice(shape, spacing, spacing), kind, smooth), values)


@given(st.sampled_from(KINDS), st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, ">i2", np.float32]))
def test_every_type_of_voxel_gives_the_same(kind, dtype):
    values = noise((6, 7, 8), most=200)
    grid = lattice(values.shape, (3, 1, 1), (2, 1.7, 0.6))
    expected = interpolate(values, grid, kind)
    assert np.array_equal(interpolate(values.astype(dtype), grid, kind), expected)
    turned = np.ascontiguousarray(values.astype(dtype).transpose(2, 1, 0)).transpose(2, 1, 0)
    assert np.array_equal(interpolate(turned, grid, kind), expected)


@pytest.mark.parametrize(("kind", "order"), [("linear", 1), ("cubic_spline", 3)])
def test_agrees_with_scipy(kind, order):
    values = noise((8, 9, 10), most=100)
    grid = lattice(values.shape, (3, 1, 1), (2, 1.7, 0.6))
    assert interpolate(values, grid, kind) == pytest.approx(_sampled(values, grid, order), abs=1e-9)


def test_the_spline_of_a_part_is_that_of_the_whole():
    """Its coefficients come from 32 neighbours only; more would not be seen in float64."""
    values = noise((3, 140, 150), most=3000)
    grid = lattice(values.shape, (3, 1, 1), (2, 1.7, 0.6))
    part = cut(grid, (slice(0, 2), slice(40, 44), slice(120, 126)))
    assert [int(axis.sum()) for axis in support(values.shape, part, "cubic_spline")] == [3, 73, 71]
    expected = interpolate(values, grid, "cubic_spline")[:2, 40:44, 120:126]
    assert interpolate(values, part, "cubic_spline") == pytest.approx(expected, abs=1e-10)
    assert expected == pytest.approx(_sampled(values, part, 3), abs=1e-9)


def _sampled(values, grid, order):
    limited = [np.clip(axis, 0, n - 1) for axis, n in zip(grid.coordinates, values.shape, strict=True)]
    return map_coordinates(values, np.stack(np.meshgrid(*limited, indexing="ij")), order=order, mode="mirror")


def test_cubic_convolution_is_exact_for_parabolas_and_hits_the_voxels():
    """What Keys' a = -1/2 is chosen for; half-way between voxels the weights are -1/16, 9/16, 9/16, -1/16."""
    x = np.arange(12.0)
    grid = lattice((1, 1, 12), (1, 1, 1), (1, 1, 0.4))
    inner = (grid.coordinates[2] > 1) & (grid.coordinates[2] < 10)
    found = interpolate((3 * x**2 - 7 * x + 2).reshape(1, 1, -1), grid, "cubic_convolution").ravel()
    where = grid.coordinates[2]
    assert found[inner] == pytest.approx((3 * where**2 - 7 * where + 2)[inner], abs=1e-9)
    halfway = lattice((1, 1, 8), (1, 1, 1), (1, 1, 8 / 7))
    assert halfway.coordinates[2][3] == 3.5
    ones = 16 * np.eye(8).reshape(8, 1, 1, 8)
    assert [interpolate(one, halfway, "cubic_convolution")[0, 0, 3] for one in ones] == [0, 0, -1, 9, 9, -1, 0, 0]


def test_the_spline_and_the_convolution_differ():
    """The reference values of configuration E are the spline's (tests of the diagnostics); the name must tell which."""
    values = noise((8, 9, 10), most=100)
    grid = lattice(values.shape, (1, 1, 1), (1.7, 1.7, 1.7))
    difference = interpolate(values, grid, "cubic_spline") - interpolate(values, grid, "cubic_convolution")
    assert np.abs(difference).max() > 1


@pytest.mark.parametrize("kind", KINDS)
def test_smoothing_is_a_gaussian_before_interpolation_where_voxels_become_larger(kind):
    values = noise((6, 30, 30), most=100)
    grid = lattice(values.shape, (3, 1, 1), (2, 2.5, 1))
    sigma = np.sqrt((2.5**2 - 1) / (8 * np.log(2)))
    smoothed = gaussian_filter1d(values, sigma, axis=1, mode="mirror", truncate=np.ceil(4 * sigma) / sigma)
    assert interpolate(values, grid, kind, smooth=True) == pytest.approx(interpolate(smoothed, grid, kind), abs=1e-9)
    finer = lattice(values.shape, (3, 1, 1), (1.5, 0.8, 1))
    assert np.array_equal(interpolate(values, finer, kind, smooth=True), interpolate(values, finer, kind))


def test_smoothing_removes_what_would_be_aliased():
    stripes = np.broadcast_to(np.arange(60) % 2 * 100.0, (4, 4, 60)).copy()
    grid = lattice(stripes.shape, (1, 1, 1), (1, 1, 2.1))
    assert interpolate(stripes, grid, "linear")[..., 5:-5].std() > 25
    assert interpolate(stripes, grid, "linear", smooth=True)[..., 5:-5].std() < 5


@given(
    SHAPES,
    st.tuples(SPACINGS, SPACINGS, SPACINGS),
    SPACINGS,
    st.sampled_from(["nearest", "linear", "cubic_convolution"]),
    st.sampled_from(["nearest", "linear"]),
    st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_reading_only_the_neighbourhood_changes_no_bit(shape, spacing, size, kind, mask_kind, seed):
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    mask = np.random.default_rng(seed + 1).random(shape) < 0.2
    mask.flat[seed % mask.size] = True
    whole = lattice(shape, spacing, (size, size, size))
    everywhere = interpolate_mask(mask, whole, mask_kind, 0.5)
    part = cut(whole, around(whole, mask))
    if 0 in part.shape:
        assert not everywhere.any()
        return
    near = interpolate_mask(mask, part, mask_kind, 0.5)
    assert near.sum() == everywhere.sum()
    if near.any():
        box = bounding_box(near)
        expected = interpolate(values, whole, kind)[bounding_box(everywhere)]
        assert np.array_equal(interpolate(values, cut(part, box), kind), expected)
        assert np.array_equal(near[box], everywhere[bounding_box(everywhere)])


@given(SHAPES, st.tuples(SPACINGS, SPACINGS, SPACINGS), SPACINGS, st.sampled_from(KINDS), st.booleans(), st.data())
@settings(max_examples=150, deadline=None)
def test_support_is_what_is_read_and_all_of_it(shape, spacing, size, kind, smooth, data):
    whole = lattice(shape, spacing, (size, size, size))
    starts = [data.draw(st.integers(0, n - 1)) for n in whole.shape]
    part = cut(whole, tuple(slice(start, start + 2) for start in starts))
    values = noise(shape, data.draw(st.integers(0, 99)), most=1000)
    inside = np.zeros(shape, dtype=bool)
    inside[np.ix_(*support(shape, part, kind, smooth))] = True
    before = interpolate(values, part, kind, smooth)
    assert np.array_equal(interpolate(np.where(inside, values, np.nan), part, kind, smooth), before)
    for place in np.argwhere(inside)[:: max(inside.sum() // 8, 1)]:
        changed = values.copy()
        changed[tuple(place)] = np.nan
        assert np.isnan(interpolate(changed, part, kind, smooth)).any()


def test_half_a_voxel_belongs_to_the_mask():
    mask = np.array([1, 1, 0, 0], dtype=bool).reshape(1, 1, 4)
    grid = lattice((1, 1, 4), (1, 1, 1), (1, 1, 0.5))  # centres at -0.25, 0.25, …, 3.25
    found = interpolate_mask(mask, grid, "linear", 0.5)
    assert found.ravel().tolist() == [True] * 4 + [False] * 4
    halves = lattice((1, 1, 2), (1, 1, 1), (1, 1, 2))  # one voxel, its centre between the two
    assert interpolate_mask(np.array([[[True, False]]]), halves, "linear", 0.5).item()
    assert not interpolate_mask(np.array([[[True, False]]]), halves, "linear", 0.51).item()


@given(SHAPES, st.integers(0, 99))
def test_the_box_is_the_smallest(shape, seed):
    mask = np.random.default_rng(seed).random(shape) < 0.1
    mask.flat[seed % mask.size] = True
    expected = tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in np.nonzero(mask))
    assert bounding_box(mask) == expected
    assert bounding_box(np.asfortranarray(mask)) == expected
