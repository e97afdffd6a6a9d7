from __future__ import annotations

import numpy as np
import pytest
from feature_tools import by_pyradiomics, noise
from texture_tools import all_of, compare, levels_region, phantom_region

from radcurate.features.families.dependence import DEPENDENCE, source
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute as compute_by_pyradiomics


@pytest.mark.parametrize(
    ("configuration", "n"),
    [("digital_phantom", 51), ("config_a", 34), ("config_b", 34), ("config_c", 17), ("config_d", 17), ("config_e", 17)],
)
def test_reference_values(real_data, configuration, n):
    assert compare(DEPENDENCE, real_data, configuration) == (n, [])


def test_a_row_by_hand():
    """1 1 3 1: dependences are 2, 2, 1 and 1."""
    row = levels_region([[[1, 1, 3, 1]]])
    m = source(row, "3D")
    assert list(zip(m.level.tolist(), m.extent.tolist(), m.count.tolist(), strict=True)) == [
        (1, 1, 1),
        (1, 2, 2),
        (3, 1, 1),
    ]
    values = all_of(DEPENDENCE, row, "3D")
    assert values["ngl_lde_3D"] == pytest.approx((2 / 4 + 2) / 4)
    assert values["ngl_hdhge_3D"] == pytest.approx((1 + 2 * 4 + 9) / 4)
    assert values["ngl_glnu_3D"] == pytest.approx((9 + 1) / 4)
    assert values["ngl_dcnu_3D"] == pytest.approx((4 + 4) / 4)
    assert values["ngl_dc_energy_3D"] == pytest.approx((1 + 4 + 1) / 16)
    assert values["ngl_dc_entr_3D"] == pytest.approx(1.5)
    assert values["ngl_gl_var_3D"] == pytest.approx(0.75)


def test_one_voxel_depends_on_itself_alone():
    values = all_of(DEPENDENCE, levels_region(np.full((1, 1, 1), 2.0)))
    for name in ("2D", "2_5D", "3D"):
        assert values[f"ngl_lde_{name}"] == values[f"ngl_hde_{name}"] == values[f"ngl_dc_perc_{name}"] == 1.0
        assert values[f"ngl_hgce_{name}"] == 4.0 and values[f"ngl_dc_entr_{name}"] == 0.0


def test_a_flat_block_counts_whole_neighbourhoods():
    m = source(levels_region(np.ones((3, 3, 3))), "3D")
    assert dict(zip(m.extent.tolist(), m.count.tolist(), strict=True)) == {8: 8, 12: 12, 18: 6, 27: 1}


def test_every_voxel_has_a_neighbourhood():
    levels = noise((4, 5, 6)) * (noise((4, 5, 6), seed=1) > 2)
    for aggregation in DEPENDENCE.aggregations:
        assert source(levels_region(levels), aggregation).n_groups.sum() == np.count_nonzero(levels)
    assert all_of(DEPENDENCE, levels_region(levels), "3D")["ngl_dc_perc_3D"] == 1.0


def test_planes_without_voxels_dont_count():
    planes = np.zeros((3, 4, 4))
    planes[0] = planes[2] = noise((1, 4, 4))[0]
    assert all_of(DEPENDENCE, levels_region(planes), "2D") == all_of(DEPENDENCE, levels_region(planes[:1]), "2D")


def test_pyradiomics_agrees_on_a_real_ct(real_data):
    phantom = phantom_region(real_data, "config_c")
    columns = [column for column in by_pyradiomics(Profile(bin_number=8)) if column.group == "ngl"]
    theirs = compute_by_pyradiomics(phantom.prepared, columns).values
    mine = all_of(DEPENDENCE, phantom, "3D")
    assert len(columns) == 14
    assert {name: mine[name] for name in theirs} == pytest.approx(theirs, rel=1e-6)
