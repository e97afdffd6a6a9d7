"""Interpolation at the points of a grid that is shifted, and turned within its planes, in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import REAL, SIZE, array, function

Floats = NDArray[np.float64]

_SHAPE = [SIZE, SIZE, SIZE]
_SHEET = array(REAL, 2)
_ARGUMENTS = [array(REAL, 3), *_SHAPE, array(REAL, 1), array(REAL, 2), array(REAL, 2), array(REAL, 3), *_SHAPE]
_nearest = function("affine_nearest", _ARGUMENTS)
_linear = function("affine_linear", [*_ARGUMENTS, _SHEET])
_cubic = function("affine_cubic", [*_ARGUMENTS, _SHEET, SIZE])


@dataclass(frozen=True)
class Points:
    """A grid, as index coordinates of another one.

    The point (i, j, k) lies at `plane[i]`, `row[0, j] + column[0, k]`, `row[1, j] + column[1, k]`.

    Attributes:
        plane: shape (planes,).
        row, column: shape (2, rows) and (2, columns).
    """

    plane: Floats
    row: Floats
    column: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of planes, rows and columns."""
        return len(self.plane), self.row.shape[1], self.column.shape[1]

    def extent(self) -> list[tuple[float, float]]:
        """Least and largest coordinate along each old axis."""
        across = [
            (self.row[axis].min() + self.column[axis].min(), self.row[axis].max() + self.column[axis].max())
            for axis in range(2)
        ]
        return [(self.plane.min(), self.plane.max()), *across]

    def less(self, start: tuple[int, int, int]) -> Points:
        """The same points seen from `start` of the old grid; whole numbers come off the larger part, which is exact."""
        row = self.row - np.array([[start[1]], [0]])
        return Points(self.plane - start[0], row, self.column - np.array([[0], [start[2]]]))

    def seen_from(self, start: Sequence[float], step: Sequence[float]) -> Points:
        """The same points in steps of another grid that isn't turned, whose first voxel lies at `start`."""
        row = np.stack([(self.row[0] - start[1]) / step[1], self.row[1] / step[2]])
        column = np.stack([self.column[0] / step[1], (self.column[1] - start[2]) / step[2]])
        return Points((self.plane - start[0]) / step[0], row, column)


def straight(plane: Floats, row: Floats, column: Floats) -> Points:
    """A grid that is not turned, from its coordinates along each axis."""
    return Points(plane, np.stack([row, np.zeros_like(row)]), np.stack([np.zeros_like(column), column]))


def sample(old: Floats, points: Points, method: str) -> Floats:
    """Values at `points`; beyond the outermost centres of `old` the outermost value holds.

    Args:
        old: shape (plane, row, column); for `spline` the coefficients, not the values.
        points: in index coordinates of `old`.
        method: nearest, linear, keys (cubic convolution with a = -1/2) or spline (cubic B-spline).
    """
    old = np.ascontiguousarray(old, dtype=np.float64)
    tables = [np.ascontiguousarray(part, dtype=np.float64) for part in (points.plane, points.row, points.column)]
    new = np.empty(points.shape)
    arguments = (old, *old.shape, *tables, new, *new.shape)
    if method == "nearest":
        _nearest(*arguments)
    elif method == "linear":
        _linear(*arguments, np.empty(old.shape[1:]))
    else:
        _cubic(*arguments, np.empty(old.shape[1:]), {"spline": 0, "keys": 1}[method])
    return new
