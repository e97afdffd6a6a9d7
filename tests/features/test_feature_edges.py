"""Strange regions: the same columns always, a finite value or a reason for each, and values that can be checked by hand."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest
from feature_tools import native, noise

import radcurate
from radcurate.features import core, pyradiomics, reasons
from radcurate.features.catalogue import columns_for
from radcurate.features.engine import Engine, Outcome
from radcurate.features.measure import measure
from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.reasons import OF_FEATURES, OF_REGIONS

SHAPE = (7, 8, 9)
FILTERS = [
    {"kind": "mean", "size": 3},
    {"kind": "log", "sigma": 1},
    {"kind": "laws", "kernels": "L5E5S5", "energy": 2},
    {"kind": "wavelet", "family": "haar", "subbands": ["LLH", "HHH"]},
    {"kind": "simoncelli", "level": 1},
]
PROFILES = {
    "as_it_is": native(),
    "fixed_bin_number": Profile.model_validate({"bin_number": 16, "volume_histogram": "fixed_bin_number"}),
    "volumes": native(voxel_size=1.5, rounding=1, bin_size=2, image_interpolation="cubic_spline"),
    "planes": native(dimension="2D", voxel_size=0.7, textures=["2D", "2.5D"]),
    "resegmented": native(
        range=[1, 5], outlier_sigma=2, volume_histogram="fixed_bin_size", volume_histogram_bin_size=0.5
    ),
    "filtered": native(textures=["3D"], filters=FILTERS),
}


def spots(*voxels):
    mask = np.zeros(SHAPE, dtype=bool)
    for voxel in voxels:
        mask[voxel] = True
    return mask


def with_values(**planted):
    """Noise with some voxels of other values."""
    values = noise(SHAPE)
    for value, voxel in ((np.nan, (3, 3, 3)), (np.inf, (3, 4, 4)), (-np.inf, (2, 4, 4))):
        values[voxel] = value
    return values


BLOCK = spots(np.s_[2:5, 2:6, 2:6])
WHOLE = np.ones(SHAPE, dtype=bool)
EVEN = np.indices(SHAPE).sum(axis=0) % 2 == 0
CASES = {
    "one_voxel": (noise(SHAPE), spots((3, 3, 3))),
    "one_voxel_in_the_last_corner": (noise(SHAPE), spots((6, 7, 8))),
    "two_voxels": (noise(SHAPE), spots((3, 3, 3), (3, 3, 4))),
    "two_voxels_by_a_corner": (noise(SHAPE), spots((3, 3, 3), (4, 4, 4))),
    "two_voxels_apart": (noise(SHAPE), spots((0, 0, 0), (6, 7, 8))),
    "three_voxels": (noise(SHAPE), spots((3, 3, 3), (3, 3, 4), (3, 4, 3))),
    "flat": (np.full(SHAPE, 3.0), BLOCK),
    "flat_but_for_one_voxel": (np.where(spots((3, 3, 3)), 4.0, 3.0), BLOCK),
    "flat_by_plane": (np.broadcast_to(np.arange(1.0, 8)[:, None, None], SHAPE).copy(), BLOCK),
    "zero": (np.zeros(SHAPE), BLOCK),
    "negative": (-noise(SHAPE), BLOCK),
    "of_mean_zero": (np.where(EVEN, 1.0, -1.0), spots(np.s_[2:4, 2:4, 2:4])),
    "one_slice": (noise(SHAPE), spots(np.s_[3, 2:6, 2:6])),
    "one_slice_across": (noise(SHAPE), spots(np.s_[2:6, 3, 2:6])),
    "oblique_slice": (noise(SHAPE), BLOCK & (np.indices(SHAPE)[0] == np.indices(SHAPE)[1])),
    "one_row": (noise(SHAPE), spots(np.s_[3, 3, :])),
    "one_column_of_planes": (noise(SHAPE), spots(np.s_[:, 3, 3])),
    "diagonal": (noise(SHAPE), spots(*[(i, i, i) for i in range(7)])),
    "cube_in_the_corner": (noise(SHAPE), spots(np.s_[:3, :3, :3])),
    "cube_at_the_border": (noise(SHAPE), spots(np.s_[4:, 2:5, 5:])),
    "whole_image": (noise(SHAPE), WHOLE),
    "two_components": (noise(SHAPE), spots(np.s_[:2, :2, :2], np.s_[-2:, -2:, -2:])),
    "checkerboard": (noise(SHAPE), EVEN),
    "single_voxels": (noise(SHAPE), (np.indices(SHAPE) % 2 == 0).all(axis=0)),
    "with_a_hole": (noise(SHAPE), BLOCK & ~spots((3, 3, 3))),
    "nothing_in_range": (noise(SHAPE) + 1000, BLOCK),
    "nan_inside": (with_values(), BLOCK),
    "nothing_but_nan": (np.full(SHAPE, np.nan), BLOCK),
    "small_differences": (1e6 + noise(SHAPE) * 1e-3, BLOCK),
    "large": (noise(SHAPE) * 1e5, BLOCK),
    "float32": (noise(SHAPE).astype(np.float32), BLOCK),
    "int16": (noise(SHAPE).astype(np.int16), BLOCK),
    "fortran": (np.asfortranarray(noise(SHAPE)), np.asfortranarray(BLOCK)),
}
SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.75, 0.8)]
# Codes for what must not happen in the engine on any of them.
FAILURES = {reasons.UNDEFINED, reasons.ENGINE_ERROR, reasons.NOT_IN_ENGINE, reasons.OUT_OF_MEMORY, reasons.TWO_VOXELS}


def measured(values, mask, profile, spacing=(1.0, 1.0, 1.0), engine=core) -> Outcome:
    columns = columns_for(profile)
    return measure(values, mask, spacing, profile, None, Engine("one", engine.compute, "radcurate"), columns).outcome


def gaps(outcome: Outcome) -> set[str]:
    return {name for name, value in outcome.values.items() if math.isnan(value)}


# Bounds of what is a share, a probability or an entropy, by tag; None: open.
BOUNDS = {
    **dict.fromkeys(["morph_volume", "morph_area_mesh", "morph_diam", "morph_vol_approx"], (1e-9, None)),
    **dict.fromkeys(["morph_sphericity", "morph_comp_2", "morph_pca_elongation", "morph_pca_flatness"], (0, 1)),
    **dict.fromkeys(["morph_vol_dens_aabb", "morph_vol_dens_conv_hull", "morph_area_dens_aabb"], (0, None)),
    **dict.fromkeys(["morph_com", "morph_geary_c", "stat_var", "stat_mad", "stat_iqr", "ih_var"], (0, None)),
    **dict.fromkeys(
        ["ih_entropy", "cm_joint_entr", "rlm_rl_entr", "szm_zs_entr", "dzm_zd_entr", "ngl_dc_entr"], (0, 40)
    ),
    **dict.fromkeys(["ih_uniformity", "ivh_v10", "ivh_v90", "cm_energy", "cm_joint_max", "rlm_r_perc"], (0, 1)),
    **dict.fromkeys(["cm_corr"], (-1, 1)),
    **dict.fromkeys(["cm_info_corr1"], (-1, 0)),
    **dict.fromkeys(["cm_info_corr2", "szm_z_perc", "dzm_z_perc", "ngl_dc_perc", "rlm_sre", "szm_sze"], (0, 1)),
    **dict.fromkeys(["ngt_coarseness"], (0, 1e6)),
    **dict.fromkeys(["ngt_contrast", "ngt_busyness", "ngt_complexity", "ngt_strength"], (0, None)),
}


def is_plausible(tag: str, value: float) -> bool:
    low, high = BOUNDS.get(tag, (None, None))
    slack = 1e-9 * max(1.0, abs(value))
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)


def check(outcome: Outcome, profile: Profile) -> None:
    columns = columns_for(profile)
    assert list(outcome.values) == [column.name for column in columns]
    assert all(math.isfinite(value) or math.isnan(value) for value in outcome.values.values())
    assert gaps(outcome) == set(outcome.reasons)
    assert set(outcome.reasons.values()) <= set(OF_FEATURES)
    strange = {
        column.name: outcome.values[column.name]
        for column in columns
        if not math.isnan(outcome.values[column.name]) and not is_plausible(column.tag, outcome.values[column.name])
    }
    assert strange == {}


@pytest.mark.parametrize("spacing", SPACINGS, ids=["cubes", "thick"])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", CASES)
def test_every_column_has_a_plausible_value_or_a_reason(case, profile, spacing):
    values, mask = CASES[case]
    try:
        outcome = measured(values, mask, PROFILES[profile], spacing)
    except RegionError as error:  # a few voxels may fall between the points of another grid
        assert error.reason == "empty_after_interpolation" and PROFILES[profile].voxel_size and mask.sum() <= 9
        return
    check(outcome, PROFILES[profile])
    assert {name: reason for name, reason in outcome.reasons.items() if reason in FAILURES} == {}


@pytest.mark.parametrize("case", CASES)
def test_pyradiomics_never_raises_either(case):
    profile = native(textures=["3D"])
    outcome = measured(*CASES[case], profile, engine=pyradiomics)
    assert gaps(outcome) == set(outcome.reasons)
    assert set(outcome.reasons.values()) <= set(OF_FEATURES)


@pytest.mark.parametrize("case", ["one_voxel", "flat", "nan_inside", "checkerboard", "int16"])
def test_input_is_left_as_it_is(case):
    values, mask = CASES[case]
    before = values.copy(), mask.copy()
    measured(values, mask, PROFILES["filtered"])
    assert np.array_equal(values, before[0], equal_nan=values.dtype.kind == "f") and np.array_equal(mask, before[1])


@pytest.mark.parametrize("case", ["float32", "int16", "fortran"])
@pytest.mark.parametrize("profile", ["as_it_is", "volumes", "filtered"])
def test_the_type_of_the_input_does_not_matter(case, profile):
    mine, plain = measured(*CASES[case], PROFILES[profile]), measured(noise(SHAPE), BLOCK, PROFILES[profile])
    assert mine.values == pytest.approx(plain.values, rel=1e-12, nan_ok=True)


def test_thousands_of_levels():
    """Matrices of pairs have their limit, the others none."""
    values = np.random.default_rng(0).permutation(18**3).reshape(18, 18, 18) + 1.0
    profile = native(bin_size=1, textures=["3D"])
    outcome = measured(values, np.ones(values.shape, dtype=bool), profile)
    check(outcome, profile)
    assert set(outcome.reasons.values()) <= {reasons.TOO_MANY_LEVELS, reasons.NOT_REACHED}
    lacking = {name.partition("_")[0] for name, why in outcome.reasons.items() if why == reasons.TOO_MANY_LEVELS}
    assert lacking == {"cm", "ngt", "ngl"}
    assert outcome.values["szm_z_perc_3D"] == 1 and outcome.values["ih_entropy"] == pytest.approx(math.log2(18**3))


@pytest.mark.parametrize("profile", PROFILES)
def test_an_empty_mask_is_a_problem_of_the_region(profile):
    with pytest.raises(RegionError, match="empty_mask"):
        measured(noise(SHAPE), np.zeros(SHAPE, dtype=bool), PROFILES[profile])


def test_a_mask_between_all_points_of_a_coarse_grid():
    mask = np.zeros((20, 20, 20), dtype=bool)
    mask[0, 0, 0] = True
    with pytest.raises(RegionError, match="empty_after_interpolation"):
        measured(noise((20, 20, 20)), mask, native(voxel_size=10))


# By hand. A mesh of one voxel is an octahedron with half-axes of half a voxel: V = abc / 6, here of spacing (2, 1, 3).
ONE_VOXEL = {
    "morph_volume": 2 * 1 * 3 / 6,
    "morph_vol_approx": 6,
    "morph_area_mesh": math.sqrt((2 * 1) ** 2 + (1 * 3) ** 2 + (3 * 2) ** 2),
    "morph_diam": 3,
    "morph_vol_dens_aabb": 1 / 6,
    "morph_vol_dens_conv_hull": 1,
    "morph_area_dens_conv_hull": 1,
    "morph_com": 0,
    "morph_integ_int": 7,
    "loc_peak_loc": 7,
    "loc_peak_glob": 7,
    "stat_mean": 7,
    "stat_median": 7,
    "stat_var": 0,
    "stat_skew": 0,
    "stat_kurt": 0,
    "stat_energy": 49,
    "stat_rms": 7,
    "stat_cov": 0,
    "ih_mean": 1,
    "ih_entropy": 0,
    "ih_uniformity": 1,
    "rlm_sre_3D_comb": 1,
    "rlm_r_perc_3D_avg": 1,
    "szm_z_perc_3D": 1,
    "szm_zs_entr_3D": 0,
    "dzm_sde_3D": 1,
    "dzm_zd_var_3D": 0,
    "ngl_lde_3D": 1,
    "ngl_dc_energy_3D": 1,
}
# Intensities 1 and 3 in a row of 1 mm voxels: levels 1 and 3.
TWO_VOXELS = {
    "morph_vol_approx": 2,
    "morph_diam": 2,
    "morph_com": 0.25,
    "morph_pca_maj_axis": 4 * math.sqrt(0.5),
    "morph_pca_min_axis": 0,
    "morph_pca_elongation": 0,
    "morph_moran_i": -1,
    "morph_geary_c": 1,
    "stat_mean": 2,
    "stat_var": 1,
    "stat_p10": 1.2,
    "stat_iqr": 1,
    "stat_qcod": 0.25,
    "stat_energy": 10,
    "ih_entropy": 1,
    "ih_range": 2,
    "cm_joint_max_3D_avg": 0.5,
    "cm_joint_avg_3D_comb": 2,
    "cm_contrast_2D_avg": 4,
    "cm_corr_3D_avg": -1,
    "cm_energy_2_5D_comb": 0.5,
    "rlm_sre_3D_avg": 1,
    "rlm_r_perc_2D_comb": 1,
    "szm_zsnu_3D": 2,
    "szm_gl_var_3D": 1,
    "ngt_coarseness_3D": 0.5,
    "ngt_contrast_3D": 0.5 * 4 / 2 * 4 / 2,
    "ngt_strength_3D": 2 * 4 / 4,
    "ngl_lde_3D": 1,
    "ngl_gl_var_3D": 1,
}
# 48 voxels of one intensity, 3, in a block of 3 by 4 by 4.
FLAT = {
    "morph_vol_approx": 48,
    "morph_vol_dens_aabb": None,
    "stat_mean": 3,
    "stat_var": 0,
    "ih_entropy": 0,
    "cm_energy_3D_avg": 1,
    "cm_contrast_3D_comb": 0,
    "cm_joint_entr_2D_avg": 0,
    "rlm_r_perc_3D_comb": None,
    "szm_z_perc_3D": 1 / 48,
    "szm_lze_3D": 48**2,
    "dzm_z_perc_3D": 1 / 48,
    "ngt_coarseness_3D": 1e6,
    "ngt_contrast_3D": 0,
    "ngt_busyness_3D": 0,
    "ngt_strength_3D": 0,
    "ngl_gl_var_3D": 0,
}


@pytest.mark.parametrize(
    ("values", "mask", "spacing", "expected"),
    [
        (np.full(SHAPE, 7.0), spots((3, 3, 3)), (2.0, 1.0, 3.0), ONE_VOXEL),
        (np.full(SHAPE, 7.0), spots((0, 0, 0)), (2.0, 1.0, 3.0), ONE_VOXEL),
        (np.where(spots((3, 3, 4)), 3.0, 1.0), spots((3, 3, 3), (3, 3, 4)), (1.0, 1.0, 1.0), TWO_VOXELS),
        (np.full(SHAPE, 3.0), BLOCK, (1.0, 1.0, 1.0), FLAT),
    ],
    ids=["one_voxel", "one_voxel_in_the_corner", "two_voxels", "flat"],
)
def test_values_by_hand(values, mask, spacing, expected):
    found = measured(values, mask, native(), spacing).values
    for name, value in expected.items():
        if value is not None:
            assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name


SPECIFIC = [
    ("one_voxel", "morph_pca_maj_axis", "one_voxel"),
    ("two_voxels", "morph_area_dens_aee", "one_line"),
    ("two_voxels", "stat_rmad", "none_between_percentiles"),
    ("two_voxels_by_a_corner", "cm_corr_2D_avg", "no_neighbours"),
    ("single_voxels", "ngt_contrast_3D", "no_neighbours"),
    ("flat", "cm_corr_3D_avg", "one_level"),
    ("flat", "morph_moran_i", "one_intensity"),
    ("flat", "ivh_i10", "share_not_reached"),
    ("flat_by_plane", "cm_corr_2D_comb", "one_level"),
    ("one_slice", "morph_vol_dens_aee", "one_plane"),
    ("oblique_slice", "morph_vol_dens_aee", "one_plane"),
    ("diagonal", "morph_area_dens_aee", "one_line"),
    ("of_mean_zero", "stat_cov", "division_by_zero"),
    ("of_mean_zero", "morph_com", "division_by_zero"),
    ("nothing_but_nan", "stat_mean", "empty_after_resegmentation"),
]


@pytest.mark.parametrize(("case", "column", "reason"), SPECIFIC)
def test_reasons_are_specific(case, column, reason):
    assert measured(*CASES[case], native()).reasons[column] == reason


def test_empty_after_resegmentation_leaves_the_shape():
    outcome = measured(*CASES["nothing_in_range"], PROFILES["resegmented"])
    assert set(outcome.reasons.values()) == {"empty_after_resegmentation"}
    assert outcome.values["morph_vol_approx"] == 48


def test_nan_and_infinity_only_leave_the_intensity_mask():
    """As if the mask for intensities had three holes, while the shape has none."""
    found = measured(*CASES["nan_inside"], native()).values
    holes = BLOCK & np.isfinite(with_values())
    plain = measured(noise(SHAPE), holes, native()).values
    assert holes.sum() == 45 and found["morph_vol_approx"] == 48
    same = [name for name in found if name.startswith(("stat_", "ih_", "cm_", "rlm_", "szm_", "ngt_", "ngl_"))]
    assert {name: found[name] for name in same} == {name: plain[name] for name in same}


def strings_given_to(name: str) -> set[str]:
    """First arguments of all calls of a function in the package."""
    package = Path(radcurate.__file__).parent
    calls = [
        node
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
    return {argument.value for call in calls for argument in call.args[:1] if isinstance(argument, ast.Constant)}


def test_reasons_of_regions_are_on_the_list_and_used():
    assert strings_given_to("RegionError") == set(OF_REGIONS)


def test_codes_are_plain_words_and_told_once():
    named = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}
    assert named == set(OF_FEATURES)
    every = [*OF_FEATURES, *OF_REGIONS]
    assert len(every) == len(set(every)) and all(code.replace("_", "").isalpha() and code.islower() for code in every)
    assert all(f"| `{code}` |" in reasons.reference_page() for code in every)
