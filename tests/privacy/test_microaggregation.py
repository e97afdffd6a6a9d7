"""Microaggregation: by an oracle of dictionaries, on random tables with several regions a patient and missing values."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from radcurate.privacy.mdav import coordinates, mdav
from radcurate.privacy.microaggregation import Microaggregated, microaggregate, shared_kinds


def table(seed: int, n: int = 40, features: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of up to three kinds, some kinds twice, a twentieth of the values missing."""
    chance = np.random.default_rng(seed)
    rows = [
        (patient, kind)
        for patient in range(n)
        for kind in [0, *(one for one in (1, 2) if chance.random() < 0.6), *([0] * (chance.random() < 0.2))]
    ]
    values = chance.normal(size=(len(rows), features)) * 10.0 ** chance.integers(-3, 6, features)
    values[chance.random(values.shape) < 0.05] = np.nan
    subject, kind = (np.array(part, dtype=np.int64) for part in zip(*rows, strict=True))
    return values, subject, kind


def crowd(values: np.ndarray, kept: np.ndarray, subject: np.ndarray, kind: np.ndarray) -> int:
    """Least number of patients who show the same set of (kind, vector)."""
    shown = defaultdict(set)
    for row in np.flatnonzero(kept):
        shown[subject[row]].add((int(kind[row]), tuple("-" if math.isnan(v) else repr(float(v)) for v in values[row])))
    return min(Counter(frozenset(seen) for seen in shown.values()).values(), default=0)


def means(values: np.ndarray, subject: np.ndarray, kind: np.ndarray, found: Microaggregated, k: int) -> np.ndarray:
    """The released values by hand: patient means, then their mean where k patients have one."""
    out = np.full(values.shape, np.nan)
    for row in np.flatnonzero(found.kept):
        for feature in range(values.shape[1]):
            each = []
            for other in np.flatnonzero(found.group == found.group[subject[row]]):
                own = values[(subject == other) & (kind == kind[row]), feature]
                if np.isfinite(own).any():
                    each.append(math.fsum(own[np.isfinite(own)]) / np.isfinite(own).sum())
            if len(each) >= k:
                out[row, feature] = math.fsum(each) / len(each)
    return out


@pytest.mark.parametrize("seed", range(40))
def test_nobody_is_told_by_her_vectors(seed):
    k = 2 + seed % 6
    values, subject, kind = table(seed)
    found = microaggregate(values, subject, kind, k)
    assert crowd(values, np.ones(len(values), dtype=bool), subject, kind) == 1  # the oracle can say no
    assert crowd(found.values, found.kept, subject, kind) >= k
    assert np.isnan(found.values[~found.kept]).all()
    np.testing.assert_allclose(found.values, means(values, subject, kind, found, k), rtol=1e-12)
    assert np.bincount(found.group[found.group >= 0]).min() >= k
    assert set(np.flatnonzero(found.group >= 0)) == set(subject[found.kept])


def test_row_order_and_numbers_of_patients_change_no_bit():
    values, subject, kind = table(3)
    plain = microaggregate(values, subject, kind, 5)
    chance = np.random.default_rng(0)
    order, numbers = chance.permutation(len(values)), chance.permutation(subject.max() + 1)
    other = microaggregate(values[order], numbers[subject[order]], kind[order], 5)
    assert other.values.tobytes() == plain.values[order].tobytes()
    assert (other.kept == plain.kept[order]).all()
    assert (other.group[numbers] == plain.group).all()


def test_many_columns_are_reduced_and_give_the_same_bits_in_any_order():
    chance = np.random.default_rng(1)
    values = chance.normal(size=(60, 5)) @ chance.normal(size=(5, 300))
    subject, kind = np.arange(60), np.zeros(60, dtype=np.int64)
    order = chance.permutation(60)
    plain, other = microaggregate(values, subject, kind, 5), microaggregate(values[order], subject, kind, 5)
    assert coordinates(values).shape[1] <= 5
    assert other.values.tobytes() == plain.values[order].tobytes()


def test_reduced_distances_are_those_of_the_columns():
    chance = np.random.default_rng(2)
    values = chance.normal(size=(30, 4)) @ chance.normal(size=(4, 200))
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    points = coordinates(values) / 256
    for one, other in ((0, 1), (5, 17), (28, 3)):
        expected = ((standard[one] - standard[other]) ** 2).sum()
        assert ((points[one] - points[other]) ** 2).sum() == pytest.approx(expected, rel=0.03)


def test_groups_on_a_line():
    """Average 8: 20 is farthest and takes 19; 0, farthest from 20, takes 1; 4, 5 and 7 are left (fewer than 2 k)."""
    points = np.array([[0.0], [1.0], [4.0], [5.0], [7.0], [19.0], [20.0]])
    group = mdav(points, 2)
    assert [sorted(points[group == one, 0].tolist()) for one in range(3)] == [[19, 20], [0, 1], [4, 5, 7]]


@pytest.mark.parametrize("n", range(1, 30))
def test_sizes_of_groups(n):
    points = np.rint(np.random.default_rng(n).normal(size=(n, 3)) * 100)
    sizes = np.bincount(mdav(points, 5))
    assert sizes.sum() == n and (len(sizes) == 1 or (sizes.min() >= 5 and sizes.max() < 10))


def test_alike_patients_are_grouped_together():
    """Ten tight clusters of five: each is a group, and nearly nothing is lost."""
    chance = np.random.default_rng(4)
    centres = chance.normal(size=(10, 6)) * 100
    values = np.repeat(centres, 5, axis=0) + chance.normal(size=(50, 6)) * 0.01
    found = microaggregate(values, np.arange(50), np.zeros(50, dtype=np.int64), 5)
    assert np.abs(found.values - values).max() < 0.1


def test_a_rare_kind_is_given_up_and_its_patients_stay():
    subject = np.array([*range(10), 0, 1], dtype=np.int64)
    kind = np.array([0] * 10 + [1, 1], dtype=np.int64)
    assert shared_kinds(subject, kind, 5).tolist() == [True] * 10 + [False] * 2
    found = microaggregate(np.arange(24.0).reshape(12, 2), subject, kind, 5)
    assert (found.group >= 0).all() and np.isnan(found.values[10:]).all()


def test_who_has_nothing_in_common_is_suppressed():
    subject, kind = np.arange(8), np.array([0] * 6 + [1] * 2)
    found = microaggregate(np.arange(8.0)[:, None], subject, kind, 5)
    assert found.group.tolist() == [0] * 6 + [-1] * 2
    assert found.kept.tolist() == [True] * 6 + [False] * 2


def test_the_larger_set_gives_way_to_the_smaller():
    """Three patients with {0, 1} and two with {0}: together five, without anybody suppressed."""
    subject = np.array([0, 0, 1, 1, 2, 2, 3, 4])
    kind = np.array([0, 1, 0, 1, 0, 1, 0, 0])
    assert shared_kinds(subject, kind, 5).tolist() == [True, False] * 3 + [True, True]


def test_fewer_patients_than_k():
    found = microaggregate(np.ones((3, 2)), np.arange(3), np.zeros(3, dtype=np.int64), 5)
    assert not found.kept.any() and (found.group == -1).all() and np.isnan(found.values).all()


def test_no_row():
    found = microaggregate(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 5)
    assert found.values.shape == (0, 2) and found.kept.size == found.group.size == 0


def test_values_that_are_hard_to_add():
    """Infinite is missing; huge, constant and never given columns break nothing."""
    values = np.ones((12, 5))
    values[:, 0] = np.linspace(1, 1.7, 12) * 1e308
    values[:, 1] = np.nan
    values[:, 2] = np.arange(12)
    values[3, 2], values[4, 2] = np.inf, -np.inf
    values[:, 3] = 0.1 + np.arange(12) * 1e-17
    found = microaggregate(values, np.arange(12), np.zeros(12, dtype=np.int64), 5)
    assert found.kept.all() and np.isnan(found.values[:, 1]).all() and (found.values[:, 4] == 1).all()
    assert not np.isinf(found.values).any()
    wide = microaggregate(values, np.arange(12), np.zeros(12, dtype=np.int64), 12)
    assert (wide.values[:, 2] != wide.values[:, 2]).all()  # ten of twelve have a number


def test_a_value_of_few_is_not_shown():
    values = np.arange(10.0)[:, None] * [1, 1]
    values[:6, 1] = np.nan
    found = microaggregate(values, np.arange(10), np.zeros(10, dtype=np.int64), 10)
    assert np.isnan(found.values[:, 1]).all() and (found.values[:, 0] == 4.5).all()


def test_rows_of_a_patient_count_once():
    """One patient with 90 rows weighs as much as each of the others."""
    subject = np.array([0] * 90 + [1, 2, 3, 4])
    values = np.array([100.0] * 90 + [0.0] * 4)[:, None]
    found = microaggregate(values, subject, np.zeros(94, dtype=np.int64), 5)
    assert (found.values == 20).all()


@pytest.mark.slow
def test_thousands_of_random_tables_keep_k():
    for seed in range(1000, 3000):
        k = 2 + seed % 9
        values, subject, kind = table(seed, n=5 + seed % 40, features=1 + seed % 5)
        found = microaggregate(values, subject, kind, k)
        assert crowd(found.values, found.kept, subject, kind) >= k or not found.kept.any()
