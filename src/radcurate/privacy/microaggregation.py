"""Microaggregation: every feature vector is the mean of at least k patients, so that none leads back to one of them.

Patients are grouped once, by all their regions together (`mdav` finds the groups): grouped region by region, a patient
with two regions could be told by the pair of groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Ints
from radcurate.privacy.mdav import coordinates, mdav
from radcurate.privacy.measures import Flags, Reals


@dataclass(frozen=True)
class Microaggregated:
    """Rows after microaggregation.

    Attributes:
        values: shape (row, feature); of a kept row the mean of its group, NaN in other rows.
        kept: shape (row,): the row found a group.
        group: shape (subject,): the patient's group, from 0; -1 where no row of the patient was kept.
    """

    values: Reals
    kept: Flags
    group: Ints


def microaggregate(values: Reals, subject: Ints, kind: Ints, k: int) -> Microaggregated:
    """Means over groups of at least k patients who have the same kinds of regions.

    A patient counts once in a mean, with the mean of its rows of that kind; rows of one patient and kind become alike.
    A number is given where at least k patients of the group have one, else it is NaN for all of them. Patients whose
    set of kinds is shared by fewer than k give up kinds (`shared_kinds`); who has nothing left is suppressed. Neither
    the order of the rows nor the numbers of the patients matter.

    Args:
        values: shape (row, feature), in any unit; what is not finite is missing.
        subject: shape (row,), whose row it is, every number from 0 to n - 1 at least once.
        kind: shape (row,), numbers from 0: only rows of the same kind can be compared.
        k: least number of patients in a group, at least 1.
    """
    kept = shared_kinds(subject, kind, k)
    out = np.full(values.shape, np.nan)
    group = np.full(int(subject.max(initial=-1)) + 1, -1, dtype=np.int64)
    for rows in _structures(subject, kind, kept):
        part = _courses(values[rows], subject[rows], kind[rows])
        found = mdav(coordinates(part.values.reshape(len(part.subject), -1)), k)
        out[rows] = _means(part.values, found, k)[found[part.patient], part.place]
        group[part.subject] = found + (group.max(initial=-1) + 1)
    return Microaggregated(out, kept, group)


def shared_kinds(subject: Ints, kind: Ints, k: int) -> Flags:
    """Rows, shape (row,), that leave every patient with a set of kinds that at least k patients have.

    A set that fewer have loses its rarest kind, the one that fewest patients hold; the largest such sets first, so
    that nobody gives up more than is needed to meet those who have less.
    """
    pairs = np.unique(np.stack([subject, kind]), axis=1)
    held: dict[int, list[int]] = {}
    for owner, one in pairs.T.tolist():
        held.setdefault(owner, []).append(one)
    sets = {owner: frozenset(kinds) for owner, kinds in held.items()}
    left = _cut(sets, np.bincount(pairs[1]) if kind.size else np.zeros(0, dtype=np.int64), k)
    return np.array(
        [one in left[owner] for owner, one in zip(subject.tolist(), kind.tolist(), strict=True)], dtype=bool
    )


def _cut(sets: dict[int, frozenset[int]], holders: Ints, k: int) -> dict[int, frozenset[int]]:
    sharing: dict[frozenset[int], list[int]] = {}
    for owner, kinds in sets.items():
        sharing.setdefault(kinds, []).append(owner)
    for size in range(max(map(len, sharing), default=0), 0, -1):
        rare = sorted((sorted(kinds) for kinds, owners in sharing.items() if len(kinds) == size and len(owners) < k))
        for numbers in rare:
            rarest = min(numbers, key=lambda one: (int(holders[one]), -one))
            owners = sharing.pop(frozenset(numbers))
            sharing.setdefault(frozenset(numbers) - {rarest}, []).extend(owners)
    return {owner: kinds for kinds, owners in sharing.items() for owner in owners}


@dataclass(frozen=True)
class _Courses:
    """Patients with the same kinds: `values`, shape (patient, kind, feature), in an order that only `values` decide.

    `subject`, shape (patient,): their numbers. `patient` and `place`, shape (row,): where a row's values are.
    """

    values: Reals
    subject: Ints
    patient: Ints
    place: Ints


def _structures(subject: Ints, kind: Ints, kept: Flags) -> Iterator[Ints]:
    """Kept rows of the patients that have the same set of kinds; smallest kinds first."""
    rows = np.flatnonzero(kept)
    people, owner = np.unique(subject[rows], return_inverse=True)
    of = classes(owner.astype(np.int64), kind[rows])[owner] if people.size else owner
    lots = [rows[of == one] for one in range(int(of.max(initial=-1)) + 1)]
    yield from sorted(lots, key=lambda lot: np.unique(kind[lot]).tolist())


def _courses(values: Reals, subject: Ints, kind: Ints) -> _Courses:
    values = np.where(np.isfinite(values), values, np.nan) + 0.0  # one zero, one missing value
    people, owner = np.unique(subject, return_inverse=True)
    kinds, place = np.unique(kind, return_inverse=True)
    pair = owner * kinds.size + place
    order = np.lexsort((_digests(values), pair))
    starts = np.flatnonzero(np.diff(pair[order], prepend=-1))
    found = _mean_of(values[order], starts, 1).reshape(people.size, kinds.size, -1)
    rank = np.argsort(_digests(found.reshape(people.size, -1)), kind="stable")
    back = np.empty_like(rank)
    back[rank] = np.arange(rank.size)
    return _Courses(found[rank], people[rank], back[owner], place)


def _digests(values: Reals) -> npt.NDArray[np.uint64]:
    """A number for the content of each row, shape (row,)."""
    rows = np.ascontiguousarray(values)
    found = (
        [int.from_bytes(blake2b(row.data, digest_size=8).digest()) for row in rows] if rows.size else [0] * len(rows)
    )
    return np.array(found, dtype=np.uint64)


def _means(values: Reals, group: Ints, k: int) -> Reals:
    """Mean of each group, shape (group, kind, feature), where at least k of its patients have a value."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return _mean_of(values[order], starts, k)


def _mean_of(values: Reals, starts: Ints, least: int) -> Reals:
    """Mean over each stretch along the first axis; NaN where fewer than `least` values are there, or where it overflows."""
    present = ~np.isnan(values)
    count = np.add.reduceat(present, starts, axis=0, dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(np.where(present, values, 0.0), starts, axis=0)
        found = total / np.maximum(count, 1)
    return np.where((count >= least) & np.isfinite(found), found, np.nan)
