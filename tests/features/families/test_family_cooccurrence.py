from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from feature_tools import ball, by_pyradiomics, noise
from texture_tools import all_of, compare, levels_region, phantom_region

from radcurate.features.catalogue import columns_for
from radcurate.features.core import compute
from radcurate.features.families.cooccurrence import COOCCURRENCE, source
from radcurate.features.kernels.neighbourhood import MOST_LEVELS
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute as compute_by_pyradiomics

# the 4 by 4 picture of Haralick, Shanmugam and Dinstein (1973), levels from 1; matrices counted by hand
PICTURE = np.array([[[1, 1, 2, 2], [1, 1, 2, 2], [1, 3, 3, 3], [3, 3, 4, 4]]])


@pytest.mark.parametrize(
    ("configuration", "n"),
    [
        ("digital_phantom", 150),
        ("config_a", 100),
        ("config_b", 100),
        ("config_c", 50),
        ("config_d", 50),
        ("config_e", 50),
    ],
)
def test_reference_values(real_data, configuration, n):
    assert compare(COOCCURRENCE, real_data, configuration) == (n, [])


def test_a_picture_by_hand():
    """Along rows the pairs are 11 12 22, 11 12 22, 13 33 33, 33 34 44: 12 of them."""
    m = source(levels_region(PICTURE), "2D_avg")
    along_rows = next(at for at in range(4) if m.p_i[at].tolist() == [7 / 24, 6 / 24, 8 / 24, 3 / 24])
    assert m.p_k[along_rows] == pytest.approx(np.array([8, 3, 1, 0]) / 12, rel=1e-15)
    assert m.p_t[along_rows] == pytest.approx(np.array([2, 2, 3, 0, 3, 1, 1]) / 12, rel=1e-15)
    assert m.largest[along_rows] == 6 / 24
    assert m.squares[along_rows] == pytest.approx((16 + 16 + 36 + 4 + 2 * (4 + 1 + 1)) / 24**2, rel=1e-15)


def test_levels_of_the_discretisation_normalise_even_where_the_region_lacks_them():
    pair = np.zeros((1, 1, 3))
    pair[0, 0] = 1, 2, 0
    few = all_of(COOCCURRENCE, levels_region(pair), "3D_comb")
    assert few["cm_inv_diff_norm_3D_comb"] == pytest.approx(1 / (1 + 1 / 2), rel=1e-15)
    assert few["cm_inv_diff_mom_norm_3D_comb"] == pytest.approx(1 / (1 + 1 / 4), rel=1e-15)


@pytest.mark.parametrize("aggregation", COOCCURRENCE.aggregations)
def test_one_voxel_has_no_pairs(aggregation):
    found = all_of(COOCCURRENCE, levels_region(np.ones((1, 1, 1))), aggregation)
    assert len(found) == 25 and np.isnan(list(found.values())).all()


def test_two_voxels_in_different_planes_are_a_pair_in_3d_only():
    values = all_of(COOCCURRENCE, levels_region(np.array([[[1]], [[2]]])))
    assert values["cm_contrast_3D_avg"] == values["cm_contrast_3D_comb"] == 1.0
    assert np.isnan([values[f"cm_contrast_{name}"] for name in ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb")]).all()


def test_a_flat_region_has_values_where_they_are_defined():
    values = all_of(COOCCURRENCE, levels_region(np.full((3, 3, 3), 4.0)), "3D_comb")
    undefined = {tag for tag, value in values.items() if np.isnan(value)}
    assert undefined == {"cm_corr_3D_comb", "cm_info_corr1_3D_comb"}
    assert values["cm_joint_max_3D_comb"] == values["cm_energy_3D_comb"] == 1.0
    for name in ("joint_entr", "diff_entr", "sum_entr", "contrast", "joint_var", "clust_prom", "info_corr2"):
        assert values[f"cm_{name}_3D_comb"] == 0.0


def test_directions_without_pairs_dont_count():
    """One plane: 9 of the 13 directions leave it, so the mean is over the 4 others, as in 2D."""
    plane = noise((1, 6, 7))
    values = all_of(COOCCURRENCE, levels_region(plane))
    for feature in COOCCURRENCE.features:
        assert values[f"{feature.tag}_3D_avg"] == values[f"{feature.tag}_2D_avg"] == values[f"{feature.tag}_2_5D_avg"]
        assert (
            values[f"{feature.tag}_3D_comb"] == values[f"{feature.tag}_2D_comb"] == values[f"{feature.tag}_2_5D_comb"]
        )


def test_unused_levels_between_change_nothing_but_the_arithmetic():
    sparse = source(levels_region(np.where(noise((4, 5, 6)) > 3, 1.0, 900.0)), "3D_comb")
    dense = source(levels_region(np.where(noise((4, 5, 6)) > 3, 1.0, 2.0)), "3D_comb")
    assert sparse.p_i.tolist() == dense.p_i.tolist()
    assert sparse.i.tolist() == [1, 900] and len(sparse.k) == 900


def test_pyradiomics_agrees_on_a_real_ct(real_data):
    phantom = phantom_region(real_data, "config_c")
    columns = [column for column in by_pyradiomics(Profile(bin_number=8)) if column.group == "cm"]
    theirs = compute_by_pyradiomics(phantom.prepared, columns).values
    mine = all_of(COOCCURRENCE, phantom, "3D_avg", "3D_comb")
    assert len(columns) > 40
    assert {name: mine[name] for name in theirs} == pytest.approx(theirs, rel=1e-6)


def test_two_components_and_a_border():
    mask = np.zeros((7, 7, 7), bool)
    mask[:2, :2, :2] = mask[5:, 5:, 5:] = True
    together = all_of(COOCCURRENCE, levels_region(noise((7, 7, 7)), mask))
    assert not np.isnan(list(together.values())).any()
    assert set(together) == set(all_of(COOCCURRENCE, levels_region(noise((9, 9, 9)), ball())))


def test_more_levels_than_tables_have_room_for_get_a_reason_and_cost_no_other_family_its_values():
    levels = noise((4, 4, 4))
    levels[0, 0, 0] = MOST_LEVELS + 6
    columns = [column for column in columns_for(Profile(bin_number=8)) if column.group in ("cm", "ngt", "ngl", "stat")]
    found = compute(levels_region(levels).prepared, columns)
    refused = {column.name for column in columns if found.reasons.get(column.name) == "too_many_levels"}
    assert refused == {column.name for column in columns if column.group in ("cm", "ngt", "ngl")}
    assert found.values["stat_mean"] == levels.mean()


@pytest.mark.parametrize("n_levels", [1000, MOST_LEVELS])
def test_many_levels_take_bounded_memory(n_levels):
    many = levels_region(np.random.default_rng(0).permutation(np.arange(12 * 400) % n_levels + 1).reshape(12, 20, 20))
    tracemalloc.start()
    try:
        all_of(COOCCURRENCE, many)
        assert tracemalloc.get_traced_memory()[1] < 300e6
    finally:
        tracemalloc.stop()
