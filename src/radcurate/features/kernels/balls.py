"""Sums over the ball around each voxel of a region (`balls.c`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function

Floats = NDArray[np.float64]
Segments = NDArray[np.int64]

_ball_sums = function(
    "ball_sums",
    [
        array(np.float64, 3),
        array(np.int64, 1),
        array(np.bool_, 3),
        array(np.int64, 1),
        array(np.int64, 1),
        array(np.int64, 2),
        SIZE,
        SIZE,
        array(np.float64, 1),
        array(np.float64, 2),
        array(np.uintp, 1),
        array(np.float64, 1),
        array(np.float64, 1),
    ],
)


def ball(spacing: tuple[float, float, float], radius: float) -> Segments:
    """The rows of voxels that make up a ball, shape (row, 3): planes and rows from its middle, half-width in columns.

    A voxel belongs to the ball when its centre lies no further than `radius` (mm) from the middle. Rows rise by width.
    """
    reaches = [int(radius / step) for step in spacing[:2]]
    planes, rows = np.meshgrid(*(np.arange(-reach, reach + 1) for reach in reaches), indexing="ij")
    left = radius**2 - (planes * spacing[0]) ** 2 - (rows * spacing[1]) ** 2
    half_widths = np.floor(np.sqrt(np.maximum(left, 0)) / spacing[2]).astype(np.int64)
    found = np.stack([planes[left >= 0], rows[left >= 0], half_widths[left >= 0]], axis=1).astype(np.int64)
    return np.ascontiguousarray(found[np.argsort(found[:, 2], kind="stable")])


def ball_sums(
    values: Floats, mask: NDArray[np.bool_], origin: tuple[int, int, int], segments: Segments
) -> tuple[Floats, Floats]:
    """Sum and number of the voxels of the ball around each voxel of a region.

    Args:
        values: shape (plane, row, column), finite; balls end where it ends.
        mask: the region, in a box of its own.
        origin: where the first voxel of `mask` lies in `values`.
        segments: see `ball`.

    Returns:
        Sums and counts, shape (true voxels,), in the order of `values[mask]`.
    """
    reach = np.abs(segments).max(axis=0)
    near, inner = _cut(values, mask.shape, origin, reach)
    planes, rows, columns = near.shape
    length = columns + 2 * int(reach[2]) + 1
    n = int(np.count_nonzero(mask))
    sums, counts = np.empty(n), np.empty(n)
    _ball_sums(
        near,
        np.array(near.shape, dtype=np.int64),
        np.ascontiguousarray(mask),
        np.array(mask.shape, dtype=np.int64),
        inner,
        segments,
        len(segments),
        int(reach[2]),
        np.empty(planes * rows * length),
        np.empty((4, length)),
        np.empty(len(segments), dtype=np.uintp),
        sums,
        counts,
    )
    return sums, counts


def _cut(
    values: Floats, box: tuple[int, ...], origin: tuple[int, int, int], reach: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """The part of `values` that balls in the box can reach, and where the box begins in it."""
    starts = [max(first - int(far), 0) for first, far in zip(origin, reach, strict=True)]
    stops = [first + n + int(far) for first, n, far in zip(origin, box, reach, strict=True)]
    part = values[tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))]
    return np.ascontiguousarray(part), np.array(origin, dtype=np.int64) - np.array(starts, dtype=np.int64)
