"""A batch as plain lists, texts and numbers, to be kept as JSON, and back again: equal to what it was, to the last bit.

Column by column, for the files of a batch share most of what is remembered of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from radcurate.dicom.header import Header, Unusable
from radcurate.dicom.identifiers import Fact
from radcurate.dicom.nifti import Mask
from radcurate.dicom.references import References
from radcurate.dicom.scan import Batch
from radcurate.dicom.tree import Found

Plain = dict[str, Any]
# never folded: 0.0 and -0.0 are equal, but they are not the same
APART = frozenset(("file", "thickness", "planes", "references"))


def to_plain(batch: Batch) -> Plain:
    """What `from_plain` makes the batch of; for `json.dumps`."""
    columns = zip(*batch.headers, strict=True) if batch.headers else ()
    return {
        "headers": [_column(name, values) for name, values in zip(Header._fields, columns, strict=bool(batch.headers))],
        "count": len(batch.headers),
        "unusable": [[list(one.file), one.reason] for one in batch.unusable],
        "masks": [
            [list(m.file), list(m.shape), m.affine.ravel().tolist(), _facts(m.facts), m.digest] for m in batch.masks
        ],
        "facts": [[*patient, _facts(sorted(facts))] for patient, facts in sorted(batch.facts.items())],
    }


def from_plain(plain: Plain) -> Batch:
    """A batch of what `json.loads` read. Equal texts are one object, so that a chunk of many headers stays small."""
    known: dict[str, str] = {}
    columns = [
        _values(name, values, plain["count"], known)
        for name, values in zip(Header._fields, plain["headers"], strict=bool(plain["count"]))
    ]
    return Batch(
        [Header(*values) for values in zip(*columns, strict=True)],
        [Unusable(Found(*file), reason) for file, reason in plain["unusable"]],
        [_mask(*parts) for parts in plain["masks"]],
        {(number, issuer): {Fact(*fact) for fact in facts} for number, issuer, facts in plain["facts"]},
    )


def _column(name: str, values: Sequence[Any]) -> list[Any]:
    """One value for all, or one each."""
    if name == "file":
        return [list(file) for file in values]
    if name == "references":
        return [
            None if r is None else [r.instances, r.series, r.frames_of_reference, r.points, r.regions] for r in values
        ]
    first = values[0]
    return [first] if name not in APART and all(value == first for value in values) else list(values)


def _values(name: str, values: list[Any], count: int, known: dict[str, str]) -> list[Any]:
    if name == "file":
        return [Found(*file) for file in values]
    if name == "planes":
        return [tuple(tuple(plane) for plane in planes) for planes in values]
    if name == "references":
        return [None if parts is None else _references(*parts) for parts in values]
    if len(values) == 1:
        return values * count
    return [known.setdefault(value, value) if isinstance(value, str) else value for value in values]


def _references(
    instances: list[str], series: list[str], spaces: list[str], points: list[list[float]], regions: int
) -> References:
    places = tuple((x, y, z) for x, y, z in points)
    return References(tuple(instances), tuple(series), tuple(spaces), places, regions)


def _mask(file: list[Any], shape: list[int], affine: list[float], facts: list[list[str]], digest: str) -> Mask:
    columns, rows, planes = shape
    grid = np.array(affine, dtype=np.float64).reshape(4, 4)
    return Mask(Found(*file), (columns, rows, planes), grid, tuple(Fact(*fact) for fact in facts), digest)


def _facts(facts: Iterable[Fact]) -> list[list[str]]:
    return [list(fact) for fact in facts]
