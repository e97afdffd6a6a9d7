"""How many points lie in a rectangle, and which: for millions of points and rectangles at once.

A wavelet matrix (Claude, Navarro & Ordóñez, Information Systems 2015): points sorted by their first number; the bits of
the second, from the highest, each split all points stably into zeros and ones. A rectangle is followed through the
levels by counting zeros before its ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Plane:
    """Points with whole numbers `first` and `second`, both shape (point,), not negative.

    Rectangles are given by positions among the points sorted by `first` (see `places`) and bounds of `second`.
    """

    def __init__(self, first: Ints, second: Ints) -> None:
        order = np.argsort(first)
        self.first = first[order]
        self.bits = max(int(second.max(initial=0)), 1).bit_length()
        self._zeros: list[npt.NDArray[np.int32]] = []
        self._edge: list[int] = []
        at = order.astype(np.int32)
        left: npt.NDArray[Any] = second.astype(np.uint16 if self.bits <= 16 else np.uint32)[order]
        for bit in range(self.bits - 1, -1, -1):
            one = (left & (1 << bit)) != 0
            zeros = np.zeros(at.size + 1, dtype=np.int32)
            np.cumsum(~one, out=zeros[1:], dtype=np.int32)
            self._zeros.append(zeros)
            self._edge.append(int(zeros[-1]))
            moved = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
            at, left = at[moved], left[moved]
        self._point = at

    def places(self, low: Ints, high: Ints) -> tuple[Ints, Ints]:
        """Positions [start, end) of the points whose first number is within [low, high], shapes as given."""
        start = np.searchsorted(self.first, low, side="left")
        return start, np.maximum(np.searchsorted(self.first, high, side="right"), start)

    def below(self, start: Ints, end: Ints, bound: Ints) -> Ints:
        """Number of points at positions [start, end) whose second number is less than `bound`, shapes as given."""
        clipped = np.clip(bound, 0, 2**self.bits - 1)
        found, i, j = np.zeros(start.shape, dtype=np.int64), start, end
        for level, zeros in enumerate(self._zeros):
            one = (clipped >> (self.bits - 1 - level) & 1).astype(bool)
            i0, j0 = zeros[i].astype(np.int64), zeros[j].astype(np.int64)
            found += np.where(one, j0 - i0, 0)
            i, j = (np.where(one, self._edge[level] + k - k0, k0) for k, k0 in ((i, i0), (j, j0)))
        return np.where(bound >= 2**self.bits, end - start, found)

    def pick(self, start: Ints, end: Ints, nth: Ints) -> Ints:
        """The point at positions [start, end) that is `nth` (from 0) by its second number, shapes as given."""
        i, j, left = start, end, nth
        for level, zeros in enumerate(self._zeros):
            i0, j0 = zeros[i].astype(np.int64), zeros[j].astype(np.int64)
            one = left >= j0 - i0
            left = np.where(one, left - (j0 - i0), left)
            i, j = (np.where(one, self._edge[level] + k - k0, k0) for k, k0 in ((i, i0), (j, j0)))
        return np.asarray(self._point[i + left], dtype=np.int64)
