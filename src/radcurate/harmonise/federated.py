"""Sums of a site that are all that a fit needs: hospitals can harmonise together and no row leaves any of them.

Of each feature: how many rows, means of covariates and values, and sums of products of what is left after subtracting
these means (so that large values lose no digits; Chan, Golub and LeVeque, The American Statistician 37, 1983). Sums of
parts of a site add up to those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Moments:
    """Sums of one site; p covariates, f features.

    Attributes:
        patients: whose rows they are; what comes from one patient tells nothing about the spread of a site.
        n: rows with a value, shape (f,).
        x: mean covariates of these rows, shape (f, p).
        y: mean value, shape (f,); 0 where there is none.
        xx: sums of products of centred covariates, shape (f, p, p).
        xy: the same of covariates and values, shape (f, p).
        yy: sum of squares of centred values, shape (f,).
    """

    patients: int
    n: Ints
    x: Reals
    y: Reals
    xx: Reals
    xy: Reals
    yy: Reals


def moments(covariates: Reals, values: Reals, patients: int) -> Moments:
    """Sums of the rows of one site.

    Args:
        covariates: shape (row, p), without missing values.
        values: shape (row, f); what isn't finite is missing.
        patients: how many patients the rows are of.
    """
    there = np.isfinite(values)
    found = _nothing(covariates.shape[1], values.shape[1], patients)
    patterns, which = np.unique(there.T, axis=0, return_inverse=True)
    for number, rows in enumerate(patterns):
        features = np.flatnonzero(which.ravel() == number)
        if rows.any():
            _fill(found, features, covariates[rows], values[np.ix_(rows, features)])
    return found


def _nothing(p: int, f: int, patients: int) -> Moments:
    zeros = np.zeros
    return Moments(
        patients, zeros(f, dtype=np.int64), zeros((f, p)), zeros(f), zeros((f, p, p)), zeros((f, p)), zeros(f)
    )


def _fill(found: Moments, features: Ints, x: Reals, y: Reals) -> None:
    """Sums of features that lack the same rows."""
    found.n[features] = len(x)
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    x, y = x - x_mean, y - y_mean
    found.x[features], found.y[features] = x_mean, y_mean
    found.xx[features] = np.einsum("rp,rq->pq", x, x)
    found.xy[features] = np.einsum("rp,rf->fp", x, y)
    found.yy[features] = (y**2).sum(axis=0)


def combine(parts: Iterable[Moments]) -> Moments:
    """Sums of a site from those of its parts, which share no patient."""
    first, *rest = parts
    for other in rest:
        first = _both(first, other)
    return first


def _both(one: Moments, two: Moments) -> Moments:
    n = one.n + two.n
    share = np.divide(two.n, n, out=np.zeros(n.size), where=n > 0)
    dx, dy = two.x - one.x, two.y - one.y
    weight = one.n * share
    return Moments(
        one.patients + two.patients,
        n,
        one.x + share[:, None] * dx,
        one.y + share * dy,
        one.xx + two.xx + weight[:, None, None] * dx[:, :, None] * dx[:, None, :],
        one.xy + two.xy + weight[:, None] * dx * dy[:, None],
        one.yy + two.yy + weight * dy**2,
    )
