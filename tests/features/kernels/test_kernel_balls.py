import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.kernels.balls import ball, ball_sums

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.7, 0.7), (0.8, 2.5, 1.1), (9.0, 9.0, 9.0), (2.0, 1.0, 7.0)]


def by_definition(values, mask, origin, spacing, radius):
    """Sum and number of all voxels of the image within `radius` of each voxel of the region."""
    places = np.argwhere(np.ones(values.shape, dtype=bool)) * spacing
    sums, counts = [], []
    for place in (np.argwhere(mask) + origin) * spacing:
        near = (((places - place) ** 2).sum(axis=1) <= radius**2).reshape(values.shape)
        sums.append(values[near].sum())
        counts.append(near.sum())
    return np.array(sums), np.array(counts)


@pytest.mark.parametrize("spacing", SPACINGS)
@given(seed=st.integers(0, 9999), radius=st.sampled_from([0.5, 2.3, 4.1, 6.2]))
@settings(max_examples=12, deadline=None)
def test_the_same_as_the_definition(spacing, seed, radius):
    draw = np.random.default_rng(seed)
    shape = tuple(int(n) for n in draw.integers(1, 11, 3))
    box = tuple(int(draw.integers(1, n + 1)) for n in shape)
    origin = tuple(int(draw.integers(0, n - part + 1)) for n, part in zip(shape, box, strict=True))
    values = draw.integers(-1000, 1000, shape).astype(np.float64)
    mask = draw.random(box) < 0.4
    sums, counts = ball_sums(values, mask, origin, ball(spacing, radius))
    expected = by_definition(values, mask, np.array(origin), np.array(spacing), radius)
    assert np.array_equal(sums, expected[0]) and np.array_equal(counts, expected[1])


def test_a_ball_of_a_cubic_centimetre():
    segments = ball((1.0, 1.0, 1.0), 6.2035)
    assert (2 * segments[:, 2] + 1).sum() == 1021 and segments[:, 2].max() == 6
    assert np.array_equal(np.sort(segments[:, 2]), segments[:, 2])
    places = {tuple(segment) for segment in segments.tolist()}
    assert places == {(-plane, row, half) for plane, row, half in places} == {(b, a, half) for a, b, half in places}


def test_what_lies_out_of_reach_is_not_read():
    values = np.random.default_rng(3).normal(size=(40, 40, 40))
    mask = np.ones((2, 2, 2), dtype=bool)
    near = ball((1.0, 1.0, 1.0), 3.0)
    still = ball_sums(values, mask, (20, 20, 20), near)[0]
    values[:16] = values[:, 26:] = values[:, :, 26:] = 1e300
    assert np.array_equal(ball_sums(values, mask, (20, 20, 20), near)[0], still)
