"""Rectangles counted and listed as by looking at every point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.attack.plane import Plane

numbers = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), max_size=60)
box = st.tuples(st.integers(-1, 10), st.integers(-1, 10), st.integers(-2, 70), st.integers(-2, 70))


@given(numbers, st.lists(box, min_size=1, max_size=20))
def test_counts_and_members_equal_a_look_at_every_point(points, boxes):
    first = np.array([point[0] for point in points], dtype=np.int64)
    second = np.array([point[1] for point in points], dtype=np.int64)
    plane = Plane(first, second)
    low, high, bottom, top = (np.array(column, dtype=np.int64) for column in zip(*boxes, strict=True))
    start, end = plane.places(low, high)
    before = plane.below(start, end, bottom)
    count = np.maximum(plane.below(start, end, top + 1) - before, 0)
    for place in range(len(boxes)):
        inside = (low[place] <= first) & (first <= high[place]) & (bottom[place] <= second) & (second <= top[place])
        assert count[place] == inside.sum()
        nth = before[place] + np.arange(count[place])
        ends = [np.full(nth.size, end_[place]) for end_ in (start, end)]
        assert sorted(plane.pick(*ends, nth)) == np.flatnonzero(inside).tolist()


@pytest.mark.parametrize("bound", [0, 1, 2, 10**9])
def test_no_point_is_in_no_rectangle(bound):
    plane = Plane(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    start, end = plane.places(np.array([0]), np.array([5]))
    assert plane.below(start, end, np.array([bound])) == 0
