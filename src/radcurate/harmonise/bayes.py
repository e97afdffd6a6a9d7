"""Empirical Bayes of ComBat: what the features of a site have in common steadies each of them.

Johnson, Li and Rabinovic, Biostatistics 8, 2007: locations are normal, scales inverse gamma; both by the method of moments.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
TOLERANCE = 1e-4  # as ComBat's own programs stop
MOST_STEPS = 10_000


def shrink(n: Reals, location: Reals, scale: Reals, squares: Reals) -> tuple[Reals, Reals]:
    """Posterior locations and scales (variances) of one site's standardised features, each of shape (feature,).

    Args:
        n: rows of each feature.
        location: their mean.
        scale: their variance (n - 1 below the line).
        squares: their sum of squared distances from the mean.

    The features of a site that all have one scale, or a single feature, leave nothing to estimate a prior from: returned
    as they are.
    """
    spread, middle = location.var(ddof=1) if location.size > 1 else 0.0, location.mean()
    mean, variance = scale.mean(), scale.var(ddof=1) if scale.size > 1 else 0.0
    if not (spread > 0 and variance > 0):
        return location, scale
    a, b = (2 * variance + mean**2) / variance, (mean * variance + mean**3) / variance
    old_location, old_scale = location, scale
    for _ in range(MOST_STEPS):
        new_location = (spread * n * location + old_scale * middle) / (spread * n + old_scale)
        about = squares + n * (location - new_location) ** 2
        new_scale = (0.5 * about + b) / (n / 2 + a - 1)
        change = max(_change(new_location, old_location), _change(new_scale, old_scale))
        old_location, old_scale = new_location, new_scale
        if change <= TOLERANCE:
            break
    return old_location, old_scale


def shrink_location(n: Reals, location: Reals) -> Reals:
    """Posterior locations, shape (feature,), where the scale isn't estimated but taken as 1."""
    spread = location.var(ddof=1) if location.size > 1 else 0.0
    if not spread > 0:
        return np.zeros_like(location)
    return np.asarray((spread * n * location + location.mean()) / (spread * n + 1))


def _change(new: Reals, old: Reals) -> float:
    """Largest relative change; divided by the signed value, as ComBat's programs do, so that ours stops when they do."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmax(np.abs(new - old) / old, initial=-np.inf))
