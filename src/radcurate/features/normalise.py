"""Normalisation of intensities, and where its statistics may come from.

Removing a face changes mean and deviation of the whole image, and with them every feature of a normalised region far
away from it. So statistics come only from voxels that cleaning left as they were: those of the whole image are refused
where cleaning has changed a voxel, those of a contour where it has changed one inside.
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
        RegionError: normalisation_image_cleaned, normalisation_region_cleaned, normalisation_region_absent,
            normalisation_region_flat.
    """
    region = source(profile, regions, values.shape)
    if region is None:
        return None
    mean, deviation = _moments(values, region)
    if not deviation > 0:
        raise RegionError("normalisation_region_flat")
    return mean, deviation


def _moments(values: NDArray[np.generic], region: Flags) -> tuple[float, float]:
    """Mean and standard deviation of the finite values in the region, plane by plane, so that no copy of an image is made."""

    def inside(plane: int) -> NDArray[np.float64]:
        found: NDArray[np.float64] = values[plane][region[plane]].astype(np.float64)
        return found[np.isfinite(found)]

    planes = [int(plane) for plane in np.flatnonzero(region.any(axis=(1, 2)))]
    counted = [(found.size, float(found.sum())) for found in map(inside, planes)]
    n = sum(size for size, _ in counted)
    if not n:
        raise RegionError("normalisation_region_absent")
    mean = sum(total for _, total in counted) / n
    return mean, float(np.sqrt(sum(float(((inside(plane) - mean) ** 2).sum()) for plane in planes) / n))


def source(profile: Profile, regions: Regions, shape: tuple[int, ...]) -> Flags | None:
    """The voxels that mean and deviation come from; None without normalisation.

    Raises:
        RegionError: normalisation_image_cleaned, normalisation_region_cleaned, normalisation_region_absent.
    """
    if profile.normalisation == "none":
        return None
    return _region(profile.normalisation_region or "", regions, shape)


def _region(name: str, regions: Regions, shape: tuple[int, ...]) -> Flags:
    if name == "roi":
        return _untouched(regions.roi, regions)
    if name == "image":
        if regions.changed_voxels:
            raise RegionError("normalisation_image_cleaned")
        return np.ones(shape, dtype=bool)
    if name == "unchanged":
        return regions.unchanged() if regions.changed_voxels else np.ones(shape, dtype=bool)
    found = regions.contour(name.removeprefix(CONTOUR))
    if found is None:
        raise RegionError("normalisation_region_absent")
    return _untouched(found, regions)


def _untouched(region: Flags, regions: Regions) -> Flags:
    if regions.changed_voxels and (region & ~regions.unchanged()).any():
        raise RegionError("normalisation_region_cleaned")
    return region
