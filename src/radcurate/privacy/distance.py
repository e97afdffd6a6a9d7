"""How far the sensitive values of a class lie from those of all patients: t, in two kinds (Li et al. 2007)."""

from __future__ import annotations

import numpy as np

from radcurate.privacy.coding import Ints, Reals, starts, tally
from radcurate.privacy.sensitive import MISSING, Cells

_UNIT = 2**20


def variation(cells: Cells) -> Reals:
    """Total variation distance ½ Σ|p − q| of each class from all given patients, shape (class,), over sets of values."""
    overall = cells.total / max(int(cells.sizes.sum()), 1)
    here = overall[cells.held]
    share = cells.count / cells.sizes[cells.owner]
    # values that the class lacks add q each, and these sum to one less the q of the values it has
    present = np.bincount(cells.owner, weights=np.abs(share - here) - here, minlength=cells.sizes.size)
    return np.clip((present + 1) / 2, 0, 1)


def ordered(cells: Cells) -> Reals:
    """Earth mover's distance over ranks of each class from all given patients, shape (class,), in [0, 1].

    A patient's mass is spread evenly over its values. Values next to each other are 1 / (m − 1) apart, m being the
    number of known values of the given patients: Σ|P_i − Q_i| / (m − 1) over sums up to rank i. Missing is 1 away from
    every value: |p − q| of it, and the distance of the known values times the mass that both have there. That is the
    cost of one way to move the mass, so never less than the least. Without ranks all values are 1 apart: `variation`.
    """
    if cells.column.rank is None:
        return variation(cells)
    owner, rank, mass, unit = _masses(cells)
    n_classes = cells.sizes.size
    known = rank != MISSING
    absent = np.bincount(owner[~known], weights=mass[~known], minlength=n_classes)
    q_absent = float(absent.sum()) / max(unit * int(cells.sizes.sum()), 1)
    p_absent = absent / (unit * cells.sizes)
    line = _line(owner[known], rank[known], mass[known], n_classes)
    moved = np.minimum(1 - p_absent, 1 - q_absent) * line
    return np.clip(np.abs(p_absent - q_absent) + moved, 0, 1)


def _masses(cells: Cells) -> tuple[Ints, Ints, Reals, int]:
    """Class, rank and mass of each cell, or of each value of each cell, and the mass of a patient.

    A patient weighs so much that its share of each value is a whole number: sums are exact below 2^53.
    """
    rank = np.asarray(cells.column.rank, dtype=np.int64)
    if not cells.column.several:
        return cells.owner, rank[cells.column.value[cells.held]], cells.count.astype(np.float64), 1
    cell, value = cells.spread
    sizes = cells.column.sizes
    unit = int(np.lcm.reduce(np.unique(sizes).astype(object)))
    unit = unit if unit < _UNIT else 1
    return cells.owner[cell], rank[value], cells.count[cell] * (unit / sizes[cells.held[cell]]), unit


def _line(owner: Ints, rank: Ints, mass: Reals, n_classes: int) -> Reals:
    """Distance of the known values of each class from all known values, shape (class,); 0 for a class without any."""
    seen = tally(rank, int(rank.max(initial=-1)) + 1) > 0
    if np.count_nonzero(seen) < 2:
        return np.zeros(n_classes)
    rank = (np.cumsum(seen) - 1)[rank]
    m = int(rank.max()) + 1
    overall: Reals = np.cumsum(np.bincount(rank, weights=mass, minlength=m)) / float(mass.sum())
    owner, rank, mass = _sorted(owner, rank, mass, m)
    whole = np.bincount(owner, weights=mass, minlength=n_classes)
    first = starts(owner)
    pieces = np.bincount(owner, minlength=n_classes)
    upto = np.cumsum(mass)
    upto = (upto - np.repeat((upto - mass)[first], pieces[owner[first]])) / whole[owner]
    end = np.where(np.append(first[1:], True), m - 1, np.append(rank[1:], m - 1))
    steps = _between(upto, rank, end, overall)
    zero = np.zeros(int(first.sum()))
    before = _between(zero, zero.astype(np.int64), rank[first], overall)
    found = np.bincount(owner, weights=steps, minlength=n_classes)
    found += np.bincount(owner[first], weights=before, minlength=n_classes)
    return np.asarray(found / (m - 1), dtype=np.float64)


def _sorted(owner: Ints, rank: Ints, mass: Reals, m: int) -> tuple[Ints, Ints, Reals]:
    """By class and rank, each pair once."""
    key = owner * m + rank
    if not bool((key[1:] > key[:-1]).all()):
        order = np.argsort(key, kind="stable")
        key, mass = key[order], mass[order]
        first = starts(key)
        mass = np.add.reduceat(mass, np.flatnonzero(first))
        key = key[first]
    owner = key // m
    return owner, key - owner * m, mass


def _between(level: Reals, start: Ints, end: Ints, overall: Reals) -> Reals:
    """Σ|level − overall_i| for start ≤ i < end, each shape (piece,); `overall` grows, so it crosses a level once."""
    sums = np.concatenate([[0.0], np.cumsum(overall)])
    cross = np.clip(np.searchsorted(overall, level), start, end)
    below = level * (cross - start) - (sums[cross] - sums[start])
    above = (sums[end] - sums[cross]) - level * (end - cross)
    return np.asarray(below + above, dtype=np.float64)
