"""Logarithm and exponential that give the same bits on every machine; NumPy's depend on the processor's instructions.

For the same reason features take third and fourth powers as products: `x**3` calls the C library, `x * x * x` doesn't.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radcurate.features.kernels._library import SIZE, array, function

Floats = NDArray[np.float64]

_REALS = array(np.float64, 1)
_binary_logarithms = function("binary_logarithms", [_REALS, SIZE, _REALS])
_exponentials = function("exponentials", [_REALS, SIZE, _REALS])


def log2(x: ArrayLike) -> Floats:
    """log₂ x of each number, all finite and > 0."""
    flat, shape = _flat(x)
    result = np.empty_like(flat)
    _binary_logarithms(flat, len(flat), result)
    return result.reshape(shape)


def exp(x: ArrayLike) -> Floats:
    """eˣ of each number, all between −700 and 700."""
    flat, shape = _flat(x)
    result = np.empty_like(flat)
    _exponentials(flat, len(flat), result)
    return result.reshape(shape)


def _flat(x: ArrayLike) -> tuple[Floats, tuple[int, ...]]:
    values = np.asarray(x, dtype=np.float64)
    return np.ascontiguousarray(values).reshape(-1), values.shape
