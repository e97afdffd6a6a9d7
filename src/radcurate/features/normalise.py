"""Normalisation of intensities, and where its statistics may come from.

Removing a face changes mean and deviation of the whole image, and with them every feature of a normalised region far
away from it. So statistics of the whole image are refused where cleaning has changed a voxel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.resample import Flags

CONTOUR = "contour:"
Scale = tuple[float, float] | None  # mean and standard deviation; None: not normalised


@dataclass(frozen=True)
class Regions:
    """Where statistics can come from.

    Attributes:
        roi: the region that is extracted.
        changed_voxels: how many voxels cleaning has changed in this image.
        unchanged: gives the voxels that cleaning left as they were.
        contour: gives the mask of another contour of this image by its label, or None.
    """

    roi: Flags
    changed_voxels: int
    unchanged: Callable[[], Flags]
    contour: Callable[[str], Flags | None]


def scale(values: NDArray[np.generic], profile: Profile, regions: Regions) -> Scale:
    """Mean and standard deviation (over n) to normalise with, on the image's own grid; None without normalisation.

    Raises:
        RegionError: normalisation_image_cleaned, normalisation_region_absent, normalisation_region_flat.
    """
    if profile.normalisation == "none":
        return None
    inside = values[_region(profile.normalisation_region or "", regions, values.shape)].astype(np.float64)
    inside = inside[np.isfinite(inside)]
    if not inside.size:
        raise RegionError("normalisation_region_absent")
    mean, deviation = float(inside.mean()), float(inside.std())
    if not deviation > 0:
        raise RegionError("normalisation_region_flat")
    return mean, deviation


def _region(name: str, regions: Regions, shape: tuple[int, ...]) -> Flags:
    if name == "roi":
        return regions.roi
    if name == "image":
        if regions.changed_voxels:
            raise RegionError("normalisation_image_cleaned")
        return np.ones(shape, dtype=bool)
    if name == "unchanged":
        return regions.unchanged() if regions.changed_voxels else np.ones(shape, dtype=bool)
    found = regions.contour(name.removeprefix(CONTOUR))
    if found is None:
        raise RegionError("normalisation_region_absent")
    return found
