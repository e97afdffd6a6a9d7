"""Pairs of neighbouring levels by direction, and of each voxel how its level compares with those around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function
from radcurate.features.kernels.ranks import Ranked, Ranks
from radcurate.features.problems import TooManyLevelsError

Counts = NDArray[np.int64]

_RANKS, _COUNTS, _REALS = array(np.uint16, 3), array(np.int64, 2), array(np.float64, 2)
_TABLES, _PAIRS = array(np.uint32, 2), array(np.int64, 1)
_co_occurrences = function(
    "co_occurrences",
    [
        _RANKS,
        *[SIZE] * 4,
        array(np.int32, 1),
        *[SIZE] * 4,
        _TABLES,
        _TABLES,
        SIZE,
        _PAIRS,
        _COUNTS,
        _COUNTS,
        _COUNTS,
        _REALS,
    ],
)
_neighbours = function("neighbours", [_RANKS, _RANKS, *[SIZE] * 6, _COUNTS, _COUNTS, _REALS, array(np.int64, 3)])

# Two tables of so many levels by so many take 134 MB.
MOST_LEVELS = 4096
# From so many cells a voxel on, filled cells are listed while counting.
SPARSE = 32


@dataclass(frozen=True)
class Pairs:
    """Symmetric co-occurrence matrices, by what features need of them. Rows of all arrays are matrices.

    Attributes:
        pairs: shape (matrix,), number of pairs of voxels.
        marginal: shape (matrix, level), how often a level used is a voxel of a pair: 2 x pairs in sum.
        difference: shape (matrix, difference), pairs whose levels differ by 0, 1, ….
        total: shape (matrix, sum), pairs whose levels have the sum 2 x lowest level, 2 x lowest level + 1, ….
        largest, squares, entropy: shape (matrix,), of the entries of the matrix normalised to 1: largest one, sum of
            squares, entropy in bits.
    """

    pairs: Counts
    marginal: Counts
    difference: Counts
    total: Counts
    largest: NDArray[np.float64]
    squares: NDArray[np.float64]
    entropy: NDArray[np.float64]

    def chosen(self, which: NDArray[np.bool_]) -> Pairs:
        """Some of the matrices."""
        return Pairs(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Tones:
    """Neighbourhood grey tone differences and neighbouring grey level dependences. Rows of all arrays are matrices.

    Attributes:
        voxels: shape (matrix, level), those with a neighbour in the region.
        distance: shape (matrix, level), sum of their distances from the mean of their neighbours.
        dependence: shape (matrix, level, count), voxels with 1, 2, … voxels of their level around them, themselves among
            them.
    """

    voxels: Counts
    distance: NDArray[np.float64]
    dependence: Counts


def co_occurrences(ranked: Ranked, flat: bool, by_plane: bool) -> Pairs:
    """Co-occurrences by direction and, in the last place, of all directions together.

    Args:
        ranked: the region, with at least one voxel.
        flat: only the 4 directions in a plane, not all 13.
        by_plane: matrices of each plane (5 a plane), not of all together.

    Raises:
        TooManyLevelsError: see MOST_LEVELS.
    """
    breadth = _breadth(ranked)
    level = (ranked.used - ranked.used[0]).astype(np.int32)
    n_levels, side = len(level), len(level) + 1
    n_directions = 4 if flat else 13
    n_matrices = (ranked.shape[0] if by_plane else 1) * (n_directions + 1)
    pairs = np.zeros(n_matrices, np.int64)
    marginal, difference, total = (np.zeros((n_matrices, n), np.int64) for n in (n_levels, breadth, 2 * breadth - 1))
    joint = np.zeros((n_matrices, 3))
    n_voxels = int(np.count_nonzero(ranked.ranks))
    n_cells = min(side * n_levels // 2, n_directions * n_voxels)
    sparse = side * side * (ranked.shape[0] if by_plane else 1) > SPARSE * n_voxels
    counts, filled = np.zeros((2, side * side), np.uint32), np.empty((2, n_cells + 1), np.uint32)
    _co_occurrences(
        *(ranked.ranks, *ranked.shape, n_levels, level, breadth, n_directions, by_plane, sparse),
        *(counts, filled, n_cells, pairs, marginal, difference, total, joint),
    )
    return Pairs(pairs, marginal, difference, total, *np.ascontiguousarray(joint.T))


def tones(ranked: Ranked, flat: bool, by_plane: bool) -> Tones:
    """Tone differences and dependences, of neighbours in the same plane (`flat`) or in 3D.

    Args:
        ranked: the region, with at least one voxel.
        flat: 8 neighbours in the plane, not 26.
        by_plane: a matrix of each plane, not of all together.

    Raises:
        TooManyLevelsError: see MOST_LEVELS.
    """
    n_matrices, n_levels, reach = ranked.shape[0] if by_plane else 1, len(ranked.used), 9 if flat else 27
    voxels = np.zeros((n_matrices, n_levels), np.int64)
    distance = np.zeros((n_matrices, n_levels))
    dependence = np.zeros((n_matrices, n_levels, reach), np.int64)
    parts = np.zeros((n_levels, reach), np.int64)
    _neighbours(
        *(ranked.ranks, _spaced(ranked), *ranked.shape, n_levels, flat, by_plane),
        *(parts, voxels, distance, dependence),
    )
    return Tones(voxels, distance, dependence)


def _spaced(ranked: Ranked) -> Ranks:
    """Levels less a constant in the place of ranks, 0 outside."""
    breadth = _breadth(ranked)
    if breadth == len(ranked.used):
        return ranked.ranks
    return np.append(0, ranked.used - ranked.used[0] + 1).astype(np.uint16)[ranked.ranks]


def _breadth(ranked: Ranked) -> int:
    """Levels from the lowest used to the highest."""
    breadth = int(ranked.used[-1] - ranked.used[0]) + 1
    if breadth > MOST_LEVELS:
        raise TooManyLevelsError
    return breadth
