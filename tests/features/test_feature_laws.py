"""Laws of all columns together: where a region lies, how its axes are ordered, what its intensities and spacing do to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from feature_tools import native, prepared
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.catalogue import columns_for
from radcurate.features.core import compute
from radcurate.features.families.family import AGGREGATIONS

FIXED_NUMBER = native(discretisation="fixed_bin_number", bin_number=8, volume_histogram="fixed_bin_number")
FIXED_SIZE = native(bin_size=2)
THREE_D = native(textures=["3D"])
COLUMNS = columns_for(FIXED_NUMBER)
GROUP = {column.name: column.group for column in COLUMNS}
UNIT = {column.name: column.unit for column in COLUMNS}
NEED_INTENSITY = {"morph_com", "morph_integ_int", "morph_moran_i", "morph_geary_c"}
STEPS = st.sampled_from([0.5, 0.75, 1.0, 2.0, 3.0])
SPACINGS = st.tuples(STEPS, STEPS, STEPS)


@st.composite
def regions(draw, most=30):
    """Whole intensities from 1 and a mask of at least three voxels that aren't all equal."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = draw(st.tuples(*[st.integers(2, 7)] * 3))
    values = random.integers(1, most + 1, shape).astype(np.float64)
    mask = random.random(shape) < draw(st.sampled_from([0.3, 0.7, 1.0]))
    places = random.permutation(values.size)[:3]
    mask.flat[places], values.flat[places[:2]] = True, (1, most)
    return values, mask


def features(values, mask, profile=FIXED_NUMBER, spacing=(1.0, 1.0, 1.0)):
    return compute(prepared(values, mask, profile, spacing), columns_for(profile)).values


def bits(found, names):
    return {name: None if math.isnan(found[name]) else found[name] for name in names}


def assert_close(found, expected, rel=1e-9):
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=rel, abs=1e-9, nan_ok=True), name


def of_groups(*groups):
    return [name for name, group in GROUP.items() if group in groups]


TEXTURES = ("cm", "rlm", "szm", "dzm", "ngt", "ngl")
SHAPES = [name for name in of_groups("morph") if name not in NEED_INTENSITY]


@given(regions(), st.tuples(*[st.integers(0, 3)] * 6), SPACINGS, st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_where_a_region_lies_and_what_is_around_it_changes_no_bit(region, edges, spacing, seed):
    """But for local peaks, whose balls reach beyond the mask."""
    values, mask = region
    widths = tuple(zip(edges[::2], edges[1::2], strict=True))
    wide = np.pad(mask, widths)
    around = np.random.default_rng(seed).integers(-99, 99, wide.shape).astype(np.float64)
    around[wide] = values[mask]
    names = [name for name, group in GROUP.items() if group != "loc"]
    still, moved = features(values, mask, spacing=spacing), features(around, wide, spacing=spacing)
    assert bits(moved, names) == bits(still, names)


@given(regions(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3), SPACINGS)
@settings(max_examples=40, deadline=None)
def test_axes_may_be_in_any_order_and_sense(region, order, turned, spacing):
    """Every column of 3D, with the spacing in the same order."""
    values, mask = region
    sense = tuple(slice(None, None, -1 if back else 1) for back in turned)
    still = features(values, mask, THREE_D, spacing)
    other = features(
        values.transpose(order)[sense], mask.transpose(order)[sense], THREE_D, tuple(spacing[axis] for axis in order)
    )
    assert_close(other, still, rel=1e-7)


@given(regions(), st.tuples(st.booleans(), st.booleans()), st.booleans(), st.permutations(range(7)))
@settings(max_examples=25, deadline=None)
def test_planes_may_be_turned_and_in_any_order_for_2d(region, turned, transposed, order):
    """2.5D and 2D look at one plane at a time; distances to the edge, too."""
    values, mask = region
    names = [column.name for column in COLUMNS if column.dimension in ("2D", "2.5D")]
    order = [plane for plane in order if plane < len(values)]
    axes = (0, 2, 1) if transposed else (0, 1, 2)
    sense = tuple(slice(None, None, -1 if back else 1) for back in (False, *turned))
    still = features(values, mask)
    other = features(values[order].transpose(axes)[sense], mask[order].transpose(axes)[sense])
    assert_close({name: other[name] for name in names}, {name: still[name] for name in names}, rel=1e-7)


# What becomes of statistics when intensities x become a x + b, a > 0. All others stay.
MOVES = ("stat_mean", "stat_median", "stat_min", "stat_p10", "stat_p90", "stat_max", "loc_peak_loc", "loc_peak_glob")
GROWS = {
    "stat_var": 2,
    "stat_sd": 1,
    "stat_iqr": 1,
    "stat_range": 1,
    "stat_mad": 1,
    "stat_rmad": 1,
    "stat_medad": 1,
}
STAYS = ("stat_skew", "stat_kurt", "morph_moran_i", "morph_geary_c")


@given(regions(), st.integers(1, 9), st.integers(-500, 500))
@settings(max_examples=40, deadline=None)
def test_shift_and_scale_of_intensities(region, a, b):
    values, mask = region
    before, after = features(values, mask), features(a * values + b, mask)
    assert_close(after, {name: a * before[name] + b for name in MOVES})
    assert_close(after, {name: a**power * before[name] for name, power in GROWS.items()}, rel=1e-7)
    assert_close(after, {name: before[name] for name in STAYS}, rel=1e-7)
    n, mean = mask[mask].size, a * before["stat_mean"] + b
    energy = a**2 * before["stat_energy"] + 2 * a * b * before["stat_mean"] * n + b**2 * n
    expected = {"stat_energy": energy, "stat_rms": math.sqrt(energy / n), "stat_total_energy": energy}
    assert_close(after, {**expected, "morph_integ_int": mean * before["morph_volume"]}, rel=1e-7)
    if abs(mean) > 1e-6:
        assert_close(after, {"stat_cov": a * math.sqrt(before["stat_var"]) / mean}, rel=1e-7)
    told = {*MOVES, *GROWS, *STAYS, *expected, "morph_integ_int", "stat_cov", "stat_qcod", "morph_com"}
    assert set(of_groups("stat", "loc")) <= told


@given(regions(), st.integers(1, 9), st.integers(-500, 500))
@settings(max_examples=25, deadline=None)
def test_a_fixed_number_of_bins_forgets_shift_and_scale(region, a, b):
    """Textures and histograms keep every bit, and so do shapes."""
    values, mask = region
    names = [*of_groups("ih", "ivh", *TEXTURES), *SHAPES]
    assert bits(features(a * values + b, mask), names) == bits(features(values, mask), names)


@given(regions(), st.integers(1, 9), st.integers(-500, 500))
@settings(max_examples=15, deadline=None)
def test_bins_of_fixed_size_forget_a_shift_and_a_scale_of_theirs(region, a, b):
    """Without a range, bins begin at the least intensity."""
    values, mask = region
    names = [*of_groups("ih", *TEXTURES), *SHAPES]
    other = features(a * values + b, mask, native(bin_size=2 * a))
    assert bits(other, names) == bits(features(values, mask, FIXED_SIZE), names)


@given(regions())
@settings(max_examples=15, deadline=None)
def test_mirrored_intensities(region):
    values, mask = region
    before, after = features(values, mask), features(-values, mask)
    odd = {"stat_mean": "stat_mean", "stat_min": "stat_max", "stat_p10": "stat_p90", "stat_median": "stat_median"}
    assert_close(after, {name: -before[other] for name, other in [*odd.items(), ("stat_skew", "stat_skew")]})
    even = ("stat_var", "stat_kurt", "stat_iqr", "stat_mad", "stat_medad", "stat_energy", "morph_moran_i")
    assert_close(after, {name: before[name] for name in even}, rel=1e-7)


@given(regions(), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_shapes_do_not_depend_on_intensities(region, seed):
    values, mask = region
    other = np.random.default_rng(seed).normal(0, 1e4, values.shape)
    assert bits(features(other, mask), SHAPES) == bits(features(values, mask), SHAPES)


@given(regions(), SPACINGS)
@settings(max_examples=25, deadline=None)
def test_intensities_and_textures_do_not_depend_on_spacing(region, spacing):
    names = [name for name in of_groups("stat", "ih", "ivh", *TEXTURES) if name != "stat_total_energy"]
    assert bits(features(*region, spacing=spacing), names) == bits(features(*region), names)


POWERS = {"mm": 1, "mm2": 2, "mm3": 3, "1/mm": -1, "mm3 intensity": 3, "1": 0}


@given(regions(), SPACINGS, st.sampled_from([0.1, 0.5, 3.0]))
@settings(max_examples=25, deadline=None)
def test_shapes_grow_with_spacing_as_their_units_say(region, spacing, scale):
    before = features(*region, spacing=spacing)
    after = features(*region, spacing=tuple(scale * step for step in spacing))
    assert_close(after, {name: scale ** POWERS[UNIT[name]] * before[name] for name in of_groups("morph")}, rel=1e-7)


@given(regions(), st.integers(0, 99), SPACINGS)
@settings(max_examples=40, deadline=None)
def test_what_grows_with_the_region(region, seed, spacing):
    """More voxels: no smaller volume, hull, diameter, range and energy."""
    values, mask = region
    less = mask & (np.random.default_rng(seed).random(mask.shape) < 0.8)
    less.flat[np.flatnonzero(mask)[0]] = True
    small, large = features(values, less, spacing=spacing), features(values, mask, spacing=spacing)
    slack = 1 + 1e-9
    for name in ("morph_vol_approx", "morph_diam", "stat_max", "stat_range", "stat_energy", "stat_total_energy"):
        assert small[name] <= large[name] * slack, name
    assert large["stat_min"] <= small["stat_min"]
    hulls = [found["morph_volume"] / found["morph_vol_dens_conv_hull"] for found in (small, large)]
    assert hulls[0] <= hulls[1] * slack
    boxes = [found["morph_volume"] / found["morph_vol_dens_aabb"] for found in (small, large)]
    assert boxes[0] <= boxes[1] * slack
    if less.sum() < mask.sum():
        assert small["morph_vol_approx"] < large["morph_vol_approx"]


@given(regions(), SPACINGS)
@settings(max_examples=25, deadline=None)
def test_a_mesh_grows_with_its_voxels_and_lies_within_them(region, spacing):
    values, mask = region
    found = features(values, mask, spacing=spacing)
    assert 0 < found["morph_volume"] <= found["morph_vol_approx"] * (1 + 1e-9)
    assert found["morph_vol_dens_conv_hull"] <= 1 + 1e-9 and found["morph_vol_dens_aabb"] <= 1 + 1e-9
    assert found["morph_sphericity"] <= 1


@given(regions(), SPACINGS)
@settings(max_examples=40, deadline=None)
def test_features_that_determine_each_other(region, spacing):
    found = features(*region, spacing=spacing)
    n = round(found["morph_vol_approx"] / math.prod(spacing))
    volume, area = found["morph_volume"], found["morph_area_mesh"]
    expected = {
        "morph_av": area / volume,
        "morph_comp_2": found["morph_sphericity"] ** 3,
        "morph_comp_1": math.sqrt(found["morph_comp_2"]) / (6 * math.pi),
        "morph_sph_dispr": 1 / found["morph_sphericity"],
        "morph_asphericity": found["morph_sph_dispr"] - 1,
        "morph_pca_elongation": found["morph_pca_min_axis"] / found["morph_pca_maj_axis"],
        "morph_integ_int": volume * found["stat_mean"],
        "stat_energy": n * found["stat_rms"] ** 2,
        "stat_rms": math.sqrt(found["stat_mean"] ** 2 + found["stat_var"]),
        "stat_cov": found["stat_sd"] / found["stat_mean"],
        "stat_range": found["stat_max"] - found["stat_min"],
        "ih_range": found["ih_max"] - found["ih_min"],
        "ivh_diff_v10_v90": found["ivh_v10"] - found["ivh_v90"],
        "ivh_diff_i10_i90": found["ivh_i10"] - found["ivh_i90"],
        "ngl_dc_perc_3D": 1,
        # every voxel stands once in this matrix, so its levels are the histogram's
        "ngl_gl_var_3D": found["ih_var"],
        "ngl_glnu_norm_3D": found["ih_uniformity"],
        "ngl_hgce_2_5D": found["ih_var"] + found["ih_mean"] ** 2,
    }
    for tag in ("lgze", "hgze", "glnu", "glnu_norm", "z_perc", "gl_var"):  # the same zones, by size and by distance
        expected |= {f"dzm_{tag}_{end}": found[f"szm_{tag}_{end}"] for end in ("2D", "2_5D", "3D")}
    for end in (a.replace(".", "_") for a in AGGREGATIONS if "_" in a):
        expected |= {
            f"cm_dissimilarity_{end}": found[f"cm_diff_avg_{end}"],
            f"cm_sum_avg_{end}": 2 * found[f"cm_joint_avg_{end}"],
            f"cm_clust_tend_{end}": found[f"cm_sum_var_{end}"],
            f"cm_contrast_{end}": 4 * found[f"cm_joint_var_{end}"] - found[f"cm_clust_tend_{end}"],
        }
    assert_close(found, expected, rel=1e-8)


@given(regions(most=4))
@settings(max_examples=25, deadline=None)
def test_bins_own_their_lower_edge(region):
    """Moved up within its bin a value keeps its level; one on an edge belongs to the upper bin, the largest to the last."""
    values, mask = region
    random = np.random.default_rng(0)
    least = values[mask].min()
    up = np.where(values == least, values, values + random.uniform(0, 0.99, values.shape))
    names = [*of_groups("ih", *TEXTURES)]
    assert bits(features(up, mask, native()), names) == bits(features(values, mask, native()), names)
    edges = features(np.arange(9.0).reshape(1, 3, 3), np.ones((1, 3, 3), dtype=bool), native(bin_size=4))
    assert (edges["ih_min"], edges["ih_max"], edges["ih_mean"]) == (1, 3, (4 * 1 + 4 * 2 + 1 * 3) / 9)
    last = features(np.arange(9.0).reshape(1, 3, 3), np.ones((1, 3, 3), dtype=bool))
    assert last["ih_max"] == 8 and last["ih_mean"] == (sum(range(1, 9)) + 8) / 9


def test_a_law_that_is_broken_is_found():
    """One voxel's intensity, one step of spacing: the comparisons above see them."""
    random = np.random.default_rng(0)
    values, mask = random.integers(1, 9, (5, 5, 5)).astype(float), np.ones((5, 5, 5), dtype=bool)
    other = values.copy()
    other[2, 2, 2] = values[2, 2, 2] % 8 + 1
    before = features(values, mask)
    for group in ("stat", "ih", *TEXTURES):
        assert bits(features(other, mask), of_groups(group)) != bits(before, of_groups(group))
    with pytest.raises(AssertionError):
        assert_close(features(values, mask, spacing=(1.0, 1.0, 1.001)), {n: before[n] for n in SHAPES})
