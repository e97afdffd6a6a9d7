"""A stack of parallel planes in patient space, and its samples on an even grid.

A stack needs no even spacing and no right angle between planes and their step (gantry tilt), because a face is looked
for in every head CT, also in those that can't be used for features. Points are LPS, mm, in the order x, y, z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

FINE_MM = 2.0  # step of surfaces and masks; half the 3–4 mm that defacing and detection work on


@dataclass(frozen=True)
class Stack:
    """Planes of equal size and orientation, sorted along their normal.

    values: float32, shape (plane, row, column), modality units.
    origins: shape (plane, 3), patient position of the centre of voxel (0, 0) of each plane, mm.
    row_step, column_step: shape (3,), from a row (column) to the next, mm.
    """

    values: NDArray[np.float32]
    origins: Floats
    row_step: Floats
    column_step: Floats

    @property
    def normal(self) -> Floats:
        """Unit vector along which the planes are sorted, shape (3,)."""
        normal = np.cross(self.column_step, self.row_step)
        normal = normal / np.linalg.norm(normal)
        return normal if (self.origins[-1] - self.origins[0]) @ normal >= 0 else -normal

    @property
    def heights(self) -> Floats:
        """Positions of the planes along the normal, mm, shape (plane,)."""
        return self.origins @ self.normal

    def corners(self) -> Floats:
        """The eight corner voxels, shape (8, 3), mm."""
        rows, columns = self.values.shape[1] - 1, self.values.shape[2] - 1
        ends = [self.origins[0], self.origins[-1]]
        return np.array(
            [o + r * self.row_step + c * self.column_step for o in ends for r in (0, rows) for c in (0, columns)]
        )

    def to_index(self, points: Floats) -> Floats:
        """Fractional (plane, row, column) of points of shape (n, 3); outside the stack beyond its limits."""
        heights = self.heights
        order = np.arange(len(heights), dtype=float)
        along = points @ self.normal
        plane = np.interp(along, heights, order)
        outside = np.maximum(heights[0] - along, along - heights[-1])
        plane = np.where(outside > 0.5 * _step(heights), np.where(along < heights[0], -9.0, len(heights) + 9.0), plane)
        origin = np.stack([np.interp(plane, order, self.origins[:, axis]) for axis in range(3)], axis=1)
        offset = points - origin
        row = offset @ self.row_step / (self.row_step @ self.row_step)
        column = offset @ self.column_step / (self.column_step @ self.column_step)
        return np.stack([plane, row, column], axis=1)

    def plane_points(self, plane: int, rows: slice, columns: slice) -> Floats:
        """Patient points of a window of one plane, shape (rows × columns, 3), mm, row by row."""
        r = np.arange(rows.start, rows.stop)[:, None, None] * self.row_step
        c = np.arange(columns.start, columns.stop)[None, :, None] * self.column_step
        return np.asarray((self.origins[plane] + r + c).reshape(-1, 3))


def _step(heights: Floats) -> float:
    return float(np.median(np.diff(heights))) if len(heights) > 1 else 1.0


@dataclass(frozen=True)
class Field:
    """An even, axis-aligned LPS grid: values of shape (z, y, x), `inside` where the stack has data."""

    values: NDArray[np.float32]
    inside: Flags
    origin: Floats  # (3,), x, y, z of voxel (0, 0, 0), mm
    step: float  # mm, the same in all directions

    def points(self) -> Floats:
        """All voxel centres, shape (z × y × x, 3), mm, in the order of `values.ravel()`."""
        return grid_points(self.values.shape, self.origin, self.step)

    def to_index(self, points: Floats) -> Floats:
        """Fractional (z, y, x) of points, shape (3, n): the form scipy.ndimage.map_coordinates takes."""
        return np.asarray(((points - self.origin) / self.step).T[::-1])


def grid_points(shape: tuple[int, ...], origin: Floats, step: float) -> Floats:
    """Voxel centres of an axis-aligned grid, shape (n, 3), mm."""
    z, y, x = np.meshgrid(*(np.arange(n, dtype=np.float64) * step for n in shape), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1) + origin


def to_field(stack: Stack, step: float, margin: float = 0.0) -> Field:
    """Samples of the stack on an even grid over its box, widened by `margin` mm; zero where the stack has no data.

    Voxels finer than the step are averaged first, so that noise does not alias.
    """
    coarse = _averaged(stack, step)
    corners = stack.corners()
    low, high = corners.min(axis=0) - margin, corners.max(axis=0) + margin
    shape = tuple(int(n) for n in (np.ceil((high - low) / step).astype(int) + 1)[::-1])
    values = np.zeros(shape, np.float32)
    inside = np.zeros(shape, bool)
    for z in range(shape[0]):  # slab by slab, to stay small
        points = grid_points((1, *shape[1:]), low + np.array([0.0, 0.0, z * step]), step)
        index = coarse.to_index(points)
        limits = np.array(coarse.values.shape) - 0.5
        known = ((index >= -0.5) & (index < limits)).all(axis=1)
        sample = ndimage.map_coordinates(coarse.values, index[known].T, order=1, mode="nearest")
        inside[z].flat[known] = True
        values[z].flat[known] = sample
    return Field(values, inside, low, step)


def _averaged(stack: Stack, step: float) -> Stack:
    """Blocks of whole voxels no wider than `step`, averaged."""
    widths = [_step(stack.heights), float(np.linalg.norm(stack.row_step)), float(np.linalg.norm(stack.column_step))]
    p, r, c = (max(1, min(int(step / width), n)) for width, n in zip(widths, stack.values.shape, strict=True))
    if p * r * c == 1:
        return stack
    n_p, n_r, n_c = (n // f for n, f in zip(stack.values.shape, (p, r, c), strict=True))
    blocks = stack.values[: n_p * p, : n_r * r, : n_c * c].reshape(n_p, p, n_r, r, n_c, c)
    values = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    origins = stack.origins[: n_p * p].reshape(n_p, p, 3).mean(axis=1)
    origins = origins + (r - 1) / 2 * stack.row_step + (c - 1) / 2 * stack.column_step
    return Stack(values, origins, stack.row_step * r, stack.column_step * c)
