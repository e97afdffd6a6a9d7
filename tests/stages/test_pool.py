"""The pool: order and result don't depend on the number of processes."""

from __future__ import annotations

import pytest

from radcurate.stages._pool import map_items


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    assert map_items(square, list(range(40)), threads, "squares") == [n * n for n in range(40)]


def test_nothing_to_do():
    assert map_items(square, [], 4, "squares") == []
