"""Who is at risk, and because of which columns: the smallest sets of quasi-identifiers that tell a patient from the others.

Elliot et al. 2002 (special uniques) for single records and uniques; here for patients with all their rows, and for crowds
smaller than k.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa

from radcurate.privacy.choice import Scene
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Flags, Ints, combine

LONGEST = 3  # columns of a set that is looked for
EFFORT = 20_000_000  # rows looked at for all sets together


@dataclass(frozen=True)
class AtRisk:
    """Lines, each a patient and columns that leave it in a crowd smaller than k. All of shape (line,).

    `subject`: its number in the scene. `columns`: lists of names. `size`: of the crowd. `minimal`: without any of the
    columns the crowd is k or more. Otherwise it takes more than `LONGEST` of them.
    """

    subject: Ints
    columns: pa.Array
    size: Ints
    minimal: Flags


def at_risk(found: Scene, k: int) -> AtRisk:
    """Every patient in a crowd smaller than k, at the finest levels that may be released; a line per set of columns."""
    cells = [ladder.groups(ladder.least)[values] for ladder, values in zip(found.ladders, found.values, strict=True)]
    names = [ladder.column for ladder in found.ladders]
    type_of = classes(found.subject, combine(cells, found.subject.size))
    weight = np.bincount(type_of)
    members = np.split(np.argsort(type_of, kind="stable"), np.cumsum(weight)[:-1])
    sets: dict[tuple[str, ...], int] = {}
    lines = [(np.zeros(0, dtype=np.int64), 0, 0, False)]
    for one, columns, size in _sets(found.subject, cells, type_of, weight, k):
        told = tuple(names) if columns is None else tuple(names[column] for column in columns)
        lines.append((members[one], sets.setdefault(told, len(sets)), size, columns is not None))
    return _in_order(lines, list(sets))


def _in_order(lines: list[tuple[Ints, int, int, bool]], sets: list[tuple[str, ...]]) -> AtRisk:
    """Lines of several patients (their numbers, number of the set, size, minimal), by patient, then short sets first."""
    lengths = [len(line[0]) for line in lines]
    which, size = (np.repeat(np.array([line[part] for line in lines], dtype=np.int64), lengths) for part in (1, 2))
    minimal = np.repeat(np.array([line[3] for line in lines], dtype=bool), lengths)
    subject = np.concatenate([line[0] for line in lines])
    rank = np.empty(len(sets), dtype=np.int64)
    rank[sorted(range(len(sets)), key=lambda number: (len(sets[number]), sets[number]))] = np.arange(len(sets))
    order = np.lexsort((rank[which], subject))
    columns = pa.array([list(told) for told in sets], pa.list_(pa.string())).take(pa.array(which[order]))
    return AtRisk(subject[order], columns, size[order], minimal[order])


def _sets(
    subject: Ints, cells: list[Ints], type_of: Ints, weight: Ints, k: int
) -> Iterator[tuple[int, tuple[int, ...] | None, int]]:
    """Types of patients that are at risk, with each minimal set of columns and the size of its crowd."""
    example = np.unique(type_of, return_index=True)[1]
    rows = np.isin(subject, example)
    owner, folded = type_of[subject[rows]], [codes[rows] for codes in cells]
    risky = weight < k
    told: dict[int, list[frozenset[int]]] = {int(one): [] for one in np.flatnonzero(risky)}
    for columns in _affordable(len(cells), int(owner.size)):
        group = classes(owner, combine([folded[column] for column in columns], owner.size))
        size = np.bincount(group, weights=weight)[group]
        for one in np.flatnonzero(_few(size, k) & risky).tolist():
            if not any(known <= frozenset(columns) for known in told[one]):
                told[one].append(frozenset(columns))
                yield one, columns, int(size[one])
    for one, known in told.items():
        if not known:
            yield one, None, int(weight[one])


def _few(size: Ints, k: int) -> Flags:
    return np.asarray(size < k, dtype=bool)


def _affordable(n_columns: int, n_rows: int) -> Iterator[tuple[int, ...]]:
    """Sets of columns, small ones first, as long as whole lengths can be afforded; single columns always."""
    spent = 0
    for length in range(1, min(LONGEST, n_columns) + 1):
        lot = list(combinations(range(n_columns), length))
        spent += len(lot) * n_rows
        if length > 1 and spent > EFFORT:
            return
        yield from lot
