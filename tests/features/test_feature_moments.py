import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.kernels.mesh import row_sums, weighted_row_sums
from radcurate.features.moments import moments

STEPS = st.sampled_from([0.5, 0.977, 1.0, 3.27])


@st.composite
def masks(draw):
    shape = draw(st.tuples(*[st.integers(1, 9)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    mask = random.random(shape) < draw(st.floats(0.02, 0.95))
    mask.flat[random.integers(mask.size)] = True
    return mask


@given(masks(), st.tuples(STEPS, STEPS, STEPS))
@settings(max_examples=100, deadline=None)
def test_equals_principal_component_analysis(mask, spacing):
    places = np.argwhere(mask) * spacing
    found = moments(row_sums(mask), spacing)
    assert found.n == len(places)
    assert found.centre == pytest.approx(places.mean(axis=0))
    if found.n == 1:
        assert np.isnan(found.principal).all()
    else:
        expected = np.linalg.eigvalsh(np.cov(places.T))[::-1]
        assert found.principal == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_place_makes_no_difference():
    small = np.random.default_rng(0).random((5, 6, 7)) < 0.5
    near, far = (
        moments(row_sums(mask), (1.0, 0.7, 3.0)) for mask in (small, np.pad(small, ((40, 1), (0, 3), (99, 0))))
    )
    assert (near.principal == far.principal).all()


def test_rows():
    mask = np.array([[[0, 1, 1, 0, 1], [0, 0, 0, 0, 0]]], dtype=bool)
    rows = row_sums(mask)
    assert [int(part[0, 0]) for part in (rows.inside, rows.columns, rows.squares, rows.first, rows.last)] == [
        3, 7, 21, 1, 4,
    ]  # fmt: skip
    assert not any(part[0, 1] for part in (rows.inside, rows.columns, rows.squares, rows.first, rows.last))


def test_weighted_rows_of_a_part_of_an_image():
    random = np.random.default_rng(0)
    image, mask = random.standard_normal((6, 7, 16)), random.random((3, 5, 8)) < 0.6
    for part in (image[1:4, 1:6, 4:12], image[1:4, 1:6, ::2]):
        sums, column_sums = weighted_row_sums(part, mask)
        assert sums == pytest.approx((part * mask).sum(axis=2))
        assert column_sums == pytest.approx((part * mask * np.arange(8)).sum(axis=2))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (3.27, 0.977, 0.977)])
def test_voxels_in_a_slanting_plane_or_line_have_no_extent_across_it(spacing):
    plane = np.zeros((6, 6, 6), dtype=bool)
    place = np.indices(plane.shape)
    plane[place[0] + place[1] + place[2] == 6] = True
    line = np.zeros((6, 6, 6), dtype=bool)
    line[tuple(np.arange(6) for _ in range(3))] = True
    assert moments(row_sums(plane), spacing).principal[2] == 0 < moments(row_sums(plane), spacing).principal[1]
    assert (moments(row_sums(line), spacing).principal[1:] == 0).all()


@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=2, max_size=6, unique=True))
@settings(deadline=None)
def test_as_many_moments_vanish_as_dimensions_lack(places):
    """Exactly, however the plane or line lies and whatever the spacing."""
    mask = np.zeros((7, 7, 7), dtype=bool)
    mask[tuple(np.array(places).T + 3)] = True
    found = moments(row_sums(mask), (0.7, 1.3, 3.1)).principal
    dimensions = np.linalg.matrix_rank(np.array(places) - np.array(places).mean(axis=0), tol=1e-9)
    assert np.count_nonzero(found) == dimensions
