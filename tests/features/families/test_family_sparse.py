import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.features.families import sparse


@given(st.integers(0, 999), st.sampled_from([1, 3]), st.sampled_from([2, 50, 10**6]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_tallies_by_table_and_by_sorting_are_those_of_numpy(seed, n_matrices, most, weighted):
    random = np.random.default_rng(seed)
    n = int(random.integers(0, 60))
    matrix, kind = random.integers(0, n_matrices, n), random.integers(0, most, n)
    weights = random.integers(1, 5, n) if weighted else None
    found = sparse.tally(matrix, kind, weights)
    pairs, place = np.unique(np.stack([matrix, kind]), axis=1, return_inverse=True)
    expected = np.bincount(place.ravel(), weights=weights, minlength=pairs.shape[1])
    assert np.array_equal(np.stack(found), np.vstack([pairs, expected]))
    assert all(column.dtype == np.int64 for column in found)


@given(st.integers(0, 999), st.sampled_from([1, 4]), st.sampled_from([3, 5000]))
@settings(max_examples=40, deadline=None)
def test_groups_are_counted_once_whether_common_or_rare(seed, n_matrices, most):
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 200))
    matrix, rank = random.integers(0, n_matrices, n), random.integers(1, 4, n)
    extent = np.where(random.random(n) < 0.8, random.integers(1, 4, n), random.integers(1, most, n))
    used = np.array([2, 5, 9])
    found = sparse.of_groups(matrix, rank, extent, used, np.full(n_matrices, 1000))
    cells = list(zip(found.matrix, found.level, found.extent, strict=True))
    assert len(set(cells)) == len(cells) and found.count.sum() == n
    for cell, count in zip(cells, found.count, strict=True):
        assert count == ((matrix == cell[0]) & (used[rank - 1] == cell[1]) & (extent == cell[2])).sum()


def test_merged_matrices_add_up():
    matrices = sparse.SparseMatrices(
        matrix=np.array([0, 1, 1, 2, 3]),
        level=np.array([1, 1, 2, 1, 1]),
        extent=np.array([3, 3, 1, 3, 4]),
        count=np.array([10, 20, 30, 40, 50]),
        n_voxels=np.array([1, 2, 3, 4]),
    )
    found = sparse.merged(matrices, 2)
    cells = zip(found.matrix, found.level, found.extent, found.count, strict=True)
    assert sorted(map(tuple, cells)) == [(0, 1, 3, 30), (0, 2, 1, 30), (1, 1, 3, 40), (1, 1, 4, 50)]
    assert found.n_voxels.tolist() == [3, 7]


def test_one_cell_by_hand():
    """Two groups of level 3 and extent 2 in five voxels."""
    m = sparse.SparseMatrices(*(np.array([value]) for value in (0, 3, 2, 2, 5)))
    expected = {
        sparse.small_emphasis: 1 / 4,
        sparse.large_emphasis: 4,
        sparse.low_level_emphasis: 1 / 9,
        sparse.high_level_emphasis: 9,
        sparse.small_low_level_emphasis: 1 / 36,
        sparse.small_high_level_emphasis: 9 / 4,
        sparse.large_low_level_emphasis: 4 / 9,
        sparse.large_high_level_emphasis: 36,
        sparse.level_non_uniformity: 2,
        sparse.normalised_level_non_uniformity: 1,
        sparse.extent_non_uniformity: 2,
        sparse.normalised_extent_non_uniformity: 1,
        sparse.percentage: 2 / 5,
        sparse.level_variance: 0,
        sparse.extent_variance: 0,
        sparse.entropy: 0,
    }
    for formula, value in expected.items():
        assert formula(m) == pytest.approx([value], rel=1e-15), formula.__name__
