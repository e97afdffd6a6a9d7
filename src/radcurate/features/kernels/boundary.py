"""Depth of voxels below the boundary of a mask, exact up to a limit."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import REAL, SIZE, array, function

Depths = NDArray[np.float32]
Floats = NDArray[np.float64]

_BYTES, _FLOATS, _SQUARES = array(np.uint8, 3), array(np.float32, 3), array(np.float32, 1)
_depths = function(
    "boundary_depths",
    [_BYTES, SIZE, SIZE, SIZE, *[_SQUARES, SIZE] * 3, ctypes.c_float, ctypes.c_float, _FLOATS, _FLOATS],
)
_line = array(np.float64, 1)
_side = [array(np.int64, 1), _line, _line]
_levels = function(
    "boundary_levels",
    [array(np.float64, 3), SIZE, SIZE, SIZE, REAL, REAL, REAL, array(np.float64, 3), SIZE, SIZE, *_side * 3, _line],
    SIZE,
)
_cut = function("boundary_cut", [_line, SIZE, REAL, _line, REAL, array(np.uint8, 1)])


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


@dataclass(frozen=True)
class Field:
    """A smooth field: `nodes` (plane, row, column), and where in them the voxels of each axis lie (`sides`)."""

    nodes: Floats
    sides: tuple[Side, Side, Side]


@dataclass(frozen=True)
class Side:
    """Of an axis: for each voxel the node below it, and what that node and the next one weigh."""

    node: NDArray[np.int64]
    low: Floats
    high: Floats


def levels_of(depth: Floats, limit: float, size: float, most: float, field: Field) -> Floats:
    """Depths of the voxels less than `limit` mm from the boundary, one after the other, moved by `size` times the field.

    Args:
        depth: shape (plane, row, column), C-contiguous.
        limit: mm.
        size: mm.
        most: the field is cut off there, either way.
        field: of the same shape as `depth`.
    """
    levels = np.empty(depth.size)
    sides = [part for side in field.sides for part in (side.node, side.low, side.high)]
    _, rows, columns = field.nodes.shape
    n = _levels(depth, *depth.shape, limit, size, most, field.nodes, rows, columns, *sides, levels)
    return levels[:n]


def cut(depth: Floats, limit: float, levels: Floats, threshold: float) -> NDArray[np.bool_]:
    """The mask of voxels deeper than `limit`, and those of `levels_of` up to `threshold`."""
    mask = np.empty(depth.shape, dtype=np.bool_)
    _cut(depth.reshape(-1), depth.size, limit, levels, threshold, mask.reshape(-1).view(np.uint8))
    return mask
