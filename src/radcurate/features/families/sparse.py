"""Matrices of grey level and extent, as lists of their filled cells, and the 16 features that they have in common.

Runs, zones and neighbourhoods are groups of n_ij voxels with grey level i and extent j: a length, a size, a distance, a
number of neighbours. IBSI defines the same 16 features on all of them: N = Σ n_ij groups, p_ij = n_ij / N, marginals
r_i. = Σ_j n_ij and r_.j = Σ_i n_ij, N_v voxels. Each function here returns an array of shape (matrix,).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels.elementary import log2
from radcurate.features.resample import Floats

Integers = NDArray[np.int64]

# Looking through so many cells of a table takes as long as sorting one item.
CELLS_AN_ITEM = 16


@dataclass(frozen=True, eq=False)
class SparseMatrices:
    """Several matrices of counts; no cell is listed twice. Equal only to itself.

    Attributes:
        matrix: which matrix a cell belongs to, from 0, shape (cell,).
        level: grey level, shape (cell,).
        extent: shape (cell,).
        count: number of groups, shape (cell,).
        n_voxels: voxels that the groups of a matrix could be made of, shape (matrix,).
    """

    matrix: Integers
    level: Integers
    extent: Integers
    count: Integers
    n_voxels: Integers

    @cached_property
    def n_groups(self) -> Floats:
        """N, shape (matrix,)."""
        return self._sum(self.n)

    @cached_property
    def n(self) -> Floats:
        """Number of groups of each cell."""
        return self.count.astype(np.float64)

    @cached_property
    def i(self) -> Floats:
        """Grey level of each cell."""
        return self.level.astype(np.float64)

    @cached_property
    def j(self) -> Floats:
        """Extent of each cell."""
        return self.extent.astype(np.float64)

    def _sum(self, values: Floats) -> Floats:
        return _sums(self.matrix, values, len(self.n_voxels))

    def mean(self, values: Floats) -> Floats:
        """Σ p_ij values_ij."""
        return self._sum(self.n * values) / self.n_groups

    def variance(self, values: Floats) -> Floats:
        """Σ p_ij (values_ij − μ)²."""
        return self.mean((values - self.mean(values)[self.matrix]) ** 2)

    def sum_of_squares(self, kind: Integers) -> Floats:
        """Σ_k (Σ n_ij over the cells of kind k)²."""
        matrix, _, count = tally(self.matrix, kind, self.count)
        return _sums(matrix, count.astype(np.float64) ** 2, len(self.n_voxels))


def _sums(matrix: Integers, values: Floats, n_matrices: int) -> Floats:
    return np.asarray(np.bincount(matrix, weights=values, minlength=n_matrices), dtype=np.float64)


def of_groups(
    matrix: Integers,
    rank: NDArray[np.integer],
    extent: NDArray[np.integer],
    used: Integers,
    n_voxels: Integers,
) -> SparseMatrices:
    """Matrices of single groups.

    Args:
        matrix, rank, extent: of each group, shape (group,).
        used: grey level of rank 1, 2, ….
        n_voxels: shape (matrix,).
    """
    common = max(len(extent) // (len(used) * len(n_voxels)), 1)  # extents to which a table has a cell for each group
    cells = _cells(matrix, rank, np.minimum(extent, common + 1))
    rare = np.flatnonzero(extent > common)
    if rare.size:
        kept = cells[2] <= common
        parts = zip((column[kept] for column in cells), _cells(matrix[rare], rank[rare], extent[rare]), strict=True)
        cells = [np.concatenate(part) for part in parts]
    matrix, ranks, extents, count = cells
    return SparseMatrices(matrix, used[ranks - 1], extents, count, n_voxels)


def _cells(matrix: Integers, rank: NDArray[np.integer], extent: NDArray[np.integer]) -> list[Integers]:
    """Matrix, rank, extent and count of each cell."""
    n_extents = np.int64(extent.max(initial=0)) + 1
    matrix, kind, count = tally(matrix, rank * n_extents + extent)
    return [matrix, kind // n_extents, kind % n_extents, count]


def merged(matrices: SparseMatrices, n: int) -> SparseMatrices:
    """Matrices 0 to n - 1 as one, n to 2 n - 1 as the next, and so on."""
    n_extents = int(matrices.extent.max(initial=0)) + 1
    matrix, kind, count = tally(matrices.matrix // n, matrices.level * n_extents + matrices.extent, matrices.count)
    n_voxels = matrices.n_voxels.reshape(-1, n).sum(axis=1)
    return SparseMatrices(matrix, kind // n_extents, kind % n_extents, count, n_voxels)


def tally(matrix: Integers, kind: Integers, weights: Integers | None = None) -> tuple[Integers, Integers, Integers]:
    """How often each kind occurs in each matrix: matrix, kind and count of each pair that occurs, sorted.

    Args:
        matrix, kind: not negative, shape (item,).
        weights: how often an item counts, shape (item,); null: once.
    """
    n_kinds = int(kind.max(initial=0)) + 1
    n_cells = n_kinds * (int(matrix.max(initial=0)) + 1)
    key = matrix * n_kinds + kind if n_cells > n_kinds else kind
    if n_cells <= CELLS_AN_ITEM * len(key) + 1024:
        counts = np.bincount(key, weights=weights)
        found = np.flatnonzero(counts)
        return found // n_kinds, found % n_kinds, counts[found].astype(np.int64)
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.add.reduceat(np.ones_like(key) if weights is None else weights[order], starts)
    return key[starts] // n_kinds, key[starts] % n_kinds, count


def small_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij / j²."""
    return matrices.mean(1 / matrices.j**2)


def large_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij j²."""
    return matrices.mean(matrices.j**2)


def low_level_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij / i²."""
    return matrices.mean(1 / matrices.i**2)


def high_level_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij i²."""
    return matrices.mean(matrices.i**2)


def small_low_level_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij / (i² j²)."""
    return matrices.mean(1 / (matrices.i * matrices.j) ** 2)


def small_high_level_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij i² / j²."""
    return matrices.mean((matrices.i / matrices.j) ** 2)


def large_low_level_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij j² / i²."""
    return matrices.mean((matrices.j / matrices.i) ** 2)


def large_high_level_emphasis(matrices: SparseMatrices) -> Floats:
    """Σ p_ij i² j²."""
    return matrices.mean((matrices.i * matrices.j) ** 2)


def level_non_uniformity(matrices: SparseMatrices) -> Floats:
    """Σ_i r_i.² / N."""
    return matrices.sum_of_squares(matrices.level) / matrices.n_groups


def normalised_level_non_uniformity(matrices: SparseMatrices) -> Floats:
    """Σ_i r_i.² / N²."""
    return level_non_uniformity(matrices) / matrices.n_groups


def extent_non_uniformity(matrices: SparseMatrices) -> Floats:
    """Σ_j r_.j² / N."""
    return matrices.sum_of_squares(matrices.extent) / matrices.n_groups


def normalised_extent_non_uniformity(matrices: SparseMatrices) -> Floats:
    """Σ_j r_.j² / N²."""
    return extent_non_uniformity(matrices) / matrices.n_groups


def percentage(matrices: SparseMatrices) -> Floats:
    """N / N_v."""
    return matrices.n_groups / matrices.n_voxels


def level_variance(matrices: SparseMatrices) -> Floats:
    """Σ p_ij (i − μ)², μ = Σ p_ij i."""
    return matrices.variance(matrices.i)


def extent_variance(matrices: SparseMatrices) -> Floats:
    """Σ p_ij (j − μ)², μ = Σ p_ij j."""
    return matrices.variance(matrices.j)


def entropy(matrices: SparseMatrices) -> Floats:
    """−Σ p_ij log₂ p_ij."""
    p = matrices.n / matrices.n_groups[matrices.matrix]
    return -matrices.mean(log2(p))
