"""Closed outlines of a region in a plane, by marching squares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Edge = tuple[int, int, int]  # direction (0 along the row, 1 along the column), row, column of its first end
Outline = npt.NDArray[np.float64]


def outlines(field: npt.NDArray[np.floating]) -> list[Outline]:
    """Polygons about the region where a field is negative, shape (points, 2) in (row, column) with fractions.

    A pixel's centre lies in an odd number of them exactly where the field is negative: crossings stay a fiftieth of a
    pixel off the centres. Holes come as polygons of their own.
    """
    padded = np.pad(np.asarray(field, float), 1, constant_values=1.0)
    follows = _segments(padded)
    loops = []
    while follows:
        first = next(iter(follows))
        loop, here = [], first
        while here in follows:
            loop.append(here)
            here = follows.pop(here)
        loops.append(np.array([_crossing(padded, edge) for edge in loop]) - 1)
    return loops


def _segments(field: npt.NDArray[np.float64]) -> dict[Edge, Edge]:
    inside = field < 0
    count = inside[:-1, :-1] + inside[:-1, 1:].astype(int) + inside[1:, :-1] + inside[1:, 1:]
    follows: dict[Edge, Edge] = {}
    for row, column in zip(*np.nonzero((count > 0) & (count < 4)), strict=True):
        follows.update(_cell(field, inside, int(row), int(column)))
    return follows


def _cell(field: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_], r: int, c: int) -> dict[Edge, Edge]:
    """Segments of one cell, from where its rim leaves the region to where it enters it again."""
    corners = ((r, c), (r, c + 1), (r + 1, c + 1), (r + 1, c))
    edges: tuple[Edge, ...] = ((0, r, c), (1, r, c + 1), (0, r + 1, c), (1, r, c))
    state = [bool(inside[corner]) for corner in corners]
    leaves = [i for i in range(4) if state[i] and not state[(i + 1) % 4]]
    enters = [i for i in range(4) if not state[i] and state[(i + 1) % 4]]
    if len(leaves) == 1:
        return {edges[leaves[0]]: edges[enters[0]]}
    joined = field[r : r + 2, c : c + 2].mean() < 0
    step = 1 if joined else -1
    return {edges[i]: edges[(i + step) % 4] for i in leaves}


def _crossing(field: npt.NDArray[np.float64], edge: Edge) -> tuple[float, float]:
    direction, row, column = edge
    one = field[row, column]
    two = field[row, column + 1] if direction == 0 else field[row + 1, column]
    share = float(np.clip(one / (one - two), 0.02, 0.98))
    return (row, column + share) if direction == 0 else (row + share, column)
