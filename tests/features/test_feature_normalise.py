import numpy as np
import pytest
from feature_tools import ISO, ball, by_pyradiomics, noise

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
    return compute(prepare(values, roi, ISO, chosen, scale(values, chosen, where)), by_pyradiomics(chosen)).values


def test_statistics_of_a_changed_image_are_refused(head):
    _, after, roi = head
    with pytest.raises(RegionError) as caught:
        scale(after, profile("image"), regions(roi, changed=576))
    assert caught.value.reason == "normalisation_image_cleaned"
    assert scale(after, profile("image"), regions(roi)) == pytest.approx((after.mean(), after.std()), rel=1e-12)


@pytest.mark.parametrize("name", ["roi", "contour:brain"])
def test_statistics_of_a_region_with_a_single_changed_voxel_are_refused(head, name):
    before, _, roi = head
    after = before.copy()
    place = tuple(np.argwhere(roi)[5])
    after[place] += 1
    unchanged = before == after
    with pytest.raises(RegionError) as caught:
        scale(after, profile(name), regions(roi, 1, unchanged, roi))
    assert caught.value.reason == "normalisation_region_cleaned"
    roi[place] = False
    assert scale(after, profile(name), regions(roi, 1, unchanged, roi)) == scale(
        before, profile(name), regions(roi, contour=roi)
    )


def test_why_they_are_refused_and_what_to_use_instead(head):
    """Face removal moves a far region through whole-image statistics; through unchanged voxels it moves not a bit."""
    before, after, roi = head
    unchanged = before == after
    assert unchanged[roi].all()
    whole = profile("image")
    told, moved = extract(before, roi, whole, regions(roi)), extract(after, roi, whole, regions(roi))
    changed = {name for name in told if abs(moved[name] - told[name]) > 0.05 * abs(told[name])}
    print(
        f"{len(changed)} of {len(told)} features move by more than 5 %, the mean by {moved['stat_mean'] - told['stat_mean']:.2f}"
    )
    assert "stat_mean" in changed and len(changed) > len(told) / 3
    assert "morph_volume" in told and "morph_volume" not in changed
    for name in ("unchanged", "roi", "contour:brain"):
        where = regions(roi, 576, unchanged, unchanged & (noise(SHAPE, 5) > 3))
        assert extract(after, roi, profile(name), where) == extract(before, roi, profile(name), where)


def test_statistics_over_planes_are_those_over_all_finite_voxels():
    values = noise(SHAPE, 7, most=1000).astype(np.float32)
    values[3, 4] = np.nan
    region = noise(SHAPE, 8) > 3
    region[6] = False
    inside = values[region].astype(np.float64)
    expected = np.nanmean(inside), np.nanstd(inside)
    assert scale(values, profile("roi"), regions(region)) == pytest.approx(expected, rel=1e-12)


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
