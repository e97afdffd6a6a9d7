import math

import numpy as np
import pytest
from feature_tools import level_volumes
from group_tools import by_definition, close, compared_to_pyradiomics, deviations, sarcoma
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from texture_tools import all_of, compare, levels_region

from radcurate.features.families import size_zone
from radcurate.features.families.size_zone import SIZE_ZONE


@pytest.mark.parametrize(
    ("configuration", "n"),
    [("digital_phantom", 48), ("config_a", 32), ("config_b", 32), ("config_c", 16), ("config_d", 16), ("config_e", 16)],
)
def test_reference_values(real_data, configuration, n):
    assert compare(SIZE_ZONE, real_data, configuration) == (n, [])


def test_golden_values(monkeypatch):
    """48 of mirp; a changed formula is seen in all aggregations of its feature, and nowhere else."""
    assert deviations(SIZE_ZONE) == []
    monkeypatch.setattr(size_zone.sparse, "entropy", size_zone.sparse.level_variance)
    assert deviations(SIZE_ZONE) == ["szm_zs_entr_2D", "szm_zs_entr_2_5D", "szm_zs_entr_3D"]


def zones(levels):
    """(level, size) of each zone, by scipy."""
    for level in np.unique(levels[levels > 0]):
        labels, _ = ndimage.label(levels == level, np.ones((3, 3, 3)))
        yield from ((int(level), int(size)) for size in np.bincount(labels.ravel())[1:])


def expected(levels, aggregation):
    planes = [plane[None] for plane in levels if plane.any()]
    if aggregation == "2D":
        return np.mean([by_definition(zones(plane), np.count_nonzero(plane)) for plane in planes], axis=0)
    parts = planes if aggregation == "2.5D" else [levels]
    return by_definition((zone for part in parts for zone in zones(part)), np.count_nonzero(levels))


@given(level_volumes(), st.sampled_from(SIZE_ZONE.aggregations))
@settings(max_examples=50, deadline=None)
def test_features_are_those_of_the_definition(levels, aggregation):
    assume(levels.any())
    assert close(all_of(SIZE_ZONE, levels_region(levels), aggregation).values(), expected(levels, aggregation))


@given(level_volumes(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
@settings(max_examples=30, deadline=None)
def test_in_space_the_order_and_sense_of_axes_dont_matter(levels, order, turned):
    assume(levels.any())
    other = np.flip(levels.transpose(order), [axis for axis in range(3) if turned[axis]])
    still, moved = (all_of(SIZE_ZONE, levels_region(part), "3D") for part in (levels, other))
    assert close(moved.values(), still.values())


@given(level_volumes(), st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 3))
@settings(max_examples=30, deadline=None)
def test_place_does_not_matter(levels, widths):
    assume(levels.any())
    still, moved = (all_of(SIZE_ZONE, levels_region(part)) for part in (levels, np.pad(levels, widths)))
    assert moved == still


@given(level_volumes(most_levels=200), st.sampled_from(SIZE_ZONE.aggregations))
@settings(max_examples=30, deadline=None)
def test_every_voxel_is_in_one_zone(levels, aggregation):
    assume(levels.any())
    matrices = size_zone.source(levels_region(levels), aggregation)
    assert (matrices.extent * matrices.count).sum() == matrices.n_voxels.sum() == np.count_nonzero(levels)


def test_pyradiomics_agrees_on_a_real_tumour(real_data):
    differences = compared_to_pyradiomics(SIZE_ZONE, sarcoma(real_data))
    assert len(differences) >= 16 and max(differences.values()) < 1e-6


def test_one_voxel_is_one_zone():
    found = all_of(SIZE_ZONE, levels_region([[[7]]]))
    for end in ("2D", "2_5D", "3D"):
        assert found[f"szm_sze_{end}"] == found[f"szm_lze_{end}"] == found[f"szm_z_perc_{end}"] == 1
        assert found[f"szm_hgze_{end}"] == 49 and found[f"szm_zs_entr_{end}"] == 0


def test_a_flat_cube_is_one_zone():
    found = all_of(SIZE_ZONE, levels_region(np.full((3, 3, 3), 2)), "3D")
    assert all(math.isfinite(value) for value in found.values())
    assert found["szm_lze_3D"] == 27**2 and found["szm_z_perc_3D"] == 1 / 27
