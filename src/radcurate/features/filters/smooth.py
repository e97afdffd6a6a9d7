"""The filters that smooth: mean, and Laplacian of Gaussian."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from radcurate.features.filters.choices import LaplacianOfGaussian, Mean
from radcurate.features.filters.separable import WHOLE, Box, Product, Taps, along, even, reach, responses
from radcurate.features.filters.waves import bell
from radcurate.features.kernels.convolve import Floats

Spacing = tuple[float, float, float]


def mean(chosen: Mean, values: Floats, box: Box = WHOLE) -> Floats:
    """Average over a cube of voxels, in 2D a square (IBSI S60F)."""
    return next(responses(values, [(_cube(chosen),)], chosen.boundary, box))[1]


def mean_reach(chosen: Mean) -> tuple[int, int, int]:
    """Voxels along each axis."""
    return reach((_cube(chosen),))


def _cube(chosen: Mean) -> Product:
    return even([1 / chosen.size] * chosen.size, chosen.dimension)


def laplacian_of_gaussian(chosen: LaplacianOfGaussian, values: Floats, spacing: Spacing, box: Box = WHOLE) -> Floats:
    """Laplacian of Gaussian (IBSI L6PA), cut off at a box of `cutoff` sigma, not normalised by σ².

    g(k) = −1/σ² (1/(√(2π) σ))^D (D − |k|²/σ²) exp(−|k|²/2σ²), k and σ in voxels. It is a sum of D products: of an axis's
    second derivative and the other axes' Gaussians. Sums with a common Gaussian are made before its pass.
    Where voxels are no cubes, σ is taken in each axis's voxels and the Laplacian in those of their geometric mean.
    """
    axes = _axes(chosen)
    edge = math.prod(spacing[axis] for axis in axes) ** (1 / len(axes))
    scale = -((edge / chosen.sigma) ** 2)
    smooth = values if 0 in axes else values[box[0]]
    curved = None
    for axis in axes:
        gaussian, curve = _profile(chosen, spacing[axis])
        more = along(smooth, curve, axis, chosen.boundary, box[axis])
        curved = more if curved is None else more + along(curved, gaussian, axis, chosen.boundary, box[axis])
        if axis != axes[-1]:
            smooth = along(smooth, gaussian, axis, chosen.boundary, box[axis])
    assert curved is not None
    curved *= scale
    return curved


def log_reach(chosen: LaplacianOfGaussian, spacing: Spacing) -> tuple[int, int, int]:
    """Voxels along each axis."""
    plane, row, column = (
        _profile(chosen, step)[0].reach if axis in _axes(chosen) else 0 for axis, step in enumerate(spacing)
    )
    return plane, row, column


def _axes(chosen: LaplacianOfGaussian) -> tuple[int, ...]:
    return (0, 1, 2) if chosen.dimension == "3D" else (1, 2)


def _profile(chosen: LaplacianOfGaussian, step: float) -> tuple[Taps, Taps]:
    """An axis's Gaussian, and that times 1 − k²/σ²."""
    sigma = chosen.sigma / step
    return _taps(sigma, math.floor(chosen.cutoff * sigma + 0.5))


@cache
def _taps(sigma: float, half: int) -> tuple[Taps, Taps]:
    square = np.arange(-half, half + 1) ** 2 / (sigma * sigma)
    gaussian = bell(square) / (math.sqrt(2 * math.pi) * sigma)
    one, other = (Taps(tuple(part.tolist()), -half) for part in (gaussian, gaussian * (1 - square)))
    return one, other
