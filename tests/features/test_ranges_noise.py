"""The noise of an image, told from the image itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from radcurate.features.ranges.noise import draw_noise, noise_level


@pytest.mark.parametrize("level", [0.1, 12.0])
def test_known_noise_is_found_under_structures(level):
    chance = np.random.default_rng(1)
    smooth = gaussian_filter(chance.normal(size=(20, 60, 60)), 5) * 300 * level
    smooth[:, 30:] += 50 * level  # an edge
    assert noise_level(smooth + chance.normal(0, level, smooth.shape)) == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1, 9), (3, 1, 1)])
def test_too_small_an_image_has_none(shape):
    assert noise_level(np.ones(shape)) == 0


def test_voxels_without_number_are_left_out():
    values = np.random.default_rng(0).normal(size=(4, 40, 40))
    values[0] = np.nan
    assert noise_level(values) == pytest.approx(1, rel=0.1)
    assert noise_level(np.full((2, 4, 4), np.nan)) == 0


def test_added_noise_is_as_large_as_asked_and_starts_elsewhere():
    noise = draw_noise(3.0, 10_000, np.random.default_rng(0))
    fields = []
    for seed in (1, 2):
        values = np.full((10, 50, 50), 7.0)
        noise.from_place(np.random.default_rng(seed)).add_to(values)
        fields.append(values - 7)
    assert all(field.std() == pytest.approx(3, rel=0.03) and abs(field.mean()) < 0.1 for field in fields)
    assert abs(np.corrcoef(fields[0].ravel(), fields[1].ravel())[0, 1]) < 0.03


def test_noise_goes_round():
    noise, values = draw_noise(1.0, 4, np.random.default_rng(0)), np.zeros((1, 2, 5))
    noise.from_place(np.random.default_rng(3)).add_to(values)
    assert (values.ravel()[:4] == values.ravel()[4:8]).all() and len(noise.bank) == 4
    assert set(values.ravel()) == set(noise.bank.astype(float))
