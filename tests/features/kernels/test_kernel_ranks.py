from __future__ import annotations

import numpy as np
import pytest

from radcurate.features.kernels import ranks
from radcurate.features.kernels.ranks import rank
from radcurate.features.problems import TooManyLevelsError


def test_levels_become_ranks_with_a_margin():
    levels = np.array([[[0, 5, 2], [900, 2, 0]]], np.int32)
    found = rank(levels, 900)
    assert found.used.tolist() == [2, 5, 900]
    assert found.ranks[1:-1, 1:-1, 1:-1].tolist() == [[[0, 2, 1], [3, 1, 0]]]
    assert found.shape == (1, 2, 3)
    assert found.ranks.sum() == 7 and found.ranks.shape == (3, 4, 5)


@pytest.mark.parametrize("highest", [7, 10**9])
def test_few_or_many_unused_levels_give_the_same_ranks(highest):
    levels = np.random.default_rng(0).integers(0, 7, (3, 4, 5)).astype(np.int32)
    near = rank(levels, 7)
    levels[levels == 6] = highest
    far = rank(levels, highest)
    assert near.used[:-1].tolist() == far.used[:-1].tolist() and far.used[-1] == highest
    assert (near.ranks == far.ranks).all()


def test_more_levels_than_ranks_are_refused(monkeypatch):
    monkeypatch.setattr(ranks, "MOST_RANKS", 3)
    assert len(rank(np.arange(4, dtype=np.int32).reshape(1, 2, 2), 3).used) == 3
    with pytest.raises(TooManyLevelsError):
        rank(np.arange(1, 5, dtype=np.int32).reshape(1, 2, 2), 4)
