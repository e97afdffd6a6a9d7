import itertools
import math

import numpy as np
import pytest
from feature_tools import level_volumes
from group_tools import by_definition, close, compared_to_pyradiomics, deviations, sarcoma
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from texture_tools import all_of, compare, levels_region

from radcurate.features.families import run_length
from radcurate.features.families.run_length import RUN_LENGTH

IN_SPACE = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]
IN_PLANE = IN_SPACE[:4]


@pytest.mark.parametrize(
    ("configuration", "n"),
    [("digital_phantom", 96), ("config_a", 64), ("config_b", 64), ("config_c", 32), ("config_d", 32), ("config_e", 32)],
)
def test_reference_values(real_data, configuration, n):
    assert compare(RUN_LENGTH, real_data, configuration) == (n, [])


def test_golden_values(monkeypatch):
    """96 of mirp; a changed formula is seen in all aggregations of its feature, and nowhere else."""
    assert deviations(RUN_LENGTH) == []
    monkeypatch.setattr(run_length.sparse, "small_emphasis", run_length.sparse.large_emphasis)
    assert deviations(RUN_LENGTH) == [f"rlm_sre_{name.replace('.', '_')}" for name in RUN_LENGTH.aggregations]


def runs(levels, step):
    """(level, length) of each run, by walking along it."""
    padded = np.pad(levels, 1)
    for place in map(tuple, np.argwhere(padded)):
        if padded[tuple(np.subtract(place, step))] != padded[place]:
            length, at = 0, place
            while padded[at] == padded[place]:
                length, at = length + 1, tuple(np.add(at, step))
            yield int(padded[place]), length


def expected(levels, aggregation):
    dimension, _, merging = aggregation.partition("_")
    steps = IN_SPACE if dimension == "3D" else IN_PLANE
    parts = [plane[None] for plane in levels if plane.any()] if dimension == "2D" else [levels]
    values = []
    for part in parts:
        n = np.count_nonzero(part)
        each = [list(runs(part, step)) for step in steps]
        if merging == "comb":
            values.append(by_definition(itertools.chain(*each), n * len(steps)))
        else:
            values.extend(by_definition(groups, n) for groups in each)
    return np.mean(values, axis=0)


@given(level_volumes(), st.sampled_from(RUN_LENGTH.aggregations))
@settings(max_examples=50, deadline=None)
def test_features_are_those_of_the_definition(levels, aggregation):
    assume(levels.any())
    assert close(all_of(RUN_LENGTH, levels_region(levels), aggregation).values(), expected(levels, aggregation))


@given(level_volumes(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
@settings(max_examples=30, deadline=None)
def test_in_space_the_order_and_sense_of_axes_dont_matter(levels, order, turned):
    assume(levels.any())
    other = np.flip(levels.transpose(order), [axis for axis in range(3) if turned[axis]])
    still, moved = (all_of(RUN_LENGTH, levels_region(part), "3D_avg", "3D_comb") for part in (levels, other))
    assert close(moved.values(), still.values())


@given(level_volumes(), st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 3))
@settings(max_examples=30, deadline=None)
def test_place_does_not_matter(levels, widths):
    assume(levels.any())
    still, moved = (all_of(RUN_LENGTH, levels_region(part)) for part in (levels, np.pad(levels, widths)))
    assert moved == still


def test_pyradiomics_agrees_on_a_real_tumour(real_data):
    differences = compared_to_pyradiomics(RUN_LENGTH, sarcoma(real_data))
    assert len(differences) >= 16 and max(differences.values()) < 1e-6


@pytest.mark.parametrize("levels", [[[[7]]], [[[7, 0, 7]]]], ids=["one_voxel", "two_voxels_apart"])
def test_lonely_voxels_are_runs_of_one(levels):
    found = all_of(RUN_LENGTH, levels_region(levels))
    for aggregation in RUN_LENGTH.aggregations:
        end = aggregation.replace(".", "_")
        assert found[f"rlm_sre_{end}"] == found[f"rlm_lre_{end}"] == found[f"rlm_r_perc_{end}"] == 1
        assert found[f"rlm_hgre_{end}"] == 49 and found[f"rlm_rl_entr_{end}"] == 0


def test_a_flat_cube_has_every_value():
    found = all_of(RUN_LENGTH, levels_region(np.full((3, 3, 3), 2)))
    assert all(math.isfinite(value) for value in found.values())
    assert found["rlm_gl_var_3D_comb"] == 0 and found["rlm_glnu_norm_3D_comb"] == 1


def test_planes_without_a_voxel_dont_count():
    levels = np.zeros((5, 3, 3))
    levels[1], levels[4] = 2, 3
    planes = ("2D_avg", "2D_comb", "2.5D_avg", "2.5D_comb")
    assert all_of(RUN_LENGTH, levels_region(levels), *planes) == all_of(
        RUN_LENGTH, levels_region(levels[[1, 4]]), *planes
    )
