"""Folded tables and their projections: what the search computes its lower bounds on.

A projection forgets columns. Two patients that a projection tells apart are told apart by the whole table too, so a
class of the whole table is never larger than its class in a projection: whom a projection must suppress, every node
that agrees with it must suppress. Rows that stay cost at least what the columns at hand cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Flags, Ints, Reals, combine, renumber
from radcurate.privacy.hierarchies import Ladder

Numbers = npt.NDArray[np.float64] | npt.NDArray[np.int64]
_DENSE = 8  # a table of counts may be so many times longer than what is counted


@dataclass(frozen=True)
class Column:
    """Quasi-identifiers that climb together.

    `rungs`: rung of the ladders at each level. `groups`, for each level shape (value,): label number of each value.
    `penalty`, for each level shape (value,): weighted penalty of a row with the value. `widths`: number of labels.
    """

    rungs: tuple[int, ...]
    groups: tuple[Ints, ...]
    penalty: tuple[Reals, ...]
    widths: tuple[int, ...]

    @cached_property
    def free(self) -> tuple[bool, ...]:
        """Levels that cost nothing."""
        return tuple(not cost.any() for cost in self.penalty)


def column(ladders: Sequence[Ladder], values: Sequence[Ints], total: float) -> tuple[Column, Ints]:
    """One column of `ladders` that climb together, and its values, shape (row,). `total`: weight of all ladders.

    Levels that change no label are left out: they change no class and no loss.
    """
    codes, n_values = renumber(combine(values, values[0].size))
    example = np.empty(n_values, dtype=np.int64)
    example[codes] = np.arange(codes.size)
    each = [value[example] for value in values]
    rungs = _climb(ladders)
    groups = [
        renumber(combine([one.groups(rung)[codes] for one, codes in zip(ladders, each, strict=True)], n_values))
        for rung in rungs
    ]
    penalty = [
        np.sum([one.loss(rung)[codes] * one.weight for one, codes in zip(ladders, each, strict=True)], axis=0)
        for rung in rungs
    ]
    found = Column(
        tuple(rungs),
        tuple(group for group, _ in groups),
        tuple(cost / total if total else np.zeros(n_values) for cost in penalty),
        tuple(width for _, width in groups),
    )
    return found, codes


def _climb(ladders: Sequence[Ladder]) -> list[int]:
    rungs = [ladders[0].least]
    for rung in range(ladders[0].least + 1, ladders[0].most + 1):
        if any(one.groups(rung).max(initial=0) < one.groups(rungs[-1]).max(initial=0) for one in ladders):
            rungs.append(rung)
    return rungs


@dataclass(frozen=True)
class Table:
    """Patients folded into types that the columns at hand can't tell apart.

    `who`, shape (pair,): type of each distinct pair of a type and a tuple it shows. `values`, for each column shape
    (pair,): a value with the tuple's label. `rows`, shape (pair,): rows of the cohort. `people`, shape (type,):
    patients. The last two are whole numbers, as floats for the sums.
    """

    who: Ints
    values: tuple[Ints, ...]
    rows: Numbers
    people: Numbers

    @property
    def single(self) -> bool:
        """Whether each type shows one tuple only: then pair and type are the same number."""
        return self.who.size == self.people.size

    def classes(self, cell: Ints) -> Ints:
        """Class of each type, shape (type,), when its pairs show `cell`, shape (pair,)."""
        return renumber(cell)[0] if self.single else classes(self.who, cell)

    def suppressed(self, cell: Ints, least: int) -> Flags:
        """Types in classes of fewer than `least` patients, shape (type,), when pairs show `cell`, shape (pair,)."""
        group = cell if self.single else classes(self.who, cell)
        width = int(group.max(initial=-1)) + 1
        if width > _DENSE * group.size:
            group, width = renumber(group)
        small: Flags = np.bincount(group, weights=self.people, minlength=width) < least
        return small[group]


@dataclass(frozen=True)
class Folded:
    """A table, and where the old one went: new pair of each old pair, new type of each old type."""

    table: Table
    pair: Ints
    group: Ints


def whole(subject: Ints, values: Sequence[Ints], columns: Sequence[Column]) -> Folded:
    """The cohort at its finest levels. `subject` and `values` have shape (row,); `group` is by patient."""
    order = np.argsort(subject, kind="stable")
    n_subjects = int(subject.max(initial=-1)) + 1
    rows = Table(
        subject[order],
        tuple(codes[order] for codes in values),
        np.ones(subject.size),
        np.ones(n_subjects),
    )
    return fold(rows, columns, [0] * len(columns))


def fold(table: Table, columns: Sequence[Column], levels: Sequence[int]) -> Folded:
    """The first columns of a table, at `levels`."""
    cell = cells(table, columns, levels)
    group = table.classes(cell)
    pair, n_pairs = group, int(group.max(initial=-1)) + 1
    if not table.single:
        cell, width = renumber(cell)
        pair, n_pairs = renumber(group[table.who] * width + cell)
    example = np.empty(n_pairs, dtype=np.int64)
    example[pair] = np.arange(pair.size)
    folded = Table(
        group[table.who[example]],
        tuple(values[example] for values in table.values[: len(columns)]),
        np.bincount(pair, weights=table.rows, minlength=n_pairs),
        np.bincount(group, weights=table.people),
    )
    return Folded(folded, pair, group)


def cells(table: Table, columns: Sequence[Column], levels: Sequence[int]) -> Ints:
    """Code of each pair's labels, shape (pair,), kept small enough to be counted in a table."""
    return extend(np.zeros(table.who.size, dtype=np.int64), 1, table.values, columns, levels)


def extend(joint: Ints, size: int, values: Sequence[Ints], columns: Sequence[Column], levels: Sequence[int]) -> Ints:
    """Codes `joint` below `size`, shape (pair,), joined with the labels of more columns; `joint` is used up."""
    gaps = False
    for one, codes, level in zip(columns, values, levels, strict=False):
        width = one.widths[level]
        if width < 2:
            continue
        if gaps and size * width > _DENSE * joint.size:
            joint, size = renumber(joint)
        gaps = True
        joint *= width
        joint += one.groups[level][codes]
        size *= width
    return joint
