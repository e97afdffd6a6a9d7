"""The kernel against a few lines of Python that look at every voxel and every neighbour."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest

from radcurate.features.kernels import neighbourhood
from radcurate.features.kernels.neighbourhood import co_occurrences, tones
from radcurate.features.kernels.ranks import rank
from radcurate.features.problems import TooManyLevelsError

STEPS = [step for step in product((-1, 0, 1), repeat=3) if step != (0, 0, 0)]
# of each two opposite ones one, those in the plane first
DIRECTIONS = sorted((step for step in STEPS if step > (0, 0, 0)), key=lambda step: step[0])


def levels_of(shape, most, seed=0, filled=0.6, gap=1):
    generator = np.random.default_rng(seed)
    levels = generator.integers(1, most + 1, shape) * gap + 3
    return np.where(generator.random(shape) < filled, levels, 0).astype(np.int32)


def beside(levels, voxel, steps):
    for step in steps:
        place = tuple(at + by for at, by in zip(voxel, step, strict=True))
        if all(0 <= at < n for at, n in zip(place, levels.shape, strict=True)) and levels[place]:
            yield int(levels[place])


def expected_matrix(levels, steps):
    """The symmetric co-occurrence matrix as a dictionary of counts."""
    found = Counter()
    for voxel in zip(*np.nonzero(levels), strict=True):
        for other in beside(levels, voxel, steps):
            found[int(levels[voxel]), other] += 1
            found[other, int(levels[voxel])] += 1
    return found


def check_pairs(pairs, m, used, matrix):
    total = sum(matrix.values())
    assert pairs.pairs[m] * 2 == total
    assert pairs.marginal[m].tolist() == [sum(n for (i, _), n in matrix.items() if i == level) for level in used]
    sizes, lowest = Counter(), used[0]
    for (i, j), n in matrix.items():
        sizes["difference", abs(i - j)] += n
        sizes["total", i + j - 2 * lowest] += n
    assert [2 * n for n in pairs.difference[m]] == [sizes["difference", k] for k in range(pairs.difference.shape[1])]
    assert [2 * n for n in pairs.total[m]] == [sizes["total", k] for k in range(pairs.total.shape[1])]
    if total:
        p = np.array(list(matrix.values())) / total
        assert pairs.largest[m] == p.max()
        assert pairs.squares[m] == pytest.approx((p**2).sum(), rel=1e-13)
        assert pairs.entropy[m] == pytest.approx(-(p * np.log2(p)).sum(), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(("most", "gap"), [(1, 1), (4, 1), (5, 700), (300, 1), (300, 3)])
@pytest.mark.parametrize(("flat", "by_plane"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("sparse", [True, False])
def test_pairs_are_those_that_one_finds_by_looking(monkeypatch, most, gap, by_plane, flat, sparse):
    monkeypatch.setattr(neighbourhood, "SPARSE", 0 if sparse else 10**9)
    levels = levels_of((4, 15, 20), most, gap=gap)
    found = rank(levels, int(levels.max()))
    directions = DIRECTIONS[:4] if flat else DIRECTIONS
    pairs = co_occurrences(found, flat, by_plane)
    groups = [directions[d : d + 1] for d in range(len(directions))] + [directions]
    planes = range(len(levels)) if by_plane else [slice(None)]
    expected = [
        expected_matrix(levels[plane : plane + 1] if by_plane else levels, steps)
        for plane in planes
        for steps in groups
    ]
    assert len(pairs.pairs) == len(expected)
    for m, matrix in enumerate(expected):
        check_pairs(pairs, m, found.used.tolist(), matrix)


@pytest.mark.parametrize("columns", [1, 255, 256, 257, 600])
def test_long_rows_are_counted_to_their_end(columns):
    levels = levels_of((1, 2, columns), 3, filled=0.9)
    found = rank(levels, int(levels.max()))
    check_pairs(co_occurrences(found, False, False), 13, found.used.tolist(), expected_matrix(levels, DIRECTIONS))
    assert tones(found, False, False).dependence[0].tolist() == expected_tones(levels, found.used, False)[2]


@pytest.mark.parametrize("sparse", [True, False])
def test_cells_of_many_pairs_count_as_much_as_others(monkeypatch, sparse):
    monkeypatch.setattr(neighbourhood, "SPARSE", 0 if sparse else 10**9)
    levels = np.ones((12, 13, 14), np.int32)
    levels[0, 0, :5] = 2
    found = rank(levels, 2)
    check_pairs(co_occurrences(found, False, False), 13, [1, 2], expected_matrix(levels, DIRECTIONS))


def expected_tones(levels, used, flat):
    """Voxels with a neighbour, distances from their mean, dependences: by level used."""
    steps = [step for step in STEPS if not (flat and step[0])]
    voxels, distance, dependence = ([0] * len(used), [0.0] * len(used), [[0] * (len(steps) + 1) for _ in used])
    place = {int(level): at for at, level in enumerate(used)}
    for voxel in zip(*np.nonzero(levels), strict=True):
        level = int(levels[voxel])
        others = list(beside(levels, voxel, steps))
        dependence[place[level]][others.count(level)] += 1
        if others:
            voxels[place[level]] += 1
            distance[place[level]] += abs(level - sum(others) / len(others))
    return voxels, distance, dependence


@pytest.mark.parametrize(("most", "gap", "filled"), [(1, 1, 0.6), (4, 1, 0.1), (5, 700, 0.6), (300, 3, 0.6)])
@pytest.mark.parametrize(("flat", "by_plane"), [(False, False), (True, False), (True, True)])
def test_tones_are_those_that_one_finds_by_looking(most, gap, filled, by_plane, flat):
    levels = levels_of((4, 5, 7), most, gap=gap, filled=filled)
    found = rank(levels, int(levels.max()))
    result = tones(found, flat, by_plane)
    parts = [levels[p : p + 1] for p in range(len(levels))] if by_plane else [levels]
    assert len(result.voxels) == len(parts)
    for m, part in enumerate(parts):
        voxels, distance, dependence = expected_tones(part, found.used, flat)
        assert result.voxels[m].tolist() == voxels
        assert result.distance[m] == pytest.approx(distance, rel=1e-13)
        assert result.dependence[m].tolist() == dependence


def test_too_far_apart_levels_are_refused():
    levels = np.array([[[1, neighbourhood.MOST_LEVELS]]], np.int32)
    assert co_occurrences(rank(levels, int(levels.max())), False, False).pairs[-1] == 1
    levels[0, 0, 1] += 1
    for function in (co_occurrences, tones):
        with pytest.raises(TooManyLevelsError):
            function(rank(levels, int(levels.max())), False, False)
