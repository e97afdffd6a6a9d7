"""A frame's mask as runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from radcurate.deface.native import runs_of


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_runs_give_the_mask_back(mask):
    runs = runs_of(mask)
    assert sum(runs) == mask.size and all(length > 0 for length in runs[1:])
    np.testing.assert_array_equal(np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(mask.shape), mask)


@pytest.mark.parametrize(("mask", "runs"), [([[0, 0]], [2]), ([[1, 1]], [0, 2]), ([[0, 1], [1, 0]], [1, 2, 1])])
def test_the_first_run_is_kept(mask, runs):
    assert runs_of(np.array(mask, bool)) == runs
