"""Numbers on one scale: normal scores of a column's ranks, which no rescaling, rounding or relabelling can hide from.

An attacker who has other patients of the same kind ranks his value among theirs and the released value among the
released ones (van der Waerden scores, ties at their middle rank). What he measures again agrees with what was
released up to the test–retest correlation of the feature.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import ndtri

from radcurate.attack.matrix import Floats, Ints, Numbers, column

MOST = 0.9999  # a correlation of 1 would let one column outvote all others


def normal_scores(values: Floats) -> Floats:
    """Per column, the normal quantile of (middle rank - ½) / n among its values; NaN stays NaN. Shape (row, column)."""
    found = np.full(values.shape, np.nan)
    for place in range(values.shape[1]):
        there = ~np.isnan(values[:, place])
        if there.any():
            found[there, place] = _scores(values[there, place])
    return found


def scores_by(values: Numbers, groups: Sequence[str], rows: Ints | None = None) -> Floats:
    """Normal scores of each row among those of its group, shape (row, column); `rows`: of these only."""
    words = np.array(groups)
    which = [np.flatnonzero(words == word) for word in sorted(set(groups))]
    found = np.empty((values.shape[0] if rows is None else len(rows), values.shape[1]))
    scores = np.full(values.shape[0], np.nan)
    for place in range(values.shape[1]):
        own = column(values, place)
        for members in which:
            scores[members] = normal_scores(own[members, None])[:, 0]
        found[:, place] = scores if rows is None else scores[rows]
    return found


def _scores(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - count / 2
    scores: Floats = ndtri(middle / values.size)[place]
    return scores


def points_of(known: Floats) -> tuple[Floats, Floats]:
    """The different values of one column, ascending, and their normal scores: where new values fall in between.

    Args:
        known: shape (row,), NaN where missing.
    """
    there = np.sort(known[~np.isnan(known)])
    points, first = np.unique(there, return_index=True)
    return points, _scores(there)[first]


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
