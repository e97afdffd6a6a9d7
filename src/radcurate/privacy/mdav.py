"""MDAV, maximum distance to average vector: groups of at least k points that lie close together.

Domingo-Ferrer and Mateo-Sanz 2002; Domingo-Ferrer and Torra 2005: the point farthest from the average takes its k - 1
nearest into a group, the one farthest from that point does the same, and so on while there are 3 k; what is left makes
the last one or two groups.

All points are whole numbers, so that distances are exact in float64 whatever the order of a sum and the number of
threads, and no tie is broken by a rounding error.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from radcurate.privacy.coding import Ints
from radcurate.privacy.measures import Reals

STEPS, LARGEST = 256, 32  # standardised values are whole numbers of 1/STEPS, and LARGEST at most
CONSTANT = 1e-12  # spread over size of a column that differs by rounding errors only
VARIANCE = 0.99  # share of it that the distances take in, where there are more columns than PLAIN
PLAIN = 64
SAMPLE = 1000  # points that the principal components are found from


def coordinates(values: Reals) -> Reals:
    """Whole numbers whose distances say how alike the rows are, shape (row, coordinate).

    Each column counts alike: it is divided by its standard deviation; constant columns don't count. Where only one of
    two rows has a value, that is worth the expected difference of two rows that have. Many columns are reduced to the
    principal components of their first rows: the order of the rows should tell nothing.

    Args:
        values: shape (row, column), NaN where missing, never infinite.
    """
    present = ~np.isnan(values)
    count = np.maximum(present.sum(axis=0), 1)
    size = np.abs(np.where(present, values, 0.0)).max(axis=0, initial=0.0)
    scaled = np.where(present, values, 0.0) / np.where(size > 0, size, 1.0)  # nothing overflows below
    centred = np.where(present, scaled - scaled.sum(axis=0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    differs = spread > CONSTANT
    standard = np.rint(centred[:, differs] / spread[differs] * STEPS)
    some = (~present).any(axis=0) & present.any(axis=0)
    absent = np.where(present[:, some], 0.0, np.rint(np.sqrt(2) * STEPS))
    return _reduced(np.hstack([np.clip(standard, -LARGEST * STEPS, LARGEST * STEPS), absent]))


def _reduced(points: Reals) -> Reals:
    """The points along their main directions, as whole numbers again."""
    if points.shape[1] <= PLAIN:
        return points
    sample = points[:SAMPLE]
    with threadpool_limits(1):  # the bits of what follows depend on the number of threads
        variances, directions = np.linalg.eigh(sample @ sample.T)
        known = np.cumsum(variances[::-1]) < VARIANCE * variances.sum()
        chosen = slice(len(variances) - 1 - int(known.sum()), None)
        along = sample.T @ (directions[:, chosen] / np.sqrt(variances[chosen]))
        return np.asarray(np.rint(points @ along), dtype=np.float64)


def mdav(points: Reals, k: int) -> Ints:
    """Group of each point, shape (point,), from 0; every group has k to 2 k - 1 points, or all where there are fewer.

    Args:
        points: shape (point, coordinate), whole numbers; among equal distances the point that comes first wins.
        k: least number of points in a group.
    """
    group = np.full(len(points), -1, dtype=np.int64)
    left = _Left(points)
    made = 0
    while left.n >= 2 * k:
        first = left.farthest(left.average())
        group[left.take(first, k)] = made
        made += 1
        if left.n >= 2 * k:  # 3 k before
            group[left.take(left.farthest(first), k)] = made
            made += 1
    group[left.rest()] = made
    return group


class _Left:
    """Points that have no group yet; the arrays shrink as they go."""

    def __init__(self, points: Reals) -> None:
        self._points, self._number = points, np.arange(len(points))
        self._size = (points**2).sum(axis=1)
        self._alive = np.ones(len(points), dtype=bool)
        self._total = points.sum(axis=0)
        self.n = len(points)

    def average(self) -> Reals:
        """The mean of all points, rounded to whole numbers."""
        return np.asarray(np.rint(self._total / self.n), dtype=np.float64)

    def farthest(self, point: Reals) -> Reals:
        """The point with the largest distance from `point`."""
        place = int(np.argmax(np.where(self._alive, self._distance(point), -np.inf)))
        return np.asarray(self._points[place], dtype=np.float64)

    def take(self, point: Reals, k: int) -> Ints:
        """Remove the k points nearest to `point`; their numbers."""
        distance = np.where(self._alive, self._distance(point), np.inf)
        limit = np.partition(distance, k - 1)[k - 1]
        inside = np.flatnonzero(distance < limit)
        chosen = np.concatenate([inside, np.flatnonzero(distance == limit)[: k - inside.size]])
        self._alive[chosen] = False
        self._total = self._total - self._points[chosen].sum(axis=0)
        self.n -= k
        numbers = np.asarray(self._number[chosen], dtype=np.int64)
        self._shrink()
        return numbers

    def rest(self) -> Ints:
        """Numbers of the points that are left."""
        return np.asarray(self._number[self._alive], dtype=np.int64)

    def _distance(self, point: Reals) -> Reals:
        """Squared distance, less the size of `point`."""
        return np.asarray(self._size - 2 * (self._points @ point), dtype=np.float64)

    def _shrink(self) -> None:
        if self.n < 0.75 * len(self._points):
            kept = self._alive
            self._points, self._number, self._size = self._points[kept], self._number[kept], self._size[kept]
            self._alive = np.ones(self.n, dtype=bool)
