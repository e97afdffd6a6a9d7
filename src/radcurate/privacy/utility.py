"""What protection costs: by feature, by quasi-identifier, and by group of patients, so that it shows who pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.privacy.coding import Ints
from radcurate.privacy.measures import Flags, Reals
from radcurate.privacy.rows import Pair, subjects
from radcurate.privacy.vectors import Treatment, Vectors, spreads

FEW = 2  # patients below which no spread is told, whatever k is


def distortions(pair: Pair, found: Vectors, treatment: Treatment, k: int) -> Iterator[dict[str, Any]]:
    """For each feature and modality how far released values are from measured ones.

    `scale`: standard deviation of the measured values; `distortion`: mean |released - measured| over it; `loss`: sum of
    squared differences over that of the measured values from their mean (0: nothing lost, 1: as good as their mean);
    `correlation`: Pearson's, of released and measured. Null where fewer than `k` patients have the modality, since
    these numbers would tell of them, or where the feature doesn't vary. Three digits: exact ones of two releases would
    tell who left between them.
    """
    modality = np.array(pair.features["modality"].to_pylist(), dtype=object)
    who = subjects(pair).codes
    for one in sorted(set(modality.tolist()), key=str):
        rows = modality == one
        few = np.unique(who[rows]).size < max(k, FEW)
        before = found.before[rows]
        columns = _compare(before, before if found.after is found.before else found.after[rows])
        for place, name in enumerate(found.names):
            told = {word: None if few else _rounded(values[place]) for word, values in columns}
            yield {"feature": name, "modality": one, "regions": int(rows.sum()), **told, "noise": treatment.noise}


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


def distortion_of_rows(found: Vectors) -> Reals:
    """Mean over features of |released - measured| over the feature's standard deviation among its kind, shape (row,)."""
    out = np.zeros(len(found.kind))
    if found.after is found.before:
        return out
    for one in np.unique(found.kind).tolist():
        rows = np.flatnonzero(found.kind == one)
        scale = spreads(found.before[rows])
        apart = np.abs(found.after[rows] - found.before[rows])[:, scale > 0] / scale[scale > 0]
        known = np.isfinite(apart)
        out[rows] = np.where(known, apart, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return out


def of_patients(values: Reals, subject: Ints, n: int) -> Reals:
    """Mean over each patient's rows, shape (subject,); NaN for who has none."""
    count = np.bincount(subject, minlength=n)
    total = np.bincount(subject, weights=values, minlength=n)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), dtype=np.float64)


def with_values(content: pa.Table, found: Vectors) -> pa.Table:
    """The table with the released values in its columns of features."""
    for place, name in enumerate(found.names):
        column = pa.array(np.ascontiguousarray(found.after[:, place]))
        content = content.set_column(content.column_names.index(name), name, column)
    return content


def mean_of(flags: Flags, values: Reals) -> float | None:
    """Mean of the flagged values that are known, or None."""
    chosen = values[flags & np.isfinite(values)]
    return float(np.sort(chosen).mean()) if chosen.size else None


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Mean and largest distortion over features."""
    found = [row["distortion"] for row in rows if row["distortion"] is not None]
    return {"mean": float(np.mean(found)) if found else 0.0, "largest": max(found, default=0.0)}
