"""Weighted sums of neighbours along one axis."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function

Floats = NDArray[np.float64]

# The numbers that convolve.c gives IBSI's boundary conditions.
BOUNDARIES = {"zero": 0, "nearest": 1, "periodic": 2, "mirror": 3}
_STRIP = 64

_convolve = function(
    "convolve",
    [
        *[array(np.float64, 1)] * 2,
        *[SIZE] * 3,
        array(np.float64, 1),
        *[SIZE] * 5,
        array(np.uintp, 1),
        *[array(np.float64, 1)] * 2,
    ],
)


def convolve(
    values: Floats, weights: Sequence[float], first: int, axis: int, boundary: str, wanted: slice | None = None
) -> Floats:
    """Σ over k of weights[k] · values[i + first + k], for the wanted places i of an axis.

    Sums are made in the order of k at every place, so a place's result depends on nothing but the values under the
    weights: it is bit for bit the same in a larger or smaller array.

    Args:
        values: shape (plane, row, column).
        weights: at least one.
        first: place of the first weight relative to the result's.
        axis: 0, 1 or 2.
        boundary: what lies outside: zero, nearest, periodic or mirror (the outermost voxel is its own neighbour).
        wanted: the places that the result has along the axis; null: all.
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    start, stop, _ = (wanted or slice(None)).indices(values.shape[axis])
    size = max(stop - start, 0)
    result = np.empty((*values.shape[:axis], size, *values.shape[axis + 1 :]))
    if not result.size:
        return result
    taps = np.asarray(weights, dtype=np.float64)
    before, n, after = prod(values.shape[:axis]), values.shape[axis], prod(values.shape[axis + 1 :])
    length, rule = len(taps), BOUNDARIES[boundary]
    rows, zeros, line = np.empty(length, dtype=np.uintp), np.zeros(_STRIP), np.empty(size + length)
    flat = values.reshape(-1), result.reshape(-1)
    _convolve(*flat, before, n, after, taps, length, first, rule, start, size, rows, zeros, line)
    return result
