"""Grey levels that a region really has, numbered from 1 without gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function
from radcurate.features.prepare import Levels, Prepared
from radcurate.features.problems import TooManyLevelsError

Ranks = NDArray[np.uint16]

MOST_RANKS = 2**16 - 1

# Up to so many levels a voxel, a table of all levels is faster than sorting.
LEVELS_A_VOXEL = 4

_mark = function("mark_levels", [array(np.int32, 3), SIZE, array(np.uint8, 1)])
_rank = function("rank_levels", [array(np.int32, 3), SIZE, SIZE, SIZE, array(np.uint16, 1), array(np.uint16, 3)])


@dataclass(frozen=True, eq=False)
class Ranked:
    """Levels as their ranks: empty levels cost nothing, and a rank takes two bytes.

    Attributes:
        used: levels of the region, rising, shape (level,).
        ranks: 0 outside, else 1 + the place of the level in `used`; shape (planes + 2, rows + 2, columns + 2), with one
            empty voxel of margin on every side.
    """

    used: NDArray[np.int64]
    ranks: Ranks

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns without the margin."""
        planes, rows, columns = self.ranks.shape
        return planes - 2, rows - 2, columns - 2


def ranked(prepared: Prepared) -> Ranked:
    """The levels of a region; for `Region.once`."""
    return rank(prepared.levels, prepared.n_levels)


def rank(levels: Levels, n_levels: int) -> Ranked:
    """Levels, shape (plane, row, column), 0 outside and at most `n_levels`, as ranks.

    Raises:
        TooManyLevelsError: a rank has two bytes.
    """
    planes, rows, columns = levels.shape
    ranks = np.zeros((planes + 2, rows + 2, columns + 2), dtype=np.uint16)
    if n_levels > LEVELS_A_VOXEL * levels.size + MOST_RANKS:
        used = np.unique(levels[levels > 0]).astype(np.int64)
        _check(used)
        ranks[1:-1, 1:-1, 1:-1] = np.searchsorted(used, levels, side="right")
        return Ranked(used, ranks)
    levels = np.ascontiguousarray(levels)
    is_used = np.zeros(n_levels + 1, dtype=np.uint8)
    _mark(levels, levels.size, is_used)
    is_used[0] = 0
    used = np.flatnonzero(is_used)
    _check(used)
    rank_of = np.cumsum(is_used, dtype=np.uint16) * is_used
    _rank(levels, planes, rows, columns, rank_of, ranks)
    return Ranked(used, ranks)


def _check(used: NDArray[np.int64]) -> None:
    if len(used) > MOST_RANKS:
        raise TooManyLevelsError
