"""Which patients stay and what is told of them: the search over a cohort, and rows given up so that vectors can be shared.

Suppressing a patient can leave others with a set of kinds of regions that too few share; giving up these regions changes
what is shown of their quasi-identifiers. So search and giving up alternate until neither changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radcurate.privacy.coding import Coded, Flags, Ints, Reals, renumber
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import Ladder
from radcurate.privacy.measures import Risk, risk
from radcurate.privacy.rows import Pair, ladders, subjects
from radcurate.privacy.search import Board, Cohort, Node, Targets, search
from radcurate.privacy.sensitive import ranks, sensitive
from radcurate.privacy.vectors import Treatment, kinds, shareable


@dataclass(frozen=True)
class Scene:
    """All rows that could be released. Shapes (row,): `subject`, each of `values` and of `held`, `kind`."""

    subject: Ints
    values: Sequence[Ints]
    ladders: Sequence[Ladder]
    held: Mapping[str, Coded]
    kind: Ints

    def cohort(self, rows: Flags) -> tuple[Cohort, Ints]:
        """The cohort of the flagged rows, and the numbers that its patients have in the scene."""
        people, subject = np.unique(self.subject[rows], return_inverse=True)
        subject = subject.astype(np.int64)
        found = {name: sensitive(subject, coded.codes[rows], ranks(coded)) for name, coded in self.held.items()}
        return Cohort(subject, [codes[rows] for codes in self.values], self.ladders, found), people

    @property
    def n_subjects(self) -> int:
        """Number of patients."""
        return int(self.subject.max(initial=-1)) + 1


def scene(pair: Pair, columns: Columns, treatment: Treatment, held: Mapping[str, Coded]) -> Scene:
    """The scene of a pair of tables; `held`: its sensitive columns."""
    steps, values = ladders(pair, columns)
    return Scene(subjects(pair).codes, [found.codes for found in values], steps, held, kinds(pair, treatment))


@dataclass(frozen=True)
class Choice:
    """What is released.

    Attributes:
        rows: shape (row,), of the scene.
        kept: shape (subject,), of the scene.
        given_up: shape (row,): rows that nobody may see because too few share their kinds; before any search.
        node: rung of each quasi-identifier.
        risk: of what is released.
        loss: mean of the weighted penalties; rows that are not released count 1.
        within_budget: not more patients are suppressed than may be.
        visited: nodes that the search looked at.
        reachable: risk at the coarsest levels without suppression: no k or l above it can be reached.
    """

    rows: Flags
    kept: Flags
    given_up: Flags
    node: Node
    risk: Risk
    loss: float
    within_budget: bool
    visited: int
    reachable: Risk

    @property
    def suppressed(self) -> int:
        """Patients that are left out."""
        return int((~self.kept).sum())


def choose(found: Scene, targets: Targets, treatment: Treatment) -> Choice:
    """Search, give up rows whose vector can't be shared, and search again until nothing more has to go."""
    offered = shareable(found.subject, found.kind, treatment)
    while True:
        cohort, people = found.cohort(offered)
        board = Board(cohort)
        solution = search(board, _budget(targets, found.n_subjects, people.size))
        kept = np.zeros(found.n_subjects, dtype=bool)
        kept[people] = solution.kept
        rows = offered & kept[found.subject]
        shared = shareable(found.subject[rows], found.kind[rows], treatment)
        if shared.all():
            break
        offered = offered.copy()
        offered[rows] = shared
    lost = int((~offered).sum())
    inside = {name: column.at(solution.kept) for name, column in cohort.sensitive.items()}
    group = renumber(board.groups(solution.node)[solution.kept])[0]
    coarsest = board.groups(tuple(ladder.most for ladder in found.ladders))
    return Choice(
        rows=rows,
        kept=kept,
        given_up=~offered,
        node=solution.node,
        risk=risk(group, inside, int((~kept).sum()), targets.c),
        loss=(solution.loss * (rows.size - lost) + lost) / max(rows.size, 1) if lost else solution.loss,
        within_budget=solution.within_budget,
        visited=solution.visited,
        reachable=risk(coarsest, cohort.sensitive, c=targets.c),
    )


def _budget(targets: Targets, everybody: int, left: int) -> Targets:
    """The same targets, with the share of those `left` that may still be suppressed."""
    if everybody == left or not left:
        return targets
    return replace(targets, suppression=(targets.suppression * everybody - (everybody - left)) / left)


def levels(found: Scene, choice: Choice) -> dict[str, str]:
    """For each quasi-identifier the name of its level."""
    return {each.column: each.names[rung] for each, rung in zip(found.ladders, choice.node, strict=True)}


def labels(found: Scene, choice: Choice) -> dict[str, list[str | None]]:
    """For each quasi-identifier its label in each released row."""
    made: dict[str, list[str | None]] = {}
    for ladder, rung, values in zip(found.ladders, choice.node, found.values, strict=True):
        made[ladder.column] = np.array(ladder.labels[rung], dtype=object)[values[choice.rows]].tolist()
    return made


def penalties(found: Scene, choice: Choice) -> list[Reals]:
    """For each quasi-identifier what each row lost, shape (row,), in [0, 1]; 1 where the row is not released."""
    each = zip(found.ladders, choice.node, found.values, strict=True)
    return [np.where(choice.rows, ladder.loss(rung)[values], 1.0) for ladder, rung, values in each]


def weights(found: Scene) -> Reals:
    """Share of each quasi-identifier in the loss, shape (quasi-identifier,)."""
    each = np.array([ladder.weight for ladder in found.ladders])
    return each / each.sum() if each.size else each
