"""How much of a feature's variation over a cohort is between regions, and how much comes from perturbing each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import fdtri

from radcurate.features.resample import Floats
from radcurate.tables import MEAN, VARIANCE

# Below this share of the values themselves, squared, variances are rounding errors.
ROUNDING = 1e-24


@dataclass(frozen=True)
class Agreement:
    """Of each feature; all of shape (feature,).

    Attributes:
        icc: intraclass correlation ICC(1,1); NaN where it isn't defined.
        low, high: ends of its confidence interval.
        cov: mean over the regions of standard deviation over |mean| of a region's perturbed values.
        regions: how many regions have values under all their perturbations.
    """

    icc: Floats
    low: Floats
    high: Floats
    cov: Floats
    regions: NDArray[np.int64]


def agreement(means: Floats, variances: Floats, numbers: NDArray[np.int64], confidence: float = 0.95) -> Agreement:
    """ICC(1,1), one-way random effects, single measurement (Shrout and Fleiss 1979; interval: McGraw and Wong 1996).

    With mean squares between (MSB) and within regions (MSW), k values a region (k0 where regions have different
    numbers: (N - Σk²/N) / (n - 1)) and F = MSB / MSW: ICC = (MSB - MSW) / (MSB + (k - 1) MSW), and its ends are
    (F_L - 1) / (F_L + k - 1) with F_L = F / F(1 - α/2; n - 1, N - n), F_U = F · F(1 - α/2; N - n, n - 1).

    Args:
        means: shape (region, feature), NaN where a region doesn't count.
        variances: of the same shape, over k - 1.
        numbers: k, shape (region,).
        confidence: of the interval.
    """
    columns = range(means.shape[1])
    found = [_one(means[:, column], variances[:, column], numbers, confidence) for column in columns]
    icc, low, high, cov, regions = (np.array([row[part] for row in found], dtype=float) for part in range(5))
    return Agreement(icc, low, high, cov, regions.astype(np.int64))


def _one(means: Floats, variances: Floats, numbers: NDArray[np.int64], confidence: float) -> tuple[float, ...]:
    kept = np.isfinite(means) & np.isfinite(variances) & (numbers >= 2)
    m, v, k = means[kept], variances[kept], numbers[kept].astype(float)
    order = np.lexsort((k, v, m))  # sums must not depend on the order of the regions, which a release changes
    m, v, k = m[order], v[order], k[order]
    n, total = len(m), float(k.sum())
    if not n:
        return (np.nan, np.nan, np.nan, np.nan, 0)
    spread = np.sqrt(v)
    sizes = np.abs(m)
    cov = float(np.mean(spread[sizes > 0] / sizes[sizes > 0])) if (sizes > 0).any() else np.nan
    if n < 2:
        return (np.nan, np.nan, np.nan, cov, n)
    middle = float((k * m).sum()) / total
    between = float((k * (m - middle) ** 2).sum()) / (n - 1)
    within = float(((k - 1) * v).sum()) / (total - n)
    least = ROUNDING * float(sizes.max()) ** 2
    if between <= least and within <= least:
        return (np.nan, np.nan, np.nan, cov, n)  # all regions alike: nothing to tell apart
    if within <= least:
        return (1.0, 1.0, 1.0, cov, n)
    each = (total - float((k**2).sum()) / total) / (n - 1)
    ratio, tail = between / within, 1 - (1 - confidence) / 2
    lower = ratio / float(fdtri(n - 1, total - n, tail))
    upper = ratio * float(fdtri(total - n, n - 1, tail))
    return (_correlation(ratio, each), _correlation(lower, each), _correlation(upper, each), cov, n)


def _correlation(ratio: float, each: float) -> float:
    return (ratio - 1) / (ratio + each - 1)


def grade(low: float) -> str:
    """Word for the low end of a confidence interval (Koo and Li 2016): excellent, good, moderate, poor; unknown."""
    if not np.isfinite(low):
        return "unknown"
    steps = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"))
    return next((word for least, word in steps if low >= least), "poor")


def stability_rows(
    about: pa.Table, read: Callable[[Sequence[str]], pa.Table], features: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Rows of stability.parquet: the agreement of each feature over the regions of each modality.

    Args:
        about: columns modality and perturbations of extract's ranges.parquet (`with_ranges`).
        read: other columns of the same rows.
        features: names.
    """
    lots = _by_modality(about) if features else []
    found = [_agreements(read([name + MEAN, name + VARIANCE]), lots) for name in features] if lots else []
    for place, (modality, _, numbers) in enumerate(lots):
        for name, each in zip(features, found, strict=True):
            yield {
                "feature": name,
                "modality": modality,
                **_told(each[place]),
                "perturbations": int(numbers.max()),
            }


Lot = tuple[str, NDArray[np.bool_], NDArray[np.int64]]  # modality, its rows, how many perturbations each has


def _by_modality(about: pa.Table) -> list[Lot]:
    numbers = about["perturbations"].to_numpy()
    flags = [
        (modality, np.asarray(pc.equal(about["modality"], modality)))
        for modality in sorted(about["modality"].unique().to_pylist())
    ]
    return [(modality, rows, numbers[rows]) for modality, rows in flags]


def _agreements(content: pa.Table, lots: Sequence[Lot]) -> list[Agreement]:
    """Of a feature whose means and variances are the columns of `content`, over the regions of each modality."""
    means, variances = (column.to_numpy()[:, None] for column in content.columns)
    return [agreement(means[rows], variances[rows], numbers) for _, rows, numbers in lots]


def _told(found: Agreement) -> dict[str, Any]:
    low = float(found.low[0])
    return {
        "icc": float(found.icc[0]),
        "icc_lo": low,
        "icc_hi": float(found.high[0]),
        "cov": float(found.cov[0]),
        "grade": grade(low),
        "regions": int(found.regions[0]),
    }
