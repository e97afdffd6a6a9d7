from collections import Counter
from itertools import product

import numpy as np
import pytest
from feature_tools import level_volumes
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.kernels import runs
from radcurate.features.kernels.ranks import rank
from radcurate.features.kernels.runs import IN_PLANE, IN_SPACE, count_runs
from radcurate.features.problems import TooManyLevelsError

# The order of the kernel: those in the plane first.
DIRECTIONS = [step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


def walked(levels, n_directions):
    """Runs by direction, level and length, found by walking along each."""
    found = Counter()

    def at(place):
        inside = all(0 <= i < n for i, n in zip(place, levels.shape, strict=True))
        return levels[place] if inside else 0

    for direction, step in enumerate(DIRECTIONS[:n_directions]):
        for place in zip(*np.nonzero(levels), strict=True):
            level = at(place)
            if at(tuple(i - d for i, d in zip(place, step, strict=True))) == level:
                continue
            length = 0
            while at(place) == level:
                place, length = tuple(i + d for i, d in zip(place, step, strict=True)), length + 1
            found[direction, level, length] += 1
    return found


def counted(levels, n_directions, by_plane=False):
    ranked = rank(levels, int(levels.max(initial=0)))
    cells = count_runs(ranked, n_directions, by_plane)
    found = {(matrix, ranked.used[rank - 1], length): n for matrix, rank, length, n in cells.tolist()}
    assert len(found) == len(cells)
    return found


@given(level_volumes(), st.sampled_from([IN_SPACE, IN_PLANE]))
@settings(max_examples=60, deadline=None)
def test_runs_are_those_found_by_walking(levels, n_directions):
    assert counted(levels, n_directions) == walked(levels, n_directions)


@given(level_volumes())
@settings(max_examples=40, deadline=None)
def test_planes_apart_are_the_planes_alone(levels):
    expected = {}
    planes = [plane for plane in levels if plane.any()]
    for place, plane in enumerate(planes):
        for (direction, level, length), n in walked(plane[None], IN_PLANE).items():
            expected[place * IN_PLANE + direction, level, length] = n
    assert counted(levels, IN_PLANE, by_plane=True) == expected


@given(level_volumes(most_levels=200), st.sampled_from([IN_SPACE, IN_PLANE]))
@settings(max_examples=40, deadline=None)
def test_every_voxel_is_in_one_run_of_each_direction(levels, n_directions):
    sums = np.zeros(n_directions, dtype=int)
    for (direction, _, length), n in counted(levels, n_directions).items():
        sums[direction] += length * n
    assert (sums == np.count_nonzero(levels)).all()


@pytest.mark.parametrize("direction", range(IN_SPACE))
def test_one_line_is_one_run_of_its_direction_only(direction):
    levels = np.zeros((7, 7, 7), dtype=np.int32)
    for n in range(-3, 4):
        levels[tuple(3 + n * d for d in DIRECTIONS[direction])] = 5
    found = counted(levels, IN_SPACE)
    assert found.pop((direction, 5, 7)) == 1
    assert found == {(other, 5, 1): 7 for other in range(IN_SPACE) if other != direction}


def test_the_longest_run_a_box_can_hold():
    levels = np.ones((1, 1, 3000), dtype=np.int32)
    assert counted(levels, IN_PLANE) == {(0, 1, 3000): 1, (1, 1, 1): 3000, (2, 1, 1): 3000, (3, 1, 1): 3000}


def test_a_level_with_all_lengths_fills_the_list_that_was_set_aside():
    """Runs of 1, 2, 3, … voxels, each level and length once: the most cells for so many voxels."""
    row = np.concatenate([[1] * n + [0] for n in range(1, 60)])
    levels = np.concatenate([row * level for level in range(1, 9)]).astype(np.int32).reshape(1, 1, -1)
    assert {key for key in counted(levels, IN_PLANE) if key[0] == 0} == {
        (0, level, n) for level in range(1, 9) for n in range(1, 60)
    }


def test_no_voxel_no_run():
    assert counted(np.zeros((2, 3, 4), dtype=np.int32), IN_SPACE) == {}


def test_tables_that_outgrow_memory_are_refused_before_they_are_made(monkeypatch):
    levels = np.arange(1, 25, dtype=np.int32).reshape(2, 3, 4)
    monkeypatch.setattr(runs, "MOST_CELLS", 24 * 5 * runs.STRIDE)
    assert len(counted(levels, IN_SPACE)) == 24 * IN_SPACE
    monkeypatch.setattr(runs, "MOST_CELLS", 24 * 5 * runs.STRIDE - 1)
    with pytest.raises(TooManyLevelsError):
        counted(levels, IN_SPACE)


def test_a_box_too_long_for_two_bytes_is_refused():
    longest = np.ones((1, 1, runs.LONGEST - 1), dtype=np.int32)
    assert counted(longest, IN_PLANE)[0, 1, runs.LONGEST - 1] == 1
    with pytest.raises(ValueError, match="65535"):
        counted(np.ones((1, 1, runs.LONGEST), dtype=np.int32), IN_PLANE)
