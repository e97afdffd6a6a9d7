"""Runs, size zones and distance zones on strange regions, through the engine."""

from __future__ import annotations

import math

import numpy as np
import pytest
from family_tools import prepared_region
from feature_tools import ball, noise
from texture_tools import all_of

from radcurate.features.families import FAMILIES
from radcurate.features.kernels import ranks

GROUPS = ("rlm", "szm", "dzm")
SHAPE = (4, 5, 6)


def spots(*places):
    mask = np.zeros(SHAPE, dtype=bool)
    for place in places:
        mask[place] = True
    return mask


STRANGE = {
    "one_voxel": spots((1, 2, 3)),
    "one_voxel_in_a_corner": spots((0, 0, 0)),
    "two_voxels": spots((1, 2, 3), (1, 2, 4)),
    "two_voxels_apart": spots((0, 0, 0), (3, 4, 5)),
    "one_slice": spots(1),
    "one_row": spots((1, 2)),
    "whole_image": np.ones(SHAPE, dtype=bool),
    "many_components": np.indices(SHAPE).sum(axis=0) % 2 == 0,
}


@pytest.mark.parametrize("values", [noise(SHAPE), np.full(SHAPE, 3.0)], ids=["noise", "flat"])
@pytest.mark.parametrize("name", STRANGE)
def test_strange_regions_have_every_value(name, values):
    region = prepared_region(values, STRANGE[name], range=[1, None])
    for group in GROUPS:
        found = all_of(FAMILIES[group], region)
        assert len(found) == 16 * len(FAMILIES[group].aggregations)
        assert all(math.isfinite(value) for value in found.values()), group


def test_one_voxel_left_by_resegmentation_in_one_of_many_planes():
    values = noise((9, 9, 9))
    values[4, 4, 4] = 99
    region = prepared_region(values, ball(), range=[50, None])
    found = {group: all_of(FAMILIES[group], region) for group in GROUPS}
    assert found["rlm"]["rlm_hgre_2D_avg"] == found["szm"]["szm_hgze_3D"] == found["dzm"]["dzm_hgze_2D"] == 50**2
    assert found["dzm"]["dzm_lde_3D"] == 4**2  # the fourth voxel along an axis is outside


def test_empty_levels_cost_nothing_and_change_nothing_but_the_level():
    """One bright voxel, a billion levels up."""
    near, far = noise((5, 5, 5)), noise((5, 5, 5))
    near[2, 2, 2], far[2, 2, 2] = 7, 1e9
    for group in GROUPS:
        low, high = (all_of(FAMILIES[group], prepared_region(v, v > 0, range=[1, None])) for v in (near, far))
        for name, value in low.items():
            of_levels = any(part in name for part in ("lg", "hg", "gl_var"))
            assert (high[name] == value) != (of_levels and "glnu" not in name), name


def test_many_levels_in_use_have_values():
    values = np.arange(1.0, 20_001.0).reshape(20, 20, 50)
    found = all_of(FAMILIES["szm"], prepared_region(values, values > 0, range=[1, None]), "3D")
    assert found["szm_z_perc_3D"] == 1 and found["szm_glnu_3D"] == 1


def test_more_levels_than_can_be_ranked_are_refused(monkeypatch):
    monkeypatch.setattr(ranks, "MOST_RANKS", 5)
    with pytest.raises(ranks.TooManyLevelsError):
        all_of(FAMILIES["rlm"], prepared_region(noise(SHAPE), np.ones(SHAPE), range=[1, None]))


def test_the_same_twice():
    values, mask = noise((9, 9, 9), most=40), ball()
    for group in GROUPS:
        first, second = (all_of(FAMILIES[group], prepared_region(values, mask, range=[1, None])) for _ in range(2))
        assert first == second
