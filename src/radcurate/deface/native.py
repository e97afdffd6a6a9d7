"""A mask of the working field on a series' own voxels."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radcurate.deface.stack import Field, Flags, Stack


def on_stack(mask: Flags, field: Field, stack: Stack) -> Flags:
    """The mask on the stack's voxels, shape (plane, row, column): true where the linearly interpolated mask is ≥ ½.

    Args:
        mask: shape of `field`; nothing outside it is masked.
    """
    result = np.zeros(stack.values.shape, bool)
    if not mask.any():
        return result
    low, high = _window(mask, field, stack)
    soft = mask.astype(np.float32)
    rows, columns = slice(low[1], high[1]), slice(low[2], high[2])
    for plane in range(low[0], high[0]):
        index = field.to_index(stack.plane_points(plane, rows, columns))
        value = ndimage.map_coordinates(soft, index, order=1, mode="nearest")
        known = ((index > -0.75) & (index < np.array(mask.shape)[:, None] - 0.25)).all(axis=0)
        result[plane, rows, columns] = ((value >= 0.5) & known).reshape(high[1] - low[1], high[2] - low[2])
    return result


def runs_of(mask: Flags) -> list[int]:
    """Lengths of the runs of one frame's mask along its rows, in turn kept and removed; the first one kept (0 if none).

    Args:
        mask: shape (row, column).
    """
    flat = np.concatenate([[False], mask.ravel()])
    ends = np.concatenate([np.flatnonzero(flat[1:] != flat[:-1]), [mask.size]])
    return [int(length) for length in np.diff(ends, prepend=0)]


def painted_on(values: NDArray[np.float32], field: Field, stack: Stack, mask: Flags) -> NDArray[np.float32]:
    """Values of the working field on the stack's voxels within a mask; NaN elsewhere and where the nearest one is NaN.

    Args:
        values: shape of `field`.
        mask: shape (plane, row, column).
    """
    result = np.full(stack.values.shape, np.nan, np.float32)
    rows, columns = slice(0, mask.shape[1]), slice(0, mask.shape[2])
    last = np.array(values.shape)[:, None] - 1
    for plane in np.flatnonzero(mask.any(axis=(1, 2))):
        here = mask[plane].ravel()
        index = np.rint(field.to_index(stack.plane_points(int(plane), rows, columns)[here])).astype(int)
        result[plane].flat[np.flatnonzero(here)] = values[tuple(np.clip(index, 0, last))]
    return result


def _window(mask: Flags, field: Field, stack: Stack) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Range of the stack's indices that can hold masked voxels: the mask's box, one voxel wider."""
    ends = [(np.flatnonzero(mask.any(axis=axes))[[0, -1]] + [-1, 1]) for axes in ((1, 2), (0, 2), (0, 1))]
    corners = np.array(list(itertools.product(*ends)))[:, ::-1] * field.step + field.origin
    order = np.arange(len(stack.heights), dtype=float)
    along = corners @ stack.normal
    planes = np.interp(along, stack.heights, order)
    origin = np.stack([np.interp(planes, order, stack.origins[:, axis]) for axis in range(3)], axis=1)
    row = (corners - origin) @ stack.row_step / (stack.row_step @ stack.row_step)
    column = (corners - origin) @ stack.column_step / (stack.column_step @ stack.column_step)
    low = [int(np.floor(v.min())) - 1 for v in (planes, row, column)]
    high = [int(np.ceil(v.max())) + 2 for v in (planes, row, column)]
    # a tilted stack's row depends on the plane, and a corner outside the stack is moved to its end: take all rows then
    if np.ptp(stack.origins - np.outer(stack.heights, stack.normal), axis=0).max() > 1.0:
        low[1:], high[1:] = [0, 0], list(stack.values.shape[1:])
    shape = stack.values.shape
    return tuple(max(0, v) for v in low), tuple(max(0, min(v, n)) for v, n in zip(high, shape, strict=True))
