import csv
import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from feature_tools import ALL, EDGES, ball, by_pyradiomics, features, native, noise, phantom, prepared, spots
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics.featureextractor import RadiomicsFeatureExtractor

from radcurate.features.catalogue import catalogue, columns_for
from radcurate.features.profile import Profile
from radcurate.features.pyradiomics import compute
from radcurate.features.pyradiomics_names import names
from radcurate.features.reasons import NOT_IN_ENGINE

GOLDEN = Path(__file__).with_name("golden.csv")
NAMES = [column.name for column in by_pyradiomics(ALL)]


def same(found, expected, rel=1e-9):
    for name in NAMES:
        assert found.values[name] == pytest.approx(expected.values[name], rel=rel, abs=1e-12, nan_ok=True), name


def test_golden_values():
    """golden.csv: pyradiomics-bhklab 3.1.4 (numpy 2.4) through this engine; every feature has one, and nothing else."""
    with GOLDEN.open() as stream:
        golden = {row["name"]: float(row["value"]) for row in csv.DictReader(line for line in stream if line[0] != "#")}
    found = features(*phantom(), ALL, (2.0, 1.0, 1.5))
    assert set(golden) == {column.name for column in catalogue() if column.tag in names()} == set(found.values)
    for name, value in golden.items():
        assert found.values[name] == pytest.approx(value, rel=1e-9), name


def test_pyradiomics_alone_agrees_where_it_can():
    """Its own extractor on the same image: 3D classes with bins of width 1 that begin at the region's minimum, 1."""
    values, mask = phantom()
    image, region = SimpleITK.GetImageFromArray(values), SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    for part in (image, region):
        part.SetSpacing((1.5, 1.0, 2.0))
    extractor = RadiomicsFeatureExtractor(binWidth=1, additionalInfo=False)
    alone = {key.removeprefix("original_"): float(value) for key, value in extractor.execute(image, region).items()}
    found = features(values, mask, ALL, (2.0, 1.0, 1.5)).values
    kinds = {
        "morph": "shape",
        "stat": "firstorder",
        "cm": "glcm",
        "rlm": "glrlm",
        "szm": "glszm",
        "ngt": "ngtdm",
        "ngl": "gldm",
    }
    compared = 0
    for column in by_pyradiomics(native(textures=["3D"])):
        name = f"{kinds.get(column.group)}_{names()[column.tag]}"
        if name not in alone or column.aggregation == "3D_comb":
            continue
        expected = alone[name] - 3 if column.name == "stat_kurt" else alone[name]
        n = mask.sum()
        if column.name.startswith("morph_pca") and column.name.endswith("axis"):
            expected *= math.sqrt(n / (n - 1))  # IBSI's reference values have n - 1 in the covariance
        assert found[column.name] == pytest.approx(expected, rel=1e-9), column.name
        compared += 1
    assert compared > 90


@given(st.tuples(*[st.integers(0, 4)] * 6), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_place_does_not_matter(edges, seed):
    values, mask = noise((5, 5, 5), seed), ball((5, 5, 5), 2.4)
    widths = tuple(zip(edges[::2], edges[1::2], strict=True))
    same(features(np.pad(values, widths, constant_values=77), np.pad(mask, widths), ALL), features(values, mask, ALL))


@given(st.permutations(range(3)), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_three_dimensional_features_ignore_the_order_of_axes(order, seed):
    """On cubic voxels 13 directions go into one another; the mesh's table of triangles isn't symmetric, so it may differ."""
    values, mask = noise((5, 6, 7), seed), ball((5, 6, 7), 2.9)
    still, turned = (
        features(v, m, native(textures=["3D"]))
        for v, m in ((values, mask), (values.transpose(order), mask.transpose(order)))
    )
    of_mesh = ("morph_volume", "morph_a", "morph_comp", "morph_sph")
    for name, value in still.values.items():
        rel = 0.05 if name.startswith(of_mesh) else 1e-9
        assert turned.values[name] == pytest.approx(value, rel=rel, abs=1e-12), name


@given(st.integers(-500, 500))
@settings(max_examples=8, deadline=None)
def test_a_shift_of_intensities_moves_only_what_it_should(shift):
    values, mask = phantom()
    profile = Profile(bin_number=5, textures=("3D",))
    still, moved = features(values, mask, profile).values, features(values + shift, mask, profile).values
    by_shift = {"stat_mean", "stat_median", "stat_min", "stat_p10", "stat_p90", "stat_max"}
    for name, value in still.items():
        if name in ("stat_energy", "stat_rms", "stat_total_energy"):
            continue
        assert moved[name] - (shift if name in by_shift else 0) == pytest.approx(value, rel=1e-7, abs=1e-7), name


def test_levels_below_the_region_stay_empty():
    """pyradiomics alone would call the least level 1; with bins anchored at the range a shift by a bin is a level."""
    values, mask = phantom()
    low = features(values, mask, native(range=[0, 99])).values
    high = features(values + 10, mask, native(range=[0, 99])).values
    assert high["ih_mean"] == pytest.approx(low["ih_mean"] + 10)
    assert high["cm_joint_avg_3D_avg"] == pytest.approx(low["cm_joint_avg_3D_avg"] + 10)
    assert high["cm_contrast_3D_avg"] == pytest.approx(low["cm_contrast_3D_avg"])


@pytest.mark.parametrize("name", EDGES)
def test_strange_regions_give_the_same_columns_and_a_reason_for_each_gap(name):
    mask, profile = EDGES[name]
    values = noise((4, 5, 6))
    values[1, 2, 2] = 99
    found = features(values, mask, profile)
    assert list(found.values) and set(found.values) == set(NAMES)
    assert {n for n, value in found.values.items() if math.isnan(value)} == set(found.reasons)
    assert all(math.isfinite(value) or math.isnan(value) for value in found.values.values())
    assert math.isfinite(found.values["morph_volume"]) and found.values["morph_vol_approx"] > 0
    if name.startswith("empty"):
        assert set(found.reasons.values()) == {"empty_after_resegmentation"}
        assert all(math.isnan(value) for n, value in found.values.items() if not n.startswith("morph"))
    else:
        assert math.isfinite(found.values["stat_mean"]) and math.isfinite(found.values["ih_entropy"])
    if name in ("whole_image", "one_slice"):
        textures = [n for n in found.reasons if n.startswith(("cm_", "rlm_", "szm_", "ngl_"))]
        assert not textures


def test_one_voxel_has_a_size_and_an_intensity_and_says_why_not_more():
    values, mask = noise((4, 5, 6)), spots((1, 2, 3))
    found = features(values, mask, ALL)
    assert found.values["stat_mean"] == values[1, 2, 3]
    assert found.values["morph_vol_approx"] == 1
    assert math.isnan(found.values["cm_corr_3D_avg"]) and math.isnan(found.values["morph_pca_elongation"])
    assert set(found.reasons.values()) == {"one_voxel"}


def test_a_flat_region_has_no_correlation_and_no_kurtosis():
    found = features(np.full((5, 5, 5), 7.0), ball((5, 5, 5), 2.4), ALL)
    assert (
        found.values["stat_var"] == 0
        and found.values["ih_uniformity"] == 1
        and found.values["ih_entropy"] == pytest.approx(0)
    )
    for name in ("stat_kurt", "stat_skew", "ih_kurt", "cm_corr_3D_comb", "cm_info_corr1_3D_avg"):
        assert math.isnan(found.values[name]) and found.reasons[name] == "one_level", name
    assert found.values["cm_energy_3D_avg"] == 1


def test_too_many_levels_are_refused_before_they_fill_memory():
    values, mask = phantom()
    values[4, 4, 4] = 1e7
    found = features(values, mask, native(textures=["3D"]))
    assert found.reasons["cm_joint_max_3D_avg"] == "too_many_levels"
    assert math.isfinite(found.values["stat_mean"])


def test_a_failing_class_costs_its_own_columns_only(monkeypatch):
    from radcurate.features import pyradiomics

    def broken(*_args, **_settings):
        raise ZeroDivisionError

    monkeypatch.setitem(pyradiomics.TEXTURES, "szm", broken)
    found = features(*phantom(), ALL)
    lost = {name for name, value in found.values.items() if math.isnan(value)}
    assert lost == {name for name in NAMES if name.startswith("szm_")}
    assert set(found.reasons.values()) == {"engine_error"}


def test_the_same_twice():
    first, second = (features(*phantom(), ALL).values for _ in range(2))
    assert first == second


def test_pyradiomics_search_through_all_pairs_is_never_called(monkeypatch):
    """It takes three quarters of the time of a large region; `pyradiomics_mesh` asks it for single cubes only."""
    from radcurate.features import pyradiomics_mesh as module

    sizes = []
    ask = module._ask
    monkeypatch.setattr(module, "_ask", lambda mask, spacing: sizes.append(mask.size) or ask(mask, spacing))
    module.kinds.cache_clear()
    values, mask = phantom()
    monkeypatch.setattr("radiomics.shape.cShape", None)
    assert math.isfinite(features(values, mask, ALL, (1.25, 1.0, 1.0)).values["morph_diam"])
    assert sizes and max(sizes) == 12


def test_what_it_lacks_is_told_and_does_not_change_the_rest():
    whole = compute(prepared(*phantom(), ALL), columns_for(ALL))
    assert list(whole.values) and set(whole.values) == {column.name for column in columns_for(ALL)}
    lacking = {name for name, reason in whole.reasons.items() if reason == NOT_IN_ENGINE}
    assert lacking == set(whole.values) - set(NAMES) and len(NAMES) == 397
    assert all(math.isnan(whole.values[name]) for name in lacking)
    alone = features(*phantom(), ALL)
    assert {name: whole.values[name] for name in NAMES if name not in alone.reasons} == {
        name: value for name, value in alone.values.items() if name not in alone.reasons
    }


def test_nothing_is_printed(capfd):
    features(*phantom(), ALL)
    features(noise((4, 5, 6)), spots((1, 2, 3)), ALL)
    out, err = capfd.readouterr()
    assert out == "" and err == ""
