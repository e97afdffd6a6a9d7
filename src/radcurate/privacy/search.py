"""Full-domain generalisation with suppression of whole patients: the exact optimum.

A node of the lattice gives a rung to every quasi-identifier. At a node, patients in classes that break k, l or t are
suppressed; the loss is the mean penalty over rows, a suppressed row counting 1. `branch` finds the least.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from radcurate.privacy.bounds import cells, column, whole
from radcurate.privacy.branch import Branches, Judge
from radcurate.privacy.coding import Flags, Ints, Reals, combine, renumber, tally
from radcurate.privacy.distance import ordered, variation
from radcurate.privacy.diversity import TOLERANCE as ROUNDING
from radcurate.privacy.diversity import distinct, entropy, recursive
from radcurate.privacy.hierarchies import Ladder, steps_of
from radcurate.privacy.measures import TOLERANCE, C
from radcurate.privacy.sensitive import Cells, Sensitive
from radcurate.privacy.sensitive import cells as cells_of

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
    """The cohort with patients that no node can tell apart folded into types.

    `type_of`, shape (subject,): type of each patient. `table`: the types, see `bounds`. `columns`: what climbs together.
    """

    def __init__(self, cohort: Cohort) -> None:
        self.cohort, self.ladders, self.sensitive = cohort, cohort.ladders, cohort.sensitive
        self.steps, self.n_subjects = steps_of(cohort.ladders), cohort.n_subjects
        self.n_rows = max(int(cohort.subject.size), 1)
        total = sum(ladder.weight for ladder in cohort.ladders)
        found = [
            column([cohort.ladders[place] for place in step], [cohort.values[place] for place in step], total)
            for step in self.steps
        ]
        self.columns = [one for one, _ in found]
        folded = whole(cohort.subject, [codes for _, codes in found], self.columns)
        self.table, self.type_of = folded.table, folded.group
        self.weights = [ladder.weight / total if total else 0.0 for ladder in cohort.ladders]

    @cached_property
    def rows_of(self) -> Reals:
        """Rows of each patient, shape (subject,)."""
        return np.bincount(self.cohort.subject, minlength=self.n_subjects).astype(np.float64)

    def groups(self, node: Node) -> Ints:
        """Class of each patient at `node`, shape (subject,)."""
        return self.table.classes(cells(self.table, self.columns, self.levels(node)))[self.type_of]

    def levels(self, node: Node) -> tuple[int, ...]:
        """Levels of the columns at `node`."""
        return tuple(
            sum(rung <= node[step[0]] for rung in one.rungs) - 1
            for step, one in zip(self.steps, self.columns, strict=True)
        )

    def node(self, levels: Sequence[int]) -> Node:
        """Rungs of the ladders at `levels` of the columns."""
        rungs = dict.fromkeys(range(len(self.ladders)), 0)
        for step, one, level in zip(self.steps, self.columns, levels, strict=True):
            rungs.update(dict.fromkeys(step, one.rungs[level]))
        return tuple(rungs[place] for place in range(len(self.ladders)))

    def loss(self, node: Node, kept: Flags | None = None) -> float:
        """Mean penalty over rows in [0, 1]; rows of patients not in `kept`, shape (subject,), count 1."""
        lost = float((~kept[self.cohort.subject]).sum()) / self.n_rows if kept is not None else 0.0
        each = [part - lost for part in self.lost(node, kept)]
        return lost + sum(weight * part for weight, part in zip(self.weights, each, strict=True))

    def lost(self, node: Node, kept: Flags | None = None) -> list[float]:
        """Mean penalty over rows in each quasi-identifier; rows of patients not in `kept`, shape (subject,), count 1."""
        rows = np.ones(self.cohort.subject.size, dtype=bool) if kept is None else kept[self.cohort.subject]
        out = int((~rows).sum())
        return [
            (float(ladder.loss(rung) @ np.bincount(codes[rows], minlength=len(ladder.values))) + out) / self.n_rows
            for ladder, rung, codes in zip(self.ladders, node, self.cohort.values, strict=True)
        ]


def keep(group: Ints, sensitive: Mapping[str, Sensitive], targets: Targets, weight: Ints | None = None) -> Flags:
    """Patients that may stay, shape (subject,): whole classes go until the rest, seen alone, keeps k, l and t.

    Suppression changes the overall distribution that t compares with, so it is repeated until nothing changes.
    `weight`, shape (subject,): how many patients an entry stands for.
    """
    kept = np.ones(group.size, dtype=bool)
    while kept.any():
        here = {name: column.at(kept) for name, column in sensitive.items()}
        bad = _breaking(group[kept], here, targets, None if weight is None else weight[kept])
        if not bad.any():
            break
        kept[np.flatnonzero(kept)[bad]] = False
    return kept


def _breaking(group: Ints, sensitive: Mapping[str, Sensitive], targets: Targets, weight: Ints | None) -> Flags:
    group, n_classes = renumber(group)
    bad = tally(group, n_classes, weight) < targets.k
    if targets.about_values:
        for one in sensitive.values():
            bad |= targets.breaks(cells_of(group, one, weight))
    return np.asarray(bad[group], dtype=bool)


def search(board: Board, targets: Targets) -> Solution:
    """The node of least loss among those within budget, or, where there is none, of least loss whatever the budget.

    Equal losses: fewer patients suppressed, then lower rungs in all, then the lower rungs of the first columns.
    """
    branches = Branches(board.table, board.columns, targets.least_size, _judge(board, targets), _rank(board))
    found = branches.best(targets.suppression * board.n_subjects + TOLERANCE)
    chosen = found or branches.best(np.inf)
    if chosen is None:  # not reached: the lattice has at least its lowest node
        raise AssertionError("an empty lattice")
    node = board.node(chosen.levels)
    kept = keep(board.groups(node), board.sensitive, targets)
    return Solution(node, kept, chosen.loss, found is not None, chosen.visited)


def _rank(board: Board) -> Callable[[tuple[int, ...]], Node]:
    def rank(levels: tuple[int, ...]) -> Node:
        node = board.node(levels)
        return (sum(node), *node)

    return rank


def _judge(board: Board, targets: Targets) -> Judge | None:
    """What must go when sensitive values matter: judged on patients that neither table nor sensitive columns tell apart."""
    if not (targets.about_values and board.sensitive):
        return None
    held = [one.held for one in board.sensitive.values()]
    fold, n_folds = renumber(combine([board.type_of, *held], board.n_subjects))
    weight = np.bincount(fold, minlength=n_folds)
    example = np.empty(n_folds, dtype=np.int64)
    example[fold] = np.arange(fold.size)
    kind = board.type_of[example]
    folded = {name: one.at(example) for name, one in board.sensitive.items()}

    def judge(group: Ints) -> Flags:
        kept = keep(group[kind], folded, targets, weight)
        out = np.zeros(group.size, dtype=bool)
        out[kind[~kept]] = True  # whole classes go, so all folds of a type go together
        return out

    return judge
