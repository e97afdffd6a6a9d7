"""Bell curves and waves with the same bits on every machine: made of sums, products and square roots only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from radcurate.features.kernels.convolve import Floats
from radcurate.features.kernels.elementary import exp

# Below e to this power everything is nothing.
_LEAST = -700.0
# Of the power series of sine and cosine, up to where π/4 has no further digits.
_SINE = [(-1) ** n / math.factorial(2 * n + 1) for n in range(10)]
_COSINE = [(-1) ** n / math.factorial(2 * n) for n in range(10)]


def bell(square: ArrayLike) -> Floats:
    """exp(−square/2)."""
    return exp(np.maximum(-np.asarray(square, dtype=np.float64) / 2, _LEAST))


def wave(turns: ArrayLike) -> tuple[Floats, Floats]:
    """Cosine and sine of an angle in full turns."""
    rest = np.asarray(turns, dtype=np.float64)
    rest = rest - np.rint(rest)
    quarter = np.rint(4 * rest)
    x = 2 * math.pi * (rest - quarter / 4)
    square = x * x
    cosine, sine = _series(_COSINE, square), x * _series(_SINE, square)
    side = quarter.astype(np.int64) % 4
    return (
        np.choose(side, [cosine, -sine, -cosine, sine]),
        np.choose(side, [sine, cosine, -sine, -cosine]),
    )


def _series(coefficients: list[float], x: Floats) -> Floats:
    result = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = result * x + coefficient
    return result
