"""Regions on grids that lie differently: nothing moved is nothing changed; a turned object is found where it is."""

from __future__ import annotations

import numpy as np
import pytest
from feature_tools import native

from radcurate.features.prepare import on_grid
from radcurate.features.problems import RegionError
from radcurate.features.ranges.noise import draw_noise, noise_level
from radcurate.features.ranges.place import Movement, Source, draw, noise_around
from radcurate.features.ranges.place import place as place_drawn

SPACING = (3.0, 0.9, 1.1)


def place(given, movement, room, noise=None):
    return place_drawn(given, draw(given, room), movement, noise)


def source(profile, corner=False, spacing=SPACING):
    chance = np.random.default_rng(0)
    values = chance.normal(100, 20, (20, 40, 41))
    mask = np.zeros(values.shape, dtype=bool)
    if corner:
        mask[:3, 34:, :4] = True
    else:
        mask[6:14, 10:25, 12:30] = chance.random((8, 15, 18)) < 0.7
    return Source(values, mask, spacing, profile, None)


@pytest.mark.parametrize("corner", [False, True])
@pytest.mark.parametrize("size", [None, 1.0, 2.3])
@pytest.mark.parametrize("smooth", ["none", "gaussian"])
@pytest.mark.parametrize("kind", ["nearest", "linear", "cubic_spline", "cubic_convolution"])
def test_a_grid_that_does_not_move_is_that_of_preparing(kind, smooth, size, corner):
    profile = native(voxel_size=size, image_interpolation=kind, anti_aliasing=smooth, rounding=None)
    given = source(profile, corner)
    wanted = on_grid(given.values, given.mask, given.spacing, profile)
    placed = place(given, Movement(), room=4.0)
    found = placed.gridded(placed.mask)
    assert found.origin == wanted.origin and found.spacing == wanted.spacing
    assert (found.morphology == wanted.morphology).all()
    assert found.surroundings == pytest.approx(wanted.surroundings, abs=1e-11)
    if kind in ("nearest", "linear") and smooth == "none":
        assert (found.surroundings == wanted.surroundings).all()


def test_values_are_normalised_and_rounded_as_when_preparing():
    profile = native(voxel_size=1.0, rounding=0.25)
    given = source(profile)
    scaled = Source(given.values, given.mask, given.spacing, profile, (100.0, 20.0))
    wanted = on_grid(given.values, given.mask, given.spacing, profile, (100.0, 20.0))
    placed = place(scaled, Movement(), room=2.0)
    assert (placed.gridded(placed.mask).surroundings == wanted.surroundings).all()


def test_a_shift_by_whole_voxels_moves_the_values_along():
    profile = native(voxel_size=1.0)
    given = source(profile, spacing=(1.0, 1.0, 1.0))
    still, shifted = place(given, Movement(), 2.0), place(given, Movement(0.0, (1.0, -2.0, 3.0)), 2.0)
    for one, other in ((still.mask, shifted.mask),):
        assert one.sum() == other.sum()
    assert sorted(still.image[np.isin(still.image, shifted.image)])[:5]
    a, b = still.gridded(still.mask), shifted.gridded(shifted.mask)
    assert (a.morphology == b.morphology).all()
    assert (a.surroundings[a.box] == b.surroundings[b.box]).all()


@pytest.mark.parametrize("angle", [-1.2, -0.2, 0.3, 1.4])
def test_a_turned_region_keeps_its_volume_and_its_values(angle):
    """A box of intensity 100 in 0: wherever the grid lies, the mask holds its volume and its middle the 100."""
    values = np.zeros((20, 80, 80))
    mask = np.zeros(values.shape, dtype=bool)
    mask[5:15, 20:60, 30:50] = True
    values[mask] = 100
    given = Source(values, mask, (2.0, 1.0, 0.8), native(voxel_size=1.0), None)
    placed = place(given, Movement(angle), 1.0)
    assert placed.mask.sum() == pytest.approx(mask.sum() * 1.6, rel=0.02)
    found = placed.gridded(placed.mask)
    assert found.surroundings[found.box][found.morphology].mean() > 95
    assert found.surroundings[found.box][~found.morphology].mean() < 12
    extents = sorted(found.morphology.shape[1:])
    rows, columns = 40.0, 16.0
    wanted = sorted(
        [
            rows * abs(np.cos(angle)) + columns * abs(np.sin(angle)),
            rows * abs(np.sin(angle)) + columns * abs(np.cos(angle)),
        ]
    )
    assert extents == pytest.approx(wanted, abs=2.1)


def test_no_voxel_beyond_the_image():
    """A region in the corner, turned and shifted: no voxel of mask or room lies outside the image."""
    given = source(native(voxel_size=1.0), corner=True)
    drawn = draw(given, 5.0)
    placed = place_drawn(given, drawn, Movement(0.4, (0.4, 0.4, -0.4)))
    still = place_drawn(given, drawn, Movement())
    assert placed.mask.sum() <= 1.02 * still.mask.sum()
    room, whole = (placed.depth < drawn.limit).sum(), (still.depth < drawn.limit).sum()
    assert 0.8 * whole < room < 1.1 * whole


def test_a_region_between_the_points_of_a_coarse_grid_is_no_region():
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[4, 4, 4] = True
    given = Source(np.zeros(mask.shape), mask, (1.0, 1.0, 1.0), native(voxel_size=5.0), None)
    with pytest.raises(RegionError, match="empty_after_interpolation"):
        place(given, Movement(), 1.0)


def test_noise_goes_into_the_image_before_interpolation():
    profile = native(voxel_size=0.5)
    still = Source(
        np.zeros((12, 40, 40)),
        np.pad(np.ones((4, 16, 16), bool), ((4, 4), (12, 12), (12, 12))),
        (1.0,) * 3,
        profile,
        None,
    )
    placed = place(still, Movement(), 1.0, noise=draw_noise(3.0, 9999, np.random.default_rng(0)))
    assert 1.0 < placed.image.std() < 3.0  # interpolation has averaged it
    assert not still.values.any()
    found = noise_around(source(profile), 2.0, np.random.default_rng(0))
    assert found is not None and found.bank.std() == pytest.approx(40, rel=0.1)
    assert noise_around(still, 1.0, np.random.default_rng(0)) is None
    assert noise_level(still.values) == 0
