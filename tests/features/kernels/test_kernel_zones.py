import numpy as np
import pytest
from feature_tools import level_volumes, noise
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radcurate.features.kernels.ranks import rank
from radcurate.features.kernels.zones import edge_distances, find_zones


def labelled(levels, distances):
    """(level, size, distance) of each zone, sorted, by scipy."""
    found = []
    for level in np.unique(levels[levels > 0]):
        labels, n = ndimage.label(levels == level, np.ones((3, 3, 3)))
        for zone in range(1, n + 1):
            inside = labels == zone
            found.append((int(level), int(inside.sum()), int(distances[inside].min())))
    return sorted(found)


def steps(mask):
    """Steps over faces to the outside, by peeling off one layer after another."""
    mask = np.pad(mask, 1)
    result = mask.astype(int)
    while mask.any():
        mask = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 1))
        result += mask
    return result[1:-1, 1:-1, 1:-1]


def steps_in_planes(mask):
    """The same in each plane by itself: between two copies of it, its faces towards other planes are never the edge."""
    thick = max(mask.shape) + 1
    return np.stack([steps(np.repeat(plane[None], 2 * thick + 1, axis=0))[thick] for plane in mask])


def zones(levels, mask, in_space):
    ranked = rank(levels, int(levels.max(initial=0)))
    found = find_zones(ranked, mask, in_space)
    triples = zip(ranked.used[found.rank - 1].tolist(), found.size.tolist(), found.distance.tolist(), strict=True)
    return list(triples), found.ends.tolist()


@given(level_volumes(most_levels=1))
@settings(max_examples=60, deadline=None)
def test_distances_count_layers(levels):
    mask = levels > 0
    assert (edge_distances(mask, True) == np.pad(steps(mask), 1)).all()
    assert (edge_distances(mask, False) == np.pad(steps_in_planes(mask), 1)).all()


def test_what_lies_beyond_the_box_is_outside():
    found, in_planes = (
        edge_distances(np.ones((3, 5, 5), dtype=bool), space)[1:-1, 1:-1, 1:-1] for space in (True, False)
    )
    assert found[1].tolist() == [[1, 1, 1, 1, 1], [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], [1, 1, 1, 1, 1]]
    assert (found[0] == 1).all() and (in_planes[:, 2, 2] == 3).all()


@given(level_volumes(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_zones_in_space_are_scipys_components(levels, seed):
    mask = (levels > 0) | (np.random.default_rng(seed).random(levels.shape) < 0.5)
    found, ends = zones(levels, mask, True)
    assert sorted(found) == labelled(levels, steps(mask))
    assert ends[-1] == len(found)


@given(level_volumes(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_zones_in_planes_are_those_of_each_plane_alone(levels, seed):
    mask = (levels > 0) | (np.random.default_rng(seed).random(levels.shape) < 0.5)
    found, ends = zones(levels, mask, False)
    distances, start = steps_in_planes(mask), 0
    for plane, end in enumerate(ends):
        part = slice(plane, plane + 1)
        assert sorted(found[start:end]) == labelled(levels[part], distances[part])
        start = end
    assert start == len(found)


@pytest.mark.parametrize("in_space", [True, False])
def test_a_comb_is_one_zone_although_its_teeth_meet_last(in_space):
    """Each tooth has a label of its own until the last row joins them all."""
    levels = np.zeros((1, 40, 81), dtype=np.int32)
    levels[0, :, ::2] = 1
    levels[0, -1] = 1
    found, _ = zones(levels, levels > 0, in_space)
    assert found == [(1, int(levels.sum()), 1)]


@pytest.mark.parametrize("n_levels", [1, 2, 5, 40])
def test_a_large_region_has_the_same_zones(n_levels):
    levels = noise((20, 30, 40), most=n_levels).astype(np.int32) * (noise((20, 30, 40), seed=1) > 3)
    mask = levels >= 0
    assert sorted(zones(levels, mask, True)[0]) == labelled(levels, steps(mask))


def test_corners_touch():
    levels = np.zeros((2, 2, 2), dtype=np.int32)
    levels[0, 0, 0] = levels[1, 1, 1] = 4
    assert zones(levels, levels > 0, True)[0] == [(4, 2, 1)]
    assert zones(levels, levels > 0, False)[0] == [(4, 1, 1), (4, 1, 1)]


def test_distance_is_to_the_edge_of_the_mask_not_of_the_region():
    """One voxel left of a cube after re-segmentation is as deep as it was before."""
    levels, mask = np.zeros((5, 5, 5), dtype=np.int32), np.ones((5, 5, 5), dtype=bool)
    levels[2, 2, 2] = 1
    assert zones(levels, mask, True)[0] == [(1, 1, 3)]
    assert zones(levels, levels > 0, True)[0] == [(1, 1, 1)]


@pytest.mark.parametrize("in_space", [True, False])
def test_no_voxel_no_zone(in_space):
    levels = np.zeros((2, 3, 4), dtype=np.int32)
    found, ends = zones(levels, levels == 0, in_space)
    assert found == [] and ends == [0, 0]
