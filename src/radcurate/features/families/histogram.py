"""Intensity histogram (IBSI ZVCW): n_i voxels of grey level i among n, their share p_i = n_i / n.

Levels that no voxel has cost nothing: only occupied ones are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from radcurate.features.families.family import Family
from radcurate.features.kernels.elementary import log2
from radcurate.features.prepare import Prepared
from radcurate.features.reasons import NONE_BETWEEN, ONE_LEVEL
from radcurate.features.region import Region
from radcurate.features.resample import Floats

HISTOGRAM = Family("ih", "Intensity histogram", "ZVCW")

# Up to so many levels between the least and the largest one, counting beats sorting.
MOST_COUNTED = 1 << 20


@dataclass(frozen=True)
class Histogram:
    """Occupied grey levels.

    Attributes:
        levels: shape (occupied,), rising, from 1.
        counts: voxels of each, shape (occupied,).
    """

    levels: NDArray[np.int64]
    counts: NDArray[np.int64]

    @cached_property
    def n(self) -> int:
        """Number of voxels."""
        return int(self.counts.sum())

    @cached_property
    def shares(self) -> Floats:
        """p, shape (occupied,)."""
        return self.counts / self.n

    @cached_property
    def mean(self) -> float:
        """μ."""
        return float((self.levels * self.counts).sum()) / self.n

    @cached_property
    def variance(self) -> float:
        """σ²."""
        return self.moment(2)

    def moment(self, order: int) -> float:
        """Σ (i − μ)^order p_i."""
        return float(((self.levels - self.mean) ** order * self.shares).sum())

    def percentile(self, share: float) -> float:
        """The level below which `share` of the voxels lie, interpolated linearly between voxels."""
        place = share * (self.n - 1)
        below = int(place)
        low, high = (int(self._level_of(rank)) for rank in (below, min(below + 1, self.n - 1)))
        return low + (place - below) * (high - low)

    def _level_of(self, rank: int) -> np.int64:
        """Level of the voxel of this rank, from 0, when all stand in a row."""
        return self.levels[np.searchsorted(self._up_to, rank, side="right")]  # type: ignore[no-any-return]

    @cached_property
    def _up_to(self) -> NDArray[np.int64]:
        return np.cumsum(self.counts)

    @cached_property
    def gradient(self) -> tuple[NDArray[np.int64], Floats]:
        """Levels i, rising, and n′_i there: (n_{i+1} − n_{i−1}) / 2, at either end n_2 − n_1 and n_N − n_{N−1}.

        Besides the occupied levels and their neighbours one more level is given if there is any: it stands for all
        others, where n′ is 0.
        """
        last = int(self.levels[-1])
        if last == 1:
            return np.empty(0, dtype=np.int64), np.empty(0)
        near = np.unique(np.concatenate([self.levels - 1, self.levels, self.levels + 1, [1, 2, last - 1, last]]))
        near = near[(near >= 1) & (near <= last)]
        gaps = np.flatnonzero(np.diff(near) > 1)
        if len(gaps):
            near = np.insert(near, gaps[0] + 1, near[gaps[0]] + 1)
        after, before = np.minimum(near + 1, last), np.maximum(near - 1, 1)
        return near, (self._count(after) - self._count(before)) / (after - before)

    def _count(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        places = np.minimum(np.searchsorted(self.levels, wanted), len(self.levels) - 1)
        return np.where(self.levels[places] == wanted, self.counts[places], 0)


def histogram(prepared: Prepared) -> Histogram:
    """Of a region that holds at least one voxel."""
    inside = prepared.levels[prepared.intensity]
    least, most = int(inside.min()), int(inside.max())
    if most - least > MOST_COUNTED:
        found, numbers = np.unique(inside, return_counts=True)
        return Histogram(found.astype(np.int64), numbers.astype(np.int64))
    counts = np.bincount(inside - least)
    occupied = np.flatnonzero(counts)
    return Histogram(occupied + least, counts[occupied])


@HISTOGRAM.computed_from
def source(region: Region, aggregation: str) -> Histogram:
    """The same for every aggregation."""
    return region.once(histogram)


@HISTOGRAM.feature("mean", "Mean", "X6K6", "level")
def mean(histogram: Histogram) -> float:
    """μ = Σ i p_i."""
    return histogram.mean


@HISTOGRAM.feature("var", "Variance", "CH89", "level2")
def variance(histogram: Histogram) -> float:
    """σ² = Σ (i − μ)² p_i."""
    return histogram.variance


@HISTOGRAM.feature("skew", "Skewness", "88K1")
def skewness(histogram: Histogram) -> float:
    """Σ (i − μ)³ p_i / σ³; 0 where σ = 0."""
    return histogram.moment(3) / histogram.variance**1.5 if len(histogram.levels) > 1 else 0.0


@HISTOGRAM.feature("kurt", "(Excess) kurtosis", "C3I7")
def kurtosis(histogram: Histogram) -> float:
    """Σ (i − μ)⁴ p_i / σ⁴ − 3; 0 where σ = 0."""
    return histogram.moment(4) / histogram.variance**2 - 3 if len(histogram.levels) > 1 else 0.0


@HISTOGRAM.feature("median", "Median", "WIFQ", "level")
def median(histogram: Histogram) -> float:
    """P50."""
    return histogram.percentile(0.5)


@HISTOGRAM.feature("min", "Minimum", "1PR8", "level")
def minimum(histogram: Histogram) -> float:
    """Least level."""
    return float(histogram.levels[0])


@HISTOGRAM.feature("p10", "10th percentile", "GPMT", "level")
def tenth_percentile(histogram: Histogram) -> float:
    """P10."""
    return histogram.percentile(0.1)


@HISTOGRAM.feature("p90", "90th percentile", "OZ0C", "level")
def ninetieth_percentile(histogram: Histogram) -> float:
    """P90."""
    return histogram.percentile(0.9)


@HISTOGRAM.feature("max", "Maximum", "3NCY", "level")
def maximum(histogram: Histogram) -> float:
    """Largest level."""
    return float(histogram.levels[-1])


@HISTOGRAM.feature("mode", "Mode", "AMMC", "level")
def mode(histogram: Histogram) -> float:
    """The level with the largest n_i; of several the one nearest to μ, of two equally near ones the lower one."""
    commonest = histogram.levels[histogram.counts == histogram.counts.max()]
    return float(commonest[np.argmin(np.abs(commonest - histogram.mean))])


@HISTOGRAM.feature("iqr", "Interquartile range", "WR0O", "level")
def interquartile_range(histogram: Histogram) -> float:
    """P75 − P25."""
    return histogram.percentile(0.75) - histogram.percentile(0.25)


@HISTOGRAM.feature("range", "Range", "5Z3W", "level")
def level_range(histogram: Histogram) -> float:
    """Largest level − least level."""
    return float(histogram.levels[-1] - histogram.levels[0])


@HISTOGRAM.feature("mad", "Mean absolute deviation", "D2ZX", "level")
def mean_absolute_deviation(histogram: Histogram) -> float:
    """Σ |i − μ| p_i."""
    return float((np.abs(histogram.levels - histogram.mean) * histogram.shares).sum())


@HISTOGRAM.feature("rmad", "Robust mean absolute deviation", "WRZB", "level", without=NONE_BETWEEN)
def robust_mean_absolute_deviation(histogram: Histogram) -> float:
    """Σ |i − μ| p_i over the voxels with P10 ≤ i ≤ P90, μ and p theirs."""
    low, high = histogram.percentile(0.1), histogram.percentile(0.9)
    inner = (histogram.levels >= low) & (histogram.levels <= high)
    part = Histogram(histogram.levels[inner], histogram.counts[inner])
    return mean_absolute_deviation(part) if inner.any() else np.nan


@HISTOGRAM.feature("medad", "Median absolute deviation", "4RNL", "level")
def median_absolute_deviation(histogram: Histogram) -> float:
    """Σ |i − P50| p_i."""
    return float((np.abs(histogram.levels - histogram.percentile(0.5)) * histogram.shares).sum())


@HISTOGRAM.feature("cov", "Coefficient of variation", "CWYJ")
def coefficient_of_variation(histogram: Histogram) -> float:
    """σ / μ."""
    return float(np.sqrt(histogram.variance)) / histogram.mean


@HISTOGRAM.feature("qcod", "Quartile coefficient of dispersion", "SLWD")
def quartile_coefficient_of_dispersion(histogram: Histogram) -> float:
    """(P75 − P25) / (P75 + P25)."""
    low, high = histogram.percentile(0.25), histogram.percentile(0.75)
    return (high - low) / (high + low)


@HISTOGRAM.feature("entropy", "Entropy", "TLU2", "bit")
def entropy(histogram: Histogram) -> float:
    """−Σ p_i log₂ p_i."""
    return 0.0 - float((histogram.shares * log2(histogram.shares)).sum())


@HISTOGRAM.feature("uniformity", "Uniformity", "BJ5W")
def uniformity(histogram: Histogram) -> float:
    """Σ p_i²."""
    return float(np.square(histogram.shares).sum())


@HISTOGRAM.feature("max_grad", "Maximum histogram gradient", "12CE", without=ONE_LEVEL)
def maximum_gradient(histogram: Histogram) -> float:
    """max n′_i, where n′_i is (n_{i+1} − n_{i−1}) / 2, and at either end the difference to the next level."""
    _, slopes = histogram.gradient
    return float(slopes.max()) if len(slopes) else np.nan


@HISTOGRAM.feature("max_grad_g", "Maximum histogram gradient intensity", "8E6O", "level", without=ONE_LEVEL)
def level_of_maximum_gradient(histogram: Histogram) -> float:
    """The (lowest) level i where n′_i is largest."""
    levels, slopes = histogram.gradient
    return float(levels[np.argmax(slopes)]) if len(slopes) else np.nan


@HISTOGRAM.feature("min_grad", "Minimum histogram gradient", "VQB3", without=ONE_LEVEL)
def minimum_gradient(histogram: Histogram) -> float:
    """min n′_i."""
    _, slopes = histogram.gradient
    return float(slopes.min()) if len(slopes) else np.nan


@HISTOGRAM.feature("min_grad_g", "Minimum histogram gradient intensity", "RHQZ", "level", without=ONE_LEVEL)
def level_of_minimum_gradient(histogram: Histogram) -> float:
    """The (lowest) level i where n′_i is least."""
    levels, slopes = histogram.gradient
    return float(levels[np.argmin(slopes)]) if len(slopes) else np.nan
