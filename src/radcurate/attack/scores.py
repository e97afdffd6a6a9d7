"""Numbers on one scale: normal scores of a column's ranks, which no rescaling, rounding or relabelling can hide from.

An attacker who has other patients of the same kind ranks his value among theirs and the released value among the
released ones (van der Waerden scores, ties at their middle rank). What he measures again agrees with what was
released up to the test–retest correlation of the feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from radcurate.attack.matrix import HELD, Floats, Ints, Numbers, column

MOST = 0.9999  # a correlation of 1 would let one column outvote all others


def normal_scores(values: Floats) -> Floats:
    """Per column, the normal quantile of (middle rank - ½) / n among its values; NaN stays NaN. Shape (row, column)."""
    return scores_by(values, ("",) * len(values))


def scores_by(values: Numbers, groups: Sequence[str], rows: Ints | None = None) -> Floats:
    """Normal scores of each row among those of its group, shape (row, column); `rows`: of these only."""
    which, members = _members(groups)
    chosen = slice(None) if rows is None else rows
    found = np.empty((which[chosen].size, values.shape[1]))
    for place in range(values.shape[1]):
        ranks, present = _ranks(column(values, place), members)
        found[:, place] = _normal(ranks[chosen], present[which[chosen]])
    return found


@dataclass(frozen=True)
class Ranked:
    """Normal scores of a large table, kept as ranks: half the memory, and the very same numbers.

    Attributes:
        ranks: twice the middle rank of each row among its group, shape (row, column); 0 where missing.
        group: number of each row's group, shape (row,).
        present: values of each group, shape (group, column).
    """

    ranks: NDArray[np.uint32]
    group: Ints
    present: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.ranks.shape[0], self.ranks.shape[1]

    def __getitem__(self, which: Ints | Sequence[int] | slice | tuple[Ints, int]) -> Floats:
        """Scores of some rows, shape (row, column), or of some rows in one column, shape (row,)."""
        if isinstance(which, tuple):
            rows, place = which
            return _normal(self.ranks[rows, place], self.present[self.group[rows], place])
        return _normal(self.ranks[which], self.present[self.group[which]])


Scores = Floats | Ranked


def scored(values: Numbers, groups: Sequence[str]) -> Scores:
    """`scores_by` of all rows; as ranks where the table is large."""
    if values.shape[0] <= HELD:
        return scores_by(values, groups)
    which, members = _members(groups)
    found = np.empty(values.shape, dtype=np.uint32)
    present = np.empty((len(members), values.shape[1]))
    for place in range(values.shape[1]):
        found[:, place], present[:, place] = _ranks(column(values, place), members)
    return Ranked(found, which, present)


def _members(groups: Sequence[str]) -> tuple[Ints, list[Ints]]:
    """Number of each row's group, shape (row,), and the rows of each group."""
    words, which = np.unique(np.array(groups, dtype=np.str_), return_inverse=True)
    return which, [np.flatnonzero(which == number) for number in range(words.size)]


def _ranks(values: Floats, members: Sequence[Ints]) -> tuple[NDArray[np.uint32], Floats]:
    """Twice the middle rank of each value among its group, 0 where missing; values of each group."""
    found, present = np.zeros(values.size, dtype=np.uint32), np.zeros(len(members))
    for number, rows in enumerate(members):
        there = rows[~np.isnan(values[rows])]
        found[there], present[number] = _twice(values[there]), there.size
    return found, present


def _twice(values: Floats) -> NDArray[np.uint32]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (2 * np.cumsum(count) - count)[place].astype(np.uint32)


def _normal(ranks: NDArray[np.uint32], present: Floats) -> Floats:
    share = np.divide(ranks, 2 * present, out=np.full(ranks.shape, np.nan), where=ranks > 0)
    scores: Floats = ndtri(share)
    return scores


def points_of(known: Floats) -> tuple[Floats, Floats]:
    """The different values of one column, ascending, and their normal scores: where new values fall in between.

    Args:
        known: shape (row,), NaN where missing.
    """
    there = np.sort(known[~np.isnan(known)])
    points, first = np.unique(there, return_index=True)
    return points, normal_scores(there[:, None])[first, 0]


def weighted(query: Floats, target: Floats, correlation: Floats) -> tuple[Floats, Floats, Floats]:
    """Scale scores so that squared distance is twice the log-likelihood that both come from one region, up to a constant.

    Query q and target r of one region are bivariate normal with correlation ρ, so q given r has mean ρ r and variance
    1 - ρ²: distance Σ (q - ρ r)² / (1 - ρ²). Missing counts as the middle; `absence` tells what is missing.

    Args:
        query: shape (row, column).
        target: shape (other row, column).
        correlation: test–retest correlation (ICC) of each column, shape (column,).

    Returns:
        Query and target, scaled, and the scale of the query's columns.
    """
    rho = bounded(correlation)
    scale = 1 / np.sqrt(1 - rho**2)
    return np.nan_to_num(query) * scale, np.nan_to_num(target) * (scale * rho), scale


def bounded(correlation: Floats) -> Floats:
    """Correlations from 0 to `MOST`."""
    return np.clip(np.nan_to_num(correlation, nan=0.0), 0.0, MOST)


def absence(query: Floats, target: Floats) -> tuple[Floats, Floats]:
    """One column per pattern of missing values: two rows that differ in it are as far apart as two people in a column."""
    columns = patterns([np.concatenate([query[:, place], target[:, place]]) for place in range(query.shape[1])])
    return absent(query, columns), absent(target, columns)


def patterns(columns: Iterable[Floats]) -> Ints:
    """Columns that stand for the different patterns of missing values; those that lack all or none of them aside."""
    found: dict[bytes, int] = {}
    for place, values in enumerate(columns):
        missing = np.isnan(values)
        if missing.any() and not missing.all():
            found.setdefault(missing.tobytes(), place)
    return np.array([found[pattern] for pattern in sorted(found)], dtype=np.int64)


def absent(values: Floats, columns: Ints) -> Floats:
    """What of these columns is missing, shape (row, column)."""
    return np.asarray(np.isnan(values[:, columns]) * np.sqrt(2.0), dtype=np.float64)
