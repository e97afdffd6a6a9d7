"""Which regions are made alike: each kind (modality and label) by itself, and why some are left as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radcurate.errors import CurationError
from radcurate.harmonise.combat import TOO_FEW, Model, apply, fit
from radcurate.harmonise.design import Column, Covariate, covariate, matrix
from radcurate.harmonise.federated import Moments, moments
from radcurate.harmonise.shape import unfit

Reals = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = tuple[str, ...]
ONE_SITE = "all regions are from one site"
CONFOUNDED = "a covariate can't be told apart from the site"
FEW = "too few regions at its sites"
SHAPELESS = "no feature has a shape that ComBat takes"


@dataclass(frozen=True)
class Regions:
    """What there is to harmonise, a row per region, in an order that doesn't depend on how the run was cut.

    Attributes:
        subject: whose it is.
        site: where it was measured (the batch); None where that isn't known.
        kind: what it can be compared with.
        covariates: columns to keep the effect of.
        features: names.
        values: shape (row, feature); NaN where missing.
    """

    subject: Sequence[str]
    site: Sequence[str | None]
    kind: Sequence[Kind]
    covariates: Mapping[str, Column]
    features: tuple[str, ...]
    values: Reals

    def of(self, kind: Kind) -> Regions:
        """The rows of one kind."""
        return self.only(np.flatnonzero([one == kind for one in self.kind]))

    def only(self, rows: Ints) -> Regions:
        """These rows."""
        return Regions(
            [self.subject[row] for row in rows.tolist()],
            [self.site[row] for row in rows.tolist()],
            [self.kind[row] for row in rows.tolist()],
            {name: [column[row] for row in rows.tolist()] for name, column in self.covariates.items()},
            self.features,
            self.values[rows],
        )


@dataclass(frozen=True)
class Group:
    """One kind: how it is harmonised, or why it isn't (`model` is None)."""

    kind: Kind
    design: tuple[Covariate, ...]
    model: Model | None
    reason: str


def fit_groups(regions: Regions, empirical_bayes: bool, most_skewness: float = np.inf) -> list[Group]:
    """Fit each kind of region; with a limit of skewness, features of other shapes are left alone (see `shape`).

    Raises:
        CurationError: a region without a site; or a site with a single patient and no empirical Bayes.
    """
    _insist_on_sites(regions)
    return [_fit(kind, regions.of(kind), empirical_bayes, most_skewness) for kind in sorted(set(regions.kind))]


def _insist_on_sites(regions: Regions) -> None:
    lost = sum(site is None for site in regions.site)
    if lost:
        raise CurationError(
            "not every region has a site to be harmonised by",
            wanted="harmonise.batch known of each region",
            found=f"{lost} of {len(regions.site)} regions without",
            fix="set harmonise.batch to manufacturer or model, or switch harmonise.on off",
        )


def _fit(kind: Kind, regions: Regions, empirical_bayes: bool, most_skewness: float) -> Group:
    if len(set(regions.site)) < 2:
        return Group(kind, (), None, ONE_SITE)
    found = [covariate(name, column) for name, column in regions.covariates.items()]
    design = tuple(one for one in found if one is not None)
    if _confounded(regions, design):
        return Group(kind, design, None, CONFOUNDED)
    left = unfit(regions.values, regions.site, most_skewness) if np.isfinite(most_skewness) else None
    model = fit(statistics(regions, design), empirical_bayes, left)
    if not model.changes.any():
        return Group(kind, design, None, FEW if set(model.outcome) == {TOO_FEW} else SHAPELESS)
    return Group(kind, design, model, "")


def _confounded(regions: Regions, design: Sequence[Covariate]) -> bool:
    """Whether sites and covariates together tell something twice."""
    x = matrix(design, regions.covariates, len(regions.site))
    for site in set(regions.site):
        rows = np.flatnonzero([one == site for one in regions.site])
        x[rows] -= x[rows].mean(axis=0)
    size = np.sqrt((x**2).sum(axis=0))
    return bool((size == 0).any() or (x.size and np.linalg.matrix_rank(x / size, tol=1e-7) < x.shape[1]))


def statistics(regions: Regions, design: Sequence[Covariate]) -> dict[str, Moments]:
    """The sums of each site over regions of one kind; all that a fit together with other hospitals needs."""
    x = matrix(design, regions.covariates, len(regions.site))
    found = {}
    for site in sorted({str(site) for site in regions.site}):
        rows = np.flatnonzero([one == site for one in regions.site])
        found[site] = moments(x[rows], regions.values[rows], len({regions.subject[row] for row in rows.tolist()}))
    return found


def apply_groups(regions: Regions, groups: Sequence[Group]) -> Reals:
    """Harmonised values, shape (row, feature). Kinds that the groups don't harmonise stay as they are.

    Raises:
        CurationError: a site that wasn't there at the fit.
    """
    out = regions.values.copy()
    for group in groups:
        rows = np.flatnonzero([kind == group.kind for kind in regions.kind])
        if group.model is not None and rows.size:
            here = regions.only(rows)
            x = matrix(group.design, here.covariates, rows.size)
            out[rows] = apply(group.model, x, here.values, _places(group.model, here.site))
    return out


def stretches(regions: Regions, groups: Sequence[Group]) -> Reals:
    """By what deviations were divided, shape (row, feature); 1 where nothing was done."""
    out = np.ones(regions.values.shape)
    for group in groups:
        rows = np.flatnonzero([kind == group.kind for kind in regions.kind])
        if group.model is not None and rows.size:
            features = np.flatnonzero(group.model.changes)
            sites = _places(group.model, [regions.site[row] for row in rows.tolist()])
            out[np.ix_(rows, features)] = group.model.stretch[np.ix_(sites, features)]
    return out


def _places(model: Model, sites: Sequence[str | None]) -> Ints:
    place = {site: number for number, site in enumerate(model.sites)}
    unseen = Counter(site not in place for site in sites)[True]
    if unseen:
        raise CurationError(
            "regions of a site that the parameters don't know",
            wanted=f"one of the {len(place)} sites that they were made from",
            found=f"{unseen} regions of other sites, or of none",
            fix="fit anew with these regions: remove harmonise.parameters",
        )
    return np.array([place[str(site)] for site in sites], dtype=np.int64)
