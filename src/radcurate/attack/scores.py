"""Numbers on one scale: normal scores of a column's ranks, which no rescaling, rounding or relabelling can hide from.

An attacker who has other patients of the same kind ranks his value among theirs and the released value among the
released ones (van der Waerden scores, ties at their middle rank). What he measures again agrees with what was
released up to the test–retest correlation of the feature.
"""

from __future__ import annotations

import hashlib

import numpy as np
from scipy.special import ndtri

from radcurate.attack.records import Floats

MOST = 0.9999  # a correlation of 1 would let one column outvote all others


def normal_scores(values: Floats) -> Floats:
    """Per column, the normal quantile of (middle rank - ½) / n among its values; NaN stays NaN. Shape (row, column)."""
    found = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        there = ~np.isnan(values[:, column])
        if there.any():
            found[there, column] = _scores(values[there, column])
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
    both = np.isnan(np.vstack([query, target]))
    partly = both[:, both.any(axis=0) & ~both.all(axis=0)]
    patterns = np.unique(partly, axis=1).astype(np.float64) * np.sqrt(2.0)
    return patterns[: query.shape[0]], patterns[query.shape[0] :]


def seed_of(what: str, values: Floats) -> int:
    """A number for a generator, from a fixed word and the data."""
    digest = hashlib.sha256(what.encode() + repr(values.shape).encode())
    digest.update(np.ascontiguousarray(values + 0.0).tobytes())
    return int.from_bytes(digest.digest()[:8], "big")
