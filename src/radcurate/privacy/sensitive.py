"""Sensitive columns by patient, and how many patients of each class hold what.

A patient's sensitive value is the *set* of the values in its rows; a missing value is a value of its own. A class is
described by its cells: a set of values and the number of patients that hold it. Everything else is computed on cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from radcurate.errors import CurationError
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Coded, Flags, Ints, Value, counted, renumber, tally

MISSING = -1  # rank of a missing value: it has no place on a scale


@dataclass(frozen=True)
class Sensitive:
    """A sensitive column by patient.

    `held`, shape (subject,): number of the patient's set of values. `member` and `value`, shape (pair,): each set with
    each of its values, sorted. `rank`, shape (value,): place of a value on a scale, `MISSING` without one; None where
    the values have no order.
    """

    held: Ints
    member: Ints
    value: Ints
    rank: Ints | None = None

    def at(self, kept: Flags | Ints) -> Sensitive:
        """Only the patients flagged in `kept`, shape (subject,), or numbered there."""
        return Sensitive(self.held[kept], self.member, self.value, self.rank)

    @cached_property
    def sizes(self) -> Ints:
        """Number of values of each set, shape (set,)."""
        return np.bincount(self.member)

    @property
    def several(self) -> bool:
        """Whether any patient has more than one value."""
        return self.member.size > self.sizes.size


def sensitive(subject: Ints, codes: Ints, rank: Ints | None = None) -> Sensitive:
    """From the rows of a column: `subject` and `codes`, both shape (row,); `rank` as `ranks` gives it."""
    held = classes(subject, codes)
    n_sets = int(held.max(initial=-1)) + 1
    example = np.empty(n_sets, dtype=np.int64)
    example[held[::-1]] = np.arange(held.size)[::-1]
    chosen = np.zeros(held.size, dtype=bool)
    chosen[example] = True
    rows = chosen[subject]
    width = int(codes.max(initial=0)) + 1
    pairs = counted(held[subject[rows]] * width + codes[rows])[0]
    return Sensitive(held, pairs // width, pairs % width, rank)


def ranks(coded: Coded, order: Sequence[Value] | None = None, name: str = "column") -> Ints | None:
    """Place of each value of a column on its scale, shape (value,): numbers by size, or as `order` lists them.

    None for text without an order. Raises CurationError where `order` lacks a value or has one twice.
    """
    known = [value for value in coded.values if value is not None]
    if order is None:
        if any(isinstance(value, str) for value in known):
            return None
        return np.array(
            [MISSING if value is None else place for place, value in enumerate(coded.values)], dtype=np.int64
        )
    place = {value: position for position, value in enumerate(order)}
    absent = sum(value not in place for value in known)
    if absent or len(place) < len(order):
        raise CurationError(
            f"the order of sensitive column {name} does not fit its values",
            wanted="each value once",
            found=f"{absent} without a place" if absent else "one more than once",
            fix="correct the order in config/columns.yaml",
        )
    return np.array([MISSING if value is None else place[value] for value in coded.values], dtype=np.int64)


@dataclass(frozen=True)
class Cells:
    """Patients by class and set of values, sorted by class.

    `owner`, `held`, `count`, shape (cell,): class, set, patients (> 0). `sizes`, shape (class,): patients.
    `total`, shape (set,): patients of all classes.
    """

    owner: Ints
    held: Ints
    count: Ints
    sizes: Ints
    total: Ints
    column: Sensitive

    @cached_property
    def spread(self) -> tuple[Ints, Ints]:
        """Each cell once for each value of its set: number of the cell and the value, both shape (pair,)."""
        sizes = self.column.sizes
        repeat = sizes[self.held]
        cell = np.repeat(np.arange(self.held.size), repeat)
        first = np.cumsum(sizes) - sizes
        within = np.arange(cell.size) - np.repeat(np.cumsum(repeat) - repeat, repeat)
        return cell, self.column.value[first[self.held[cell]] + within]

    @cached_property
    def holders(self) -> tuple[Ints, Ints, Ints]:
        """Each pair of a class and a value: class, patients that have the value, and its number for each of `spread`."""
        cell, value = self.spread
        width = int(value.max(initial=0)) + 1
        key = self.owner[cell] * width + value
        pair, n_pairs = renumber(key)
        owner = np.zeros(n_pairs, dtype=np.int64)
        owner[pair] = self.owner[cell]
        return owner, tally(pair, n_pairs, self.count[cell]), pair


def cells(group: Ints, column: Sensitive, weight: Ints | None = None) -> Cells:
    """Cells of the classes `group`, shape (subject,), numbered from 0 without gaps.

    `weight`, shape (subject,): how many patients an entry stands for; one each by default.
    """
    n_sets = column.sizes.size
    pairs, count = counted(group * n_sets + column.held, weight)
    owner = pairs // max(n_sets, 1)
    sizes = tally(group, int(group.max(initial=-1)) + 1, weight)
    return Cells(owner, pairs - owner * n_sets, count, sizes, tally(column.held, n_sets, weight), column)
