"""Sums over all pairs of voxels of a mask, weighted by the inverse of their distance."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from radcurate.features.kernels._library import REAL, SIZE, array, function
from radcurate.features.resample import Flags, Floats, bounding_box

_pair_sums = function(
    "radcurate_pair_sums",
    [
        ctypes.c_void_p,
        array(np.int64, 1),
        array(np.uint8, 3),
        array(np.int64, 1),
        array(np.float64, 1),
        REAL,
        REAL,
        array(np.uint8, 1),
        SIZE,
        array(np.float64, 1),
    ],
)
_pair_sums_bytes = function("radcurate_pair_sums_bytes", [array(np.int64, 1), SIZE], SIZE)

MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class PairSums:
    """Over ordered pairs of different voxels, w = 1 / their distance in mm, y as given to `pair_sums`.

    Attributes:
        products: Σ w y_i y_j.
        weights: Σ w.
        squares: Σ w y_i².
    """

    products: float
    weights: float
    squares: float


def pair_sums(
    values: Floats,
    mask: Flags,
    spacing: tuple[float, float, float],
    mean: float,
    scale: float,
    most_bytes: int = MOST_BYTES,
) -> PairSums:
    """Sums for y = (values − mean) · scale inside `mask`, which holds at least one voxel.

    Args:
        values, mask: (plane, row, column).
        spacing: mm.
        mean, scale: such that y is about 1 in size, for the sake of precision.
        most_bytes: what the transforms may hold at once, as far as a single block needs no more.

    Raises:
        MemoryError: there is less memory than that.
    """
    box = bounding_box(mask)
    inside = np.ascontiguousarray(mask[box]).view(np.uint8)
    part = values[box]
    if part.strides[2] != part.itemsize or part.dtype != np.float64:
        part = np.ascontiguousarray(part, dtype=np.float64)
    shape, unit = np.array(inside.shape, dtype=np.int64), min(spacing)
    memory = np.empty(_pair_sums_bytes(shape, most_bytes), dtype=np.uint8)
    sums = np.empty(3)
    _pair_sums(
        part.ctypes.data,
        np.array(part.strides[:2], dtype=np.int64) // part.itemsize,
        inside,
        shape,
        np.array(spacing) / unit,
        mean,
        scale,
        memory,
        memory.size,
        sums,
    )
    products, weights, squares = (float(value) / unit for value in sums)
    return PairSums(products, weights, squares)
