"""Neighbourhood grey tone difference matrix (IBSI IPET): how far voxels lie from the mean of their 26 (or 8) neighbours.

Voxels without a neighbour in the region don't count, and a level without any other voxels doesn't either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from radcurate.features.families.family import Family
from radcurate.features.families.rows import total
from radcurate.features.kernels.neighbourhood import Tones, tones
from radcurate.features.kernels.ranks import Ranked, ranked
from radcurate.features.prepare import Prepared
from radcurate.features.reasons import DIVISION_BY_ZERO, NO_NEIGHBOURS
from radcurate.features.region import Region
from radcurate.features.resample import Floats

TONE_DIFFERENCE = Family(
    "ngt", "Neighbourhood grey tone difference matrix", "IPET", ("2D", "2.5D", "3D"), without=NO_NEIGHBOURS
)
# Coarseness of a region without differences, and the most that it can be (IBSI).
COARSEST = 1e6
# Numbers in one array of pairs of levels: 8 MB.
BLOCK = 2**20


@dataclass(frozen=True)
class Differences:
    """Tone difference matrices, shape (matrix, level) but for the levels.

    Attributes:
        i: the levels used, shape (level,).
        p: p_i = n_i / N, where n_i are the voxels with a neighbour; 0 for levels without.
        s: s_i = Σ |i − mean of the neighbours| over the voxels of level i.
        n: N = Σ n_i, shape (matrix,).
    """

    i: Floats
    p: Floats
    s: Floats
    n: Floats

    @property
    def n_present(self) -> Floats:
        """N_g,p, the number of levels with p_i > 0, shape (matrix,)."""
        return total(self.p > 0)

    @property
    def weighted(self) -> Floats:
        """Σ p_i s_i, shape (matrix,)."""
        return total(self.p * self.s)


def shared_tones(_: Prepared, levels: Ranked, flat: bool, by_plane: bool) -> Tones:
    """Tone differences and dependences, for `Region.once`: two families need them."""
    return tones(levels, flat, by_plane)


@TONE_DIFFERENCE.computed_from
def source(region: Region, aggregation: str) -> Differences:
    """Of every plane, of the planes together, or in 3D; without planes in which no voxel has a neighbour."""
    levels = region.once(ranked)
    found = region.once(shared_tones, levels, aggregation != "3D", aggregation == "2D")
    n = found.voxels.sum(axis=1)
    kept = n > 0
    p = found.voxels[kept] / n[kept, None]
    return Differences(levels.used.astype(np.float64), p, found.distance[kept], n[kept].astype(np.float64))


@TONE_DIFFERENCE.feature("coarseness", "Coarseness", "QCDE")
def coarseness(m: Differences) -> Floats:
    """1 / Σ p_i s_i; 10⁶ at most."""
    return np.minimum(1 / m.weighted, COARSEST)


@TONE_DIFFERENCE.feature("contrast", "Contrast", "65HE")
def contrast(m: Differences) -> Floats:
    """Σ_ij p_i p_j (i − j)² / (N_g,p (N_g,p − 1)) · Σ s_i / N; 0 where there is one level. Σ_ij is 2 Σ p_i (i − μ)²."""
    mean = total(m.p * m.i)[:, None]
    spread = 2 * total(m.p * (m.i - mean) ** 2)
    value = spread / (m.n_present * (m.n_present - 1)) * total(m.s) / m.n
    return np.where(m.n_present == 1, 0.0, value)


@TONE_DIFFERENCE.feature("busyness", "Busyness", "NQ30", without=DIVISION_BY_ZERO)
def busyness(m: Differences) -> Floats:
    """Σ p_i s_i / Σ_ij |i p_i − j p_j|, over levels with p_i, p_j > 0; 0 where there is one level.

    With a_1 ≤ … ≤ a_n for the products i p_i, Σ_ij |a_i − a_j| is Σ_k 2 (2 k − n − 1) a_k.
    """
    found = np.zeros(len(m.p))
    for place, p in enumerate(m.p):
        products = np.sort((m.i * p)[p > 0])
        n = len(products)
        found[place] = (2 * (2 * np.arange(1, n + 1) - n - 1) * products).sum()
    return np.where(m.n_present == 1, 0.0, m.weighted / found)


@TONE_DIFFERENCE.feature("complexity", "Complexity", "HDEZ")
def complexity(m: Differences) -> Floats:
    """Σ_ij |i − j| (p_i s_i + p_j s_j) / (p_i + p_j) / N, over levels with p_i, p_j > 0."""
    found = np.zeros(len(m.p))
    for place, (p, s) in enumerate(zip(m.p, m.s, strict=True)):
        present = p > 0
        i, p, ps = m.i[present], p[present], (p * s)[present]
        for rows in _blocks(len(i)):
            pairs = np.abs(i[rows, None] - i) * (ps[rows, None] + ps) / (p[rows, None] + p)
            found[place] += pairs.sum()
    return found / m.n


@TONE_DIFFERENCE.feature("strength", "Strength", "1X9X")
def strength(m: Differences) -> Floats:
    """Σ_ij (p_i + p_j) (i − j)² / Σ s_i, over levels with p_i, p_j > 0; 0 where Σ s_i is. Σ_ij is 2 Σ_i p_i Σ_j (i − j)²."""
    present = (m.p > 0).astype(np.float64)
    i = m.i - m.i[0]
    n, first, second = (total(present * i**power)[:, None] for power in (0, 1, 2))
    squares = n * i**2 - 2 * i * first + second
    difference = total(m.s)
    return np.where(difference == 0, 0.0, 2 * total(m.p * squares) / difference)


def _blocks(n: int) -> Iterator[slice]:
    """Rows of a square of n by n, so many at a time that they are no more than BLOCK numbers."""
    size = max(BLOCK // max(n, 1), 1)
    return (slice(start, start + size) for start in range(0, n, size))
