"""Each region's features before any cleaning, computed in the same way, against those that were extracted (D07).

The image and its contours are read once more as they were exported. Where they give the very voxels and masks that were
extracted from, features can't differ. Elsewhere both are computed, and whether bits may differ at all is decided by where
voxels changed: out of reach of interpolation, filters and features they may not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from radcurate.features import provenance
from radcurate.features.invariance import OUT_OF_REACH, SAME_INPUT, WITHIN_REACH, compare, distance
from radcurate.features.problems import RegionError
from radcurate.features.resample import Flags
from radcurate.volumes.image import Volume, read_volume
from radcurate.volumes.masks import Roi, iter_rois

Row = dict[str, Any]


@dataclass(frozen=True)
class Original:
    """An image as it was exported.

    Attributes:
        volume: its voxels.
        same: they are, with unit and spacing, those that were extracted from.
        changed: where voxels differ, shape (plane, row, column); None where the images aren't on one grid.
    """

    volume: Volume
    same: bool
    changed: Flags | None


@dataclass(frozen=True)
class Region:
    """A region that was extracted.

    Attributes:
        roi, mask_digest: the cleaned one.
        values: feature -> value.
        again: features of the same region of another volume and mask.
        reach: which voxels of the image can have an influence on them.
    """

    roi: Roi
    mask_digest: str
    values: Mapping[str, float]
    again: Callable[[Volume, Roi], Mapping[str, float]]
    reach: Callable[[], Flags]


def read_original(files: tuple[Path, ...], cleaned: Volume, digest: str) -> Original:
    """Read an image as it was exported; `digest`: of the cleaned one.

    Raises:
        VolumeError: it is no image in space.
    """
    volume = read_volume(list(files))
    if provenance.digest_of_image(volume.values, volume.unit, volume.grid.spacing) == digest:
        return Original(replace(volume, values=cleaned.values), True, None)  # one copy of equal voxels is enough
    alike = volume.grid.equal_to(cleaned.grid) and volume.unit == cleaned.unit
    return Original(volume, False, volume.values != cleaned.values if alike else None)


class Walk:
    """The regions of one contour file as it was exported, one by one, in step with those of the cleaned file."""

    def __init__(self, path: Path, kind: str, original: Original) -> None:
        self._regions = iter_rois(path, kind, original.volume.grid)
        self._next: Roi | None = None

    def take(self, number: int) -> Roi:
        """The region of this number; numbers must rise from call to call.

        Raises:
            RegionError: region_absent.
            VolumeError: it can't be used, or the file can't.
        """
        while self._next is None or self._next.number < number:
            self._next = next(self._regions, None)
            if self._next is None:
                break
        if self._next is None or self._next.number != number:
            raise RegionError("region_absent")
        if self._next.problem is not None:
            raise self._next.problem
        return self._next


def absent(_number: int) -> Roi:
    """In place of `Walk.take` where there is no file.

    Raises:
        RegionError: contour_absent.
    """
    raise RegionError("contour_absent")


def held_against(original: Original, twin: Roi, region: Region) -> Row:
    """What invariance.parquet says of one region, without whose it is."""
    same_mask = provenance.digest_of_mask(twin.mask) == region.mask_digest
    if original.same and same_mask:
        return _row(SAME_INPUT, len(region.values), {}, 0, None)
    found = compare(region.again(original.volume, twin), region.values)
    changed = original.changed if not original.same else np.zeros(region.roi.mask.shape, dtype=bool)
    if changed is None:
        return _row(WITHIN_REACH, found.features, found.changes, None, None)
    reached = not same_mask or bool((changed & region.reach()).any())
    away = distance(region.roi.mask, changed, original.volume.grid.spacing)
    basis = WITHIN_REACH if reached else OUT_OF_REACH
    return _row(basis, found.features, found.changes, int(changed.sum()), away if math.isfinite(away) else None)


def unproven(reason: str) -> Row:
    """What it says where there is nothing to compare with."""
    return {**_row(None, 0, {}, None, None), "reason": reason, "largest_change": None}


def _row(basis: str | None, features: int, changes: Mapping[str, float], voxels: int | None, away: float | None) -> Row:
    worst = sorted(changes, key=lambda name: (-changes[name], name))
    return {
        "basis": basis,
        "reason": None,
        "changed_voxels": voxels,
        "distance": away,
        "features": features,
        "different": len(changes),
        "largest_change": max(changes.values(), default=0.0),
        "changed": worst,
        "changes": [changes[name] for name in worst],
    }
