"""Two engines on the same prepared regions: how well they agree, feature by feature.

Which regions are measured twice is decided by the digests of image and mask, so the sample is the same on every run
and in every re-extraction, and nobody can choose the regions that agree.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from radcurate.features.agreement import relative_differences
from radcurate.features.catalogue import Column
from radcurate.features.engine import Outcome
from radcurate.features.reasons import NOT_IN_ENGINE

EXACT, MESH = 1e-6, 2e-3  # largest relative differences of engines that compute the same
GROUP = ("modality", "feature", "engine", "second_engine")
Row = dict[str, Any]
Floats = npt.NDArray[np.float64]


def is_chosen(image_digest: str, mask_digest: str, share: float) -> bool:
    """Whether a region belongs to the sample: a share of all that there could be."""
    told = hashlib.sha256(f"crosscheck {image_digest} {mask_digest}".encode()).digest()
    return int.from_bytes(told[:8], "big") < share * 2**64


def tolerance(feature: str) -> float:
    """0.2 % for shape, where meshes differ in how they cut a voxel, 1e-6 elsewhere."""
    return MESH if feature.startswith("morph_") else EXACT


def differences(columns: Iterable[Column], first: Outcome, second: Outcome) -> list[Row]:
    """A row per feature that both engines have: `feature`, relative `difference`.

    The difference is infinite where one of them has no value on this region. A feature without a value in both gives
    no row.
    """
    shared = [
        column.name
        for column in columns
        if NOT_IN_ENGINE not in (first.reasons.get(column.name), second.reasons.get(column.name))
        and (np.isfinite(first.values[column.name]) or np.isfinite(second.values[column.name]))
    ]
    one, other = (np.array([outcome.values[name] for name in shared], dtype=np.float64) for outcome in (first, second))
    found = relative_differences(one, other)
    return [{"feature": name, "difference": float(value)} for name, value in zip(shared, found, strict=True)]


def agreement(parts: Iterable[pa.Table]) -> list[Row]:
    """Regions brought together by modality and feature, in their order; `parts`: tables of extract's crosscheck."""
    groups: dict[tuple[str, ...], list[Floats]] = defaultdict(list)
    for part in parts:
        for group, found in _by_group(part):
            groups[group].append(found)
    return [
        {**dict(zip(GROUP, group, strict=True)), **_told(group[1], np.concatenate(found))}
        for group, found in sorted(groups.items())
    ]


def _by_group(part: pa.Table) -> Iterator[tuple[tuple[str, ...], Floats]]:
    """The differences of each group in a part."""
    if not part.num_rows:
        return
    content = part.select([*GROUP, "difference"]).sort_by([(name, "ascending") for name in GROUP]).combine_chunks()
    values = content["difference"].to_numpy()
    other = np.zeros(content.num_rows, dtype=bool)
    for name in GROUP:
        codes = np.asarray(content[name].combine_chunks().dictionary_encode().indices)
        other |= np.diff(codes, prepend=-1) != 0
    first = np.flatnonzero(other)
    for row, last in zip(first.tolist(), [*first[1:].tolist(), content.num_rows], strict=True):
        yield tuple(content[name][row].as_py() for name in GROUP), values[row:last]


def _told(feature: str, found: Floats) -> Row:
    finite = found[np.isfinite(found)]
    allowed = tolerance(feature)
    return {
        "regions": len(found),
        "one_sided": len(found) - len(finite),
        "largest_difference": float(finite.max()) if len(finite) else None,
        "tolerance": allowed,
        "within": float((found <= allowed).mean()),
    }
