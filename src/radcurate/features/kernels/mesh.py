"""What geometry needs of a mask and of points."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import REAL, SIZE, array, function
from radcurate.features.resample import Flags, Floats

Whole = NDArray[np.int64]

_MASK, _SHAPE = array(np.uint8, 3), array(np.int64, 1)
_count_cubes = function(
    "radcurate_count_cubes", [_MASK, _SHAPE, array(np.uint8, 1), array(np.int64, 1), array(np.int64, 2)]
)
_row_sums = function("radcurate_row_sums", [_MASK, _SHAPE, array(np.int64, 3)])
_weighted_row_sums = function(
    "radcurate_weighted_row_sums", [ctypes.c_void_p, array(np.int64, 1), _MASK, _SHAPE, array(np.float64, 3)]
)
_slice_corners = function("radcurate_slice_corners", [array(np.int64, 2), SIZE, array(np.int64, 1), array(np.uint8, 1)])
_widest = function("radcurate_widest", [array(np.float64, 2), SIZE], REAL)


@dataclass(frozen=True)
class Cubes:
    """How often each kind of cube of 2 x 2 x 2 voxels occurs, the mask padded by one voxel; 0 for kinds 0 and 255.

    Bit 4 p + 2 r + c of a kind tells whether voxel (p, r, c) of the cube belongs to the mask.

    Attributes:
        counts: shape (256,).
        places: sums of the places (plane, row, column) of those cubes in the padded mask, shape (256, 3).
    """

    counts: Whole
    places: Whole


@dataclass(frozen=True, eq=False)
class RowSums:
    """Of every row of a mask, shape (plane, row); 0 where it is empty.

    Attributes:
        inside: how many voxels belong to the mask.
        columns, squares: sums of their columns and of the squares of these.
        first, last: least and largest of their columns.
    """

    inside: Whole
    columns: Whole
    squares: Whole
    first: Whole
    last: Whole


def count_cubes(mask: Flags) -> Cubes:
    """Kinds of cubes on the surface of `mask` (plane, row, column)."""
    counts, places = np.zeros(256, dtype=np.int64), np.zeros((256, 3), dtype=np.int64)
    _count_cubes(_bytes(mask), _shape(mask), np.empty(2 * mask.shape[2] + 16, dtype=np.uint8), counts, places)
    return Cubes(counts, places)


def row_sums(mask: Flags) -> RowSums:
    """Sums over the rows of `mask` (plane, row, column)."""
    sums = np.empty((*mask.shape[:2], 5), dtype=np.int64)
    _row_sums(_bytes(mask), _shape(mask), sums)
    return RowSums(*np.moveaxis(sums, -1, 0))


def weighted_row_sums(values: Floats, mask: Flags) -> tuple[Floats, Floats]:
    """Sums of `values`, and of values times column, inside `mask`; shapes (plane, row)."""
    part = np.asarray(values, dtype=np.float64)
    if part.strides[2] != part.itemsize:
        part = np.ascontiguousarray(part)
    sums = np.empty((*mask.shape[:2], 2))
    strides = np.array(part.strides[:2], dtype=np.int64) // part.itemsize
    _weighted_row_sums(part.ctypes.data, strides, _bytes(mask), _shape(mask), sums)
    return sums[..., 0], sums[..., 1]


def slice_corners(points: Whole) -> Flags:
    """Which points (slice, u, v), in rising order and each but once, are corners of the convex hull of their slice."""
    corners = np.empty(len(points), dtype=np.uint8)
    _slice_corners(points, len(points), np.empty(len(points), dtype=np.int64), corners)
    return corners.view(np.bool_)


def widest(points: Floats) -> float:
    """The largest distance between two of `points`, shape (point, 3)."""
    return float(np.sqrt(_widest(np.ascontiguousarray(points.T), len(points))))


def _bytes(mask: Flags) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)


def _shape(mask: NDArray[Any]) -> Whole:
    return np.array(mask.shape, dtype=np.int64)
