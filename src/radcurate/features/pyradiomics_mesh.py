"""pyradiomics' own table of marching cubes, which is not ours: it treats some cubes and their complements differently.

The second engine keeps it, so that its areas and volumes check ours.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from radiomics import cShape

from radcurate.features.mesh import Kinds
from radcurate.features.resample import Flags


@lru_cache(maxsize=64)
def kinds(spacing: tuple[float, float, float]) -> Kinds:
    """Ask pyradiomics for each cube alone, and behind a second one along each axis: what moved is what a step adds."""
    area, volume, per_step = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    for kind in range(1, 255):
        area[kind], volume[kind] = _ask(_cube(kind), spacing)
    for kind in range(1, 255):
        for axis in range(3):
            longer = np.concatenate([np.zeros_like(_cube(kind).take([0], axis)), _cube(kind)], axis=axis)
            between = _kind(longer.take([0, 1], axis))
            per_step[kind, axis] = _ask(longer, spacing)[1] - volume[kind] - volume[between]
    return Kinds(area, volume, per_step)


def _cube(kind: int) -> Flags:
    return np.array([(kind >> bit) & 1 for bit in range(8)], dtype=bool).reshape(2, 2, 2)


def _kind(cube: Flags) -> int:
    return int(sum(int(inside) << bit for bit, inside in enumerate(cube.ravel())))


def _ask(mask: Flags, spacing: tuple[float, float, float]) -> tuple[float, float]:
    area, volume, _ = cShape.calculate_coefficients(np.ascontiguousarray(mask), np.array(spacing, dtype=np.float64))
    return float(area), float(volume)
