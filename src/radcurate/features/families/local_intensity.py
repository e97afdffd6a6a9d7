"""Local intensity (IBSI 9ST6): means over the ball of 1 cm³ around voxels of the intensity mask.

A voxel belongs to a ball when its centre lies in it, whether or not it belongs to the region; balls end where the image
ends, and voxels without a finite value are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.features.families.family import Family
from radcurate.features.families.statistics import intensities
from radcurate.features.kernels.balls import ball, ball_sums
from radcurate.features.prepare import PEAK_RADIUS, Prepared
from radcurate.features.region import Region
from radcurate.features.resample import Floats

LOCAL_INTENSITY = Family("loc", "Local intensity", "9ST6", on_responses=False)


@dataclass(frozen=True)
class Neighbourhoods:
    """Of the n voxels of the intensity mask.

    Attributes:
        x: intensities, shape (n,).
        means: mean over the ball around each, shape (n,).
    """

    x: Floats
    means: Floats


def means(prepared: Prepared) -> Floats:
    """Mean over the ball around each voxel of a region that holds at least one, shape (n,)."""
    around = prepared.surroundings
    finite = np.isfinite(around)
    complete = bool(finite.all())
    segments = ball(prepared.spacing, PEAK_RADIUS)
    values = around if complete else np.where(finite, around, 0.0)
    sums, counts = ball_sums(values, prepared.intensity, prepared.origin, segments)
    if not complete:
        counts, _ = ball_sums(finite.astype(np.float64), prepared.intensity, prepared.origin, segments)
    return np.divide(sums, counts, out=sums)


@LOCAL_INTENSITY.computed_from
def source(region: Region, aggregation: str) -> Neighbourhoods:
    """The same for every aggregation."""
    return Neighbourhoods(region.once(intensities), region.once(means))


@LOCAL_INTENSITY.feature("peak_loc", "Local intensity peak", "VJGA", "intensity")
def local_peak(near: Neighbourhoods) -> float:
    """Mean over the ball around the voxel with the largest intensity; of several such voxels the largest mean."""
    return float(near.means[near.x == near.x.max()].max())


@LOCAL_INTENSITY.feature("peak_glob", "Global intensity peak", "0F91", "intensity")
def global_peak(near: Neighbourhoods) -> float:
    """Largest of the means over the balls around all voxels."""
    return float(near.means.max())
