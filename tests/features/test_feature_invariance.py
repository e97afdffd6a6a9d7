from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.features.invariance import compare, distance, relative_change

numbers = st.floats(allow_nan=True, allow_infinity=False)


@given(numbers, numbers)
def test_a_change_is_seen_whichever_way_it_goes(one, other):
    change = relative_change(one, other)
    assert change == relative_change(other, one)
    same_bits = np.float64(one).tobytes() == np.float64(other).tobytes() or (math.isnan(one) and math.isnan(other))
    assert (change is None) == same_bits
    assert change is None or change >= 0


def test_numbers():
    assert relative_change(2.0, 1.0) == 0.5
    assert relative_change(0.0, -0.0) == 0.0
    assert relative_change(math.nan, 1.0) == math.inf


def test_features_side_by_side():
    found = compare({"a": 1.0, "b": math.nan, "c": 2.0}, {"a": 1.0, "b": math.nan, "c": 2.5, "d": 1.0})
    assert found.features == 4 and found.changes == {"c": 0.2, "d": math.inf} and found.largest == math.inf
    assert compare({"a": 1.0}, {"a": 1.0}).largest == 0


def test_distance_is_from_the_box_to_the_nearest_changed_voxel():
    mask, changed = np.zeros((5, 9, 9), dtype=bool), np.zeros((5, 9, 9), dtype=bool)
    mask[1:3, 2:4, 2:4] = True
    assert distance(mask, changed, (3, 1, 1)) == math.inf
    changed[4, 3, 7] = changed[0, 8, 8] = True
    assert distance(mask, changed, (3, 1, 1)) == pytest.approx(math.hypot(6, 4))  # the other is 3, 5 and 5 away
    changed[2, 2, 2] = True
    assert distance(mask, changed, (3, 1, 1)) == 0
