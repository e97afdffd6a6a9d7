import numpy as np
import pytest
from feature_tools import ISO, ball, native, noise, prepared
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.prepare import WHOLE_IMAGE, discretise, finish, on_grid, reads
from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile


def line(*values):
    return np.array(values, dtype=np.float64).reshape(1, 1, -1)


def levels(profile, *values):
    found, n = discretise(line(*values), np.ones((1, 1, len(values)), dtype=bool), profile)
    return found.ravel().tolist(), n


def test_a_value_on_an_edge_belongs_to_the_upper_bin():
    profile = native(bin_size=25, range=[-1000, 400])
    assert levels(profile, -1000, -976, -975, 0, 399, 400) == ([1, 1, 2, 41, 56, 57], 57)


def test_first_bin_begins_at_the_range_or_the_region_or_the_anchor():
    assert levels(native(bin_size=25, range=[-500, 400]), 10, 40)[0] == [21, 22]
    assert levels(native(bin_size=25), 10, 40)[0] == [1, 2]
    assert levels(native(bin_size=25, range=[0, None], bin_anchor=-50), 10, 40)[0] == [3, 4]


def test_fixed_number_of_bins_gives_the_largest_value_to_the_last_bin():
    profile = Profile(bin_number=4)
    assert levels(profile, 0, 24.9, 25, 50, 75, 100) == ([1, 1, 2, 3, 4, 4], 4)
    assert levels(profile, 7, 7, 7) == ([1, 1, 1], 1)


@given(st.integers(-300, 300), st.integers(0, 50))
def test_fixed_number_of_bins_ignores_a_shift_and_fixed_size_does_not(shift, seed):
    values = noise((2, 3, 4), seed, most=200)
    mask = np.ones(values.shape, dtype=bool)
    number, size = Profile(bin_number=8), native(bin_size=10, range=[-1000, 1000])
    assert np.array_equal(discretise(values, mask, number)[0], discretise(values + shift, mask, number)[0])
    moved = discretise(values + 10 * shift, mask, native(bin_size=10, range=[-9000, 9000]))[0]
    assert np.array_equal(moved - discretise(values, mask, size)[0], np.full(values.shape, shift + 800))


def test_resegmentation_leaves_the_morphological_mask_alone():
    values = noise((5, 5, 5), most=100)
    found = prepared(values, ball((5, 5, 5), 2.5), native(range=[20, 60]))
    assert found.morphology.sum() == ball((5, 5, 5), 2.5).sum()
    assert found.intensity.sum() < found.morphology.sum()
    kept = found.values[found.intensity]
    assert kept.min() >= 20 and kept.max() <= 60
    assert (found.levels[~found.intensity] == 0).all() and (found.levels[found.intensity] > 0).all()


def test_outliers_are_judged_within_the_range():
    values = np.zeros(102)
    values[:50] = 1
    values[-2:] = (5, 1e6)
    mask = np.ones((1, 1, 102), dtype=bool)
    found = prepared(values.reshape(1, 1, -1), mask, native(range=[None, 100], outlier_sigma=3))
    assert found.intensity.sum() == 100  # 1e6 by the range; 5 only because 1e6 didn't stretch the deviation


def test_values_that_are_no_numbers_leave_the_intensity_mask():
    values = noise((3, 3, 3))
    values[1, 1, 1] = np.nan
    assert prepared(values, np.ones((3, 3, 3)), native()).intensity.sum() == 26


@given(st.integers(-1000, 1000))
def test_rounding_moves_with_a_whole_shift(shift):
    """Halves go up, so that -0.5 and 0.5 are one apart; rounding halves to even would depend on the shift."""
    values = line(0, 1, 2, 4)
    mask = np.ones(values.shape, dtype=bool)
    profile = native(voxel_size=0.5, rounding=1)
    still, moved = prepared(values, mask, profile), prepared(values + shift, mask, profile)
    assert np.array_equal(moved.values, still.values + shift)
    assert np.array_equal(still.values, np.round(still.values))


def test_two_dimensional_interpolation_leaves_the_planes():
    found = prepared(noise((4, 10, 10)), np.ones((4, 10, 10)), native(voxel_size=2, dimension="2D"), (5.0, 1.0, 1.0))
    assert found.values.shape == (4, 5, 5) and found.spacing == (5.0, 2.0, 2.0)


def test_normalisation_follows_interpolation_as_it_would_precede_it():
    values, mask = noise((6, 6, 6), most=1000), ball((6, 6, 6), 2.5)
    profile = Profile(voxel_size=0.8, bin_number=16)
    from radcurate.features.prepare import prepare

    after = prepare(values, mask, ISO, profile, scale=(300.0, 20.0))
    before = prepare((values - 300.0) / 20.0, mask, ISO, profile)
    assert after.values == pytest.approx(before.values, abs=1e-9)


@pytest.mark.parametrize(
    ("mask", "size", "reason"),
    [(np.zeros((4, 4, 4)), 1.0, "empty_mask"), (np.eye(64).reshape(16, 16, 16) * (np.arange(16) == 5), 9.0, None)],
)
def test_nothing_left_is_a_reason(mask, size, reason):
    profile = native(voxel_size=size)
    if reason is None:
        mask = np.zeros((16, 16, 16))
        mask[5, 5, 5] = 1
        reason = "empty_after_interpolation"
    with pytest.raises(RegionError) as caught:
        prepared(np.zeros(mask.shape), mask, profile)
    assert caught.value.reason == reason


def test_the_margin_is_measured_on_the_target_grid_and_ends_with_the_image():
    mask = np.zeros((20, 30, 40), dtype=bool)
    mask[8:12, 13:17, 30:34] = True
    profile = native(voxel_size=2)
    plain, wide = (on_grid(noise(mask.shape), mask, ISO, profile, margin=margin) for margin in ((0, 0, 0), (1, 6, 9)))
    assert plain.morphology.shape == wide.morphology.shape == (2, 3, 2)
    assert plain.origin == (4, 4, 4)  # 6.2 mm of local peaks
    assert wide.origin == (4, 6, 9) and wide.surroundings.shape == (10, 15, 14)
    everything = on_grid(noise(mask.shape), mask, ISO, profile, margin=WHOLE_IMAGE)
    assert everything.surroundings.shape == (10, 15, 20)
    assert np.array_equal(everything.surroundings[everything.box], wide.surroundings[wide.box])
    assert np.array_equal(plain.surroundings[plain.box], wide.surroundings[wide.box])


def test_a_response_takes_the_place_of_intensities_after_these_decided_on_the_mask():
    values = noise((7, 7, 7), most=100)
    profile = native(range=[20, 60], response_bin_number=5)
    gridded = on_grid(values, ball((7, 7, 7), 3), ISO, profile)
    response = -1000 * gridded.surroundings
    response[gridded.box][3, 3, 3] = np.nan
    plain, filtered = finish(gridded, profile), finish(gridded, profile, response)
    expected = plain.intensity.copy()
    expected[3, 3, 3] = False
    assert np.array_equal(filtered.intensity, expected)
    assert np.array_equal(filtered.values[expected], -1000 * plain.values[expected])
    assert filtered.n_levels == 5 and filtered.levels.max() == 5
    assert (filtered.levels[~expected] == 0).all() and (filtered.levels[expected] > 0).all()


CHOICES = st.fixed_dictionaries(
    {
        "voxel_size": st.sampled_from([None, 0.8, 1.0, 1.9]),
        "dimension": st.sampled_from(["2D", "3D"]),
        "image_interpolation": st.sampled_from(["nearest", "linear", "cubic_spline", "cubic_convolution"]),
        "anti_aliasing": st.sampled_from(["none", "gaussian"]),
        "rounding": st.sampled_from([None, 1]),
    }
)


@given(CHOICES, st.sampled_from([(0, 0, 0), (1, 9, 3)]), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_nothing_but_what_is_read_has_an_influence(choices, margin, seed):
    """D07: with every other voxel changed, even to no number, not a bit of the region differs; each read voxel counts."""
    random = np.random.default_rng(seed)
    shape, spacing = (30, 90, 40), (3.0, 1.0, 1.3)
    values = random.normal(0, 1000, shape).astype(np.float32)
    corner = random.integers(0, np.array(shape) - 4)
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(start, start + 4) for start in corner)] = random.random((4, 4, 4)) < 0.8
    mask[tuple(corner)] = True
    profile = native(**choices)
    read = reads(mask, spacing, profile, margin)
    assert not read.all()
    before = on_grid(values, mask, spacing, profile, margin=margin)
    after = on_grid(np.where(read, values, np.nan), mask, spacing, profile, margin=margin)
    assert before.surroundings.tobytes() == after.surroundings.tobytes()
    assert np.array_equal(before.morphology, after.morphology) and before.origin == after.origin
    for place in random.permutation(np.argwhere(read))[:5]:
        changed = values.copy()
        changed[tuple(place)] = np.nan
        found = on_grid(changed, mask, spacing, profile, margin=margin)
        assert found.surroundings.tobytes() != before.surroundings.tobytes()


def test_statistics_and_filters_without_end_read_further():
    mask = np.zeros((30, 30, 30), dtype=bool)
    mask[2:5, 2:5, 2:5] = True
    near = reads(mask, ISO, native())
    assert near.sum() == 12**3  # 3 voxels, the image's edge on one side, 6.2 mm of local peaks on the other
    brain = np.zeros(mask.shape, dtype=bool)
    brain[20] = True
    assert np.array_equal(reads(mask, ISO, native(), statistics=brain), near | brain)
    assert reads(mask, ISO, native(), WHOLE_IMAGE).all()


def test_two_dimensional_interpolation_reads_no_other_plane():
    mask = np.zeros((9, 40, 40), dtype=bool)
    mask[4, 18:22, 18:22] = True
    choices = {"voxel_size": 2, "dimension": "2D", "image_interpolation": "cubic_spline"}
    planes = reads(mask, (7.0, 1.0, 1.0), native(**choices)).any(axis=(1, 2))
    assert np.flatnonzero(planes).tolist() == [3, 4, 5]  # one more on each side for local peaks
