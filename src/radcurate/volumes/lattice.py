"""Carry a mask from its own grid to the image's: exactly where the lattices agree, else by the nearest voxel."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.volumes.grid import Grid
from radcurate.volumes.problems import VolumeError

Mask = NDArray[np.bool_]
SAME_LATTICE = 0.05  # largest distance, in voxels, of any voxel from a lattice point that still is that point
LITTLE = 0.1  # largest relative difference of spacing (or tilt of an axis) at which nearest-neighbour is used


def transfer(mask: Mask, source: Grid, target: Grid) -> tuple[Mask, bool]:
    """A mask of `source` on `target`; both shape (plane, row, column).

    Axes may be permuted and flipped and the source may be a part of the target. Where the lattices coincide every
    voxel is carried over as it is; where they differ by little, each target voxel takes the nearest source voxel.

    Returns:
        the mask on `target`, and whether the lattices coincide.

    Raises:
        VolumeError: grid_mismatch when spacing or orientation differ by more than little; mask_outside when a part
            of the mask lies outside the target.
    """
    to_source = target.steps @ np.linalg.inv(source.steps)  # shape (target index, source index)
    start = source.to_index(target.origin)
    turn = np.rint(to_source)
    if not _is_signed_permutation(turn) or np.abs(to_source - turn).max() > LITTLE:
        raise _mismatch(source, target)
    overlaps = _overlaps(turn.astype(int), np.rint(start).astype(int), source, target)
    if _drift(to_source, start, turn.astype(int), overlaps) <= SAME_LATTICE:
        return _copy(mask, overlaps, target), True
    return _nearest(mask, to_source, start, source, target), False


def _is_signed_permutation(turn: NDArray[np.float64]) -> bool:
    return bool((np.abs(turn).sum(axis=0) == 1).all() and (np.abs(turn).sum(axis=1) == 1).all())


@dataclass(frozen=True)
class _Overlap:
    """Along one axis of the target: the source axis that runs along it, and where both grids have voxels."""

    source_axis: int
    sign: int
    first: int  # target index of the source's first voxel (its last one, when flipped)
    low: int
    high: int  # one behind the last


def _overlaps(turn: NDArray[np.int_], start: NDArray[np.int_], source: Grid, target: Grid) -> list[_Overlap]:
    """For whole numbers in: source index = start + target index @ turn."""
    result = []
    for axis in range(3):
        other = int(np.flatnonzero(turn[axis])[0])
        sign, offset, size = int(turn[axis, other]), int(start[other]), source.shape[other]
        first = -offset if sign > 0 else offset - size + 1
        low, high = max(first, 0), min(first + size, target.shape[axis])
        result.append(_Overlap(other, sign, first, low, max(low, high)))
    return result


def _drift(
    to_source: NDArray[np.float64], start: NDArray[np.float64], turn: NDArray[np.int_], overlaps: list[_Overlap]
) -> float:
    """Largest distance, in voxels, from the ideal lattice; linear in the index, so it is largest at a corner."""
    ends = [(overlap.low, max(overlap.low, overlap.high - 1)) for overlap in overlaps]
    corners = np.array(list(itertools.product(*ends)))
    return float(np.abs(start + corners @ to_source - (np.rint(start) + corners @ turn)).max())


def _copy(mask: Mask, overlaps: list[_Overlap], target: Grid) -> Mask:
    """Transpose, flip, crop and paste."""
    turned = mask.transpose([overlap.source_axis for overlap in overlaps])
    turned = np.flip(turned, tuple(axis for axis, overlap in enumerate(overlaps) if overlap.sign < 0))
    result = np.zeros(target.shape, dtype=bool)
    part = tuple(slice(overlap.low - overlap.first, overlap.high - overlap.first) for overlap in overlaps)
    result[tuple(slice(overlap.low, overlap.high) for overlap in overlaps)] = turned[part]
    if np.count_nonzero(result) != np.count_nonzero(mask):
        raise _outside()
    return result


def _nearest(
    mask: Mask, to_source: NDArray[np.float64], start: NDArray[np.float64], source: Grid, target: Grid
) -> Mask:
    """Each target voxel takes the source voxel that its centre lies in."""
    result = np.zeros(target.shape, dtype=bool)
    if not mask.any():
        return result
    found = np.argwhere(mask)
    corners = np.array(list(itertools.product(*zip(found.min(axis=0) - 1, found.max(axis=0) + 1, strict=True))))
    there = target.to_index(source.to_patient(corners))
    if (there.min(axis=0) < -1.5).any() or (there.max(axis=0) > np.array(target.shape) + 0.5).any():
        raise _outside()
    low = np.maximum(np.floor(there.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(there.max(axis=0)).astype(int) + 1, target.shape)
    rows, columns = np.meshgrid(np.arange(low[1], high[1]), np.arange(low[2], high[2]), indexing="ij")
    in_plane = start + rows[..., None] * to_source[1] + columns[..., None] * to_source[2]
    for plane in range(low[0], high[0]):
        index = np.floor(in_plane + plane * to_source[0] + 0.5).astype(int)
        inside = ((index >= 0) & (index < mask.shape)).all(axis=-1)
        index = np.where(inside[..., None], index, 0)
        result[plane, low[1] : high[1], low[2] : high[2]] = inside & mask[tuple(np.moveaxis(index, -1, 0))]
    return result


def _outside() -> VolumeError:
    return VolumeError(
        "mask_outside",
        "a part of the mask lies outside the image",
        wanted="a mask whose every voxel lies in the image",
        found="mask voxels beyond the image's edge",
        fix="export the whole image that the mask was drawn on",
    )


def _mismatch(source: Grid, target: Grid) -> VolumeError:
    def describe(grid: Grid) -> str:
        return (
            "x".join(map(str, grid.shape))
            + " voxels of "
            + " x ".join(f"{value:.4g}" for value in grid.spacing)
            + " mm"
        )

    return VolumeError(
        "grid_mismatch",
        "the mask's grid is not the image's",
        wanted=describe(target) + " with the image's orientation",
        found=describe(source),
        fix="export the image that the mask was drawn on, or resample the mask to this image",
    )
