"""Products of complex numbers with the same bits on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function

Spectrum = NDArray[np.complex128]

_PAIRS = array(np.complex128, 1)
_products = function("complex_products", [_PAIRS, _PAIRS, _PAIRS, SIZE, SIZE])


def products(values: Spectrum, factors: Spectrum) -> Spectrum:
    """values · factors.

    Args:
        values: shape (..., *factors.shape).
        factors: any shape.
    """
    flat = np.ascontiguousarray(values).reshape(-1)
    result = np.empty_like(flat)
    n = factors.size
    _products(flat, np.ascontiguousarray(factors).reshape(-1), result, len(flat) // n if n else 0, n)
    return result.reshape(values.shape)
