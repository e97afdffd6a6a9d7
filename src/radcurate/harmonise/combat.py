"""ComBat: location and scale of each site, covariates kept (Johnson et al. 2007; for images Fortin et al., NeuroImage 2018).

value = mean + covariates . beta + sd (location + sqrt(scale) noise), and what is released is
mean + covariates . beta + sd noise. The fit needs the sums of each site only (see `federated`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radcurate.errors import CurationError
from radcurate.harmonise.bayes import shrink, shrink_location
from radcurate.harmonise.federated import Moments

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
WORST_CONDITION = 1e10  # of the correlation of covariates within sites
ROUNDING = 1e-12  # a spread this small beside the value itself is rounding

HARMONISED, LOCATION_ONLY, CONSTANT, TOO_FEW, ONE_SITE = (
    "harmonised",
    "location_only",
    "constant",
    "too_few",
    "one_site",
)


@dataclass(frozen=True)
class Model:
    """What was fitted for comparable regions; s sites, f features, p covariates.

    Attributes:
        sites: their codes, sorted.
        n: rows per site and feature, shape (s, f).
        mean: of all sites, at covariates 0, shape (f,).
        beta: what covariates do, shape (f, p).
        shift: what a site adds, in the feature's unit, shape (s, f); NaN where the site has no value.
        stretch: by what a site multiplies the deviations, shape (s, f).
        outcome: what became of each feature: harmonised; location_only, it doesn't vary within any site, so only the
            sites' constants were made one; constant, too_few, one_site, skewed, stepped: left as it is.
    """

    sites: tuple[str, ...]
    n: Ints
    mean: Reals
    beta: Reals
    shift: Reals
    stretch: Reals
    outcome: tuple[str, ...]

    @property
    def changes(self) -> Flags:
        """Which features it changes, shape (f,)."""
        return np.isin(self.outcome, (HARMONISED, LOCATION_ONLY))


@dataclass(frozen=True)
class _Line:
    """Regression with an intercept per site; `alpha`, shape (s, f), `rest`: residual sums of squares, shape (s, f)."""

    beta: Reals
    alpha: Reals
    mean: Reals
    rest: Reals
    sd: Reals


def fit(sites: Mapping[str, Moments], empirical_bayes: bool, left: npt.NDArray[np.str_] | None = None) -> Model:
    """Fit locations and scales to the sums of sites.

    A site with a single patient has no spread of its own: its scale is left alone.

    Args:
        sites: their sums.
        empirical_bayes: let the features of a site steady each other.
        left: why a feature is to be left alone, shape (f,); empty words for the others (see `shape.unfit`).

    Raises:
        CurationError: a covariate can't be told apart from the site, or a site has one patient and nothing to lean on.
    """
    names = tuple(sorted(sites))
    parts = [sites[name] for name in names]
    single = np.array([part.patients < 2 for part in parts])
    if single.any() and not empirical_bayes:
        raise CurationError(
            "a site has a single patient, and would be left without anything of its own",
            wanted="two patients at least of each site, or empirical Bayes",
            found=f"{int(single.sum())} sites with one patient",
            fix="set harmonise.empirical_bayes: true",
        )
    n = np.stack([part.n for part in parts])
    line = _regress(parts, n)
    outcome = _outcomes(n, line, line.beta.shape[1])
    if left is not None:
        outcome = np.where((outcome == HARMONISED) & (left != ""), left, outcome)
    shift, stretch = line.alpha - line.mean, np.ones(n.shape)
    chosen = np.flatnonzero(outcome == HARMONISED)
    for number in range(len(names)):
        here = chosen[n[number, chosen] > 0]
        location, scale = _site(n[number, here], line, number, here, bool(single[number]), empirical_bayes)
        shift[number, here], stretch[number, here] = line.sd[here] * location, np.sqrt(scale)
    shift[n == 0] = np.nan
    return Model(names, n, line.mean, line.beta, shift, stretch, tuple(str(word) for word in outcome))


def _regress(parts: list[Moments], n: Ints) -> _Line:
    """Least squares with an intercept per site: within sites for beta, then the intercepts."""
    xx, xy = sum(part.xx for part in parts), sum(part.xy for part in parts)
    beta = _solve(np.asarray(xx), np.asarray(xy))
    alpha = np.stack([part.y - (part.x * beta).sum(axis=1) for part in parts])
    mean = (n * alpha).sum(axis=0) / np.maximum(n.sum(axis=0), 1)
    rest = np.stack(
        [part.yy - 2 * (beta * part.xy).sum(axis=1) + np.einsum("fp,fpq,fq->f", beta, part.xx, beta) for part in parts]
    )
    rest = np.maximum(rest, 0)
    return _Line(beta, alpha, mean, rest, np.sqrt(rest.sum(axis=0) / np.maximum(n.sum(axis=0), 1)))


def _solve(xx: Reals, xy: Reals) -> Reals:
    """beta, shape (f, p); NaN for a feature whose rows don't tell the covariates apart within sites."""
    beta = np.full(xy.shape, np.nan)
    if not xy.shape[1]:
        return beta
    size = np.sqrt(np.einsum("fpp->fp", xx))
    good = (size > 0).all(axis=1)
    if good.any():
        correlation = xx[good] / (size[good][:, :, None] * size[good][:, None, :])
        good[good] = np.linalg.cond(correlation) < WORST_CONDITION
    beta[good] = np.linalg.solve(xx[good], xy[good][:, :, None])[:, :, 0]
    return beta


def _outcomes(n: Ints, line: _Line, p: int) -> npt.NDArray[np.str_]:
    """What can be done about each feature, shape (f,)."""
    rows, with_values = n.sum(axis=0), (n > 0).sum(axis=0)
    gaps = np.where(n > 0, np.abs(line.alpha - line.mean), 0).max(axis=0)
    size = np.abs(line.alpha).max(axis=0)
    still = line.sd <= ROUNDING * np.maximum(size, np.finfo(float).tiny)
    outcome = np.full(rows.shape, HARMONISED, dtype="U16")
    outcome[still] = LOCATION_ONLY
    outcome[still & (gaps <= ROUNDING * size)] = CONSTANT
    outcome[(rows < with_values + p + 2) | np.isnan(line.beta).any(axis=1)] = TOO_FEW
    outcome[with_values < 2] = ONE_SITE
    return outcome


def _site(n: Ints, line: _Line, site: int, features: Ints, single: bool, bayes: bool) -> tuple[Reals, Reals]:
    """Standardised location and scale of one site, shape (feature,) each."""
    sd, rows = line.sd[features], n.astype(np.float64)
    location = (line.alpha[site, features] - line.mean[features]) / sd
    squares = line.rest[site, features] / sd**2
    alone = (rows < 2) | single
    scale = np.where(alone, 1.0, squares / np.maximum(rows - 1, 1))
    scale[scale == 0] = 1.0  # it doesn't vary here: nothing to stretch
    if bayes:
        steady = ~alone
        location[alone] = shrink_location(rows, location)[alone] if alone.any() else location[alone]
        location[steady], scale[steady] = (
            shrink(rows[steady], location[steady], scale[steady], squares[steady])
            if steady.any()
            else (location[steady], scale[steady])
        )
    return location, scale


def apply(model: Model, covariates: Reals, values: Reals, site: Ints) -> Reals:
    """Values without the accent of their sites, shape (row, f); missing ones and features left alone stay as they are.

    Args:
        model: the fit.
        covariates: shape (row, p).
        values: shape (row, f).
        site: row of `model.sites` of each row, shape (row,).

    Raises:
        CurationError: a value of a site and feature of which the fit saw none.
    """
    out = values.copy()
    features = np.flatnonzero(model.changes)
    y, shift = values[:, features], model.shift[np.ix_(site, features)]
    unseen = np.isfinite(y) & np.isnan(shift)
    if unseen.any():
        raise CurationError(
            "a site has values of a feature that it had not when the parameters were made",
            wanted="parameters for each site and feature with values",
            found=f"none for {int(unseen.any(axis=0).sum())} features",
            fix="fit anew: remove harmonise.parameters",
        )
    middle = model.mean[features] + covariates @ model.beta[features].T
    new = (y - middle - shift) / model.stretch[np.ix_(site, features)] + middle
    out[:, features] = np.where(np.isfinite(y), new, y)
    return out
