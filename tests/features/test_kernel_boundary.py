"""Depths against SciPy's exact distance transform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from radcurate.features.kernels.boundary import depth_of


def wanted(mask, spacing):
    outside = distance_transform_edt(~mask, sampling=spacing) - min(spacing) / 2
    inside = distance_transform_edt(mask, sampling=spacing) - min(spacing) / 2
    return np.where(mask, -inside, outside)


@given(st.integers(0, 10_000), st.floats(0.02, 0.98), st.sampled_from([(1.0, 1.0, 1.0), (3.0, 0.7, 1.1)]))
def test_depths_are_exact_up_to_the_limit(seed, share, spacing):
    chance = np.random.default_rng(seed)
    mask = chance.random(chance.integers(1, 9, 3)) < share
    if mask.all() or not mask.any():
        mask.flat[0] = not mask.flat[0]
    if mask.size == 1:
        return
    limit = 2.5
    found, exact = depth_of(mask, spacing, limit), wanted(mask, spacing)
    near = np.abs(exact) <= limit - min(spacing) / 2 - 1e-4
    assert found[near] == pytest.approx(exact[near], abs=1e-5)
    far = np.abs(exact) > limit - min(spacing) / 2 + 1e-4
    assert (found[far] == np.where(mask[far], -np.inf, np.inf)).all()


@pytest.mark.parametrize("whole", [True, False])
def test_a_mask_without_boundary_has_none_near(whole):
    assert (depth_of(np.full((2, 3, 4), whole), (1.0, 1.0, 1.0), 5.0) == (-np.inf if whole else np.inf)).all()


def test_signs_tell_inside_from_outside():
    mask = np.zeros((1, 1, 4), dtype=bool)
    mask[..., 2:] = True
    assert depth_of(mask, (1.0, 1.0, 2.0), 9.0).ravel().tolist() == [3.5, 1.5, -1.5, -3.5]
