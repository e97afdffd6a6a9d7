"""Full-domain generalisation with suppression of whole patients: the exact optimum.

A node of the lattice gives a rung to every quasi-identifier. At a node, patients in classes that break k, l or t are
suppressed; the loss is the mean penalty over rows, a suppressed row counting 1. Penalties can only grow towards `*`, so
the loss without suppression bounds a node and all above it from below: nodes are visited in the order of that bound
and the search ends when it exceeds the best loss found.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Flags, Ints, Reals, combine, renumber
from radcurate.privacy.distance import ordered, variation
from radcurate.privacy.diversity import TOLERANCE as ROUNDING
from radcurate.privacy.diversity import distinct, entropy, recursive
from radcurate.privacy.hierarchies import Ladder, steps_of
from radcurate.privacy.measures import TOLERANCE, C
from radcurate.privacy.sensitive import Cells, Sensitive, cells

Node = tuple[int, ...]


@dataclass(frozen=True)
class Targets:
    """What every class must keep, and the share of patients that may be suppressed for it. 1 asks for nothing.

    All demands hold together: distinct `l`, `l_entropy`, recursive (`c`, `l_recursive`); `t` by total variation,
    `t_ordered` by earth mover's distance.
    """

    k: int = 1
    l: int = 1  # noqa: E741
    t: float = 1.0
    suppression: float = 0.0
    l_entropy: float = 1.0
    l_recursive: int = 1
    c: float = C
    t_ordered: float = 1.0

    @property
    def about_values(self) -> bool:
        """Whether sensitive values matter."""
        return self.l > 1 or self.t < 1 or self.l_entropy > 1 or self.l_recursive > 1 or self.t_ordered < 1

    @property
    def least_size(self) -> int:
        """Patients that a class needs at the least: l of any kind is at most their number."""
        return max(self.k, self.l, self.l_recursive, ceil(self.l_entropy - ROUNDING), 1)

    def breaks(self, found: Cells) -> Flags:
        """Classes that break a demand on sensitive values, shape (class,)."""
        bad = np.zeros(found.sizes.size, dtype=bool)
        if self.l > 1:
            bad |= distinct(found) < self.l
        if self.l_entropy > 1:
            bad |= entropy(found) < self.l_entropy - ROUNDING
        if self.l_recursive > 1:
            bad |= recursive(found, self.c) < self.l_recursive
        if self.t < 1:
            bad |= variation(found) > self.t + TOLERANCE
        if self.t_ordered < 1:
            bad |= ordered(found) > self.t_ordered + TOLERANCE
        return bad


@dataclass(frozen=True)
class Solution:
    """A node, the patients kept there (shape (subject,)), its loss, and whether the suppression is within budget."""

    node: Node
    kept: Flags
    loss: float
    within_budget: bool
    visited: int


@dataclass(frozen=True)
class Cohort:
    """Rows of patients for the search.

    Args:
        subject: shape (row,), numbers from 0; every patient has a row.
        values: for each quasi-identifier, shape (row,): position of the row's value in its ladder.
        ladders: one for each quasi-identifier.
        sensitive: by column name.
    """

    subject: Ints
    values: Sequence[Ints]
    ladders: Sequence[Ladder]
    sensitive: Mapping[str, Sensitive]

    @property
    def n_subjects(self) -> int:
        """Number of patients."""
        return int(self.subject.max(initial=-1)) + 1


class Board:
    """The cohort with patients that no node can tell apart folded into one type, and all penalties summed up."""

    def __init__(self, cohort: Cohort) -> None:
        self.ladders, self.sensitive, self.n_subjects = cohort.ladders, cohort.sensitive, cohort.n_subjects
        self.steps = steps_of(cohort.ladders)
        self.n_rows = max(int(cohort.subject.size), 1)
        finest = [
            ladder.groups(ladder.least)[codes] for ladder, codes in zip(cohort.ladders, cohort.values, strict=True)
        ]
        self.type_of = classes(cohort.subject, combine(finest, cohort.subject.size))
        _, example = np.unique(self.type_of, return_index=True)
        rows = np.flatnonzero(np.isin(cohort.subject, example))
        self.row_type = self.type_of[cohort.subject[rows]]
        self.row_values = [codes[rows] for codes in cohort.values]
        self.rows_of = np.bincount(cohort.subject, minlength=self.n_subjects).astype(np.float64)
        self.penalty = [
            [self._penalty(cohort.subject, ladder.loss(rung)[codes]) for rung in range(len(ladder.names))]
            for ladder, codes in zip(cohort.ladders, cohort.values, strict=True)
        ]
        total = sum(ladder.weight for ladder in cohort.ladders)
        self.weights = [ladder.weight / total if total else 0.0 for ladder in cohort.ladders]

    def _penalty(self, subject: Ints, loss: Reals) -> Reals:
        return np.asarray(np.bincount(subject, weights=loss, minlength=self.n_subjects), dtype=np.float64)

    def groups(self, node: Node) -> Ints:
        """Class of each patient at `node`, shape (subject,)."""
        cells = [
            ladder.groups(rung)[codes] for ladder, rung, codes in zip(self.ladders, node, self.row_values, strict=True)
        ]
        return classes(self.row_type, combine(cells, self.row_type.size))[self.type_of]

    def loss(self, node: Node, kept: Flags | None = None) -> float:
        """Mean penalty over rows in [0, 1]; rows of patients not in `kept` count 1."""
        parts = [weight * penalty[rung] for weight, penalty, rung in zip(self.weights, self.penalty, node, strict=True)]
        each = np.sum(parts, axis=0) if parts else np.zeros(self.n_subjects)
        if kept is not None:
            each = np.where(kept, each, self.rows_of)
        return float(each.sum() / self.n_rows)


def keep(group: Ints, sensitive: Mapping[str, Sensitive], targets: Targets) -> Flags:
    """Patients that may stay, shape (subject,): whole classes go until the rest, seen alone, keeps k, l and t.

    Suppression changes the overall distribution that t compares with, so it is repeated until nothing changes.
    """
    kept = np.ones(group.size, dtype=bool)
    while kept.any():
        bad = _breaking(group[kept], {name: column.of(kept) for name, column in sensitive.items()}, targets)
        if not bad.any():
            break
        kept[np.flatnonzero(kept)[bad]] = False
    return kept


def _breaking(group: Ints, sensitive: Mapping[str, Sensitive], targets: Targets) -> Flags:
    group, _ = renumber(group)
    bad = np.bincount(group) < targets.k
    if targets.about_values:
        for column in sensitive.values():
            bad |= targets.breaks(cells(group, column))
    return np.asarray(bad[group], dtype=bool)


def search(board: Board, targets: Targets) -> Solution:
    """The node of least loss among those within budget, or, where there is none, of least loss whatever the budget.

    Equal losses: fewer patients suppressed, then lower rungs in all, then the lower rungs of the first columns.
    """
    allowed = targets.suppression * board.n_subjects + TOLERANCE
    best: tuple[tuple[float, int, int, Node], Flags] | None = None
    fallback: tuple[tuple[float, int, int, Node], Flags] | None = None
    visited = 0
    for bound, node in _by_bound(board):
        if best is not None and bound > best[0][0] + 1e-9:
            break
        visited += 1
        kept = keep(board.groups(node), board.sensitive, targets)
        suppressed = int((~kept).sum())
        candidate = ((round(board.loss(node, kept), 12), suppressed, sum(node), node), kept)
        if suppressed <= allowed and (best is None or candidate[0] < best[0]):
            best = candidate
        if fallback is None or candidate[0] < fallback[0]:
            fallback = candidate
    chosen = best or fallback
    if chosen is None:  # not reached: the lattice has at least its lowest node
        raise AssertionError("an empty lattice")
    return Solution(chosen[0][3], chosen[1], chosen[0][0], best is not None, visited)


def _by_bound(board: Board) -> Iterator[tuple[float, Node]]:
    """All nodes that differ, least bound first, from the lowest upwards."""
    climbs = [_climb(board, together) for together in board.steps]
    lowest = tuple(0 for _ in climbs)
    heap, seen = [(board.loss(_node(board, climbs, lowest)), lowest)], {lowest}
    while heap:
        bound, at = heapq.heappop(heap)
        yield bound, _node(board, climbs, at)
        for step, climb in enumerate(climbs):
            if at[step] + 1 < len(climb):
                above = (*at[:step], at[step] + 1, *at[step + 1 :])
                if above not in seen:
                    seen.add(above)
                    heapq.heappush(heap, (board.loss(_node(board, climbs, above)), above))


def _climb(board: Board, together: tuple[int, ...]) -> list[int]:
    """Rungs of a group of columns that differ from the rung before: the others change no class and no loss."""
    ladders = [board.ladders[place] for place in together]
    rungs = [ladders[0].least]
    for rung in range(ladders[0].least + 1, ladders[0].most + 1):
        if any(ladder.groups(rung).max(initial=0) < ladder.groups(rungs[-1]).max(initial=0) for ladder in ladders):
            rungs.append(rung)
    return rungs


def _node(board: Board, climbs: Sequence[Sequence[int]], at: tuple[int, ...]) -> Node:
    rungs = dict.fromkeys(range(len(board.ladders)), 0)
    for together, climb, index in zip(board.steps, climbs, at, strict=True):
        rungs.update(dict.fromkeys(together, climb[index]))
    return tuple(rungs[place] for place in range(len(board.ladders)))
