"""The convex hull of a mask's mesh, and the mesh's largest diameter.

The mesh has a vertex half a voxel away from a voxel's centre towards each neighbour outside the mask. Of these only
corners of the hull matter, and a corner of the hull is a corner of every slice through it: that leaves few points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.features.kernels.hull import hull_triangles
from radcurate.features.kernels.mesh import RowSums, Whole, slice_corners, widest


@dataclass(frozen=True)
class Hull:
    """Of a mask's mesh: area of the hull in mm², its volume in mm³, largest distance between two vertices in mm."""

    area: float
    volume: float
    diameter: float


def hull(rows: RowSums, spacing: tuple[float, float, float]) -> Hull:
    """Hull of the mask with these rows, which holds at least one voxel; spacing in mm."""
    points = candidates(rows)
    triangles = hull_triangles(points)
    step = np.array(spacing) / 2
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    normals = np.cross(b - a, c - a)
    volume = int((a * normals).sum()) / 6 * float(step.prod())
    area = float(np.sqrt(((normals * (step.prod() / step)) ** 2).sum(axis=1)).sum()) / 2
    corners = np.flatnonzero(np.bincount(triangles.ravel()))
    return Hull(area, volume, widest(points[corners] * step))


def candidates(rows: RowSums) -> Whole:
    """Vertices of the mesh that may be corners of its hull, in half voxels, shape (point, 3)."""
    plane, row = np.nonzero(rows.inside)
    ends = np.stack([rows.first[plane, row], rows.last[plane, row]], axis=1)
    centres = np.stack([plane.repeat(2), row.repeat(2), ends.ravel()], axis=1).astype(np.int64)
    centres = _corners_of_all_slices(centres)
    steps = np.concatenate([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
    return _corners_of_all_slices((2 * centres[:, None] + steps).reshape(-1, 3))


def _corners_of_all_slices(points: Whole) -> Whole:
    """Those that are corners in their slices across each axis."""
    least, extent = points.min(axis=0), np.ptp(points, axis=0) + 1
    for axis, (second, third) in enumerate([(1, 2), (0, 2), (0, 1)]):
        place = points - least
        rank = (place[:, axis] * extent[second] + place[:, second]) * extent[third] + place[:, third]
        points = points[np.argsort(rank)]
        points = points[slice_corners(np.ascontiguousarray(points[:, [axis, second, third]]))]
    return points
