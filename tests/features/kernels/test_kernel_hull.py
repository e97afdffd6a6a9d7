import numpy as np
import pytest
from feature_tools import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from radcurate.features.kernels.hull import hull_triangles

CORNERS = st.tuples(*[st.integers(-3, 3)] * 3)


def volume_and_area(points, triangles):
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normals = np.cross(b - a, c - a)
    return (a * normals).sum() / 6, np.linalg.norm(normals, axis=1).sum() / 2


def check(points, triangles):
    """Closed, and no point sees any triangle from outside."""
    edges = {
        tuple(map(int, edge)) for triangle in triangles for edge in zip(triangle, np.roll(triangle, -1), strict=True)
    }
    assert len(edges) == 3 * len(triangles) and edges == {(b, a) for a, b in edges}
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normals = np.cross(b - a, c - a)
    assert (normals != 0).any(axis=1).all()
    assert ((points[None] - a[:, None]) * normals[:, None]).sum(axis=-1).max() == 0


@given(st.lists(CORNERS, min_size=1, max_size=40))
@settings(max_examples=300, deadline=None)
def test_few_points_on_a_small_lattice(corners):
    """Many lie in one plane or line, or are the same."""
    points = np.array(corners, dtype=np.int64)
    triangles = hull_triangles(points)
    if np.linalg.matrix_rank(points - points[0]) < 3:
        assert len(triangles) == 0
        return
    check(points, triangles)
    expected = ConvexHull(points)
    assert volume_and_area(points, triangles) == pytest.approx((expected.volume, expected.area), rel=1e-9)


@pytest.mark.parametrize("size", [50, 1000, 10**6])
def test_random_points(size):
    points = np.random.default_rng(0).integers(-size // 2, size // 2, (500, 3))
    triangles = hull_triangles(points)
    expected = ConvexHull(points)
    assert volume_and_area(points, triangles) == pytest.approx((expected.volume, expected.area), rel=1e-9)
    if size < 10**6:
        check(points, triangles)


def test_all_voxels_of_a_ball_and_of_a_block():
    for mask in (ball((15, 15, 15), 6.8), np.ones((5, 6, 7), dtype=bool)):
        points = np.argwhere(mask)
        check(points, hull_triangles(points))
    assert volume_and_area(points, hull_triangles(points)) == pytest.approx((4 * 5 * 6, 2 * (20 + 24 + 30)))


def test_order_makes_no_difference_to_the_hull():
    points = np.random.default_rng(0).integers(-20, 20, (200, 3))
    shuffled = np.random.default_rng(1).permutation(points)
    first, second = (volume_and_area(those, hull_triangles(those)) for those in (points, shuffled))
    assert first[0] == second[0] and first[1] == pytest.approx(second[1])


def test_the_check_finds_a_missing_and_a_turned_triangle():
    points = np.argwhere(ball((9, 9, 9), 3.5))
    triangles = hull_triangles(points)
    turned = triangles.copy()
    turned[0] = turned[0, ::-1]
    for wrong in (triangles[1:], turned):
        with pytest.raises(AssertionError):
            check(points, wrong)
