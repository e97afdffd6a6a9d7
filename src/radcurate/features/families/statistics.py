"""Intensity-based statistics (IBSI UHIW), on the intensities x of the n voxels of the intensity mask.

P75 and so on are percentiles with linear interpolation between the two nearest intensities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from radcurate.features.families.family import NOT_IBSI, Family
from radcurate.features.kernels.buckets import order_statistics
from radcurate.features.prepare import Prepared
from radcurate.features.reasons import DIVISION_BY_ZERO, NONE_BETWEEN
from radcurate.features.region import Region
from radcurate.features.resample import Floats

STATISTICS = Family("stat", "Statistics", "UHIW")

# Whole steps between so few different intensities (HU, counts) are counted; others are kept one by one.
MOST_COUNTED = 1 << 16
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
# Shares of n are counted with this slack, so that 0.1 x 30 voxels are 3.
SLACK = 1e-9


@dataclass(frozen=True)
class Sample:
    """The intensities of a region.

    Attributes:
        x: intensities, shape (n,), or the different ones among them, rising, shape (different,).
        counts: how many voxels have each of the different ones; null where x lists all voxels.
        voxel_volume: mm³.
    """

    x: Floats
    counts: NDArray[np.int64] | None = None
    voxel_volume: float = 1.0

    @cached_property
    def n(self) -> int:
        """Number of voxels."""
        return len(self.x) if self.counts is None else int(self.counts.sum())

    def total(self, of_x: Floats) -> float:
        """Sum over the voxels of a function of their intensity, given for every x."""
        return float((of_x if self.counts is None else of_x * self.counts).sum())

    def at_least(self, of_x: NDArray[np.float64] | NDArray[np.int32], limit: float) -> int:
        """Number of voxels where a function of their intensity, given for every x, reaches a limit."""
        reached = of_x >= limit
        return int(np.count_nonzero(reached) if self.counts is None else self.counts[reached].sum())

    @cached_property
    def least(self) -> float:
        """min x."""
        return float(self.x.min())

    @cached_property
    def most(self) -> float:
        """max x."""
        return float(self.x.max())

    @cached_property
    def mean(self) -> float:
        """μ; that of equal intensities is theirs, without rounding error."""
        return self.least if self.least == self.most else self.total(self.x) / self.n

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
        return self.total(self.squares) / self.n

    @cached_property
    def deviation(self) -> float:
        """σ."""
        return math.sqrt(self.variance)

    @cached_property
    def energy(self) -> float:
        """Σ x²."""
        return self.total(np.square(self.x))

    def percentile(self, share: float) -> float:
        """The intensity below which one of `SHARES` of the voxels lies, interpolated linearly."""
        below, above, part = _between(share, self.n)
        low, high = self._of_rank[below], self._of_rank[above]
        return low + part * (high - low)

    def largest_but(self, share: float) -> float:
        """The largest intensity that is left when the brightest voxels, one of `SHARES` of all, are taken away."""
        return self._of_rank[_below_brightest(share, self.n)]

    @cached_property
    def _of_rank(self) -> dict[int, float]:
        """Intensity of the voxels of those ranks, from 0, that percentiles need."""
        wanted = {rank for share in SHARES for rank in _between(share, self.n)[:2]}
        wanted |= {_below_brightest(share, self.n) for share in SHARES}
        ranks = np.array(sorted(wanted), dtype=np.int64)
        if self.counts is None:
            found = order_statistics(self.x, ranks)
        else:
            found = self.x[np.searchsorted(np.cumsum(self.counts), ranks, side="right")]
        return dict(zip(ranks.tolist(), found.tolist(), strict=True))


def _between(share: float, n: int) -> tuple[int, int, float]:
    """Ranks on either side of a percentile, and where between them it lies."""
    place = share * (n - 1)
    below = min(int(place), n - 1)
    return below, min(below + 1, n - 1), place - below


def _below_brightest(share: float, n: int) -> int:
    return n - int(share * n + SLACK) - 1


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def intensities(prepared: Prepared) -> Floats:
    """The intensities of a region, voxel by voxel."""
    return prepared.values[prepared.intensity]


def sample(prepared: Prepared) -> Sample:
    """Of a region that holds at least one voxel."""
    x, volume = intensities(prepared), math.prod(prepared.spacing)
    counted = _counted(x)
    return Sample(x, None, volume) if counted is None else Sample(*counted, volume)


def _counted(x: Floats) -> tuple[Floats, NDArray[np.int64]] | None:
    """Different intensities and their counts, where these are whole steps apart and few."""
    least = x.min()
    if x.max() - least >= MOST_COUNTED or not _whole(x[:64] - least):
        return None
    offsets = x - least
    steps = offsets.astype(np.int64)
    if not np.array_equal(steps, offsets) or not np.array_equal(offsets + least, x):
        return None
    counts = np.bincount(steps)
    occupied = np.flatnonzero(counts)
    return occupied + least, counts[occupied]


def _whole(x: Floats) -> bool:
    return bool((np.floor(x) == x).all())


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
    return sample.total(sample.squares * sample.deviations) / sample.n / sample.deviation**3


@STATISTICS.feature("kurt", "(Excess) kurtosis", "IPH6")
def kurtosis(sample: Sample) -> float:
    """Σ (x − μ)⁴ / n / σ⁴ − 3; 0 where σ = 0."""
    if sample.variance == 0:
        return 0.0
    return sample.total(np.square(sample.squares)) / sample.n / sample.variance**2 - 3


@STATISTICS.feature("median", "Median", "Y12H", "intensity")
def median(sample: Sample) -> float:
    """P50."""
    return sample.percentile(0.5)


@STATISTICS.feature("min", "Minimum", "1GSF", "intensity")
def minimum(sample: Sample) -> float:
    """min x."""
    return sample.least


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
    return sample.most


@STATISTICS.feature("iqr", "Interquartile range", "SALO", "intensity")
def interquartile_range(sample: Sample) -> float:
    """P75 − P25."""
    return sample.percentile(0.75) - sample.percentile(0.25)


@STATISTICS.feature("range", "Range", "2OJQ", "intensity")
def value_range(sample: Sample) -> float:
    """max x − min x."""
    return sample.most - sample.least


@STATISTICS.feature("mad", "Mean absolute deviation", "4FUA", "intensity")
def mean_absolute_deviation(sample: Sample) -> float:
    """Σ |x − μ| / n."""
    return sample.total(np.abs(sample.deviations)) / sample.n


@STATISTICS.feature("rmad", "Robust mean absolute deviation", "1128", "intensity", without=NONE_BETWEEN)
def robust_mean_absolute_deviation(sample: Sample) -> float:
    """Σ |x − μ| / n over the voxels with P10 ≤ x ≤ P90, μ and n theirs."""
    kept = (sample.x >= sample.percentile(0.1)) & (sample.x <= sample.percentile(0.9))
    if not kept.any():
        return math.nan
    inner = Sample(sample.x[kept], None if sample.counts is None else sample.counts[kept])
    return float(mean_absolute_deviation(inner))


@STATISTICS.feature("medad", "Median absolute deviation", "N72L", "intensity")
def median_absolute_deviation(sample: Sample) -> float:
    """Σ |x − P50| / n."""
    return sample.total(np.abs(sample.x - sample.percentile(0.5))) / sample.n


@STATISTICS.feature("cov", "Coefficient of variation", "7TET", without=DIVISION_BY_ZERO)
def coefficient_of_variation(sample: Sample) -> float:
    """σ / μ."""
    return _ratio(sample.deviation, sample.mean)


@STATISTICS.feature("qcod", "Quartile coefficient of dispersion", "9S40", without=DIVISION_BY_ZERO)
def quartile_coefficient_of_dispersion(sample: Sample) -> float:
    """(P75 − P25) / (P75 + P25)."""
    low, high = sample.percentile(0.25), sample.percentile(0.75)
    return _ratio(high - low, high + low)


@STATISTICS.feature("energy", "Energy", "N8CA", "intensity2")
def energy(sample: Sample) -> float:
    """Σ x²."""
    return sample.energy


@STATISTICS.feature("rms", "Root mean square", "5ZWQ", "intensity")
def root_mean_square(sample: Sample) -> float:
    """√(Σ x² / n)."""
    return math.sqrt(sample.energy / sample.n)


@STATISTICS.feature("total_energy", "Total energy (energy x voxel volume)", NOT_IBSI, "intensity2 mm3")
def total_energy(sample: Sample) -> float:
    """V Σ x², V the volume of a voxel; pyradiomics' TotalEnergy."""
    return sample.voxel_volume * sample.energy


@STATISTICS.feature("sd", "Standard deviation", NOT_IBSI, "intensity")
def standard_deviation(sample: Sample) -> float:
    """σ; pyradiomics' StandardDeviation."""
    return sample.deviation
