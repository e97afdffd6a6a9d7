"""radcurate's own engine as a whole: reference values, strange regions, laws, and what pyradiomics says."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from feature_tools import ALL, EDGES, ball, by_pyradiomics, edge_values, native, noise, phantom, prepared, spots
from hypothesis import given, settings
from hypothesis import strategies as st
from ibsi_phantoms import configuration, digital_from_nifti, digital_phantom
from other_definitions import explained

from radcurate.features import core, pyradiomics
from radcurate.features.catalogue import catalogue, columns_for
from radcurate.features.conformance import results
from radcurate.features.core import compute
from radcurate.features.families import FAMILIES
from radcurate.features.prepare import prepare
from radcurate.features.reasons import NOT_IN_ENGINE

NAMES = [column.name for column in columns_for(ALL)]


def features(values, mask, profile=ALL, spacing=(1.0, 1.0, 1.0)):
    return compute(prepared(values, mask, profile, spacing), columns_for(profile))


def same(found, expected, rel=1e-9):
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=rel, abs=1e-9, nan_ok=True), name


def test_the_digital_phantom_without_any_file():
    """482 of 482 reference values, and the committed ones to the last of their nine digits but one."""
    found = compute(prepare(*digital_phantom(), configuration("digital_phantom")), columns_for(ALL)).values
    rows = [result for result in results() if result.dataset == "digital_phantom"]
    assert len(rows) == 482
    for row in rows:
        assert found[row.name] == pytest.approx(row.measured["radcurate_nifti"], rel=1e-7, abs=1e-9), row.name
        assert row.is_right("radcurate_nifti"), row.name


def test_that_phantom_is_ibsis(real_data):
    for mine, theirs in zip(digital_phantom(), digital_from_nifti(real_data), strict=True):
        assert np.array_equal(mine, theirs)


# What has no value on strange regions: how many columns of each group, and why. Everything else has one.
NO_PAIR = {"cm": 150, "ngt": 15}  # no voxel has a neighbour
NO_SLOPE = {"ih": 4}  # a histogram of one level
ALONE = {"morph": 9, "ivh": 6} | NO_PAIR | NO_SLOPE
FLAT_LINE = {"one_plane", "one_line"}
BY_GROUP = Counter(column.group for column in columns_for(ALL))
GAPS = {
    "one_voxel": ({"one_voxel"}, ALONE),
    "one_voxel_in_a_corner": ({"one_voxel"}, ALONE),
    # flat ellipsoids; no voxel between the percentiles; half of the voxels have the largest intensity
    "two_voxels": (
        FLAT_LINE | {"none_between_percentiles", "share_not_reached"},
        {"morph": 2, "stat": 1, "ih": 1, "ivh": 2},
    ),
    "two_voxels_apart": (
        FLAT_LINE | {"none_between_percentiles", "share_not_reached", "no_neighbours"},
        {"morph": 2, "stat": 1, "ih": 1, "ivh": 2} | NO_PAIR,
    ),
    "one_slice": ({"one_plane"}, {"morph": 1}),
    "one_row": (FLAT_LINE | {"share_not_reached"}, {"morph": 2, "ivh": 2}),
    "whole_image": (set(), {}),
    "many_components": ({"share_not_reached"}, {"ivh": 2}),
    "empty_after_resegmentation": ({"empty_after_resegmentation"}, dict(BY_GROUP) | {"morph": 4}),
    "one_left_after_resegmentation": ({"one_voxel"}, {"morph": 2} | NO_PAIR | NO_SLOPE),
    "interpolated": ({"one_plane", "share_not_reached", "one_level"}, {"morph": 1, "ivh": 3, "cm": 12} | NO_SLOPE),
}


@pytest.mark.parametrize("name", EDGES)
def test_strange_regions_give_the_same_columns_and_a_reason_for_each_gap(name):
    mask, profile = EDGES[name]
    found = features(edge_values(), mask, profile)
    assert set(found.values) == set(NAMES)
    assert {n for n, value in found.values.items() if math.isnan(value)} == set(found.reasons)
    assert all(math.isfinite(value) or math.isnan(value) for value in found.values.values())
    reasons, groups = GAPS[name]
    assert set(found.reasons.values()) == reasons
    assert Counter(column.partition("_")[0] for column in found.reasons) == groups


@given(st.integers(0, 10**6), st.sampled_from([0.02, 0.1, 0.5, 1.0]), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_no_region_raises_or_loses_a_column(seed, share, most):
    draw = np.random.default_rng(seed)
    shape = tuple(int(n) for n in draw.integers(1, 6, 3))
    mask = draw.random(shape) < share
    mask.flat[draw.integers(mask.size)] = True
    found = features(draw.integers(1, most + 1, shape).astype(np.float64), mask)
    assert set(found.values) == set(NAMES)
    assert {n for n, value in found.values.items() if not math.isfinite(value)} == set(found.reasons)
    assert not {reason for reason in found.reasons.values() if reason in ("engine_error", "undefined", NOT_IN_ENGINE)}


def test_one_voxel_has_a_size_and_an_intensity():
    values = noise((4, 5, 6))
    found = features(values, spots((1, 2, 3))).values
    assert found["stat_mean"] == found["stat_p90"] == values[1, 2, 3] and found["morph_vol_approx"] == 1
    assert found["szm_zsnu_norm_3D"] == 1 and found["ih_entropy"] == 0


def test_a_flat_region():
    """IBSI: skewness and kurtosis are 0 where the variance is 0; a correlation isn't defined."""
    found = features(np.full((5, 5, 5), 7.0), ball((5, 5, 5), 2.4))
    assert found.values["stat_var"] == found.values["stat_skew"] == found.values["ih_kurt"] == 0
    assert found.values["ih_uniformity"] == 1 and found.values["cm_energy_3D_avg"] == 1
    assert found.reasons["cm_corr_3D_comb"] == "one_level" and found.reasons["ivh_i10"] == "share_not_reached"


@given(st.tuples(*[st.integers(0, 4)] * 6), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_place_does_not_matter(edges, seed):
    """But for local peaks, whose balls end where the image ends."""
    values, mask = noise((5, 5, 5), seed), ball((5, 5, 5), 2.4)
    widths = tuple(zip(edges[::2], edges[1::2], strict=True))
    still = features(values, mask).values
    moved = features(np.pad(values, widths, constant_values=77), np.pad(mask, widths)).values
    same({n: moved[n] for n in moved if not n.startswith("loc_")}, {n: still[n] for n in still if n[:4] != "loc_"})


@given(st.permutations(range(3)), st.tuples(*[st.booleans()] * 3), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_three_dimensional_features_ignore_the_order_and_the_sense_of_axes(order, turned, seed):
    values, mask = noise((5, 6, 7), seed), ball((5, 6, 7), 2.9)
    profile = native(textures=["3D"])
    sense = tuple(slice(None, None, -1 if back else 1) for back in turned)
    still = features(values, mask, profile).values
    same(features(values.transpose(order)[sense], mask.transpose(order)[sense], profile).values, still, rel=1e-6)


def test_the_same_twice_and_in_any_company():
    """Bit for bit; and a column doesn't depend on which others are asked for."""
    region = prepared(*phantom(), ALL, (2.0, 1.0, 1.5))
    columns = columns_for(ALL)
    first, second = (compute(region, columns).values for _ in range(2))
    assert first == second
    for some in (columns[::7], columns[3::11], reversed(columns)):
        found = compute(region, some).values
        assert found == {name: first[name] for name in found}


def test_a_failing_family_costs_its_own_columns_only(monkeypatch):
    whole = features(*phantom())
    for error, reason in ((ZeroDivisionError, "engine_error"), (MemoryError, "out_of_memory")):

        def broken(_region, _aggregation, error=error):
            raise error

        monkeypatch.setattr(FAMILIES["szm"], "source", broken)
        found = features(*phantom())
        assert {n for n in found.reasons if n not in whole.reasons} == {n for n in NAMES if n.startswith("szm_")}
        assert {found.reasons[n] for n in NAMES if n.startswith("szm_")} == {reason}
        assert all(found.values[n] == whole.values[n] for n in NAMES if n not in found.reasons)


def test_a_family_that_the_engine_lacks_is_told(monkeypatch):
    columns = columns_for(ALL)
    monkeypatch.setattr(core, "FAMILIES", {group: family for group, family in FAMILIES.items() if group != "dzm"})
    found = compute(prepared(*phantom(), ALL), columns)
    assert {n for n, reason in found.reasons.items() if reason == NOT_IN_ENGINE} == {
        column.name for column in columns if column.group == "dzm"
    }


# pyradiomics' own table of triangles isn't symmetric; IBSI's own sphere of 2 mm steps shows differences of 0.1 %
OF_MESH = ("morph_volume", "morph_area_mesh", "morph_av", "morph_comp", "morph_sph", "morph_diam")


@given(st.integers(0, 9999), st.sampled_from([4, 6, 40]))
@settings(max_examples=8, deadline=None)
def test_pyradiomics_agrees_on_what_it_has(seed, most):
    """Textures and statistics on random regions; its mesh is compared on real regions, where it is smooth."""
    draw = np.random.default_rng(seed)
    values, mask = noise((6, 7, 8), seed, most), ball((6, 7, 8), 3.2) & (draw.random((6, 7, 8)) < 0.9)
    region, columns = prepared(values, mask, ALL, (2.0, 1.0, 1.5)), by_pyradiomics(ALL)
    mine, theirs = compute(region, columns), pyradiomics.compute(region, columns)
    compared = [n for n in theirs.values if n not in theirs.reasons and not n.startswith(OF_MESH)]
    compared = [n for n in compared if not explained(n, region)]
    assert len(compared) > 200
    same(mine.values, {name: theirs.values[name] for name in compared}, rel=1e-6)


def test_a_plane_without_a_value_is_left_out_of_the_mean():
    """Twice as many voxels of level 1 as of level 2: 1 p_1 = 2 p_2, and busyness is divided by their difference."""
    values = np.ones((2, 3, 3))
    values[0, 1] = values[1, 0, :2] = 2
    whole, second = (features(part, np.ones_like(part)).values for part in (values, values[1:]))
    assert whole["ngt_busyness_2D"] == second["ngt_busyness_2D"]
    assert "ngt_busyness_2D" in features(values[:1], np.ones((1, 3, 3))).reasons


def test_nothing_is_printed(capfd):
    features(*phantom())
    features(noise((4, 5, 6)), spots((1, 2, 3)))
    assert capfd.readouterr() == ("", "")


def test_every_column_of_the_catalogue_is_computed():
    assert [column.name for column in catalogue()] == NAMES
    assert not compute(prepare(*digital_phantom(), configuration("digital_phantom")), columns_for(ALL)).reasons
