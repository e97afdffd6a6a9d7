import itertools

import numpy as np
import pytest
from feature_tools import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radcurate.features import pyradiomics_mesh
from radcurate.features.kernels.mesh import count_cubes
from radcurate.features.mesh import CORNERS, SIDES, kinds, loops, mesh

STEPS = st.sampled_from([0.5, 0.977, 1.0, 3.27])
MASKS = st.builds(
    lambda seed, shape, share: np.random.default_rng(seed).random(shape) < share,
    st.integers(0, 10_000),
    st.tuples(*[st.integers(1, 20)] * 3),
    st.floats(0.05, 0.95),
)


def cubes_by_hand(mask):
    """Kinds and places of cubes, one after the other."""
    padded = np.pad(mask, 1)
    counts, places = np.zeros(256, dtype=int), np.zeros((256, 3), dtype=int)
    for place in np.ndindex(*(n - 1 for n in padded.shape)):
        kind = sum(int(padded[tuple(np.add(place, corner))]) << bit for bit, corner in enumerate(CORNERS))
        counts[kind] += 1
        places[kind] += place
    counts[[0, 255]], places[[0, 255]] = 0, 0
    return counts, places


@given(MASKS)
@settings(max_examples=40, deadline=None)
def test_cubes_are_counted_right(mask):
    found = count_cubes(mask)
    counts, places = cubes_by_hand(mask)
    assert (found.counts == counts).all() and (found.places == places).all()


def test_cubes_of_a_mask_that_is_part_of_another_array():
    whole = np.random.default_rng(1).random((9, 8, 30)) < 0.5
    part = whole[1:8:2, ::-1, 3:29:2]
    assert (count_cubes(part).counts == cubes_by_hand(part)[0]).all()


def test_sides_are_seen_from_outside():
    for side in SIDES:
        a, b, c, _ = (np.array(CORNERS[corner]) for corner in side)
        outwards = (a + c) / 2 - 0.5
        assert np.cross(b - a, c - b) @ outwards > 0


def test_the_surface_is_closed():
    """What a cube draws on a side, its neighbour draws there, too, the other way round."""
    mirrored = {}
    for axis in range(3):
        near = [corner for corner in range(8) if CORNERS[corner][axis] == 0]
        mirrored[axis] = {corner: corner + (4 >> axis) for corner in near}
    for axis, first, second in itertools.product(range(3), range(256), range(256)):
        step = mirrored[axis]
        if any((first >> far & 1) != (second >> near & 1) for near, far in step.items()):
            continue
        if (first ^ second) % 7:  # a seventh of all pairs will do
            continue
        assert drawn(first, set(step.values())) == {
            (tuple(step[c] for c in stop), tuple(step[c] for c in start)) for start, stop in drawn(second, set(step))
        }


def drawn(kind, corners):
    """Pieces of loops between edges of one side, by the corners of that side."""
    pieces = set()
    for loop in loops(kind):
        for start, stop in zip(loop, (*loop[1:], loop[0]), strict=True):
            if {*start, *stop} <= corners:
                pieces.add((tuple(sorted(start)), tuple(sorted(stop))))
    return pieces


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.977, 0.7)])
@pytest.mark.parametrize(
    "mask",
    [
        ball((25, 25, 25), 10.3),
        ball((9, 9, 9), 2.6),
        ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((40, 40, 40)), 3) > 0.02,
    ],
    ids=["ball", "small ball", "blob"],
)
def test_agrees_with_pyradiomics(mask, spacing):
    ours, theirs = mesh(mask, spacing), pyradiomics_mesh.kinds(spacing).mesh(count_cubes(mask))
    assert ours.area == pytest.approx(theirs.area, rel=0.002)
    assert ours.volume == pytest.approx(theirs.volume, rel=0.002)


def test_one_voxel_is_an_octahedron():
    found = mesh(np.ones((1, 1, 1), dtype=bool), (2.0, 2.0, 2.0))
    assert found.volume == pytest.approx(8 / 6)
    assert found.area == pytest.approx(8 * np.sqrt(3) / 2)


def test_a_block_is_a_block_with_cut_edges():
    """6 faces from centre to centre, 12 slanting edges, 8 corners."""
    found = mesh(np.ones((3, 4, 5), dtype=bool), (1.0, 1.0, 1.0))
    edges, faces = 2 + 3 + 4, 2 * 3 + 2 * 4 + 3 * 4
    assert found.area == pytest.approx(2 * faces + 4 * edges * np.sqrt(0.5) + np.sqrt(3))
    assert found.volume == pytest.approx(2 * 3 * 4 + faces + edges / 2 + 1 / 6)


def test_a_hollow_is_taken_off():
    full, inner = np.ones((7, 7, 7), dtype=bool), np.ones((3, 3, 3), dtype=bool)
    hollow = full & ~np.pad(inner, 2)
    outside, inside, both = (mesh(mask, (1.0, 0.7, 3.0)) for mask in (full, inner, hollow))
    assert both.area == pytest.approx(outside.area + inside.area)
    assert both.volume == pytest.approx(outside.volume - inside.volume)


def test_a_large_ball_has_the_volume_of_a_ball():
    found = mesh(ball((43, 43, 43), 20.0), (1.0, 1.0, 1.0))
    assert found.volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.01)


def test_place_does_not_matter():
    small = np.zeros((4, 5, 6), dtype=bool)
    small[1:3, 1:4, 2:4] = True
    far = np.pad(small, ((30, 0), (7, 2), (0, 90)))
    near, away = mesh(small, (1.0, 0.7, 3.0)), mesh(far, (1.0, 0.7, 3.0))
    assert near.area == away.area
    assert near.volume == pytest.approx(away.volume, rel=1e-9)


@given(MASKS, st.tuples(STEPS, STEPS, STEPS), st.permutations(range(3)), st.tuples(*[st.sampled_from([1, -1])] * 3))
@settings(max_examples=60, deadline=None)
def test_turning_and_mirroring_change_nothing(mask, spacing, order, signs):
    turned = mask.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    first = mesh(mask, spacing)
    second = mesh(turned, tuple(spacing[axis] for axis in order))
    assert (first.area, first.volume) == pytest.approx((second.area, second.volume), rel=1e-9)


@given(MASKS, st.tuples(STEPS, STEPS, STEPS), st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_area_grows_with_the_square_of_spacing_and_volume_with_its_cube(mask, spacing, scale):
    first, second = mesh(mask, spacing), mesh(mask, tuple(step * scale for step in spacing))
    assert second.area == pytest.approx(scale**2 * first.area, rel=1e-9)
    assert second.volume == pytest.approx(scale**3 * first.volume, rel=1e-9)


@given(MASKS, st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_more_voxels_are_more_volume(mask, place):
    more = mask.copy()
    more.flat[place % mask.size] = True
    one = (1.0, 1.0, 1.0)
    assert mesh(more, one).volume >= mesh(mask, one).volume - 1e-9


def test_kinds_add_up_to_less_than_a_voxel():
    table = kinds((1.0, 1.0, 1.0))
    assert table.area[0] == table.area[255] == 0
    assert (table.area[1:255] > 0).all() and table.area.max() < 3
