"""Sums over the ball around each voxel of a region (`balls.c`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import array, function

Floats = NDArray[np.float64]

_ball_sums = function(
    "ball_sums",
    [
        array(np.float64, 3),
        array(np.int64, 1),
        array(np.bool_, 3),
        array(np.int64, 1),
        array(np.int64, 1),
        array(np.int64, 2),
        array(np.int64, 1),
        array(np.float64, 1),
        array(np.float64, 1),
        array(np.float64, 2),
        array(np.uintp, 2),
        array(np.float64, 1),
        array(np.float64, 1),
    ],
)


def ball(spacing: tuple[float, float, float], radius: float) -> NDArray[np.int64]:
    """Half-widths, in columns, of the segments that make up a ball, shape (planes, rows); -1 where there is none.

    A voxel belongs to the ball when its centre lies no further than `radius` (mm) from the middle.
    """
    planes, rows = (np.arange(-_reach(step, radius), _reach(step, radius) + 1) * step for step in spacing[:2])
    left = radius**2 - planes[:, None] ** 2 - rows[None, :] ** 2
    return np.where(left < 0, -1, np.floor(np.sqrt(np.maximum(left, 0)) / spacing[2])).astype(np.int64)


def _reach(step: float, radius: float) -> int:
    return int(radius / step)


def ball_sums(
    values: Floats, mask: NDArray[np.bool_], origin: tuple[int, int, int], half_widths: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Sum and number of the voxels of the ball around each voxel of a region.

    Args:
        values: shape (plane, row, column), finite; balls end where it ends.
        mask: the region, in a box of its own.
        origin: where the first voxel of `mask` lies in `values`.
        half_widths: see `ball`.

    Returns:
        Sums and counts, shape (true voxels,), in the order of `values[mask]`.
    """
    reach = np.array([half_widths.shape[0] // 2, half_widths.shape[1] // 2, max(int(half_widths.max()), 0)])
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
        np.ascontiguousarray(half_widths),
        reach,
        np.empty(planes * rows * length),
        np.empty(length),
        np.empty((2, columns)),
        np.empty((2 * half_widths.size, 2), dtype=np.uintp),
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
