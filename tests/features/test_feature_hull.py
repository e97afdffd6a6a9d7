import itertools

import numpy as np
import pytest
from feature_tools import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from radcurate.features.hull import candidates, hull
from radcurate.features.kernels.mesh import row_sums, slice_corners, widest
from radcurate.features.mesh import mesh

STEPS = st.sampled_from([0.5, 0.977, 1.0, 3.27])


@st.composite
def masks(draw):
    shape = draw(st.tuples(*[st.integers(1, 12)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    mask = random.random(shape) < draw(st.floats(0.02, 0.95))
    mask.flat[random.integers(mask.size)] = True
    return mask


def vertices(mask, spacing):
    """Half a voxel from every voxel centre towards every neighbour outside."""
    padded = np.pad(mask, 1)
    found = []
    for axis, step in itertools.product(range(3), (-1, 1)):
        outside = padded & ~np.roll(padded, -step, axis)
        found.append(np.argwhere(outside) + step / 2 * np.eye(3)[axis])
    return np.concatenate(found) * spacing


@given(masks(), st.tuples(STEPS, STEPS, STEPS))
@settings(max_examples=100, deadline=None)
def test_equals_the_hull_of_all_vertices(mask, spacing):
    points = vertices(mask, spacing)
    expected, found = ConvexHull(points), hull(row_sums(mask), spacing)
    assert (found.volume, found.area) == pytest.approx((expected.volume, expected.area), rel=1e-9)
    assert found.diameter == pytest.approx(pdist(points).max(), rel=1e-12)


@given(masks(), st.tuples(STEPS, STEPS, STEPS))
@settings(max_examples=60, deadline=None)
def test_the_hull_holds_the_mesh(mask, spacing):
    assert hull(row_sums(mask), spacing).volume >= mesh(mask, spacing).volume * (1 - 1e-12)


def test_few_points_are_left_of_a_ball():
    mask = ball((41, 41, 41), 20)
    rows = row_sums(mask)
    assert len(candidates(rows)) < 0.1 * len(vertices(mask, (1, 1, 1)))


def test_corners_of_slices():
    square = [(0, u, v) for u in range(3) for v in range(3)]
    line, point = [(4, 0, 2), (4, 1, 1), (4, 2, 0)], [(9, 5, 5)]
    points = np.array(square + line + point, dtype=np.int64)
    kept = {tuple(int(part) for part in row) for row in points[slice_corners(points)]}
    assert kept == {(0, 0, 0), (0, 0, 2), (0, 2, 0), (0, 2, 2), (4, 0, 2), (4, 2, 0), (9, 5, 5)}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 50])
def test_widest(n):
    points = np.random.default_rng(n).standard_normal((n, 3)) * [1, 20, 3]
    assert widest(points) == pytest.approx(pdist(points).max() if n > 1 else 0, rel=1e-14)
