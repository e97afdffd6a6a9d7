"""What must hold of filters whatever the image is, and small cases computed another way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from filter_tools import CUBES, ENDLESS, EVERY, GABOR, LOCAL, chosen, filtered, response, texture
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from radcurate.features.filters.separable import along_axes, convolution, rotations

LINEAR = [choice for choice in [*LOCAL, *ENDLESS] if choice["kind"] not in ("laws",) and choice.get("pooling") != "max"]
INVARIANT = [
    {"kind": "laws", "kernels": "E5L5S3", "energy": 2},
    {"kind": "laws", "kernels": "L3E3S5", "energy": None, "pooling": "average"},
    {"kind": "wavelet", "family": "db2", "rotation_invariant": True, "subbands": ["LLH"]},
    {
        "kind": "wavelet",
        "family": "haar",
        "level": 2,
        "rotation_invariant": True,
        "pooling": "max",
        "subbands": ["LHH"],
    },
    {"kind": "mean", "size": 3},
    {"kind": "log", "sigma": 0.8},
]


@settings(deadline=None, max_examples=30)
@given(choice=st.sampled_from(LINEAR), factor=st.floats(-9, 9), seed=st.integers(0, 9))
def test_linear_filters_are_linear(choice, factor, seed):
    one, other = texture((9, 12, 11), seed), texture((9, 12, 11), seed + 100)
    first, second, both = (filtered(choice, values) for values in (one, other, one + factor * other))
    for label in both:
        np.testing.assert_allclose(both[label], first[label] + factor * second[label], rtol=0, atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(
    choice=st.sampled_from(INVARIANT),
    axes=st.sampled_from([(0, 1), (1, 2), (0, 2)]),
    boundary=st.sampled_from(["zero", "nearest", "periodic", "mirror"]),
)
def test_invariant_filters_turn_with_the_image(choice, axes, boundary):
    values, choice = texture((11, 12, 13)), {**choice, "boundary": boundary}
    turned = response(choice, np.rot90(values, axes=axes))
    np.testing.assert_allclose(turned, np.rot90(response(choice, values), axes=axes), rtol=0, atol=1e-9)


def test_a_filter_that_is_not_invariant_does_not():
    values, choice = texture((11, 11, 11)), {"kind": "laws", "kernels": "E5L5S3", "rotation_invariant": False}
    turned = response(choice, np.rot90(values))
    assert np.abs(turned - np.rot90(response(choice, values))).max() > 1


@pytest.mark.parametrize("choice", EVERY, ids=str)
def test_a_flat_image_has_a_flat_response(choice):
    if choice["kind"] != "riesz":  # the image before it has a boundary condition of its own
        for found in filtered(choice, np.full((16, 17, 18), 40.0)).values():
            assert np.ptp(found) <= 1e-9


def test_the_mean_of_a_flat_image_is_its_value_and_a_band_of_it_is_nothing():
    flat = np.full((16, 17, 18), 40.0)
    np.testing.assert_allclose(response({"kind": "mean", "size": 5}, flat), 40)
    np.testing.assert_allclose(response({"kind": "simoncelli", "level": 2}, flat), 0, atol=1e-12)
    np.testing.assert_allclose(response({"kind": "wavelet", "family": "db3", "subbands": ["LLH"]}, flat), 0, atol=1e-9)


def test_laplacian_of_gaussian_is_the_kernel_of_the_manual():
    values, sigma, half = texture((15, 16, 17)), 1.3, math.floor(4 * 1.3 + 0.5)
    axes = np.meshgrid(*[np.arange(-half, half + 1)] * 3, indexing="ij")
    square = sum(axis**2 for axis in axes) / sigma**2
    kernel = -1 / sigma**2 * (1 / (math.sqrt(2 * math.pi) * sigma)) ** 3 * (3 - square) * np.exp(-square / 2)
    expected = ndimage.convolve(values, kernel, mode="reflect")
    np.testing.assert_allclose(response({"kind": "log", "sigma": 1.3}, values), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(response({"kind": "log", "sigma": 2.6}, values, (2.0,) * 3), expected, rtol=0, atol=1e-9)


def test_gabor_is_the_kernel_of_the_manual():
    values, angle = texture((3, 20, 22)), math.radians(30)
    y, x = np.meshgrid(np.arange(-6, 7), np.arange(-6, 7), indexing="ij")
    along, across = math.cos(angle) * x + math.sin(angle) * y, -math.sin(angle) * x + math.cos(angle) * y
    kernel = np.exp(-(along**2 + 0.25 * across**2) / 2 + 2j * np.pi * along / 3)
    choice = {"kind": "gabor", "sigma": 1, "wavelength": 3, "aspect": 0.5, "angle": 30, "cutoff": 3}
    parts = [ndimage.convolve(values, part[None], mode="reflect") for part in (kernel.real, kernel.imag)]
    np.testing.assert_allclose(response(choice, values), np.hypot(*parts), rtol=0, atol=1e-8)


def test_subbands_hold_the_energy_of_the_image():
    """Each low and high pass together keep twice the sum of squares: eight times in three dimensions."""
    values = texture((8, 10, 12))
    found = filtered({"kind": "wavelet", "family": "db3", "boundary": "periodic"}, values)
    assert sum((band**2).sum() for band in found.values()) == pytest.approx(8 * (values**2).sum())
    assert list(chosen({"kind": "wavelet", "family": "db3"}).labels) == sorted(
        found, key=lambda name: name.replace("L", "A")
    )


def test_riesz_transforms_of_an_order_hold_the_energy_of_the_image():
    values = texture((9, 11, 13))
    orders = [[2, 0, 0], [0, 2, 0], [0, 0, 2], [1, 1, 0], [1, 0, 1], [0, 1, 1]]
    before = response({"kind": "log", "sigma": 1}, values)
    parts = [response({"kind": "riesz", "order": order, "of": {"kind": "log", "sigma": 1}}, values) for order in orders]
    assert sum((part**2).sum() for part in parts) == pytest.approx(((before - before.mean()) ** 2).sum())


def test_there_are_as_many_rotations_as_a_cube_has():
    three = along_axes([convolution(kernel) for kernel in ((1, 2, 3), (1, 0, 4), (5, 1, 1))])
    assert len(rotations((three,))) == sum(rotations((three,)).values()) == 24
    same = along_axes([convolution((1, 2, 1))] * 3)
    assert rotations((same,)) == {(same,): 24}
    flat = along_axes([convolution((1, 2, 3)), convolution((1, 0, 4))])
    assert len(rotations((flat,))) == sum(rotations((flat,)).values()) == 4


@pytest.mark.parametrize("choice", [*LOCAL, *GABOR, *ENDLESS], ids=str)
def test_in_2d_planes_have_nothing_to_do_with_each_other(choice):
    flat = choice.get("dimension") == "2D" or (choice["kind"] == "gabor" and "orthogonal_planes" not in choice)
    values = texture((9, 14, 15))
    planted = values.copy()
    planted[5] += texture((14, 15, 1), 1)[..., 0]
    before, after = filtered(choice, values, CUBES), filtered(choice, planted, CUBES)
    same = [np.allclose(before[label][4], after[label][4], rtol=0, atol=1e-9) for label in before]
    assert all(same) if flat else not all(same)


def test_gabor_pools_over_angles_and_planes():
    values = texture((9, 10, 11))
    base = {"kind": "gabor", "sigma": 1, "wavelength": 2, "cutoff": 3}
    single = [
        np.moveaxis(response({**base, "angle": angle}, np.moveaxis(values, axis, 0)), 0, axis)
        for axis in range(3)
        for angle in (0, 45, 90, 135)
    ]
    every = {**base, "angle_step": 45, "orthogonal_planes": True}
    np.testing.assert_allclose(response(every, values), np.mean(single, axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(response({**every, "pooling": "max"}, values), np.max(single, axis=0), rtol=0, atol=1e-9)
