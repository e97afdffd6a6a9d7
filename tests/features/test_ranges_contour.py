"""Boundaries that move: volumes as asked, shapes that differ as much as asked."""

from __future__ import annotations

import numpy as np
import pytest
from feature_tools import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label

from radcurate.features.kernels.boundary import cut, levels_of
from radcurate.features.ranges.contour import depths, overlap, reach, redrawn, smooth_field
from radcurate.settings import Ranges

ISO = (1.0, 1.0, 1.0)


def moved(mask, change, contour=0.0, seed=0, spacing=ISO, length=8.0):
    limit = reach(int(mask.sum()), spacing, abs(change), contour)
    found = depths(mask, mask.astype(float), spacing, limit + max(spacing))
    wanted = int(np.floor(mask.sum() * (1 + change) + 0.5))
    options = Ranges(contour=contour, contour_length=length)
    return redrawn(found, wanted, spacing, limit, options, np.random.default_rng(seed))


@settings(max_examples=30, deadline=None)
@given(st.floats(-0.5, 0.5), st.sampled_from([0.0, 0.7, 1.5]), st.integers(0, 99))
def test_a_ball_changes_its_volume_by_what_was_asked(change, contour, seed):
    mask = ball((33, 33, 33), 10.3)
    result = moved(mask, change, contour, seed)
    assert abs(result.sum() - mask.sum() * (1 + change)) <= 0.5


@pytest.mark.parametrize("change", [-0.4, -0.1, 0.1, 0.4])
def test_a_ball_that_grows_is_still_a_ball(change):
    """Its radius becomes that of a ball of the new volume, in all directions."""
    mask = ball((41, 41, 41), 12.0)
    result = moved(mask, change)
    places = np.argwhere(result) - 20.0
    surface = np.argwhere(~result) - 20.0
    radius = 12.0 * np.cbrt(1 + change)
    assert np.linalg.norm(places, axis=1).max() < radius + 1.2
    assert np.linalg.norm(surface, axis=1).min() > radius - 1.2


def test_a_moved_boundary_keeps_the_volume_and_changes_the_shape():
    mask = ball((41, 41, 41), 12.0)
    shares = [overlap(mask, moved(mask, 0.0, contour)) for contour in (0.5, 1.0, 2.0)]
    assert all(moved(mask, 0.0, contour).sum() == mask.sum() for contour in (0.5, 1.0, 2.0))
    assert 1 > shares[0] > shares[1] > shares[2] > 0.7


def test_the_boundary_moves_by_as_much_as_was_asked():
    """Radius of a ball in six directions, over many draws; voxels add their own 0.3 mm."""
    mask, contour, middle = ball((41, 41, 41), 12.0), 1.2, 20
    radii = []
    for seed in range(60):
        result = moved(mask, 0.0, contour, seed, length=20.0)
        for line in (result[middle, middle], result[middle, :, middle], result[:, middle, middle]):
            radii += [line[middle:].sum(), line[: middle + 1].sum()]
    assert np.std(radii) == pytest.approx(contour, rel=0.15)


def test_the_boundary_stays_smooth():
    mask = ball((41, 41, 41), 12.0)
    result = moved(mask, 0.0, 1.0)
    sizes = np.bincount(label(result)[0].ravel())[1:]
    assert sizes.max() >= 0.995 * mask.sum()


@pytest.mark.parametrize("mask", [np.ones((1, 1, 1), bool), np.ones((1, 1, 2), bool), np.ones((1, 4, 4), bool)])
def test_small_regions_never_vanish(mask):
    wide = np.pad(mask, 3)
    for change in (-0.9, 0.0, 0.9):
        assert moved(wide, change, 1.0).any()


def test_flat_voxels_and_one_draw_give_the_same_again():
    mask = ball((21, 21, 21), 6.0)
    assert (moved(mask, 0.1, 1.0, 5) == moved(mask, 0.1, 1.0, 5)).all()
    assert (moved(mask, 0.1, 1.0, 5) != moved(mask, 0.1, 1.0, 6)).any()


def test_partial_voxels_have_a_depth_of_their_own():
    share = np.array([[[0.0, 0.2, 0.6, 1.0]]])
    found = depths(share >= 0.5, share, ISO, 5.0).ravel()
    assert found[1] == pytest.approx(0.3) and found[2] == pytest.approx(-0.1)
    assert found[0] > found[1] and found[3] < found[2]


def test_smooth_fields_are_normal_and_smooth():
    shape, size = (24, 24, 24), 0.5
    depth = np.zeros(shape)
    field = np.stack(
        [
            levels_of(depth, 1.0, size, 9.0, smooth_field(shape, ISO, 6.0, np.random.default_rng(seed))).reshape(shape)
            for seed in range(60)
        ]
    )
    assert field.mean() == pytest.approx(0, abs=0.05)
    assert field.std(axis=0).mean() == pytest.approx(size, abs=0.03)
    assert np.corrcoef(field[:, 5, 5, 5], field[:, 5, 5, 6])[0, 1] > 0.9
    assert abs(np.corrcoef(field[:, 5, 5, 3], field[:, 5, 5, 20])[0, 1]) < 0.4


def test_fields_are_cut_off_and_levels_are_those_near_the_boundary():
    depth = np.linspace(-3, 3, 60).reshape(3, 4, 5)
    field = smooth_field(depth.shape, ISO, 2.0, np.random.default_rng(0))
    levels = levels_of(depth, 1.5, 10.0, 0.01, field)
    near = depth[np.abs(depth) < 1.5]
    assert len(levels) == len(near) and np.abs(levels - near).max() == pytest.approx(0.1, abs=1e-9)
    assert (cut(depth, 1.5, near, 0.2) == (depth <= 0.2)).all()
