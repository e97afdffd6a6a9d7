"""Smooth random fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from radcurate.demo.geometry import Floats


def lumps(rng: np.random.Generator, shape: Sequence[int], spacing: Sequence[float], size: float) -> Floats:
    """Gaussian noise of zero mean and unit variance, smooth over `size` mm (standard deviation of the filter)."""
    white = rng.standard_normal(tuple(shape), np.float32)
    smooth = ndimage.gaussian_filter(white, [size / s for s in spacing], mode="wrap")
    spread = float(smooth.std())
    return np.asarray((smooth - smooth.mean()) / (spread or 1.0), np.float32)


def grain(rng: np.random.Generator, shape: Sequence[int], blur: float) -> Floats:
    """Unit-variance noise per voxel, blurred within planes by `blur` pixels as reconstruction kernels do."""
    white = rng.standard_normal(tuple(shape), np.float32)
    if blur <= 0:
        return white
    smooth = ndimage.gaussian_filter1d(white, blur, axis=1, truncate=2.0)
    smooth = ndimage.gaussian_filter1d(smooth, blur, axis=2, truncate=2.0)
    return np.asarray(smooth / smooth.std(), np.float32)


def drift(rng: np.random.Generator, shape: Sequence[int], strength: float) -> Floats:
    """A bias field about 1: a low-order polynomial over the grid, at most 1 ± `strength`."""
    axes = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in shape)]
    weights = rng.uniform(-1, 1, 6)
    field = sum(w * a for w, a in zip(weights[:3], axes, strict=True))
    field = field + sum(w * (a * a - 0.5) for w, a in zip(weights[3:], axes, strict=True))
    field = np.asarray(field, np.float32)
    return 1 + field * np.float32(strength / max(float(np.abs(field).max()), 1e-6))
