"""Ranges of regions: the same again, around the value as drawn, as wide as the perturbation."""

from __future__ import annotations

import numpy as np
import pytest
from feature_tools import ball, native

from radcurate.features.catalogue import columns_for
from radcurate.features.engine import Outcome, find
from radcurate.features.measure import measure
from radcurate.features.profile import Profile
from radcurate.features.ranges.chance import Chance
from radcurate.features.ranges.place import Source
from radcurate.features.ranges.spread import chosen, perturbed, ranges_of, spread
from radcurate.settings import Ranges

SPACING = (2.0, 1.0, 1.0)
COLUMNS = tuple(
    column
    for column in columns_for(Profile(bin_number=8))
    if column.name
    in ("morph_volume", "morph_vol_approx", "stat_mean", "stat_var", "cm_joint_entr_3D_comb", "stat_skew")
)
NAMES = [column.name for column in COLUMNS]


def source(mask=None, **choices) -> Source:
    chance = np.random.default_rng(0)
    values = chance.normal(100, 10, (18, 36, 36))
    mask = ball((18, 36, 36), 8.0) if mask is None else mask
    choices = {"voxel_size": 1.0, "bin_size": 5} | choices
    return Source(values, mask, SPACING, native(**choices), None)


def ranges(given: Source, image: str = "image", **options):
    options = {"perturbations": 6} | options
    engine = find("pyradiomics")
    measured = measure(given.values, given.mask, given.spacing, given.profile, given.scale, engine, COLUMNS)
    return ranges_of(given, Ranges(**options), (image, "mask"), engine, COLUMNS, measured), measured.outcome.values


def test_every_range_holds_the_value_as_drawn():
    found, drawn = ranges(source())
    assert found.perturbations == 6 and set(found.low) == set(NAMES)
    for name in NAMES:
        assert found.low[name] <= drawn[name] <= found.high[name]
        assert found.low[name] < found.high[name]
        assert found.low[name] <= found.mean[name] <= found.high[name] and found.variance[name] > 0


def test_the_same_again_and_other_numbers_for_another_image():
    first, _ = ranges(source())
    assert ranges(source())[0] == first
    assert ranges(source(), image="another")[0].low != first.low


def test_nothing_moved_is_nothing_changed():
    still = {"rotation": 0, "translation": 0, "noise": 0, "volume": 0, "contour": 0}
    found, drawn = ranges(source(), perturbations=2, **still)
    assert found.low == found.high == pytest.approx(drawn)
    assert all(value == pytest.approx(0, abs=1e-20) for value in found.variance.values())
    assert found.overlap == 1


@pytest.mark.parametrize("volume", [0.1, 0.3])
def test_a_ball_changes_its_volume_by_the_expected_amount(volume):
    """Uniform over [-v, v]: no volume beyond, mean near 0, variance v²/3."""
    given = source()
    options = Ranges(perturbations=40, rotation=0, translation=0, noise=0, contour=0, volume=volume)
    drawn = next(perturbed(given, options.model_copy(update={"volume": 0}), "i", "m")).gridded.morphology.sum()
    changes = [found.gridded.morphology.sum() / drawn - 1 for found in perturbed(given, options, "i", "m")]
    assert max(np.abs(changes)) <= volume + 1 / drawn
    assert np.mean(changes) == pytest.approx(0, abs=volume / 3)
    assert np.std(changes) == pytest.approx(volume / np.sqrt(3), rel=0.25)


def test_a_larger_perturbation_gives_a_wider_range():
    widths = []
    for size in (0.02, 0.2):
        found, _ = ranges(source(), volume=size, contour=0, noise=0, rotation=0, translation=0)
        widths.append(found.high["morph_vol_approx"] - found.low["morph_vol_approx"])
    assert widths[1] > 5 * widths[0]


def test_noise_alone_leaves_the_shape():
    found, _ = ranges(source(), rotation=0, translation=0, volume=0, contour=0)
    assert found.low["morph_volume"] == found.high["morph_volume"]
    assert found.low["stat_var"] < found.high["stat_var"]


def test_without_interpolation_the_grid_stays():
    found, _ = ranges(source(voxel_size=None), noise=0, volume=0, contour=0)
    assert found.low == found.high


def test_in_2d_planes_stay():
    given = source(dimension="2D")
    options = Ranges(perturbations=5, rotation=20, noise=0, volume=0, contour=0)
    planes = {found.gridded.morphology.shape[0] for found in perturbed(given, options, "i", "m")}
    assert planes == {int(given.mask.any(axis=(1, 2)).sum())}


def test_switching_one_kind_off_leaves_the_chance_of_the_others():
    given = source()
    both, one = (
        [found.gridded.morphology for found in perturbed(given, Ranges(perturbations=3, noise=noise), "i", "m")]
        for noise in (0.0, 1.0)
    )
    assert all((a == b).all() for a, b in zip(both, one, strict=True))


def test_perturbations_are_the_first_of_more():
    given = source()
    few, many = ([found.overlap for found in perturbed(given, Ranges(perturbations=n), "i", "m")] for n in (2, 4))
    assert many[:2] == few


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 2), (1, 5, 5), (3, 1, 1)])
@pytest.mark.parametrize("at", [(0, 0, 0), (8, 20, 20)])
def test_strange_regions_have_ranges_or_none(shape, at):
    mask = np.zeros((18, 36, 36), dtype=bool)
    mask[tuple(slice(start, start + n) for start, n in zip(at, shape, strict=True))] = True
    found, drawn = ranges(source(mask))
    assert found.perturbations <= 6
    for name in NAMES:
        assert np.isnan(drawn[name]) == np.isnan(found.low[name])
        assert np.isnan(drawn[name]) or found.low[name] <= drawn[name] <= found.high[name]


def test_flat_and_empty_regions():
    given = source()
    flat = Source(np.zeros_like(given.values), given.mask, SPACING, given.profile, None)
    assert ranges(flat)[0].high["stat_var"] == 0
    found, drawn = ranges(source(range=(5000, None)))
    assert np.isnan(drawn["stat_mean"]) and np.isnan(found.high["stat_mean"]) and np.isnan(found.mean["stat_mean"])
    assert found.low["morph_volume"] < found.high["morph_volume"]


def test_regions_that_vanish_are_counted():
    mask = np.zeros((18, 36, 36), dtype=bool)
    mask[9, 19, 19] = True  # on a point of the grid of 3 mm
    given = source(mask, voxel_size=3.0)
    options = Ranges(perturbations=30, noise=0)
    assert 0 < len(list(perturbed(given, options, "i", "m"))) < 30


def test_values_that_are_missing_under_a_perturbation():
    regions = list(perturbed(source(), Ranges(perturbations=3, noise=0), "i", "m"))
    answers = iter([5.0, np.nan, 7.0])
    found = spread(regions, lambda gridded: Outcome({"x": next(answers), "y": np.nan}, {}), {"x": 6.0, "y": 1.0})
    assert (found.low["x"], found.high["x"]) == (5, 7)
    assert np.isnan(found.mean["x"]) and np.isnan(found.variance["x"])
    assert found.low["y"] == found.high["y"] == 1


def test_no_perturbation_leaves_the_value_as_drawn():
    found = spread([], lambda gridded: Outcome({}, {}), {"x": 6.0})
    assert (found.low["x"], found.high["x"], found.perturbations) == (6, 6, 0)
    assert np.isnan(found.mean["x"]) and np.isnan(found.overlap)


def test_which_columns_get_a_range():
    names = ["stat_mean", "morph_moran_i", "log__stat_mean", "cm_corr_3D_avg"]
    assert chosen(names, Ranges(perturbations=1)) == ("stat_mean", "cm_corr_3D_avg")
    assert chosen(names, Ranges(perturbations=1, features=("*__*", "morph_*"), without=())) == (
        "morph_moran_i",
        "log__stat_mean",
    )
    assert chosen(names, Ranges()) == ()


def test_a_planted_unstable_feature_is_told_from_a_stable_one():
    """Over regions: the volume is stable; a feature that reads the last digits of the mean is not."""
    from radcurate.features.ranges.stability import agreement, grade

    rows = []
    for radius in (4.0, 5.0, 6.0, 7.0, 8.0, 9.0):
        given = source(ball((18, 36, 36), radius))
        regions = perturbed(given, Ranges(perturbations=8), "i", str(radius))

        def planted(gridded):
            values = gridded.surroundings[gridded.box][gridded.morphology]
            return Outcome({"volume": float(gridded.morphology.sum()), "digits": float(values.sum() * 1e4 % 1)}, {})

        rows.append(spread(regions, planted, {"volume": 1.0, "digits": 1.0}))
    means, variances = (
        np.array([[getattr(row, part)[name] for name in ("volume", "digits")] for row in rows])
        for part in ("mean", "variance")
    )
    found = agreement(means, variances, np.array([row.perturbations for row in rows]))
    assert [grade(low) for low in found.low] == ["excellent", "poor"]


def test_chance_follows_from_what_is_in_the_release():
    one, other = Chance("i", "m", 0), Chance("i", "m", 1)
    assert one.of("noise").random() == one.of("noise").random()
    assert len({one.of("noise").random(), one.of("contour").random(), other.of("noise").random()}) == 3
    assert one.between("volume", 0.0) == 0
    assert Chance("image", "mask", 0).between("rotation", 10) == pytest.approx(RECORDED, rel=1e-12)


# Made by this function; a change would change every range that was ever released.
RECORDED = 8.606438673739042


def test_filtered_images_get_ranges_when_asked_for():
    profile = native(voxel_size=1.0, bin_size=5, filters=[{"kind": "log", "sigma": 2.0}])
    given = source()
    given = Source(given.values, given.mask, SPACING, profile, None)
    columns = tuple(column for column in columns_for(profile) if column.tag == "stat_mean")
    assert len(columns) == 2
    engine = find("pyradiomics")
    measured = measure(given.values, given.mask, SPACING, profile, None, engine, columns)
    still = {"rotation": 0, "translation": 0, "noise": 0, "volume": 0, "contour": 0}
    for options in (Ranges(perturbations=2, **still), Ranges(perturbations=4)):
        found = ranges_of(given, options, ("i", "m"), engine, columns, measured)
        for name, value in measured.outcome.values.items():
            assert found.low[name] <= value <= found.high[name]
        assert (found.high == pytest.approx(found.low, abs=1e-12)) == (options.noise == 0)


def test_boundaries_on_one_grid_share_its_image():
    given = source()
    regions = list(perturbed(given, Ranges(perturbations=4, contours=2, rotation=0), "i", "m"))

    def shared(one, other):
        return np.isin(one.gridded.surroundings, other.gridded.surroundings).mean()

    assert shared(regions[0], regions[1]) > 0.5 > shared(regions[1], regions[2]) == 0
    assert regions[0].gridded.morphology.sum() != regions[1].gridded.morphology.sum()
