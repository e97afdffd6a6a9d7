"""Branch and bound over the lattice of a full-domain generalisation: the least loss, exactly.

The columns with most labels come first. They are given levels one after the other, each time bounded on the projection
to the columns that have one. The rest are given theirs at once: a bound for each of their combinations follows from the
patients that the first columns must suppress. A node is judged on the whole table only when no bound is lower. A bound
is the loss of all rows, and for each row that must be suppressed 1 less its penalty, which is never below 0.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from radcurate.privacy.bounds import Column, Table, cells, extend, fold
from radcurate.privacy.coding import Flags, Ints, renumber

MARGIN = 1e-9  # on mean losses: nodes that are as good but for rounding are all judged
_COMBINATIONS = 256  # of levels of the columns that are given theirs at once
_ROOM = 2**22  # pairs that are kept at coarser levels

Levels = tuple[int, ...]
Judge = Callable[[Ints], Flags]  # class of each type to the types that must go, both shape (type,)


@dataclass(frozen=True)
class Found:
    """A node by levels of the columns, its mean loss, the patients it suppresses, and how many nodes were judged."""

    levels: Levels
    loss: float
    suppressed: int
    visited: int


class Branches:
    """The lattice of a folded table.

    Args:
        table: the cohort, see `bounds.whole`.
        columns: of the table.
        least: patients that every class needs.
        judge: what must go when more than `least` is asked for, or None.
        rank: order of nodes of equal loss and suppression, by levels of `columns`.
    """

    def __init__(
        self,
        table: Table,
        columns: Sequence[Column],
        least: int,
        judge: Judge | None,
        rank: Callable[[Levels], tuple[int, ...]],
    ) -> None:
        self.order = sorted(range(len(columns)), key=lambda place: (-columns[place].widths[0], place))
        self.columns = [columns[place] for place in self.order]
        self.table = Table(table.who, tuple(table.values[place] for place in self.order), table.rows, table.people)
        self.least, self.judge, self.rank = least, judge, rank
        self.n_rows = max(int(table.rows.sum()), 1)
        self.n_first = _split([len(column.widths) for column in self.columns])
        self._project()
        self._combine()

    def _project(self) -> None:
        """Tables of the first 1, 2, … columns, and what the others cost at the least."""
        self.base = [
            [float((cost[values] * self.table.rows).sum()) for cost in column.penalty]
            for column, values in zip(self.columns, self.table.values, strict=True)
        ]
        self.projections = [self.table] * (self.n_first + 1)
        self.half = np.arange(self.table.who.size)
        if self.n_first < len(self.columns):
            folded = fold(self.table, self.columns[: self.n_first], [0] * self.n_first)
            self.projections[self.n_first], self.half = folded.table, folded.pair
        for shown in range(self.n_first - 1, 0, -1):
            self.projections[shown] = fold(self.projections[shown + 1], self.columns[:shown], [0] * shown).table

    def _combine(self) -> None:
        """Combinations of the last columns, and what rows of each pair of the first ones cost in each of their levels."""
        last = self.columns[self.n_first :]
        self.combinations = list(itertools.product(*(range(len(column.widths)) for column in last)))
        n_pairs = self.projections[self.n_first].who.size
        self.costs = [
            np.array([np.bincount(self.half, cost[values] * self.table.rows, n_pairs) for cost in column.penalty])
            for column, values in zip(last, self.table.values[self.n_first :], strict=True)
        ]
        self.last_base = np.array([self._base(levels, self.n_first) for levels in self.combinations])
        lowest = (0,) * self.n_first
        code = renumber(cells(self.table, self.columns, lowest))
        self.coarser = {lowest: _Coarser(self.table, np.arange(self.table.people.size), *code)}

    def _base(self, levels: Levels, start: int = 0) -> float:
        """Loss of all rows in the columns from `start`, nobody suppressed."""
        return sum(self.base[start + place][level] for place, level in enumerate(levels))

    def best(self, allowed: float) -> Found | None:
        """The node of least loss that suppresses at most `allowed` patients; None when every node suppresses more."""
        heap: list[tuple[float, Levels]] = [(0.0, ())]
        found: tuple[tuple[float, int, tuple[int, ...]], Levels] | None = None
        limit, visited = np.inf, 0
        while heap and heap[0][0] <= limit:
            _, levels = heapq.heappop(heap)
            if len(levels) < len(self.columns):
                for entry in self._children(levels, limit, allowed):
                    heapq.heappush(heap, entry)
                continue
            visited += 1
            loss, suppressed = self._node(levels)
            key = (round(loss, 12), suppressed, self.rank(self._in_order(levels)))
            if suppressed <= allowed and (found is None or key < found[0]):
                found = (key, levels)
                limit = (key[0] + MARGIN) * self.n_rows
        return found and Found(self._in_order(found[1]), found[0][0], found[0][1], visited)

    def _in_order(self, levels: Levels) -> Levels:
        """Levels by the columns as they were given."""
        return tuple(level for _, level in sorted(zip(self.order, levels, strict=True)))

    def _children(self, levels: Levels, limit: float, allowed: float) -> list[tuple[float, Levels]]:
        shown = len(levels)
        if shown == self.n_first:
            return self._combinations(levels, limit)
        longer = [(*levels, level) for level in range(len(self.columns[shown].widths))]
        bounds = [(*self._bound(each), each) for each in longer]
        return [(loss, each) for loss, suppressed, each in bounds if loss <= limit and suppressed <= allowed]

    def _bound(self, levels: Levels) -> tuple[float, int]:
        """Least loss and suppression of all nodes that begin with `levels`."""
        table = self.projections[len(levels)]
        out = table.suppressed(cells(table, self.columns, levels), self.least)
        return self._base(levels) + self._excess(table, levels, out), int(table.people[out].sum())

    def _excess(self, table: Table, levels: Levels, out: Flags) -> float:
        """What suppressing the types flagged in `out` adds to the loss of all rows."""
        pairs = np.flatnonzero(out if table.single else out[table.who])
        lost = np.ones(pairs.size)
        for column, values, level in zip(self.columns, table.values, levels, strict=False):
            if not column.free[level]:
                lost -= column.penalty[level][values[pairs]]
        return float((lost * table.rows[pairs]).sum())

    def _combinations(self, levels: Levels, limit: float) -> list[tuple[float, Levels]]:
        """All nodes that begin with `levels`, with their bounds."""
        table = self.projections[self.n_first]
        out = table.suppressed(cells(table, self.columns, levels), self.least)
        pairs = (out if table.single else out[table.who]).astype(np.float64)
        spared = [cost @ pairs for cost in self.costs]
        first = self._base(levels) + self._excess(table, levels, out)
        bounds = first + self.last_base
        for place, each in enumerate(self.combinations):
            bounds[place] -= sum(spared[q][level] for q, level in enumerate(each))
        return [
            (float(bound), (*levels, *each))
            for bound, each in zip(bounds, self.combinations, strict=True)
            if bound <= limit
        ]

    def _node(self, levels: Levels) -> tuple[float, int]:
        """Mean loss of a node, and the patients it suppresses."""
        found = self._coarse(levels[: self.n_first])
        start, last = self.n_first, levels[self.n_first :]
        cell = extend(found.code.copy(), found.width, found.table.values[start:], self.columns[start:], last)
        if self.judge is None:
            out = found.table.suppressed(cell, self.least)
        else:
            every = self.judge(found.table.classes(cell)[found.group])
            out = np.zeros(found.table.people.size, dtype=bool)
            out[found.group[every]] = True
        loss = self._base(levels) + self._excess(found.table, levels, out)
        return loss / self.n_rows, int(found.table.people[out].sum())

    def _coarse(self, first: Levels) -> _Coarser:
        """The table with the first columns at their levels, made from the smallest finer one at hand."""
        if first in self.coarser:
            return self.coarser[first]
        finer = [one for levels, one in self.coarser.items() if all(a <= b for a, b in zip(levels, first, strict=True))]
        source = min(finer, key=lambda one: one.table.who.size)
        folded = fold(source.table, self.columns, (*first, *[0] * (len(self.columns) - self.n_first)))
        group = source.group if self.judge is None else folded.group[source.group]
        found = _Coarser(folded.table, group, *renumber(cells(folded.table, self.columns, first)))
        if (
            sum(one.table.who.size for one in self.coarser.values()) + folded.table.who.size
            < _ROOM + self.table.who.size
        ):
            self.coarser[first] = found
        return found


@dataclass(frozen=True)
class _Coarser:
    """The table with the first columns at coarser levels.

    `group`: the type here of each type of the whole table. `code` below `width`, shape (pair,): labels of the first columns.
    """

    table: Table
    group: Ints
    code: Ints
    width: int


def _split(levels: Sequence[int]) -> int:
    """How many columns come first: half of them, and more while the rest has too many combinations."""
    first = max((len(levels) + 1) // 2, min(1, len(levels)))
    while prod(levels[first:]) > _COMBINATIONS:
        first += 1
    return first
