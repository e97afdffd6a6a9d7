from __future__ import annotations

import numpy as np
import pytest
from feature_tools import by_pyradiomics, noise
from texture_tools import all_of, compare, levels_region, phantom_region

from radcurate.features.families import tone_difference
from radcurate.features.families.tone_difference import TONE_DIFFERENCE, source
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute as compute_by_pyradiomics


@pytest.mark.parametrize(
    ("configuration", "n"),
    [("digital_phantom", 15), ("config_a", 10), ("config_b", 10), ("config_c", 5), ("config_d", 5), ("config_e", 5)],
)
def test_reference_values(real_data, configuration, n):
    assert compare(TONE_DIFFERENCE, real_data, configuration) == (n, [])


def test_a_row_by_hand():
    """1 2 4: neighbours' means are 2, 2.5 and 2."""
    m = source(levels_region(np.array([[[1, 2, 4]]])), "3D")
    assert m.s.tolist() == [[1.0, 0.5, 2.0]] and m.p[0] == pytest.approx([1 / 3] * 3)
    values = all_of(TONE_DIFFERENCE, levels_region(np.array([[[1, 2, 4]]])), "3D")
    assert values["ngt_coarseness_3D"] == pytest.approx(3 / 3.5)
    assert values["ngt_contrast_3D"] == pytest.approx(2 * (1 + 4 + 9) / 9 / 6 * 3.5 / 3)
    assert values["ngt_busyness_3D"] == pytest.approx((3.5 / 3) / (2 * (1 + 2 + 3) / 3))
    assert values["ngt_complexity_3D"] == pytest.approx(2 * (1 * 1.5 + 3 * 3 + 2 * 2.5) / 2 / 3)
    assert values["ngt_strength_3D"] == pytest.approx(2 * (2 / 3) * (1 + 4 + 9) / 3.5)


@pytest.mark.parametrize("aggregation", TONE_DIFFERENCE.aggregations)
def test_one_voxel_has_no_neighbourhood(aggregation):
    assert np.isnan(list(all_of(TONE_DIFFERENCE, levels_region(np.ones((1, 1, 1))), aggregation).values())).all()


def test_a_flat_region_is_as_coarse_as_can_be():
    values = all_of(TONE_DIFFERENCE, levels_region(np.full((3, 3, 3), 4.0)), "3D")
    assert values.pop("ngt_coarseness_3D") == 1e6
    assert set(values.values()) == {0.0}


def test_lonely_voxels_and_their_levels_dont_count():
    row = np.array([[[1, 2, 4, 0, 0, 9]]])
    alone, both = (all_of(TONE_DIFFERENCE, levels_region(part), "3D") for part in (row[:, :, :3], row))
    assert both == alone


def test_planes_without_neighbours_dont_count():
    planes = np.zeros((2, 3, 3))
    planes[0], planes[1, 0, 0] = noise((1, 3, 3))[0], 5
    assert all_of(TONE_DIFFERENCE, levels_region(planes), "2D") == all_of(
        TONE_DIFFERENCE, levels_region(planes[:1]), "2D"
    )


def test_pairs_of_levels_in_blocks_sum_up_to_the_same(monkeypatch):
    whole = all_of(TONE_DIFFERENCE, levels_region(noise((4, 5, 6), most=60)))
    monkeypatch.setattr(tone_difference, "BLOCK", 100)
    assert all_of(TONE_DIFFERENCE, levels_region(noise((4, 5, 6), most=60))) == pytest.approx(whole, rel=1e-14)


def test_pyradiomics_agrees_on_a_real_ct(real_data):
    phantom = phantom_region(real_data, "config_c")
    columns = [column for column in by_pyradiomics(Profile(bin_number=8)) if column.group == "ngt"]
    theirs = compute_by_pyradiomics(phantom.prepared, columns).values
    mine = all_of(TONE_DIFFERENCE, phantom, "3D")
    assert len(columns) == 5
    assert {name: mine[name] for name in theirs} == pytest.approx(theirs, rel=1e-6)
