"""Stacks, fields and masks between them; placements; pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deface_tools import planned
from radcurate.deface import render
from radcurate.deface.body import depth, fill_planes, hull, otsu
from radcurate.deface.borrow import covers
from radcurate.deface.native import on_stack
from radcurate.deface.quality import outer_surface
from radcurate.deface.screen import Pose, information
from radcurate.deface.stack import Field, Stack, to_field
from radcurate.deface.template import FACE, in_outline, template
from radcurate.demo.geometry import rotation


def tilted(angle=20.0, uneven=False):
    """A stack whose planes are shifted against each other, as with a tilted gantry, and unevenly spaced if asked."""
    heights = np.array([0, 4, 8, 12, 20, 28, 36, 44], float) if uneven else np.arange(8) * 5.0
    origins = np.stack([np.zeros(8), heights * np.tan(np.radians(angle)), heights], axis=1)
    values = np.random.default_rng(0).normal(0, 1, (8, 30, 20)).astype(np.float32)
    return Stack(values, origins, np.array([0.0, 2.0, 0.0]), np.array([3.0, 0.0, 0.0]))


@pytest.mark.parametrize("uneven", [False, True])
def test_indices_of_a_tilted_stack_come_back(uneven):
    stack = tilted(uneven=uneven)
    for plane in range(8):
        index = stack.to_index(stack.plane_points(plane, slice(0, 30), slice(0, 20)))
        expected = np.stack([np.full(600, plane), np.repeat(np.arange(30), 20), np.tile(np.arange(20), 30)], axis=1)
        assert np.allclose(index, expected)


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.floats(-180, 180)] * 3), st.integers(0, 10))
def test_a_mask_comes_to_the_same_places_in_any_orientation(turn, seed):
    rng = np.random.default_rng(seed)
    field = Field(np.zeros((20, 22, 24), np.float32), np.ones((20, 22, 24), bool), rng.uniform(-20, 20, 3), 2.0)
    mask = np.zeros(field.values.shape, bool)
    mask[6:14, 5:15, 8:18] = True
    axes = rotation(turn).T * np.array([[1.0], [0.9], [1.1]])
    shape = np.array([60, 66, 54])
    middle = field.origin + np.array([24, 22, 20]) - (shape - 1) / 2 @ axes
    if np.cross(axes[2], axes[1]) @ axes[0] < 0:
        axes[0], middle = -axes[0], middle + (shape[0] - 1) * axes[0]
    stack = Stack(np.zeros(shape, np.float32), middle + np.arange(60)[:, None] * axes[0], axes[1], axes[2])
    found = on_stack(mask, field, stack)
    volume = abs(np.linalg.det(axes)) * found.sum()
    assert volume == pytest.approx(8 * 10 * 10 * 8.0, rel=0.06)


def test_a_tilted_stack_gets_the_whole_mask():
    stack = tilted()
    field = to_field(stack, 2.0)
    everything = np.ones(field.values.shape, bool)
    assert on_stack(everything, field, stack).mean() > 0.95


@given(st.tuples(*[st.floats(-90, 90)] * 3), st.tuples(*[st.floats(-50, 50)] * 3), st.floats(0.7, 1.4))
def test_a_pose_and_its_way_back(turn, shift, size):
    pose = Pose(rotation(turn) * size, np.array(shift))
    points = np.random.default_rng(0).normal(0, 50, (20, 3))
    assert np.allclose(pose.back(pose(points)), points)


def test_information_is_one_for_equal_and_none_for_unrelated_classes():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 16, 50_000)
    assert information(classes, 15 - classes) == pytest.approx(1.0)
    assert information(classes, rng.integers(0, 16, 50_000)) < 0.01
    assert information(np.full(1000, -1), classes[:1000]) == 0.0


def test_otsu_separates_two_heaps():
    rng = np.random.default_rng(0)
    assert 30 < otsu(np.concatenate([rng.normal(10, 3, 5000), rng.normal(100, 10, 2000)])) < 80


def test_a_hull_bridges_dents_and_keeps_its_size():
    ball = np.linalg.norm(np.indices((40, 40, 40)) - 19.5, axis=0) < 15
    dented = ball.copy()
    dented[18:22, :12, 18:22] = False
    closed = hull(dented, 2.0, 16.0)
    assert (closed & ball).sum() > 0.99 * ball.sum()
    assert closed.sum() < 1.05 * ball.sum()
    assert depth(ball, 2.0).max() == pytest.approx(30, abs=3)


def test_closed_holes_are_filled_and_are_no_outer_surface():
    box = np.zeros((12, 12, 12), bool)
    box[2:10, 2:10, 2:10] = True
    box[5:7, 5:7, 5:7] = False
    assert fill_planes(box)[2:10, 2:10, 2:10].all()
    surface = outer_surface(box)
    assert surface[2, 5, 5] and not surface[4:8, 4:8, 4:8].any()


def test_the_mean_head_has_a_brain_of_a_likely_size_behind_the_face():
    mean = template()
    litres = mean.brain.sum() * mean.head.step**3 / 1e6
    assert 1.3 < litres < 2.0
    brain = mean.head.points()[mean.brain.ravel()]
    assert in_outline(mean.outline, brain).mean() < 0.005
    inside = np.array([[0.0, -100.0, -60.0], [0.0, -80.0, -110.0], [0.0, 0.0, 20.0], [0.0, -90.0, 20.0]])
    assert in_outline(mean.outline, inside).tolist() == [True, True, False, False]
    assert len(FACE) == 12


def test_a_picture_shows_the_head_upright_and_the_same_each_time(tmp_path):
    made = planned("CT")[2]
    views = render.all_round(made.head.field, made.head.body, made.head.pose)
    assert len(views) == 13
    shown = render.shaded(views[0]) > 0
    rows = np.flatnonzero(shown.any(axis=1))
    assert 0.1 < shown.mean() < 0.6
    assert shown[rows[len(rows) // 4]].sum() > shown[rows[-3]].sum() * 0.8
    for name in ("a.png", "b.png"):
        render.write_picture(tmp_path / name, views)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").stat().st_mode & 0o777 == 0o600


def test_a_partner_must_show_what_the_pet_shows():
    box = np.array([[0.0, 0.0, 0.0], [200.0, 200.0, 300.0]])
    assert covers(box, box + 20)
    assert not covers(box, box + np.array([0, 0, 60]))
