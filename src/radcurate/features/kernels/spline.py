"""Coefficients of the cubic B-spline through the values of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function

_LANES = 32  # as in the C file
_coefficients = function("spline_coefficients", [array(np.float64, 3), *[SIZE] * 4, array(np.float64, 1)])


def spline_coefficients(values: NDArray[np.generic], axes: list[int]) -> NDArray[np.float64]:
    """Coefficients along `axes`, shape (plane, row, column); the values count as mirrored about the outermost ones."""
    result = np.array(values, dtype=np.float64, order="C")
    for axis in axes:
        if result.shape[axis] > 1:
            _coefficients(result, *result.shape, axis, np.empty(result.shape[2] * _LANES))
    return result
