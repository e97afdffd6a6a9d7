"""Depth of voxels below the boundary of a mask, exact up to a limit."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function

Depths = NDArray[np.float32]

_BYTES, _FLOATS, _SQUARES = array(np.uint8, 3), array(np.float32, 3), array(np.float32, 1)
_depths = function(
    "boundary_depths",
    [_BYTES, SIZE, SIZE, SIZE, *[_SQUARES, SIZE] * 3, ctypes.c_float, ctypes.c_float, _FLOATS, _FLOATS],
)


def depth_of(mask: NDArray[np.bool_], spacing: tuple[float, float, float], limit: float) -> Depths:
    """Signed distance in mm from each voxel to the boundary of `mask`, negative inside.

    The distance to the centre of the nearest voxel of the other kind, less half the least spacing; infinite where that
    centre is further than `limit` mm.

    Args:
        mask: shape (plane, row, column).
        spacing: mm.
        limit: mm.
    """
    flags = np.ascontiguousarray(mask, dtype=np.bool_).view(np.uint8)
    work, depth = np.empty(mask.shape, np.float32), np.empty(mask.shape, np.float32)
    steps = [int(limit / step) for step in spacing]
    squares = [(np.arange(n + 1) * step).astype(np.float32) ** 2 for n, step in zip(steps, spacing, strict=True)]
    tables = [part for pair in zip(squares, steps, strict=True) for part in pair]
    _depths(flags, *mask.shape, *tables, limit, min(spacing) / 2, work, depth)
    return depth
