"""How many sensitive values a class holds: l, in three kinds (Machanavajjhala et al. 2007), over patients.

A patient's value is the set of its values, and a set also tells each of its values. So a class is read once for every
value that somebody in it has: all sets with that value become one bucket, every other set is its own. The least l of
all readings counts. Where patients have one value each, all readings are the usual one. A value that all patients of a
class share makes l = 1.
"""

from __future__ import annotations

import numpy as np

from radcurate.privacy.coding import Ints, Reals, tally
from radcurate.privacy.sensitive import Cells

TOLERANCE = 1e-9  # rounding of logarithms; a recursive l asks for a difference that is larger


def distinct(cells: Cells) -> Ints:
    """Buckets of each class, shape (class,)."""
    found = np.bincount(cells.owner, minlength=cells.sizes.size)
    if not cells.column.several:
        return found
    owner, _, pair = cells.holders
    least = found.copy()
    np.minimum.at(least, owner, found[owner] - np.bincount(pair) + 1)
    return least


def entropy(cells: Cells) -> Reals:
    """exp of the Shannon entropy of the buckets of each class, shape (class,), between 1 and `distinct`."""
    n = cells.sizes.astype(np.float64)
    each = _weighted_log(cells.count)
    inside = np.bincount(cells.owner, weights=each, minlength=n.size)
    if cells.column.several:
        owner, count, pair = cells.holders
        apart = np.bincount(pair, weights=each[cells.spread[0]])
        most = inside.copy()
        np.maximum.at(most, owner, inside[owner] - apart + _weighted_log(count))
        inside = most
    return np.maximum(np.exp(np.log(n) - inside / n), 1.0)


def _weighted_log(count: Ints) -> Reals:
    return np.asarray(count * np.log(count), dtype=np.float64)


def recursive(cells: Cells, c: float) -> Ints:
    """The largest l of each class, shape (class,), for which it is recursive (c, l)-diverse; at least 1.

    With bucket sizes r1 ≥ r2 ≥ … of a class: r1 < c · (r_l + r_(l+1) + …). Of the readings those by a value that most
    patients have.
    """
    found = _recursive(cells.owner, cells.count, cells.sizes, c)
    if not cells.column.several:
        return found
    owner, count, pair = cells.holders
    largest = np.zeros(cells.sizes.size, dtype=np.int64)
    np.maximum.at(largest, owner, count)
    reading = np.flatnonzero((count == largest[owner]) & (np.bincount(pair) > 1))
    if reading.size:
        np.minimum.at(found, owner[reading], _read(cells, reading, c))
    return found


def _read(cells: Cells, reading: Ints, c: float) -> Ints:
    """Recursive l of each reading, shape (reading,): numbers of pairs of `cells.holders`."""
    owner, count, pair = cells.holders
    place = np.full(owner.size, -1, dtype=np.int64)
    place[reading] = np.arange(reading.size)
    inside = place[pair] >= 0
    merged = place[pair[inside]] * cells.owner.size + cells.spread[0][inside]
    which, cell = _cells_of(cells, owner[reading])
    apart = ~np.isin(which * cells.owner.size + cell, merged)
    which = np.concatenate([which[apart], np.arange(reading.size)])
    buckets = np.concatenate([cells.count[cell[apart]], count[reading]])
    return _recursive(which, buckets, cells.sizes[owner[reading]], c)


def _cells_of(cells: Cells, owner: Ints) -> tuple[Ints, Ints]:
    """All cells of each class in `owner`: its position there and the number of the cell."""
    n_cells = np.bincount(cells.owner, minlength=cells.sizes.size)
    repeat = n_cells[owner]
    which = np.repeat(np.arange(owner.size), repeat)
    within = np.arange(which.size) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    return which, (np.cumsum(n_cells) - n_cells)[owner[which]] + within


def _recursive(owner: Ints, count: Ints, sizes: Ints, c: float) -> Ints:
    """`owner` and `count` of buckets, shape (bucket,); the largest l per owner, shape (owner,)."""
    most = int(count.max(initial=0)) + 1
    ordered = np.sort(owner * most + (most - 1 - count))
    owner = ordered // most
    count = most - 1 - (ordered - owner * most)
    buckets = np.bincount(owner, minlength=sizes.size)
    first = (np.cumsum(buckets) - buckets)[owner]
    before = np.cumsum(count) - count
    tail = sizes[owner] - (before - before[first])
    holds = count[first] < c * tail - TOLERANCE
    return np.maximum(tally(owner[holds], sizes.size), 1)
