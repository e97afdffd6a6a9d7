import numpy as np
import pytest
from feature_tools import ISO, ball, native, noise, prepared
from hypothesis import example, given, settings
from hypothesis import strategies as st

from radcurate.features.prepare import WHOLE_IMAGE, discretise, finish, fixed_bin_number, fixed_bin_size, on_grid, reads
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


@given(
    st.lists(st.integers(-500, 500), min_size=1, max_size=60),
    st.sampled_from([0.25, 0.5, 2.0, 25.0]),
    st.integers(-9, 9),
)
def test_each_bin_owns_its_lower_edge(values, size, edge):
    """Level k holds the values of [edge + (k - 1) size, edge + k size), also where they are exactly on an edge."""
    inside = np.array(values, dtype=np.float64) * size / 4 + 2000 * size
    first_edge = edge * size
    found, n_levels = fixed_bin_size(inside, size, first_edge)
    lower = first_edge + (found - 1) * size
    assert (lower <= inside).all() and (inside < lower + size).all()
    assert found.min() >= 1 and found.max() == n_levels


@given(st.lists(st.integers(-500, 500), min_size=2, max_size=60), st.integers(2, 64))
@example([0, 1, 2, 49], 49)  # 1 / 49 * 49 is less than 1 in binary fractions
def test_bins_of_a_fixed_number_share_the_range(values, number):
    inside = np.array(values, dtype=np.float64)
    found, n_levels = fixed_bin_number(inside, number)
    if inside.min() == inside.max():
        assert n_levels == 1 and (found == 1).all()
        return
    assert n_levels == number and found[inside.argmin()] == 1 and found[inside.argmax()] == number
    assert (np.diff(found[np.argsort(inside)]) >= 0).all()
    width = inside.max() - inside.min()
    exact = number * (inside - inside.min())  # whole numbers: an edge is where they are a multiple of the width
    assert np.array_equal(found[inside < inside.max()], (exact[inside < inside.max()] // width + 1).astype(int))


@given(
    st.lists(st.integers(-500, 500), min_size=1, max_size=60),
    st.integers(-5, 9).map(lambda power: 2.0**power),
    st.integers(-4096, 4096),
    st.integers(2, 64),
)
def test_fixed_number_of_bins_is_blind_to_linear_maps_and_fixed_size_moves_along(values, factor, shift, number):
    """Powers of two and whole shifts, so that the map itself loses no bit."""
    inside = np.array(values, dtype=np.float64)
    mapped = factor * inside + shift
    assert np.array_equal(fixed_bin_number(mapped, number)[0], fixed_bin_number(inside, number)[0])
    plain = fixed_bin_size(inside, 8.0, -512.0)[0]
    assert np.array_equal(fixed_bin_size(mapped, 8.0 * factor, -512.0 * factor + shift)[0], plain)
    assert np.array_equal(fixed_bin_size(inside + 8 * shift, 8.0, -512.0)[0], plain + shift)
    if len(set(values)) > 1 and factor > 1:
        assert fixed_bin_size(mapped, 1.0, None)[1] > fixed_bin_size(inside, 1.0, None)[1]


@given(st.tuples(*[st.integers(3, 12)] * 3), st.sampled_from([0.7, 1.0, 1.6, 2.5]))
@settings(deadline=None)
def test_the_centre_stays_where_it_is(shape, size):
    """A ramp keeps its value in the middle of the image, however fine the new grid is."""
    ramp = sum(np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in shape], indexing="ij"))
    found = on_grid(ramp, np.ones(shape, dtype=bool), ISO, native(voxel_size=size), margin=WHOLE_IMAGE).surroundings
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert found + found[::-1, ::-1, ::-1] == pytest.approx(np.zeros(found.shape), abs=1e-9)


@given(st.tuples(*[st.integers(1, 12)] * 3), st.floats(0.3, 6), st.sampled_from(["2D", "3D"]), st.integers(0, 99))
def test_a_target_that_is_the_spacing_changes_nothing(shape, size, dimension, seed):
    values, mask = noise(shape, seed, most=3000).astype(np.float32), noise(shape, seed + 1) > 4
    mask.flat[0] = True
    for kind in ("nearest", "linear", "cubic_spline", "cubic_convolution"):
        profile = native(voxel_size=size, image_interpolation=kind, dimension=dimension, anti_aliasing="gaussian")
        spacing = (size, size, size) if dimension == "3D" else (9.0, size, size)
        plain, found = on_grid(values, mask, spacing, native()), on_grid(values, mask, spacing, profile)
        assert np.array_equal(found.surroundings, plain.surroundings) and found.origin == plain.origin
        assert np.array_equal(found.morphology, plain.morphology)


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
    shape, spacing = (20, 160, 30), (3.0, 1.0, 1.3)
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
