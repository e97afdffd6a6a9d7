"""Grids and carrying masks between them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from radcurate.volumes.grid import Grid
from radcurate.volumes.lattice import transfer
from radcurate.volumes.problems import VolumeError


def grid(
    shape: tuple[int, int, int] = (7, 9, 11),
    angles: tuple[float, float, float] = (0, 0, 0),
    spacing: tuple[float, float, float] = (3, 1, 0.8),
) -> Grid:
    axes = Rotation.from_euler("xyz", angles, degrees=True).apply(np.eye(3)[::-1])
    return Grid(shape, spacing, (-12.5, 40.25, 300.0), axes)


angle = st.floats(-180, 180)
length = st.floats(0.2, 8)


@given(st.tuples(angle, angle, angle), st.tuples(length, length, length))
def test_index_to_patient_and_back(angles: tuple[float, float, float], spacing: tuple[float, float, float]) -> None:
    some = grid(angles=angles, spacing=spacing)
    index = np.random.default_rng(1).uniform(-20, 20, (50, 3))
    np.testing.assert_allclose(some.to_index(some.to_patient(index)), index, atol=1e-8)
    np.testing.assert_allclose(some.to_patient([0, 0, 0]), some.origin)
    np.testing.assert_allclose(np.linalg.norm(some.to_patient([0, 1, 0]) - np.array(some.origin)), spacing[1])


def test_equality_is_by_the_place_of_voxels() -> None:
    some = grid()
    assert some.equal_to(Grid(some.shape, some.spacing, (-12.5, 40.25, 300.0005), some.axes))
    assert not some.equal_to(Grid(some.shape, some.spacing, (-12.5, 40.25, 300.01), some.axes))
    assert not some.equal_to(Grid(some.shape, (3.001, 1, 0.8), some.origin, some.axes))
    assert not some.equal_to(Grid((7, 9, 10), some.spacing, some.origin, some.axes))


def test_tilt_of_a_sheared_stack() -> None:
    step = np.array([0, np.sin(np.radians(12)), np.cos(np.radians(12))])
    assert grid().tilt == pytest.approx(0)
    assert Grid((2, 2, 2), (1, 1, 1), (0, 0, 0), np.array([step, [0, 1, 0], [1, 0, 0]])).tilt == pytest.approx(12)


def turned(source: Grid, order: tuple[int, ...], flips: tuple[bool, ...]) -> tuple[Grid, tuple[int, ...]]:
    """The same lattice with permuted and flipped axes."""
    corner = [size - 1 if flip else 0 for size, flip in zip(source.shape, flips, strict=True)]
    axes = np.where(np.array(flips)[:, None], -source.axes, source.axes)[list(order)]
    shape, spacing = (tuple(values[axis] for axis in order) for values in (source.shape, source.spacing))
    return Grid(shape, spacing, tuple(source.to_patient(corner)), axes), tuple(a for a in range(3) if flips[a])  # type: ignore[arg-type]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=3)))
def test_every_permutation_and_flip_comes_back(order: tuple[int, ...], flips: tuple[bool, ...]) -> None:
    image = grid(angles=(20, -35, 130))
    mask = np.random.default_rng(2).random(image.shape) < 0.3
    own, flipped = turned(image, order, flips)
    stored = np.flip(mask, flipped).transpose(order)
    result, exact = transfer(stored, own, image)
    assert exact
    np.testing.assert_array_equal(result, mask)


def test_a_part_of_the_lattice_is_pasted() -> None:
    image = grid()
    part = Grid((3, 4, 5), image.spacing, tuple(image.to_patient([2, 3, 4])), image.axes)  # type: ignore[arg-type]
    result, exact = transfer(np.ones(part.shape, dtype=bool), part, image)
    expected = np.zeros(image.shape, dtype=bool)
    expected[2:5, 3:7, 4:9] = True
    assert exact
    np.testing.assert_array_equal(result, expected)


def test_a_part_outside_is_refused_but_empty_margins_are_not() -> None:
    image = grid()
    larger = Grid((9, 9, 11), image.spacing, tuple(image.to_patient([-1, 0, 0])), image.axes)  # type: ignore[arg-type]
    mask = np.zeros(larger.shape, dtype=bool)
    mask[1, 4, 4] = True
    assert transfer(mask, larger, image)[0][0, 4, 4]
    mask[0, 4, 4] = True
    with pytest.raises(VolumeError) as caught:
        transfer(mask, larger, image)
    assert caught.value.reason == "mask_outside"


def test_a_little_other_spacing_takes_the_nearest_voxel() -> None:
    image = Grid((20, 40, 40), (2, 1, 1), (0, 0, 0), np.eye(3)[::-1])
    other = Grid((20, 40, 40), (2.02, 1.01, 0.99), (0.1, 0.1, 0.1), np.eye(3)[::-1])
    mask = np.zeros(other.shape, dtype=bool)
    mask[5:15, 10:30, 10:30] = True
    result, exact = transfer(mask, other, image)
    assert not exact
    assert abs(result.sum() / mask.sum() - 1) < 0.05
    centre = np.argwhere(result).mean(axis=0) @ image.steps
    np.testing.assert_allclose(centre, np.argwhere(mask).mean(axis=0) @ other.steps + 0.1, atol=0.6)


@pytest.mark.parametrize("spacing", [(3, 2, 0.8), (3, 1, 1.0)])
def test_another_spacing_is_refused(spacing: tuple[float, float, float]) -> None:
    with pytest.raises(VolumeError, match="grid_mismatch"):
        transfer(np.ones((7, 9, 11), dtype=bool), grid(spacing=spacing), grid())


def test_another_orientation_is_refused() -> None:
    with pytest.raises(VolumeError, match="grid_mismatch"):
        transfer(np.ones((7, 9, 11), dtype=bool), grid(angles=(20, 0, 0)), grid())


@settings(max_examples=20)
@given(st.tuples(angle, angle, angle))
def test_rounding_noise_of_positions_does_not_matter(angles: tuple[float, float, float]) -> None:
    image = grid(angles=angles)
    noisy = Grid(image.shape, image.spacing, tuple(np.array(image.origin) + 0.004), image.axes + 1e-7)  # type: ignore[arg-type]
    mask = np.random.default_rng(3).random(image.shape) < 0.5
    result, exact = transfer(mask, noisy, image)
    assert exact
    np.testing.assert_array_equal(result, mask)
