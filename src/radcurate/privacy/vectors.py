"""What happens to feature vectors on their way to the release: nothing, microaggregation, noise.

Which regions can be compared, with whom a patient shares its kinds of regions, and what the released values are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from radcurate.privacy.coding import Ints, codes_of, combine, renumber
from radcurate.privacy.columns import Columns
from radcurate.privacy.measures import Flags, Reals
from radcurate.privacy.microaggregation import microaggregate, shared_kinds
from radcurate.privacy.rows import SUBJECT, Pair
from radcurate.privacy.values import Values

ROI = "roi"
NOBODY = pa.array([], pa.string())


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
class Owners:
    """Whose the released rows are, in the order of the release.

    Attributes:
        subject: shape (row,), numbers from 0 without gaps.
        kind: shape (row,): regions of one number can be compared.
        subjects: codes of the patients, shape (subject,).
        regions: codes of the regions, shape (row,).
    """

    subject: Ints
    kind: Ints
    subjects: pa.Array
    regions: pa.Array


def owners(pair: Pair, kind: Ints, rows: Ints) -> Owners:
    """Of the rows numbered in `rows`, in that order; `kind`, shape (row of the pair,): see `kinds`."""
    who, chosen = pair.features[SUBJECT], pa.array(rows)
    subject = codes_of(who, SUBJECT)[rows]
    number, n = renumber(subject)
    example = np.empty(n, dtype=np.int64)
    example[number] = rows
    regions = pair.features[ROI].take(chosen).combine_chunks() if ROI in pair.features.column_names else NOBODY
    return Owners(number, renumber(kind[rows])[0], who.take(pa.array(example)).combine_chunks(), regions)


def feature_names(names: Sequence[str], columns: Columns) -> list[str]:
    """Those of `names` that are declared as features."""
    entries = {name: columns.find(name) for name in names}
    return [name for name, entry in entries.items() if entry is not None and entry.role == "feature"]


def kinds(pair: Pair, treatment: Treatment) -> Ints:
    """Kind of each row, shape (row,), from 0: rows that agree in every column of `comparable`.

    Raises:
        CurationError: a column of `comparable` is absent.
    """
    found = [codes_of(pair.column(name), name) for name in treatment.comparable]
    return renumber(combine(found, pair.features.num_rows))[0]


def shareable(subject: Ints, kind: Ints, treatment: Treatment) -> Flags:
    """Rows, shape (row,), whose vector can be shared by enough patients."""
    return shared_kinds(subject, kind, treatment.k) if treatment.k else np.ones(subject.size, dtype=bool)


@dataclass(frozen=True)
class Treated:
    """What a treatment makes of measured values.

    Attributes:
        parts: released values, shape (row, feature), some rows at a time, in order.
        group: shape (subject,): the patient's group; its own where vectors aren't shared.
    """

    parts: Iterator[Reals]
    group: Ints


def treat(measured: Values, whose: Owners, treatment: Treatment, draw: Callable[[str], int]) -> Treated:
    """Features as released; every row of `measured` is (see `shareable`). Microaggregation has all values in memory.

    Args:
        draw: from the name of a region, or of all patients of a group, to the seed of its noise; secret, and the same
            in every run, so that several releases can't be averaged.
    """
    group = np.arange(len(whose.subjects))
    parts: Iterator[Reals] = (values for _, values in measured.groups())
    if treatment.k:
        found = microaggregate(measured.whole(), whose.subject, whose.kind, treatment.k)
        parts, group = iter([found.values]), found.group
    if not treatment.noise:
        return Treated(parts, group)
    names = _group_names(whose, group) if treatment.k else whose.regions
    spread = spreads_by(measured, whose.kind)
    return Treated(_noised(parts, names, whose.kind, spread, treatment.noise, draw), group)


def _group_names(whose: Owners, group: Ints) -> pa.Array:
    """For each row the patients of its group, as one text."""
    members: dict[int, list[str]] = {}
    for number, code in zip(group.tolist(), whose.subjects.to_pylist(), strict=True):  # sorted by code
        members.setdefault(number, []).append(str(code))
    texts = pa.array(["|".join(members[number]) for number in sorted(members)], pa.string())
    return texts.take(pa.array(renumber(group)[0][whose.subject]))


def _noised(
    parts: Iterator[Reals],
    names: pa.Array,
    kind: Ints,
    spread: Reals,
    share: float,
    draw: Callable[[str], int],
) -> Iterator[Reals]:
    """Values with Gaussian noise, a share of each feature's `spread`, shape (kind, feature); alike for a name and kind."""
    start = 0
    for values in parts:
        here = slice(start, start + len(values))
        told = zip(names.slice(start, len(values)).to_pylist(), kind[here].tolist(), strict=True)
        out = np.empty(values.shape)
        for row, (name, one) in enumerate(told):
            out[row] = np.random.default_rng(draw(f"{one}|{name}")).normal(size=values.shape[1]) * spread[one]
        yield values + share * out
        start = here.stop


def spreads_by(values: Values, kind: Ints) -> Reals:
    """`spreads` of the rows of each kind, shape (kind, feature); `kind`, shape (row,), from 0 without gaps."""
    lots = lots_of(kind)
    out = np.zeros((len(lots), len(values.names)))
    for place, block in values.blocks():
        for number, rows in enumerate(lots):
            out[number, place] = spreads(block[rows])
    return out


def lots_of(kind: Ints) -> list[Ints]:
    """Rows of each number of `kind`, which has no gaps."""
    ends = np.cumsum(np.bincount(kind))
    return np.split(np.argsort(kind, kind="stable"), ends[:-1]) if kind.size else []


def spreads(values: Reals) -> Reals:
    """Standard deviation of each column, shape (column,), over n; 0 where nothing is known. Row order changes no bit."""
    present = np.isfinite(values)
    count = np.maximum(present.sum(axis=0), 1)
    size = np.abs(np.where(present, values, 0.0)).max(axis=0, initial=0.0)
    scaled = np.where(present, values, 0.0) / np.where(size > 0, size, 1.0)  # nothing overflows below
    mean = np.sort(scaled, axis=0).sum(axis=0) / count
    rest = np.sort(np.where(present, scaled - mean, 0.0) ** 2, axis=0)
    return np.asarray(np.sqrt(rest.sum(axis=0) / count) * size, dtype=np.float64)
