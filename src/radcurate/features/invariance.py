"""Whether cleaning left the features of a region as they were (requirement D07): two outcomes side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from radcurate.features.resample import Flags

SAME_INPUT = "same_input"
OUT_OF_REACH = "out_of_reach"
WITHIN_REACH = "within_reach"


@dataclass(frozen=True)
class Comparison:
    """Features of one region before and after.

    Attributes:
        features: how many were compared.
        changes: feature -> relative change, of those whose bits differ.
    """

    features: int
    changes: dict[str, float]

    @property
    def largest(self) -> float:
        """The largest relative change; 0 where all bits are the same."""
        return max(self.changes.values(), default=0.0)


def compare(before: Mapping[str, float], after: Mapping[str, float]) -> Comparison:
    """Hold two outcomes against each other, feature by feature; a feature that only one of them has is another one."""
    changes = {}
    for name in sorted(before.keys() | after.keys()):
        change = relative_change(before.get(name, math.nan), after.get(name, math.nan))
        if change is not None:
            changes[name] = change
    return Comparison(len(before.keys() | after.keys()), changes)


def relative_change(before: float, after: float) -> float | None:
    """|a - b| / max(|a|, |b|), infinite where only one is a number; None for the same bits or no number in both."""
    if math.isnan(before) and math.isnan(after):
        return None
    if math.isnan(before) or math.isnan(after):
        return math.inf
    if before == after and math.copysign(1, before) == math.copysign(1, after):
        return None
    return abs(after - before) / max(abs(before), abs(after)) if before != after else 0.0


def distance(mask: Flags, changed: Flags, spacing: tuple[float, float, float]) -> float:
    """Millimetres between the box around a mask and the nearest changed voxel's centre; infinite without one.

    Args:
        mask, changed: shape (plane, row, column); the mask holds at least one voxel.
        spacing: mm.
    """
    places = np.nonzero(changed)
    if not len(places[0]):
        return math.inf
    squares = np.zeros(len(places[0]))
    for axis, step in enumerate(spacing):
        inside = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        gap = np.maximum(np.maximum(inside[0] - places[axis], places[axis] - inside[-1]), 0) * step
        squares += gap**2
    return float(np.sqrt(squares.min()))
