import math

import numpy as np
import pytest
from feature_tools import level_volumes
from group_tools import by_definition, close, deviations
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from texture_tools import all_of, compare, levels_region

from radcurate.features.families import distance_zone
from radcurate.features.families.distance_zone import DISTANCE_ZONE
from radcurate.features.families.size_zone import SIZE_ZONE


@pytest.mark.parametrize(
    ("configuration", "n"),
    [("digital_phantom", 48), ("config_a", 32), ("config_b", 32), ("config_c", 16), ("config_d", 16), ("config_e", 16)],
)
def test_reference_values(real_data, configuration, n):
    assert compare(DISTANCE_ZONE, real_data, configuration) == (n, [])


def test_golden_values(monkeypatch):
    """48 of mirp; a changed formula is seen in all aggregations of its feature, and nowhere else."""
    assert deviations(DISTANCE_ZONE) == []
    monkeypatch.setattr(distance_zone.sparse, "extent_variance", distance_zone.sparse.entropy)
    assert deviations(DISTANCE_ZONE) == ["dzm_zd_var_2D", "dzm_zd_var_2_5D", "dzm_zd_var_3D"]


def distances(mask):
    """Steps over faces out of a mask, by scipy; a plane alone is so thick that no face of it is an edge."""
    thick = max(mask.shape) if len(mask) == 1 else 0
    padded = np.pad(np.pad(mask, ((thick, thick), (0, 0), (0, 0)), mode="edge"), 1)
    steps = ndimage.distance_transform_cdt(padded, "taxicab")[1:-1, 1:-1, 1:-1]
    return steps[thick : thick + len(mask)]


def zones(levels, steps):
    """(level, distance) of each zone, by scipy."""
    for level in np.unique(levels[levels > 0]):
        labels, n = ndimage.label(levels == level, np.ones((3, 3, 3)))
        yield from ((int(level), int(steps[labels == zone].min())) for zone in range(1, n + 1))


def expected(levels, mask, aggregation):
    if aggregation == "3D":
        return by_definition(zones(levels, distances(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]), np.count_nonzero(levels))
    parts = [(plane[None], distances(inside[None])) for plane, inside in zip(levels, mask, strict=True) if plane.any()]
    if aggregation == "2D":
        return np.mean([by_definition(zones(*part), np.count_nonzero(part[0])) for part in parts], axis=0)
    return by_definition((zone for part in parts for zone in zones(*part)), np.count_nonzero(levels))


@given(level_volumes(), st.sampled_from(DISTANCE_ZONE.aggregations), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_features_are_those_of_the_definition(levels, aggregation, seed):
    assume(levels.any())
    mask = (levels > 0) | (np.random.default_rng(seed).random(levels.shape) < 0.5)
    found = all_of(DISTANCE_ZONE, levels_region(levels, mask), aggregation)
    assert close(found.values(), expected(levels, mask, aggregation))


@given(level_volumes(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
@settings(max_examples=30, deadline=None)
def test_in_space_the_order_and_sense_of_axes_dont_matter(levels, order, turned):
    assume(levels.any())
    other = np.flip(levels.transpose(order), [axis for axis in range(3) if turned[axis]])
    still, moved = (all_of(DISTANCE_ZONE, levels_region(part), "3D") for part in (levels, other))
    assert close(moved.values(), still.values())


@given(level_volumes(), st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 3))
@settings(max_examples=30, deadline=None)
def test_place_does_not_matter_not_even_at_the_border_of_the_image(levels, widths):
    assume(levels.any())
    still, moved = (all_of(DISTANCE_ZONE, levels_region(part)) for part in (levels, np.pad(levels, widths)))
    assert moved == still


@given(level_volumes(), st.sampled_from(DISTANCE_ZONE.aggregations))
@settings(max_examples=30, deadline=None)
def test_the_same_zones_as_by_size(levels, aggregation):
    """What doesn't depend on the extent is the same for both families."""
    assume(levels.any())
    region = levels_region(levels)
    by_size, by_distance = (all_of(family, region, aggregation) for family in (SIZE_ZONE, DISTANCE_ZONE))
    for tag in ("lgze", "hgze", "glnu", "glnu_norm", "z_perc", "gl_var"):
        end = f"{tag}_{aggregation.replace('.', '_')}"
        assert by_distance[f"dzm_{end}"] == pytest.approx(by_size[f"szm_{end}"], rel=1e-12)


def test_one_voxel_is_one_zone_at_the_edge():
    found = all_of(DISTANCE_ZONE, levels_region([[[7]]]))
    for end in ("2D", "2_5D", "3D"):
        assert found[f"dzm_sde_{end}"] == found[f"dzm_lde_{end}"] == found[f"dzm_z_perc_{end}"] == 1
        assert found[f"dzm_hgze_{end}"] == 49 and found[f"dzm_zd_entr_{end}"] == 0


def test_the_edge_is_that_of_the_morphological_mask():
    """The centre of a cube of five, all that re-segmentation left of it."""
    levels = np.zeros((5, 5, 5))
    levels[2, 2, 2] = 4
    found = all_of(DISTANCE_ZONE, levels_region(levels, np.ones((5, 5, 5))))
    assert found["dzm_lde_3D"] == found["dzm_lde_2D"] == found["dzm_lde_2_5D"] == 9
    assert found["dzm_z_perc_3D"] == 1
    assert all(math.isfinite(value) for value in found.values())
