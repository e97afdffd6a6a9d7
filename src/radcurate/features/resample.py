"""Interpolation to an even grid, as IBSI wants it: centres aligned, size rounded up.

Arrays have the shape (plane, row, column), spacing in mm in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import spline_filter1d

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Interpolated masks are compared with the threshold less this, so that a share of exactly one half counts as one half
# whatever the rounding errors of the coordinates.
MASK_SLACK = 1e-9


@dataclass(frozen=True)
class Lattice:
    """The grid that is interpolated to, as index coordinates of the grid that it comes from, an array for each axis."""

    coordinates: tuple[Floats, Floats, Floats]
    spacing: tuple[float, float, float]


def lattice(shape: tuple[int, ...], spacing: tuple[float, ...], target: tuple[float, ...]) -> Lattice:
    """Grid of spacing `target` with ceil(n s / t) voxels an axis and the same centre (IBSI reference manual, 2.4)."""
    axes: list[Floats] = []
    for n, old, new in zip(shape, spacing, target, strict=True):
        size = max(int(np.ceil(np.round(n * old / new, 9))), 1)  # 9 decimals: 3 x 1.1 / 1.1 is 3 voxels, not 4
        step = new / old
        axes.append(np.asarray((n - 1) / 2 + (np.arange(size) - (size - 1) / 2) * step, dtype=np.float64))
    return Lattice((axes[0], axes[1], axes[2]), (target[0], target[1], target[2]))


def around(grid: Lattice, mask: Flags) -> Lattice:
    """The part of `grid` where an interpolation of `mask` can differ from 0."""
    axes = []
    for axis, coordinates in enumerate(grid.coordinates):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        inside = (coordinates > places[0] - 1) & (coordinates < places[-1] + 1)
        if places[0] == 0:
            inside |= coordinates <= 0
        if places[-1] == mask.shape[axis] - 1:
            inside |= coordinates >= places[-1]
        axes.append(coordinates[inside])
    return Lattice((axes[0], axes[1], axes[2]), grid.spacing)


def cut(grid: Lattice, box: tuple[slice, ...]) -> Lattice:
    """The part of `grid` in `box`."""
    first, second, third = (axis[part] for axis, part in zip(grid.coordinates, box, strict=True))
    return Lattice((first, second, third), grid.spacing)


def interpolate(values: NDArray[np.generic], grid: Lattice, method: str) -> Floats:
    """Values at the points of `grid`, axis by axis; beyond the outermost centres the outermost value holds.

    nearest and linear look at the neighbours only, so they read nothing but the region around the grid, and the
    result is bit for bit that of the whole image (taking whole numbers off a coordinate is exact). The prefilter of the
    cubic B-spline reaches through the whole image, so there every voxel is used.
    """
    kept, starts = values, (0, 0, 0)
    if method != "cubic":
        kept, starts = _neighbourhood(values, grid)
    result = np.asarray(kept, dtype=np.float64)
    step = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}[method]
    for axis, (coordinates, start) in enumerate(zip(grid.coordinates, starts, strict=True)):
        size = values.shape[axis]
        result = step(result, axis, np.clip(coordinates, 0, size - 1) - start)
    return result


def interpolate_mask(mask: Flags, grid: Lattice, method: str, threshold: float) -> Flags:
    """Where the interpolated mask reaches `threshold`."""
    return interpolate(mask, grid, method) >= threshold - MASK_SLACK


def bounding_box(mask: Flags) -> tuple[slice, slice, slice]:
    """Smallest box around the true voxels; the mask holds at least one."""
    parts = []
    for axis in range(3):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        parts.append(slice(int(places[0]), int(places[-1]) + 1))
    return (parts[0], parts[1], parts[2])


def _neighbourhood(values: NDArray[np.generic], grid: Lattice) -> tuple[NDArray[np.generic], tuple[int, int, int]]:
    box, starts = [], []
    for axis, coordinates in enumerate(grid.coordinates):
        last = values.shape[axis] - 1
        low, high = (int(np.floor(np.clip(edge, 0, last))) for edge in (coordinates.min(), coordinates.max()))
        box.append(slice(low, min(high + 1, last) + 1))
        starts.append(low)
    return values[tuple(box)], (starts[0], starts[1], starts[2])


def _nearest(values: Floats, axis: int, coordinates: Floats) -> Floats:
    return np.take(values, np.floor(coordinates + 0.5).astype(np.intp), axis=axis)


def _linear(values: Floats, axis: int, coordinates: Floats) -> Floats:
    lower = np.floor(coordinates).astype(np.intp)
    share = _along(coordinates - lower, axis)
    upper = np.minimum(lower + 1, values.shape[axis] - 1)
    return np.asarray(np.take(values, lower, axis=axis) * (1 - share) + np.take(values, upper, axis=axis) * share)


def _cubic(values: Floats, axis: int, coordinates: Floats) -> Floats:
    size = values.shape[axis]
    if size == 1:
        return _nearest(values, axis, coordinates)
    weights = spline_filter1d(values, order=3, axis=axis, mode="mirror")
    lower = np.floor(coordinates).astype(np.intp)
    t = coordinates - lower
    shares = ((1 - t) ** 3 / 6, 2 / 3 - t**2 + t**3 / 2, 2 / 3 - (1 - t) ** 2 + (1 - t) ** 3 / 2, t**3 / 6)
    result = np.zeros([len(coordinates) if a == axis else n for a, n in enumerate(values.shape)])
    for offset, share in zip((-1, 0, 1, 2), shares, strict=True):
        result += np.take(weights, _mirror(lower + offset, size), axis=axis) * _along(share, axis)
    return result


def _mirror(places: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Indices reflected about the first and the last one."""
    period = 2 * (size - 1)
    folded = np.abs(places) % period
    return np.where(folded > size - 1, period - folded, folded)


def _along(values: Floats, axis: int) -> Floats:
    return values.reshape([-1 if a == axis else 1 for a in range(3)])
