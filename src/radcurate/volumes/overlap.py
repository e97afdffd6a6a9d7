"""Contours against a region that was cleaned: how many voxels they share, how far apart they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radcurate.volumes.grid import Grid

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Overlap:
    """voxels shared; distance in mm between the nearest voxels, 0 where they overlap, None without contours."""

    voxels: int = 0
    distance: float | None = None


def overlap(mask: Flags, regions: Iterable[Flags], grid: Grid) -> Overlap:
    """Overlap of the cleaned `mask` with any of the regions, all of the grid's shape (plane, row, column)."""
    together = np.zeros(mask.shape, bool)
    for region in regions:
        together |= region
    if not together.any() or not mask.any():
        return Overlap()
    shared = int((together & mask).sum())
    return Overlap(shared, 0.0 if shared else nearest(mask, together, grid))


def nearest(mask: Flags, region: Flags, grid: Grid) -> float:
    """Smallest distance between voxel centres of two masks, mm; searched around the region only as far as needed."""
    found = np.argwhere(region)
    low, high = found.min(axis=0), found.max(axis=0) + 1
    reach = 40.0
    while True:
        first = [max(0, int(a - reach / s)) for a, s in zip(low, grid.spacing, strict=True)]
        last = [min(n, int(b + reach / s) + 1) for b, s, n in zip(high, grid.spacing, mask.shape, strict=True)]
        window = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
        whole = all(s.start == 0 and s.stop == n for s, n in zip(window, mask.shape, strict=True))
        if mask[window].any():
            far = ndimage.distance_transform_edt(~mask[window], sampling=grid.spacing)
            distance = float(far[region[window]].min())
            if distance <= reach or whole:
                return distance
        elif whole:
            return float("inf")
        reach *= 2
