"""Runs: voxels of one level in a line, in the 13 directions of space or the four of a plane."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function
from radcurate.features.kernels.ranks import Ranked
from radcurate.features.problems import TooManyLevelsError

IN_SPACE, IN_PLANE = 13, 4
STRIDE = 16  # of the table, see runs.c
MOST_CELLS = 2**26  # of the table: 256 MB, of which a region touches what it fills
LONGEST = 2**16 - 1  # a place in a run has two bytes

_count = function(
    "count_runs",
    [
        array(np.uint16, 3),
        *[SIZE] * 6,
        array(np.uint16, 1),
        SIZE,
        array(np.uint32, 1),
        array(np.int64, 2),
        SIZE,
    ],
    SIZE,
)


def count_runs(ranked: Ranked, n_directions: int, by_plane: bool = False) -> NDArray[np.int64]:
    """Runs by matrix, rank, length: shape (cell, 4), rows (matrix, rank, length, number of runs).

    Sorted by plane where planes are apart, then rank, length, matrix.

    Args:
        ranked: the levels.
        n_directions: IN_SPACE or IN_PLANE.
        by_plane: a matrix per plane that has a voxel and direction; else a matrix per direction.

    Raises:
        TooManyLevelsError: MOST_CELLS; more than 8,000 levels in a box of 512 voxels, 32,000 in one of 128.
    """
    planes, rows, columns = ranked.shape
    n_levels, n_places = len(ranked.used), max(ranked.shape) + 1
    if n_places > LONGEST:
        raise ValueError(f"a run has at most {LONGEST} voxels")
    if n_levels * n_places * STRIDE > MOST_CELLS:
        raise TooManyLevelsError
    room = _most_cells(ranked, n_directions, by_plane)
    places = np.empty(2 * (rows + 2) * IN_SPACE * (columns + 2), dtype=np.uint16)
    table = np.zeros(n_levels * n_places * STRIDE, dtype=np.uint32)
    found = np.empty((room, 4), dtype=np.int64)
    arguments: tuple[Any, ...] = (planes, rows, columns, n_levels, n_directions, by_plane, places, n_places, table)
    n = _count(ranked.ranks, *arguments, found, room)
    assert n >= 0
    return found[:n]


def _most_cells(ranked: Ranked, n_directions: int, by_plane: bool) -> int:
    """More than this can't be filled: a level of n voxels has at most √2n lengths, as different lengths sum to n."""
    n_voxels = ranked.ranks.size
    n_rows = len(ranked.used) * (ranked.shape[0] if by_plane else 1)
    return n_directions * min(n_voxels, n_rows * max(ranked.shape), math.isqrt(2 * n_rows * n_voxels) + 1)
