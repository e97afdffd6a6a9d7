"""What harmonising did: which features, and whether what is biological is still there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.harmonise.combat import LOCATION_ONLY, Model, fit
from radcurate.harmonise.design import Covariate
from radcurate.harmonise.groups import Group, Regions, statistics

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What a covariate does to features within sites, in standard deviations per unit.

    Attributes:
        term: the covariate, for words with the level.
        features: on how many.
        before: mean absolute effect over the features.
        after: the same on harmonised values.
        correlation: of the effects before and after, over features; None where there are too few.
    """

    term: str
    features: int
    before: float
    after: float
    correlation: float | None


def effects(regions: Regions, harmonised: Reals, group: Group) -> list[Effect]:
    """The effect of each covariate on the harmonised features of a group, before and after."""
    if group.model is None or not group.design:
        return []
    terms = [term for one in group.design for term in one.terms]
    before = _standardised(regions, group.design)
    after = _standardised(replace(regions, values=harmonised), group.design)
    both = group.model.changes & np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1)
    return [_effect(term, before[both, place], after[both, place]) for place, term in enumerate(terms)]


def _standardised(regions: Regions, design: Sequence[Covariate]) -> Reals:
    """beta over the standard deviation within sites, shape (feature, term)."""
    sites = statistics(regions, design)
    model: Model = fit(sites, empirical_bayes=True)
    rest = sum(part.yy for part in sites.values()) / np.maximum(model.n.sum(axis=0), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(model.beta / np.sqrt(rest)[:, None])


def _effect(term: str, before: Reals, after: Reals) -> Effect:
    told = before.size > 2 and np.ptp(before) > 0 and np.ptp(after) > 0
    correlation = float(np.corrcoef(before, after)[0, 1]) if told else None
    sizes = [float(np.abs(values).mean()) if values.size else 0.0 for values in (before, after)]
    return Effect(term, int(before.size), sizes[0], sizes[1], correlation)


def group_document(by: Sequence[str], group: Group, regions: Regions, harmonised: Reals) -> dict[str, Any]:
    """What became of one kind of region, as plain data."""
    model, owners = group.model, Counter(set(zip(regions.site, regions.subject, strict=True)))
    patients = Counter(site for site, _ in owners)
    outcome = model.outcome if model else ()
    return {
        "kind": dict(zip(by, group.kind, strict=True)),
        "regions": len(regions.site),
        "patients": len(set(regions.subject)),
        "sites": len(patients),
        "single_patient_sites": sum(count == 1 for count in patients.values()),
        "harmonised": model is not None,
        "reason": group.reason,
        "covariates": [one.name for one in group.design],
        "not_varying": sorted(set(regions.covariates) - {one.name for one in group.design}) if model else [],
        "missing_covariates": _missing(regions),
        "outcomes": dict(sorted(Counter(outcome).items())),
        "site_constants": _named(regions, outcome, LOCATION_ONLY),
        "effects": [asdict(one) for one in effects(regions, harmonised, group)],
    }


def _missing(regions: Regions) -> dict[str, int]:
    found = {
        name: sum(value is None or (isinstance(value, float) and np.isnan(value)) for value in column)
        for name, column in regions.covariates.items()
    }
    return {name: count for name, count in found.items() if count}


def _named(regions: Regions, outcome: Sequence[str], wanted: str) -> list[str]:
    return [name for name, word in zip(regions.features, outcome, strict=False) if word == wanted]


PUBLIC = ("kind", "harmonised", "reason", "covariates", "outcomes", "site_constants", "effects")


def public(document: Mapping[str, Any]) -> dict[str, Any]:
    """What may be told outside: no count of patients, regions or sites, which a release's own tables could be subtracted from."""
    hidden = ("regions", "harmonised_regions")
    told = {name: value for name, value in document.items() if name not in hidden}
    return told | {"groups": [{name: group[name] for name in PUBLIC} for group in document["groups"]]}
