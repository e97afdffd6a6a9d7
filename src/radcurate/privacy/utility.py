"""What protection costs: by feature, by quasi-identifier, and by group of patients, so that it shows who pays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from radcurate.privacy.coding import Ints, distinct, renumber
from radcurate.privacy.measures import Flags, Reals
from radcurate.privacy.values import Values, matrix
from radcurate.privacy.vectors import Treatment, lots_of, spreads, spreads_by

FEW = 2  # patients below which no spread is told, whatever k is


def distortions(
    before: Values, after: Values, modality: Any, subject: Ints, treatment: Treatment, k: int
) -> list[dict[str, Any]]:
    """For each modality and feature how far released values are from measured ones; `after` may be `before` itself.

    `scale`: standard deviation of the measured values; `distortion`: mean |released - measured| over it; `loss`: sum of
    squared differences over that of the measured values from their mean (0: nothing lost, 1: as good as their mean);
    `correlation`: Pearson's, of released and measured. Null where fewer than `k` patients have the modality, since
    these numbers would tell of them, or where the feature doesn't vary. Three digits: exact ones of two releases would
    tell who left between them.

    Args:
        modality: column of the released rows, shape (row,).
        subject: their patients, shape (row,).
    """
    codes, words = distinct(modality)
    lots, names = lots_of(renumber(codes)[0]), [*words.to_pylist(), None]
    found: list[list[dict[str, Any]]] = [[] for _ in lots]
    for place, old in before.blocks():
        told = before.names[place]
        new = old if after is before else matrix(after.columns(told), told)
        for rows, lines in zip(lots, found, strict=True):
            few = np.unique(subject[rows]).size < max(k, FEW)
            part = old[rows]
            columns = _compare(part, part if after is before else new[rows])
            for column, name in enumerate(told):
                line = {word: None if few else _rounded(values[column]) for word, values in columns}
                about = {"feature": name, "modality": names[codes[rows[0]]], "regions": int(rows.size)}
                lines.append(about | line | {"noise": treatment.noise})
    order = sorted(range(len(lots)), key=lambda number: str(names[codes[lots[number][0]]]))
    return [line for number in order for line in found[number]]


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else float(f"{value:.3g}")


def _compare(before: Reals, after: Reals) -> list[tuple[str, Reals]]:
    """scale, distortion, loss and correlation of each column, shape (column,); NaN where they have no meaning."""
    if after is before:
        scale = spreads(before)
        same = {"scale": scale, "distortion": 0 * scale, "loss": 0 * scale, "correlation": 0 * scale + 1}
        return [(word, np.where(scale > 0, values, np.nan)) for word, values in same.items()]
    both = np.isfinite(before) & np.isfinite(after)
    old, new = np.where(both, before, np.nan), np.where(both, after, np.nan)
    scale = spreads(old)
    varies = scale > 0
    unit = np.where(varies, scale, 1.0)
    count = np.maximum(both.sum(axis=0), 1)
    apart = _sum(np.abs(new - old) / unit) / count
    squares = _sum(((new - old) / unit) ** 2) / count
    middle = (_sum(old / unit) / count, _sum(new / unit) / count)
    together = _sum((old / unit - middle[0]) * (new / unit - middle[1])) / count
    other = spreads(new) / unit
    alike = np.where(other > 0, together / np.where(other > 0, other, 1.0), np.nan)
    found = {"scale": scale, "distortion": apart, "loss": squares, "correlation": np.clip(alike, -1, 1)}
    return [(word, np.where(varies & both.any(axis=0), values, np.nan)) for word, values in found.items()]


def _sum(values: Reals) -> Reals:
    """Sum of each column without what is missing; the order of the rows changes no bit."""
    return np.asarray(np.sort(np.where(np.isnan(values), 0.0, values), axis=0).sum(axis=0), dtype=np.float64)


def distortion_of_rows(before: Values, after: Values, kind: Ints) -> Reals:
    """Mean over features of |released - measured| over the feature's standard deviation among its kind, shape (row,)."""
    out = np.zeros(kind.size)
    if after is before:
        return out
    scale = spreads_by(before, kind)
    for (rows, old), (_, new) in zip(before.groups(), after.groups(), strict=True):
        for one in np.unique(kind[rows]).tolist():
            here, varies = np.flatnonzero(kind[rows] == one), scale[one] > 0
            apart = np.abs(new[here] - old[here])[:, varies] / scale[one][varies]
            known = np.isfinite(apart)
            total = np.where(known, apart, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            out[rows.start + here] = total
    return out


def of_patients(values: Reals, subject: Ints, n: int) -> Reals:
    """Mean over each patient's rows, shape (subject,); NaN for who has none."""
    count = np.bincount(subject, minlength=n)
    total = np.bincount(subject, weights=values, minlength=n)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def mean_of(flags: Flags, values: Reals) -> float | None:
    """Mean of the flagged values that are known, or None."""
    chosen = values[flags & np.isfinite(values)]
    return float(np.sort(chosen).mean()) if chosen.size else None


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean and largest distortion over features."""
    found = [row["distortion"] for row in rows if row["distortion"] is not None]
    return {"mean": float(np.mean(found)) if found else 0.0, "largest": max(found, default=0.0)}
