"""Whether new patients look like those of the release before: drift of a batch, feature by feature.

Compared are the patients who are new with those who were there, per modality and region name, one value a patient (the
mean of its regions). Test: two-sample Kolmogorov–Smirnov, asymptotic with Stephens' correction (J. R. Stat. Soc. B 32,
1970), false discovery rate by Benjamini and Hochberg (J. R. Stat. Soc. B 57, 1995). A small shift in many patients is
significant without mattering, so the distance must be large, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import chdtrc, kolmogorov

FEWEST = 5  # patients on either side
RATE = 0.01  # of false discoveries
DISTANCE = 0.3  # between the two distributions, from 0 to 1
TOLD = 20  # features that are told by name, those that drifted most first
CATEGORIES = ("site", "sex", "modality")
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shift:
    """One feature in one group of regions."""

    group: str
    feature: str
    distance: float  # Kolmogorov–Smirnov
    p: float
    standardised: float | None  # difference of means in standard deviations of the patients before


def drift(before: pa.Table, now: pa.Table, names: Sequence[str], fewest: int = FEWEST) -> dict[str, Any]:
    """What is told in changes.json.

    Args:
        before: features of the release before; columns `subject`, and `names`.
        now: of this one.
        names: feature columns that both have.
        fewest: patients that must be on either side, so that no number is about few.
    """
    old, fresh = set(before["subject"].to_pylist()), set(now["subject"].to_pylist())
    new = fresh - old
    told: dict[str, Any] = {"patients_before": len(old), "new_patients": len(new)}
    if min(len(old), len(new)) < fewest:
        return told | {"measured": False, "detail": f"needs {fewest} patients before and {fewest} new ones"}
    batch = now.filter(pa.array([subject in new for subject in now["subject"].to_pylist()]))
    shifts = [shift for group in _groups(before, batch, fewest) for shift in _shifts(*group, names)]
    categories = [found for name in CATEGORIES if (found := _category(before, batch, name))]
    if not shifts and not categories:
        return told | {"measured": False, "detail": f"no kind of region with {fewest} patients before and new"}
    limit = _discoveries([shift.p for shift in shifts] + [one["p"] for one in categories])
    flagged = sorted(
        (one for one in shifts if one.p <= limit and one.distance >= DISTANCE),
        key=lambda one: (-one.distance, one.group, one.feature),
    )
    for one in categories:
        one["flagged"] = bool(one["p"] <= limit and one["distance"] >= DISTANCE)
    return told | {
        "measured": True,
        "compared": len(shifts),
        "flagged": len(flagged) + sum(one["flagged"] for one in categories),
        "features": [vars(one) for one in flagged[:TOLD]],
        "categories": categories,
        "detail": f"distance at least {DISTANCE}, false discovery rate {RATE}",
    }


def _groups(before: pa.Table, now: pa.Table, fewest: int) -> list[tuple[str, pa.Table, pa.Table]]:
    """Kinds of regions that enough patients have on both sides."""
    keys = [name for name in ("modality", "roi_label") if name in before.column_names and name in now.column_names]
    kinds = [_kinds(content, keys) for content in (before, now)]
    found = []
    for kind in sorted(set(kinds[0]) & set(kinds[1])):
        parts = [
            content.filter(pa.array([one == kind for one in own]))
            for content, own in zip((before, now), kinds, strict=True)
        ]
        if min(len(part["subject"].unique()) for part in parts) >= fewest:
            found.append((" ".join(kind) or "all", parts[0], parts[1]))
    return found


def _kinds(content: pa.Table, keys: Sequence[str]) -> list[tuple[str, ...]]:
    if not keys:
        return [()] * content.num_rows
    return list(zip(*([str(value) for value in content[key].to_pylist()] for key in keys), strict=True))


def _shifts(group: str, before: pa.Table, now: pa.Table, names: Sequence[str]) -> list[Shift]:
    one, other = _per_patient(before, names), _per_patient(now, names)
    found = []
    for place, name in enumerate(names):
        a, b = (values[~np.isnan(values)] for values in (one[:, place], other[:, place]))
        if min(len(a), len(b)) >= FEWEST:
            distance = ks_distance(a, b)
            found.append(Shift(group, name, distance, _p(distance, len(a), len(b)), _standardised(a, b)))
    return found


def _per_patient(content: pa.Table, names: Sequence[str]) -> Reals:
    """Mean of each patient's regions, shape (patient, feature); NaN where a patient has no value."""
    values = np.column_stack([content[name].to_numpy().astype(np.float64) for name in names])
    _, place = np.unique(np.array(content["subject"].to_pylist()), return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    there = ~np.isnan(values[order])
    total = np.add.reduceat(np.where(there, values[order], 0.0), starts, axis=0)
    count = np.add.reduceat(there.astype(np.float64), starts, axis=0)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def ks_distance(a: Reals, b: Reals) -> float:
    """Largest distance of two empirical distribution functions."""
    points = np.concatenate([a, b])
    shares = [np.searchsorted(np.sort(values), points, side="right") / len(values) for values in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())


def _p(distance: float, n: int, m: int) -> float:
    root = np.sqrt(n * m / (n + m))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * distance))


def _standardised(a: Reals, b: Reals) -> float | None:
    spread = float(np.std(a, ddof=1))
    return float((b.mean() - a.mean()) / spread) if spread > 0 else None


def _category(before: pa.Table, now: pa.Table, name: str) -> dict[str, Any] | None:
    """Shares of a column's values among patients, before and new; None where there is nothing to compare."""
    if name not in before.column_names or name not in now.column_names:
        return None
    counts = [_patients_by(content, name) for content in (before, now)]
    values = sorted(set(counts[0]) | set(counts[1]))
    table = np.array([[own.get(value, 0) for value in values] for own in counts], np.float64)
    if len(values) < 2:
        return None
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    shares = table / table.sum(1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    return {"column": name, "distance": distance, "p": float(chdtrc(len(values) - 1, statistic))}


def _patients_by(content: pa.Table, name: str) -> dict[str, int]:
    pairs = {
        (str(value), subject)
        for value, subject in zip(content[name].to_pylist(), content["subject"].to_pylist(), strict=True)
    }
    counts: dict[str, int] = {}
    for value, _ in pairs:
        counts[value] = counts.get(value, 0) + 1
    return counts


def _discoveries(found: Sequence[float]) -> float:
    """The largest p that Benjamini and Hochberg's procedure still calls a discovery; below 0 where there is none."""
    ordered = np.sort(np.array(found, np.float64))
    holds = np.flatnonzero(ordered <= RATE * np.arange(1, len(ordered) + 1) / max(len(ordered), 1))
    return float(ordered[holds[-1]]) if len(holds) else -1.0
