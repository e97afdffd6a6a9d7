import numpy as np
import pytest
from feature_tools import ISO, ball, noise

from radcurate.features.catalogue import columns_for
from radcurate.features.normalise import Regions, scale
from radcurate.features.prepare import prepare
from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute

SHAPE = (12, 12, 12)


def profile(region=None, **more):
    choices = {"normalisation": "zscore", "normalisation_region": region} if region else {}
    return Profile(discretisation="fixed_bin_size", bin_size=0.25, textures=("3D",), **choices, **more)


@pytest.fixture
def head():
    """An image, the same without its face, and a region far from the face."""
    before = noise(SHAPE, seed=3, most=100)
    after = before.copy()
    after[:, :4, :] = 0
    roi = np.zeros(SHAPE, dtype=bool)
    roi[3:9, 6:11, 3:9] = ball((6, 5, 6), 3)
    return before, after, roi


def regions(roi, changed=0, unchanged=None, contour=None):
    return Regions(roi, changed, lambda: unchanged, lambda label: contour if label == "brain" else None)


def extract(values, roi, chosen, where):
    return compute(prepare(values, roi, ISO, chosen, scale(values, chosen, where)), columns_for(["3D"])).values


def test_statistics_of_a_changed_image_are_refused(head):
    _, after, roi = head
    with pytest.raises(RegionError) as caught:
        scale(after, profile("image"), regions(roi, changed=576))
    assert caught.value.reason == "normalisation_image_cleaned"
    assert scale(after, profile("image"), regions(roi)) == (after.mean(), after.std())


def test_why_they_are_refused_and_what_to_use_instead(head):
    """Face removal moves a far region through whole-image statistics; through unchanged voxels it moves not a bit."""
    before, after, roi = head
    unchanged = before == after
    whole = profile("image")
    assert extract(after, roi, whole, regions(roi))["stat_mean"] != pytest.approx(
        extract(before, roi, whole, regions(roi))["stat_mean"], rel=0.05
    )
    for name in ("unchanged", "roi", "contour:brain"):
        where = regions(roi, 576, unchanged, unchanged & (noise(SHAPE, 5) > 3))
        assert extract(after, roi, profile(name), where) == extract(before, roi, profile(name), where)


def test_no_normalisation_asks_for_no_region(head):
    _, after, roi = head
    assert scale(after, profile(), Regions(roi, 576, pytest.fail, pytest.fail)) is None


def test_a_region_that_is_absent_or_flat_is_a_reason(head):
    _, after, roi = head
    with pytest.raises(RegionError) as caught:
        scale(after, profile("contour:fat"), regions(roi))
    assert caught.value.reason == "normalisation_region_absent"
    with pytest.raises(RegionError) as caught:
        scale(np.ones(SHAPE), profile("roi"), regions(roi))
    assert caught.value.reason == "normalisation_region_flat"
