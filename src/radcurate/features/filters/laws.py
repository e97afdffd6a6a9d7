"""Laws kernels: products of short one-dimensional patterns, and how much of them there is around a voxel."""

from __future__ import annotations

import math

import numpy as np

from radcurate.features.filters.choices import Laws
from radcurate.features.filters.separable import (
    WHOLE,
    Box,
    Product,
    along_axes,
    convolution,
    even,
    invariant,
    reach,
    responses,
)
from radcurate.features.kernels.convolve import Floats

# Level, edge, spot, wave, ripple (IBSI JTXT), before they are normalised.
PATTERNS = {
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
}


def laws(chosen: Laws, values: Floats, box: Box = WHOLE) -> Floats:
    """The response to normalised kernels (IBSI JTXT) or its energy, the average of its absolute value."""
    chain = (_product(chosen),)
    part = box if chosen.energy is None else WHOLE
    if chosen.rotation_invariant:
        result = invariant(values, chain, chosen.pooling, chosen.boundary, part)
    else:
        result = next(responses(values, [chain], chosen.boundary, part))[1]
    if chosen.energy is None:
        return result
    return next(responses(np.abs(result), [(_surroundings(chosen),)], chosen.boundary, box))[1]


def laws_reach(chosen: Laws) -> tuple[int, int, int]:
    """Voxels along each axis."""
    product = _product(chosen)
    longest = max(reach((product,)))
    kernel = (longest,) * 3 if chosen.dimension == "3D" else (0, longest, longest)
    plane, row, column = (one + more for one, more in zip(kernel, reach((_surroundings(chosen),)), strict=True))
    return plane, row, column


def _product(chosen: Laws) -> Product:
    names = [chosen.kernels[at : at + 2] for at in range(0, len(chosen.kernels), 2)]
    return along_axes([convolution(_normalised(PATTERNS[name])) for name in names])


def _normalised(pattern: tuple[int, ...]) -> list[float]:
    length = math.sqrt(sum(weight**2 for weight in pattern))
    return [weight / length for weight in pattern]


def _surroundings(chosen: Laws) -> Product:
    size = 2 * (chosen.energy or 0) + 1
    return even([1 / size] * size, chosen.dimension)
