"""Which features ComBat may touch: it moves and stretches what is roughly normal.

A feature with a long tail gets its place from a few values, so that the bulk of each site ends up at a place of its own;
one with few distinct values gets a ladder of steps per site. Both then tell the site better than before: in a real cohort
(generalized_combat, two hospitals) a forest guessed it with balanced accuracy 0.56 before, 0.97 after ComBat of all features, 0.53 after ComBat of those that pass here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
SKEWED, STEPPED = "skewed", "stepped"
LEAST_DISTINCT = 0.9  # of the values of a site


def unfit(values: Reals, site: Sequence[str | None], most_skewness: float) -> npt.NDArray[np.str_]:
    """Why each feature is better left alone, shape (feature,): `skewed`, `stepped` or empty.

    Args:
        values: shape (row, feature), NaN where missing.
        site: of each row.
        most_skewness: largest absolute skewness (third moment over the spread's third power) within sites.
    """
    found = np.full(values.shape[1], "", dtype="U7")
    rest, distinct = np.full(values.shape, np.nan), np.zeros(values.shape[1])
    for one in sorted({str(name) for name in site}):
        rows = np.flatnonzero([str(name) == one for name in site])
        here = np.where(np.isfinite(values[rows]), values[rows], np.nan)
        count = np.maximum(np.isfinite(here).sum(axis=0), 1)
        rest[rows] = here - np.nansum(here, axis=0) / count
        distinct += _distinct(here)
    found[distinct < LEAST_DISTINCT * np.isfinite(values).sum(axis=0)] = STEPPED
    found[np.abs(_skewness(rest)) > most_skewness] = SKEWED
    return found


def _distinct(values: Reals) -> Reals:
    """Distinct values of each column, shape (feature,)."""
    order = np.sort(values, axis=0)
    new = np.ones(order.shape, dtype=bool)
    new[1:] = order[1:] != order[:-1]
    return np.asarray((new & np.isfinite(order)).sum(axis=0), dtype=np.float64)


def _skewness(rest: Reals) -> Reals:
    """Of each column of centred values; 0 where nothing varies."""
    scale = np.nanmax(np.abs(rest), axis=0, initial=0)
    unit = rest / np.where(scale > 0, scale, 1)
    count = np.maximum(np.isfinite(unit).sum(axis=0), 1)
    second, third = np.nansum(unit**2, axis=0) / count, np.nansum(unit**3, axis=0) / count
    return np.asarray(np.divide(third, second**1.5, out=np.zeros(third.shape), where=second > 1e-18))
