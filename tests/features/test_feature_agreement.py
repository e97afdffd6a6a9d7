"""How values agree: to the bit, within the tolerance, or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.features.agreement import TOLERANCE, Agreement, compare, relative_differences

NAN, INF = float("nan"), float("inf")
anything = st.floats(allow_nan=True, allow_infinity=True, width=64)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (2.0, 1.0, 0.5),
        (1.0, 1.0 + 1e-7, 1e-7),
        (0.0, -0.0, 0.0),
        (NAN, NAN, 0.0),
        (NAN, 1.0, INF),
        (1.0, NAN, INF),
        (INF, INF, 0.0),
        (1e-17, -1e-17, 2e-8),  # both next to nothing: a share of 1e-9
    ],
)
def test_the_relative_difference(first, second, wanted):
    (found,) = relative_differences(np.array([first]), np.array([second]))
    assert found == pytest.approx(wanted, rel=1e-6)


def test_one_of_each_kind():
    first = np.array([1.0, NAN, 0.0, 1.0, 1.0, NAN])
    second = np.array([1.0, NAN, -0.0, 1.0 + 1e-9, 1.1, 1.0])
    found = compare(first, second)
    assert found == Agreement(equal=2, within=2, different=2, largest=pytest.approx(0.1 / 1.1))


@given(st.lists(st.tuples(anything, anything), max_size=8))
def test_each_row_is_counted_once_and_order_of_the_sides_does_not_matter(pairs):
    first, second = (np.array([pair[side] for pair in pairs], dtype=np.float64) for side in (0, 1))
    found = compare(first, second)
    assert found.equal + found.within + found.different == len(pairs)
    assert compare(second, first) == found
    assert compare(first, first) == Agreement(len(pairs), 0, 0, 0.0)


@given(st.floats(1e-6, 1e12), st.floats(0, 1e-4))
def test_the_tolerance_is_where_it_says(value, share):
    found = compare(np.array([value]), np.array([value * (1 + share)]))
    if share > 1.01 * TOLERANCE:
        assert found.different == 1
    elif share < 0.99 * TOLERANCE:
        assert found.different == 0
