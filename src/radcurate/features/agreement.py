"""How two sets of values for the same regions agree: an engine with another, a release with its rebuilt numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.features.resample import Floats

TOLERANCE = 1e-6
FLOOR = 1e-9  # differences of values that are nearly 0 are taken as a share of this


@dataclass(frozen=True)
class Agreement:
    """Of one column.

    Attributes:
        equal: rows that are the same to the last bit, or missing in both.
        within: other rows, whose relative difference is at most the tolerance.
        different: the others; a value that only one side has is among them.
        largest: largest relative difference of two values; 0 where there are none.
    """

    equal: int
    within: int
    different: int
    largest: float


def relative_differences(first: Floats, second: Floats) -> Floats:
    """|a - b| / max(|a|, |b|, 1e-9) of each pair, shape (row,); 0 where both are missing, infinite where one is."""
    absent_1, absent_2 = np.isnan(first), np.isnan(second)
    with np.errstate(invalid="ignore", over="ignore"):
        scale = np.maximum(np.maximum(np.abs(first), np.abs(second)), FLOOR)
        found = np.abs(first - second) / scale
    found[first == second] = 0.0
    found[absent_1 != absent_2] = np.inf
    found[absent_1 & absent_2] = 0.0
    return found


def compare(first: Floats, second: Floats, tolerance: float = TOLERANCE) -> Agreement:
    """Agreement of two columns, shape (row,) each."""
    same = (_bits(first) == _bits(second)) | (np.isnan(first) & np.isnan(second))
    differences = relative_differences(first, second)
    within = ~same & (differences <= tolerance)
    finite = differences[np.isfinite(differences)]
    return Agreement(
        equal=int(same.sum()),
        within=int(within.sum()),
        different=int((~same & ~within).sum()),
        largest=float(finite.max(initial=0.0)),
    )


def _bits(values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    return np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
