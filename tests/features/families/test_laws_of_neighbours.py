"""Laws of the co-occurrence, tone difference and dependence matrices and of their features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from texture_tools import all_of, levels_region

from radcurate.features.families import cooccurrence, dependence, tone_difference
from radcurate.features.families.cooccurrence import COOCCURRENCE
from radcurate.features.families.dependence import DEPENDENCE
from radcurate.features.families.tone_difference import TONE_DIFFERENCE

FAMILIES = [COOCCURRENCE, TONE_DIFFERENCE, DEPENDENCE]
MERGED = {"cm": "3D_comb", "ngt": "3D", "ngl": "3D"}
SHAPES = st.tuples(*[st.integers(1, 5)] * 3)
# at least one voxel, levels with gaps between them
REGIONS = SHAPES.flatmap(lambda shape: arrays(np.int64, shape, elements=st.sampled_from([0, 1, 2, 3, 7, 40]))).filter(
    np.any
)
law = settings(max_examples=60, deadline=None)

# how features of the co-occurrence matrix answer to levels that are all one higher
UNMOVED = ["joint_max", "joint_var", "joint_entr", "diff_avg", "diff_var", "diff_entr", "sum_var", "sum_entr", "energy"]
UNMOVED += ["contrast", "dissimilarity", "inv_diff", "inv_diff_mom", "inv_var", "corr", "clust_tend", "clust_shade"]
UNMOVED += ["clust_prom", "info_corr1", "info_corr2"]
MOVED = {"joint_avg": 1.0, "sum_avg": 2.0}


def same(values, others, exactly=False):
    if exactly:
        return {name: repr(value) for name, value in values.items()} == {n: repr(v) for n, v in others.items()}
    return values == pytest.approx(others, rel=1e-9, abs=1e-9, nan_ok=True)


@law
@given(REGIONS, SHAPES)
def test_where_a_region_lies_makes_no_difference(levels, margin):
    moved = np.pad(levels, [(n, 1) for n in margin])
    for family in FAMILIES:
        assert same(all_of(family, levels_region(moved)), all_of(family, levels_region(levels)), exactly=True)


@law
@given(REGIONS, st.permutations([0, 1, 2]), st.lists(st.booleans(), min_size=3, max_size=3))
def test_turned_or_mirrored_a_region_has_the_same_merged_values(levels, axes, mirrored):
    turned = np.flip(levels, [axis for axis in range(3) if mirrored[axis]]).transpose(axes)
    for family in FAMILIES:
        name = MERGED[family.group]
        assert same(all_of(family, levels_region(turned), name), all_of(family, levels_region(levels), name))


@law
@given(REGIONS, st.permutations([0, 1, 2]))
def test_turned_a_region_has_the_same_means_over_directions(levels, axes):
    turned = all_of(COOCCURRENCE, levels_region(levels.transpose(axes)), "3D_avg")
    assert same(turned, all_of(COOCCURRENCE, levels_region(levels), "3D_avg"))


@law
@given(REGIONS)
def test_co_occurrences_sum_up_to_1(levels):
    for aggregation in COOCCURRENCE.aggregations:
        m = cooccurrence.source(levels_region(levels), aggregation)
        for part in (m.p_i, m.p_k, m.p_t):
            assert part.sum(axis=1) == pytest.approx(1.0, rel=1e-12)
        assert (m.squares <= m.largest * (1 + 1e-12)).all() and (m.largest <= 1).all()
        assert (m.entropy >= 0).all() and (m.entropy <= 2 * m.marginal_entropy + 1e-9).all()


@law
@given(REGIONS)
def test_relations_between_features_of_the_co_occurrence_matrix(levels):
    for aggregation in COOCCURRENCE.aggregations:
        suffix = aggregation.replace(".", "_")
        values = all_of(COOCCURRENCE, levels_region(levels), aggregation)
        cm = {name.removeprefix("cm_").removesuffix(f"_{suffix}"): value for name, value in values.items()}
        pairs = [
            (cm["sum_avg"], 2 * cm["joint_avg"]),
            (cm["dissimilarity"], cm["diff_avg"]),
            (cm["clust_tend"], cm["sum_var"]),
            (4 * cm["joint_var"], cm["clust_tend"] + cm["contrast"]),
        ]
        for value, other in pairs:
            assert value == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True)
        for name in ("corr", "info_corr1"):
            assert np.isnan(cm[name]) or -1 - 1e-9 <= cm[name] <= 1 + 1e-9


@law
@given(REGIONS, st.integers(1, 50))
def test_higher_levels_move_only_what_names_levels(levels, step):
    values = all_of(COOCCURRENCE, levels_region(levels), "3D_comb")
    moved = all_of(COOCCURRENCE, levels_region(np.where(levels > 0, levels + step, 0)), "3D_comb")
    for name in UNMOVED:
        assert moved[f"cm_{name}_3D_comb"] == pytest.approx(
            values[f"cm_{name}_3D_comb"], rel=1e-6, abs=1e-6, nan_ok=True
        )
    for name, by in MOVED.items():
        assert moved[f"cm_{name}_3D_comb"] == pytest.approx(values[f"cm_{name}_3D_comb"] + by * step, nan_ok=True)
    tones, moved_tones = (
        all_of(TONE_DIFFERENCE, levels_region(x), "3D") for x in (levels, np.where(levels, levels + step, 0))
    )
    for name in ("coarseness", "contrast", "complexity", "strength"):
        assert moved_tones[f"ngt_{name}_3D"] == pytest.approx(tones[f"ngt_{name}_3D"], rel=1e-9, nan_ok=True)


@law
@given(REGIONS)
def test_tone_differences_and_dependences_count_every_voxel(levels):
    region = levels_region(levels)
    for aggregation in ("2D", "2.5D", "3D"):
        dependences = dependence.source(region, aggregation)
        assert dependences.n_groups.sum() == np.count_nonzero(levels)
        differences = tone_difference.source(region, aggregation)
        assert differences.p.sum(axis=1) == pytest.approx(1.0)
        # no voxel lies further from the mean of its neighbours than the levels lie apart
        assert (differences.s <= differences.n[:, None] * np.ptp(levels[levels > 0]) + 1e-9).all()
        assert differences.n.sum() <= np.count_nonzero(levels)


@law
@given(REGIONS)
def test_planes_together_hold_what_they_hold_apart(levels):
    region = levels_region(levels)
    apart, together = (dependence.source(region, name) for name in ("2D", "2.5D"))
    assert apart.n_groups.sum() == together.n_groups.sum()
    differences, all_differences = (tone_difference.source(region, name) for name in ("2D", "2.5D"))
    assert differences.s.sum(axis=0) == pytest.approx(all_differences.s.sum(axis=0), rel=1e-12, abs=1e-12)
    assert differences.n.sum() == all_differences.n.sum()


@law
@given(REGIONS)
def test_a_region_never_raises_and_always_has_the_same_columns(levels):
    for family, n in zip(FAMILIES, (25, 5, 17), strict=True):
        for aggregation in family.aggregations:
            assert len(all_of(family, levels_region(levels), aggregation)) == n
