"""Intensity-based statistics (IBSI UHIW), on the intensities x of the n voxels of the intensity mask.

P75 and so on are percentiles with linear interpolation between the two nearest intensities.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radcurate.features.families.family import Family
from radcurate.features.prepare import Prepared
from radcurate.features.region import Region
from radcurate.features.resample import Floats

STATISTICS = Family("stat", "Intensity-based statistics", "UHIW")


@dataclass(frozen=True)
class Sample:
    """Intensities, shape (n,), rising, and what several features need of them."""

    x: Floats

    @cached_property
    def mean(self) -> float:
        """μ; that of equal intensities is theirs, without rounding error."""
        return float(self.x[0] if self.x[0] == self.x[-1] else self.x.mean())

    @cached_property
    def deviations(self) -> Floats:
        """x − μ."""
        return self.x - self.mean

    @cached_property
    def squares(self) -> Floats:
        """(x − μ)²."""
        return np.square(self.deviations)

    @cached_property
    def variance(self) -> float:
        """σ²."""
        return float(self.squares.mean())

    @cached_property
    def energy(self) -> float:
        """Σ x²."""
        return float(np.square(self.x).sum())

    def percentile(self, share: float) -> float:
        """The intensity below which `share` of the voxels lie, interpolated linearly."""
        place = share * (len(self.x) - 1)
        below = min(int(place), len(self.x) - 1)
        above = min(below + 1, len(self.x) - 1)
        low, high = float(self.x[below]), float(self.x[above])
        return low + (place - below) * (high - low)


def sample(prepared: Prepared) -> Sample:
    """The intensities of a region, sorted."""
    return Sample(np.sort(prepared.values[prepared.intensity]))


@STATISTICS.computed_from
def source(region: Region, aggregation: str) -> Sample:
    """The same for every aggregation."""
    return region.once(sample)


@STATISTICS.feature("mean", "Mean", "Q4LE", "intensity")
def mean(sample: Sample) -> float:
    """μ = Σ x / n."""
    return sample.mean


@STATISTICS.feature("var", "Variance", "ECT3", "intensity2")
def variance(sample: Sample) -> float:
    """σ² = Σ (x − μ)² / n."""
    return sample.variance


@STATISTICS.feature("skew", "Skewness", "KE2A")
def skewness(sample: Sample) -> float:
    """Σ (x − μ)³ / n / σ³; 0 where σ = 0."""
    if sample.variance == 0:
        return 0.0
    return float((sample.squares * sample.deviations).mean()) / sample.variance**1.5


@STATISTICS.feature("kurt", "(Excess) kurtosis", "IPH6")
def kurtosis(sample: Sample) -> float:
    """Σ (x − μ)⁴ / n / σ⁴ − 3; 0 where σ = 0."""
    if sample.variance == 0:
        return 0.0
    return float(np.square(sample.squares).mean()) / sample.variance**2 - 3


@STATISTICS.feature("median", "Median", "Y12H", "intensity")
def median(sample: Sample) -> float:
    """P50."""
    return sample.percentile(0.5)


@STATISTICS.feature("min", "Minimum", "1GSF", "intensity")
def minimum(sample: Sample) -> float:
    """min x."""
    return float(sample.x[0])


@STATISTICS.feature("p10", "10th percentile", "QG58", "intensity")
def tenth_percentile(sample: Sample) -> float:
    """P10."""
    return sample.percentile(0.1)


@STATISTICS.feature("p90", "90th percentile", "8DWT", "intensity")
def ninetieth_percentile(sample: Sample) -> float:
    """P90."""
    return sample.percentile(0.9)


@STATISTICS.feature("max", "Maximum", "84IY", "intensity")
def maximum(sample: Sample) -> float:
    """max x."""
    return float(sample.x[-1])


@STATISTICS.feature("iqr", "Interquartile range", "SALO", "intensity")
def interquartile_range(sample: Sample) -> float:
    """P75 − P25."""
    return sample.percentile(0.75) - sample.percentile(0.25)


@STATISTICS.feature("range", "Range", "2OJQ", "intensity")
def value_range(sample: Sample) -> float:
    """max x − min x."""
    return float(sample.x[-1] - sample.x[0])


@STATISTICS.feature("mad", "Mean absolute deviation", "4FUA", "intensity")
def mean_absolute_deviation(sample: Sample) -> float:
    """Σ |x − μ| / n."""
    return float(np.abs(sample.deviations).mean())


@STATISTICS.feature("rmad", "Robust mean absolute deviation", "1128", "intensity")
def robust_mean_absolute_deviation(sample: Sample) -> float:
    """Σ |x − μ| / n over the voxels with P10 ≤ x ≤ P90, μ and n theirs."""
    first = np.searchsorted(sample.x, sample.percentile(0.1), side="left")
    last = np.searchsorted(sample.x, sample.percentile(0.9), side="right")
    inner = sample.x[first:last]
    return float(np.abs(inner - inner.mean()).mean()) if len(inner) else np.nan


@STATISTICS.feature("medad", "Median absolute deviation", "N72L", "intensity")
def median_absolute_deviation(sample: Sample) -> float:
    """Σ |x − P50| / n."""
    return float(np.abs(sample.x - sample.percentile(0.5)).mean())


@STATISTICS.feature("cov", "Coefficient of variation", "7TET")
def coefficient_of_variation(sample: Sample) -> float:
    """σ / μ."""
    return float(np.divide(np.sqrt(sample.variance), sample.mean))


@STATISTICS.feature("qcod", "Quartile coefficient of dispersion", "9S40")
def quartile_coefficient_of_dispersion(sample: Sample) -> float:
    """(P75 − P25) / (P75 + P25)."""
    low, high = sample.percentile(0.25), sample.percentile(0.75)
    return float(np.divide(high - low, high + low))


@STATISTICS.feature("energy", "Energy", "N8CA", "intensity2")
def energy(sample: Sample) -> float:
    """Σ x²."""
    return sample.energy


@STATISTICS.feature("rms", "Root mean square", "5ZWQ", "intensity")
def root_mean_square(sample: Sample) -> float:
    """√(Σ x² / n)."""
    return float(np.sqrt(sample.energy / len(sample.x)))
