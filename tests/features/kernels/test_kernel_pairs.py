import numpy as np
import pytest
from feature_tools import ball
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from radcurate.features.kernels.pairs import pair_sums

STEPS = st.sampled_from([0.5, 0.977, 1.0, 3.27])


def by_brute_force(values, mask, spacing, mean, scale):
    places, y = np.argwhere(mask) * spacing, (values[mask] - mean) * scale
    distance = cdist(places, places)
    weight = np.divide(1, distance, where=distance > 0, out=np.zeros_like(distance))
    return np.array([y @ weight @ y, weight.sum(), (weight @ y**2).sum()]), np.abs(y) @ weight @ np.abs(y)


def as_array(sums):
    return np.array([sums.products, sums.weights, sums.squares])


@st.composite
def regions(draw):
    shape = draw(st.tuples(*[st.integers(1, 13)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    mask = random.random(shape) < draw(st.floats(0.05, 1.0))
    mask.flat[random.integers(mask.size)] = True
    values = random.standard_normal(shape) * 60 + draw(st.sampled_from([0.0, -1000.0, 1e6]))
    return values, mask, draw(st.tuples(STEPS, STEPS, STEPS))


@given(regions(), st.sampled_from([0, 100_000, 10**9]))
@settings(max_examples=150, deadline=None)
def test_equals_brute_force(region, most_bytes):
    """Products of either sign may cancel: their error is held against the sum of their sizes."""
    values, mask, spacing = region
    mean, scale = values[mask].mean(), 1 / 60
    expected, size = by_brute_force(values, mask, spacing, mean, scale)
    found = as_array(pair_sums(values, mask, spacing, mean, scale, most_bytes))
    assert found[1:] == pytest.approx(expected[1:], rel=1e-9, abs=1e-9)
    assert found[0] == pytest.approx(expected[0], abs=1e-9 * max(size, 1))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 8, 9, 16, 17, 24, 25, 27, 31, 33, 61, 200])
def test_every_length_of_transform(n):
    """Radices 2 to 5, alone and together, along each axis."""
    random = np.random.default_rng(n)
    for axis in range(3):
        shape = [2, 3, 2]
        shape[axis] = n
        values, mask = random.standard_normal(shape), np.ones(shape, dtype=bool)
        expected, _ = by_brute_force(values, mask, (2.0, 1.0, 0.7), 0.1, 1.0)
        found = as_array(pair_sums(values, mask, (2.0, 1.0, 0.7), 0.1, 1.0))
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("offset", [-1000.0, 0.0, 30_000.0])
@pytest.mark.parametrize("smooth", [True, False])
def test_a_large_region_agrees_with_padded_transforms(offset, smooth):
    """White noise has a Moran's I of next to nothing: what is left of sums that cancel must still be right."""
    mask = ball((61, 58, 60), 29)
    values = np.random.default_rng(0).standard_normal(mask.shape) * 20 + offset
    if smooth:
        values += np.arange(60) + 2 * np.arange(58)[:, None]
    mean, scale, spacing = values[mask].mean(), 1 / values[mask].std(), (3.0, 1.0, 0.8)
    y = np.where(mask, (values - mean) * scale, 0.0)
    sizes = [2 * n for n in mask.shape]
    lags = np.meshgrid(*[np.fft.fftfreq(n, 1 / n) * s for n, s in zip(sizes, spacing, strict=True)], indexing="ij")
    distance = np.sqrt(sum(lag**2 for lag in lags))
    weight = np.fft.rfftn(np.divide(1, distance, where=distance > 0, out=np.zeros_like(distance)))
    axes = (0, 1, 2)
    near = {
        name: np.fft.irfftn(np.fft.rfftn(part, sizes, axes) * weight, sizes, axes)
        for name, part in (("y", y), ("m", mask))
    }
    inside = tuple(slice(n) for n in mask.shape)
    expected = [(y * near["y"][inside]).sum(), near["m"][inside][mask].sum(), (y**2 * near["m"][inside]).sum()]
    found = as_array(pair_sums(values, mask, spacing, mean, scale))
    assert found == pytest.approx(expected, rel=1e-9)


def test_blocks_at_once_make_no_difference():
    random = np.random.default_rng(0)
    values, mask = random.standard_normal((20, 17, 70)), random.random((20, 17, 70)) < 0.5
    some = {most: as_array(pair_sums(values, mask, (1, 1, 1), 0.0, 1.0, most)).tobytes() for most in (0, 10**6, 10**9)}
    assert len(set(some.values())) == 1


def test_a_part_of_an_image_and_empty_margins():
    random = np.random.default_rng(0)
    image, mask = random.standard_normal((9, 9, 20)), np.pad(random.random((4, 5, 6)) < 0.5, ((1, 2), (0, 1), (2, 0)))
    for part in (image[1:8, 2:8, 3:11], image[1:8, 2:8, :16:2], image[7:0:-1, 2:8, 3:11], image[1:8, 2:8, 11:3:-1]):
        expected = as_array(pair_sums(part.copy(), mask, (1, 1, 1), 0.0, 1.0))
        assert (as_array(pair_sums(part, mask, (1, 1, 1), 0.0, 1.0)) == expected).all()
