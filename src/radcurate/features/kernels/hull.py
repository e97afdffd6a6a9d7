"""The convex hull of points with whole coordinates."""

from __future__ import annotations

import numpy as np

from radcurate.features.kernels._library import SIZE, array, function
from radcurate.features.kernels.mesh import Whole

_hull = function(
    "radcurate_hull",
    [array(np.int64, 2), SIZE, array(np.int64, 2), array(np.int64, 2), array(np.int64, 1)],
    SIZE,
)


def hull_triangles(points: Whole) -> Whole:
    """Triangles of the hull as places in `points` (point, 3), against the clock seen from outside, shape (triangle, 3).

    Exact; none where all points lie in a plane. Coordinates may differ by up to a million.
    """
    n = len(points)
    triangles = np.empty((2 * n, 3), dtype=np.int64)
    faces, scratch = np.empty((2 * n, 9), dtype=np.int64), np.empty(9 * n, dtype=np.int64)
    return triangles[: _hull(np.ascontiguousarray(points), n, triangles, faces, scratch)]
