"""How noisy an image is around a region, and more noise of that size."""

from __future__ import annotations

import numpy as np

from radcurate.features.resample import Floats

# Median of |x| of a normal distribution of deviation 1.
MEDIAN_DEVIATION = 0.6744897501960817


def noise_level(values: Floats) -> float:
    """Standard deviation of the noise, in the unit of `values` (plane, row, column).

    Median of the absolute diagonal details of the planes' first Haar wavelet step, over the median of a normal
    distribution (Donoho and Johnstone 1994): smooth structures and straight edges have no diagonal detail.
    """
    rows, columns = (n // 2 * 2 for n in values.shape[1:])
    if not rows or not columns:
        return 0.0
    even = values[:, :rows, :columns]
    details = (even[:, ::2, ::2] - even[:, 1::2, ::2] - even[:, ::2, 1::2] + even[:, 1::2, 1::2]) / 2
    details = np.abs(details[np.isfinite(details)])
    return float(np.median(details)) / MEDIAN_DEVIATION if details.size else 0.0


def with_noise(values: Floats, level: float, generator: np.random.Generator) -> Floats:
    """`values` and independent normal noise of standard deviation `level`."""
    if not level > 0:
        return values
    more = generator.standard_normal(values.shape, dtype=np.float32)
    more *= np.float32(level)
    return values + more
