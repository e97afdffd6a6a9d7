"""What happens to feature vectors on their way to the release: nothing, microaggregation, noise.

Which regions can be compared, with whom a patient shares its kinds of regions, and what the released values are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.errors import CurationError
from radcurate.privacy.coding import Ints, combine, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.measures import Flags, Reals
from radcurate.privacy.microaggregation import microaggregate, shared_kinds
from radcurate.privacy.rows import Pair, subjects

ROI = "roi"


@dataclass(frozen=True)
class Treatment:
    """What is done to features.

    Attributes:
        k: patients that a released vector comes from at the least; 0: vectors are released as they are.
        comparable: columns whose values two regions share if their features can be compared.
        noise: standard deviation of Gaussian noise as a share of each feature's; 0: none.
    """

    k: int = 0
    comparable: tuple[str, ...] = ("modality", "roi_label")
    noise: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether released values differ from the measured ones."""
        return self.k > 0 or self.noise > 0


@dataclass(frozen=True)
class Vectors:
    """The features of the rows that are released.

    Attributes:
        names: columns of features.
        kind: shape (row,): regions of one number can be compared.
        before, after: shape (row, feature): as measured, and as released; after is before where nothing is done.
        group: shape (subject,): the patient's group; its own where vectors aren't shared.
    """

    names: tuple[str, ...]
    kind: Ints
    before: Reals
    after: Reals
    group: Ints


def feature_names(pair: Pair, columns: Columns) -> list[str]:
    """Columns of features that are declared as such."""
    entries = {name: columns.find(name) for name in pair.features.column_names}
    return [name for name, entry in entries.items() if entry is not None and entry.role == "feature"]


def kinds(pair: Pair, treatment: Treatment) -> Ints:
    """Kind of each row, shape (row,), from 0: rows that agree in every column of `comparable`.

    Raises:
        CurationError: a column of `comparable` is absent.
    """
    n = pair.features.num_rows
    found = [encode(pair.column(name), name).codes for name in treatment.comparable]
    return np.unique(combine(found, n), return_inverse=True)[1].astype(np.int64) if n else np.zeros(0, dtype=np.int64)


def shareable(subject: Ints, kind: Ints, treatment: Treatment) -> Flags:
    """Rows, shape (row,), whose vector can be shared by enough patients."""
    return shared_kinds(subject, kind, treatment.k) if treatment.k else np.ones(subject.size, dtype=bool)


def vectors(pair: Pair, columns: Columns, treatment: Treatment, draw: Callable[[str], int]) -> Vectors:
    """Features as released; every row of `pair` is (see `shareable`).

    Args:
        draw: from the name of a region, or of all patients of a group, to the seed of its noise; secret, and the same
            in every run, so that several releases can't be averaged.
    """
    names = feature_names(pair, columns)
    who, kind = subjects(pair), kinds(pair, treatment)
    before = _matrix(pair.features, names)
    after, group = before, np.arange(len(who.values))
    if treatment.k:
        found = microaggregate(before, who.codes, kind, treatment.k)
        after, group = found.values, found.group
    if treatment.noise:
        owners = _group_names(pair, group) if treatment.k else [str(roi) for roi in pair.features[ROI].to_pylist()]
        after = after + treatment.noise * _noise(before, kind, owners, draw)
    return Vectors(tuple(names), kind, before, after, group)


def _matrix(content: pa.Table, names: Sequence[str]) -> Reals:
    found = [_numbers(content[name], name) for name in names]
    return np.stack(found, axis=1) if found else np.zeros((content.num_rows, 0))


def _numbers(column: Any, name: str) -> Reals:
    kind = column.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise CurationError(
            f"feature {name} is no number",
            wanted="numbers in every column of role feature, to take means of",
            found=str(kind),
            fix="give the column another role in config/columns.yaml",
        )
    filled = pc.fill_null(pc.cast(column, pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)


def _group_names(pair: Pair, group: Ints) -> list[str]:
    """For each row the patients of its group, as one text."""
    who = subjects(pair)
    members: dict[int, list[str]] = {}
    for place, value in enumerate(who.values):  # sorted
        members.setdefault(int(group[place]), []).append(str(value))
    texts = {number: "|".join(names) for number, names in members.items()}
    return [texts[number] for number in group[who.codes].tolist()]


def _noise(values: Reals, kind: Ints, owners: Sequence[str], draw: Callable[[str], int]) -> Reals:
    """Gaussian noise with each feature's standard deviation, shape (row, feature), alike for rows of one owner and kind."""
    out = np.zeros(values.shape)
    spread = {one: spreads(values[kind == one]) for one in np.unique(kind).tolist()}
    for row, (owner, one) in enumerate(zip(owners, kind.tolist(), strict=True)):
        out[row] = np.random.default_rng(draw(f"{one}|{owner}")).normal(size=values.shape[1]) * spread[one]
    return out


def spreads(values: Reals) -> Reals:
    """Standard deviation of each column, shape (column,), over n; 0 where nothing is known. Row order changes no bit."""
    present = np.isfinite(values)
    count = np.maximum(present.sum(axis=0), 1)
    size = np.abs(np.where(present, values, 0.0)).max(axis=0, initial=0.0)
    scaled = np.where(present, values, 0.0) / np.where(size > 0, size, 1.0)  # nothing overflows below
    mean = np.sort(scaled, axis=0).sum(axis=0) / count
    rest = np.sort(np.where(present, scaled - mean, 0.0) ** 2, axis=0)
    return np.asarray(np.sqrt(rest.sum(axis=0) / count) * size, dtype=np.float64)
