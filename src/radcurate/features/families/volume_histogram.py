"""Intensity-volume histogram (IBSI P88C): what share ν_i of the volume has at least the discretised intensity i.

Intensities i go from min G to max G in equal steps; γ_i = (i − min G) / (max G − min G) is the intensity fraction.

- `none` (calibrated whole numbers, such as HU): intensities as they are, G the re-segmentation range (where it is open,
  the least or largest intensity of the region), steps of 1.
- `fixed_bin_size` (calibrated, such as SUV): the centres of bins that begin where the bins for textures begin.
- `fixed_bin_number` (arbitrary units): bin numbers 1 to N between the least and the largest intensity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from radcurate.features.families.family import Family
from radcurate.features.families.statistics import Sample, sample
from radcurate.features.prepare import Prepared, fixed_bin_number, fixed_bin_size
from radcurate.features.reasons import NOT_REACHED, ONE_INTENSITY
from radcurate.features.region import Region

VOLUME_HISTOGRAM = Family("ivh", "Intensity volume histogram", "P88C")

# Steps are counted with this slack, so that 0.1 x 560 steps don't become one more by a rounding error.
SLACK = 1e-9


@dataclass(frozen=True)
class VolumeHistogram:
    """A cumulative histogram.

    Attributes:
        sample: the intensities.
        places: discretised intensity of each x of the sample, in steps from min G.
        steps: number of steps from min G to max G; need not be whole.
        first: intensity at min G.
        step: intensity from one i to the next.
    """

    sample: Sample
    places: NDArray[np.float64] | NDArray[np.int32]
    steps: float
    first: float
    step: float

    def volume_at(self, fraction: float) -> float:
        """ν at the least i with γ_i ≥ fraction; NaN where G is a single intensity."""
        if self.steps <= 0:
            return np.nan
        i = float(np.ceil(fraction * self.steps - SLACK))
        return self.sample.at_least(self.places, i) / self.sample.n

    def intensity_at(self, share: float) -> float:
        """Least i with ν_i ≤ share; NaN where no i in G is that rare."""
        place = self.places[np.argmax(self.sample.x == self.sample.largest_but(share))]
        i = max(float(np.floor(place)) + 1, 0.0)
        return self.first + i * self.step if i <= self.steps + SLACK else np.nan

    @cached_property
    def v10(self) -> float:
        """ν at a tenth of the intensity range."""
        return self.volume_at(0.1)

    @cached_property
    def v90(self) -> float:
        """ν at nine tenths."""
        return self.volume_at(0.9)

    @cached_property
    def i10(self) -> float:
        """Intensity that a tenth of the volume reaches at most."""
        return self.intensity_at(0.1)

    @cached_property
    def i90(self) -> float:
        """Intensity that nine tenths reach at most."""
        return self.intensity_at(0.9)


def volume_histogram(prepared: Prepared, sample: Sample) -> VolumeHistogram:
    """Of the intensities of a region."""
    profile = prepared.profile
    low, high = profile.range or (None, None)
    bottom, top = sample.least if low is None else low, sample.most if high is None else high
    if profile.volume_histogram == "fixed_bin_size":
        assert profile.volume_histogram_bin_size is not None
        width = profile.volume_histogram_bin_size
        bottom = bottom if profile.first_edge is None else profile.first_edge
        bins, _ = fixed_bin_size(sample.x, width, bottom)
        return VolumeHistogram(sample, bins - 1, (top - bottom) / width - 1, bottom + width / 2, width)
    if profile.volume_histogram == "fixed_bin_number":
        bins, n_bins = fixed_bin_number(sample.x, profile.volume_histogram_bin_number)
        return VolumeHistogram(sample, bins - 1, n_bins - 1, 1.0, 1.0)
    return VolumeHistogram(sample, sample.x - bottom, top - bottom, bottom, 1.0)


@VOLUME_HISTOGRAM.computed_from
def source(region: Region, aggregation: str) -> VolumeHistogram:
    """The same for every aggregation."""
    return volume_histogram(region.prepared, region.once(sample))


@VOLUME_HISTOGRAM.feature("v10", "volume fraction at 10% intensity", "BC2M.NK6P", without=ONE_INTENSITY)
def volume_at_10_percent(histogram: VolumeHistogram) -> float:
    """V10: the largest ν_i with γ_i ≥ 0.1."""
    return histogram.v10


@VOLUME_HISTOGRAM.feature("v90", "volume fraction at 90% intensity", "BC2M.4279", without=ONE_INTENSITY)
def volume_at_90_percent(histogram: VolumeHistogram) -> float:
    """V90: the largest ν_i with γ_i ≥ 0.9."""
    return histogram.v90


@VOLUME_HISTOGRAM.feature("i10", "intensity at 10% volume", "GBPN.PWN1", "intensity", without=NOT_REACHED)
def intensity_at_10_percent(histogram: VolumeHistogram) -> float:
    """I10: the least i with ν_i ≤ 0.1 (a bin number with volume_histogram: fixed_bin_number)."""
    return histogram.i10


@VOLUME_HISTOGRAM.feature("i90", "intensity at 90% volume", "GBPN.BOHI", "intensity", without=NOT_REACHED)
def intensity_at_90_percent(histogram: VolumeHistogram) -> float:
    """I90: the least i with ν_i ≤ 0.9 (a bin number with volume_histogram: fixed_bin_number)."""
    return histogram.i90


@VOLUME_HISTOGRAM.feature(
    "diff_v10_v90", "volume fraction difference between 10% and 90% intensity", "DDTU.WITY", without=ONE_INTENSITY
)
def volume_difference(histogram: VolumeHistogram) -> float:
    """V10 − V90."""
    return histogram.v10 - histogram.v90


@VOLUME_HISTOGRAM.feature(
    "diff_i10_i90", "intensity difference between 10% and 90% volume", "CNV2.JXJA", "intensity", without=NOT_REACHED
)
def intensity_difference(histogram: VolumeHistogram) -> float:
    """I10 − I90."""
    return histogram.i10 - histogram.i90
