"""What a region's features can see: with every voxel beyond that changed, all features keep every bit."""

from __future__ import annotations

import numpy as np
import pytest
from feature_tools import ball, noise

from radcurate.features.catalogue import columns_for
from radcurate.features.engine import find
from radcurate.features.filters import margin
from radcurate.features.measure import measure
from radcurate.features.prepare import reads, target_spacing
from radcurate.features.profile import Profile

SHAPE, SPACING = (40, 100, 100), (2.5, 1.0, 1.0)
LOG = {"kind": "log", "sigma": 2.0}
WAVELET = {"kind": "wavelet", "family": "db2"}


def features(values, mask, profile, scale=None):
    found = measure(values, mask, SPACING, profile, scale, find("radcurate"), columns_for(profile)).outcome
    return {name: np.float64(value).tobytes() for name, value in found.values.items()}


def region(seed=0):
    values = noise(SHAPE, seed, most=2000).astype(np.float32)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[14:23, 45:54, 40:49] = ball((9, 9, 9), 4)
    return values, mask


@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic_convolution", "cubic_spline"])
@pytest.mark.parametrize("filters", [[], [LOG], [WAVELET]], ids=["original", "log", "wavelet"])
def test_beyond_reach_no_feature_changes_a_bit(kind, filters):
    profile = Profile.model_validate(
        {"voxel_size": 1.5, "image_interpolation": kind, "bin_number": 16, "rounding": 1, "filters": filters}
    )
    values, mask = region()
    reach = reads(mask, SPACING, profile, margin(profile.filters, target_spacing(SPACING, profile)))
    assert not reach.all()
    assert reach[mask].all() or kind == "nearest"  # which skips voxels where it makes larger ones
    before = features(values, mask, profile)
    assert features(np.where(reach, values, np.nan), mask, profile) == before
    inside = np.argwhere(mask & reach)
    values[tuple(inside[len(inside) // 2])] += 1000
    after = features(values, mask, profile)
    assert sum(after[name] != before[name] for name in before) > len(before) / 2


def test_normalised_features_also_see_where_the_statistics_come_from():
    profile = Profile(bin_number=16, normalisation="zscore", normalisation_region="contour:brain")
    values, mask = region()
    brain = np.zeros(SHAPE, dtype=bool)
    brain[30:] = True

    def normalised(image):
        inside = image[brain].astype(np.float64)
        return features(image, mask, profile, (float(inside.mean()), float(inside.std())))

    before = normalised(values)
    reach = reads(mask, SPACING, profile, statistics=brain)
    assert normalised(np.where(reach, values, 0)) == before
    changed = values.copy()
    changed[35, 90, 90] += 500
    assert reach[35, 90, 90] and normalised(changed) != before
