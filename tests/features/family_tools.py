"""Regions for the tests of single families."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radcurate.features.families import FAMILIES
from radcurate.features.families.family import column_name
from radcurate.features.prepare import prepare
from radcurate.features.profile import Profile
from radcurate.features.region import Region

ISO = (1.0, 1.0, 1.0)


def region_of(x: ArrayLike, **choices: Any) -> Region:
    """A row of voxels with these intensities, without other voxels around."""
    values = np.asarray(x, dtype=np.float64).reshape(1, 1, -1)
    profile = Profile.model_validate({"discretisation": "fixed_bin_size", "bin_size": 1, **choices})
    return Region(prepare(values, np.ones(values.shape, dtype=bool), ISO, profile))


def computed(group: str, x: ArrayLike, **choices: Any) -> dict[str, float]:
    """All features of a family on `region_of` these intensities, by column name."""
    return of_region(group, region_of(x, **choices))


def of_region(group: str, region: Region) -> dict[str, float]:
    """All features of a family in all its aggregations, by column name."""
    family = FAMILIES[group]
    tags = {feature.tag for feature in family.features}
    return {
        column_name(tag, aggregation): value
        for aggregation in family.aggregations
        for tag, value in family.compute(region, aggregation, tags).items()
    }


def prepared_region(
    values: NDArray[Any], mask: NDArray[Any], spacing: tuple[float, float, float] = ISO, **choices: Any
) -> Region:
    """A region of an image, bins of width 1, not interpolated."""
    profile = Profile.model_validate({"discretisation": "fixed_bin_size", "bin_size": 1, **choices})
    return Region(prepare(values, mask.astype(bool), spacing, profile))
