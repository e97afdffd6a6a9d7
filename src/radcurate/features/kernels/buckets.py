"""Order statistics without sorting everything (`buckets.c`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import REAL, SIZE, array, function

Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]

# So few values are sorted; more are first shared out among so many buckets.
FEW = 4096
BUCKETS = 4096

_values, _places = array(np.float64, 1), array(np.int64, 1)
_count = function("count_buckets", [_values, SIZE, REAL, REAL, SIZE, _places])
_gather = function("gather_buckets", [_values, SIZE, REAL, REAL, SIZE, _places, _values])


def order_statistics(x: Floats, ranks: Ranks) -> Floats:
    """`np.sort(x)[ranks]` of finite values `x`, shape (n,); only buckets that hold a wanted rank are looked into."""
    if len(x) <= FEW:
        return np.sort(x)[ranks]
    least, most = float(x.min()), float(x.max())
    if least == most:
        return np.full(len(ranks), least)
    with np.errstate(all="ignore"):
        scale = float(np.float64(BUCKETS) / (most - least))
    if not 0 < scale < np.inf:  # values that differ by almost nothing, or by more than a number can say
        return np.sort(x)[ranks]
    counts = np.empty(BUCKETS, dtype=np.int64)
    _count(x, len(x), least, scale, BUCKETS, counts)
    ends = np.cumsum(counts)
    buckets = np.searchsorted(ends, ranks, side="right")
    return _within(x, ranks, least, scale, counts, ends, buckets)


def _within(
    x: Floats, ranks: Ranks, least: float, scale: float, counts: Ranks, ends: Ranks, buckets: NDArray[np.intp]
) -> Floats:
    """The ranks' values, each found in its own bucket."""
    wanted = np.unique(buckets)
    stops = np.cumsum(counts[wanted])
    following = np.full(BUCKETS, -1, dtype=np.int64)
    following[wanted] = stops - counts[wanted]
    gathered = np.empty(int(stops[-1]))
    _gather(x, len(x), least, scale, BUCKETS, following, gathered)
    found = np.empty(len(ranks))
    for bucket, stop in zip(wanted, stops, strict=True):
        mine = buckets == bucket
        part = gathered[stop - counts[bucket] : stop]
        found[mine] = order_statistics(part, ranks[mine] - (ends[bucket] - counts[bucket]))
    return found
