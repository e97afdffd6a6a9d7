"""Sums along the rows of stacked distributions, shape (matrix, …)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels.elementary import log2
from radcurate.features.resample import Floats


def total(values: NDArray[np.generic]) -> Floats:
    """Σ of each row, shape (matrix,)."""
    found: Floats = values.sum(axis=1, dtype=np.float64)
    return found


def entropy(p: Floats) -> Floats:
    """−Σ p log₂ p of each row in bits, shape (matrix,); 0 log 0 is 0."""
    return 0.0 - total(p * log2(np.where(p > 0, p, 1.0)))
