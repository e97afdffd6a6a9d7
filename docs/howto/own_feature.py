"""An extension: a feature in a family that exists, and a family of one's own. A test runs this file."""

import numpy as np

from radcurate.features.extend import add_family, add_feature
from radcurate.features.families.family import NOT_IBSI, Family
from radcurate.features.families.statistics import STATISTICS, Sample
from radcurate.features.prepare import Prepared
from radcurate.features.region import Region


@add_feature(
    STATISTICS,
    "above_mean",
    "Share above the mean",
    golden={"stat_above_mean": 24 / 74},
    made_by="counted by hand: level 1 50 times, 3 once, 4 16 times, 6 7 times; mean 2.149",
)
def above_mean(sample: Sample) -> float:
    """Number of x > μ, over n."""
    return sample.total((sample.x > sample.mean).astype(np.float64)) / sample.n


OWN = add_family(Family("own", "Features of our hospital", NOT_IBSI, needs="morphology", on_responses=False))


@OWN.computed_from
def source(region: Region, aggregation: str) -> Prepared:
    """What the functions of the family get: here the prepared region itself."""
    return region.prepared


@add_feature(OWN, "height", "Height", golden={"own_height": 8.0}, made_by="4 planes of 2 mm", unit="mm")
def height(prepared: Prepared) -> float:
    """Number of planes that hold a voxel of the region, times their distance."""
    return float(prepared.morphology.any(axis=(1, 2)).sum() * prepared.spacing[0])
