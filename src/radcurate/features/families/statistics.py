"""Intensity-based statistics (IBSI UHIW), on the intensities x of the n voxels of the intensity mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.features.families.family import Family
from radcurate.features.prepare import Prepared
from radcurate.features.region import Region
from radcurate.features.resample import Floats

STATISTICS = Family("stat", "Intensity-based statistics", "UHIW")


@dataclass(frozen=True)
class Sample:
    """Intensities, shape (n,), rising."""

    x: Floats

    @property
    def mean(self) -> float:
        """Of all."""
        return float(self.x.mean())


def sample(prepared: Prepared) -> Sample:
    """The intensities of a region, sorted."""
    return Sample(np.sort(prepared.values[prepared.intensity]))


@STATISTICS.computed_from
def source(region: Region, aggregation: str) -> Sample:
    """The same for every aggregation."""
    return region.once(sample)


@STATISTICS.feature("mean", "Mean", "Q4LE", "intensity")
def mean(sample: Sample) -> float:
    """Σ x / n."""
    return sample.mean


@STATISTICS.feature("var", "Variance", "ECT3", "intensity2")
def variance(sample: Sample) -> float:
    """Σ (x − μ)² / n."""
    return float(np.mean((sample.x - sample.mean) ** 2))
