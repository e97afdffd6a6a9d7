"""Which patients stay and what is told of them: the search over a cohort, and rows given up so that vectors can be shared.

Suppressing a patient can leave others with a set of kinds of regions that too few share; giving up these regions changes
what is shown of their quasi-identifiers. So search and giving up alternate until neither changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from radcurate.privacy.coding import Coded, Flags, Ints, Reals
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import Ladder
from radcurate.privacy.rows import Pair, ladders, subjects
from radcurate.privacy.search import Board, Cohort, Node, Targets, search
from radcurate.privacy.sensitive import ranks, sensitive
from radcurate.privacy.vectors import Treatment, kinds, shareable

Labels = npt.NDArray[np.object_]


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
        labels: for each quasi-identifier its label in each row, shape (row,); None where not released.
        levels: for each quasi-identifier the name of its level.
        penalty: for each quasi-identifier what each row lost, shape (row,), 1 where it is not released.
        loss: mean of the weighted penalties.
        within_budget: not more patients are suppressed than may be.
        visited: nodes that the search looked at.
        board: rows that the search had, to ask what else could be reached.
    """

    rows: Flags
    kept: Flags
    given_up: Flags
    labels: list[Labels]
    levels: dict[str, str]
    penalty: list[Reals]
    loss: float
    within_budget: bool
    visited: int
    board: Board


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
    return Choice(
        rows=rows,
        kept=kept,
        given_up=~offered,
        labels=_labels(found, solution.node, rows),
        levels={each.column: each.names[rung] for each, rung in zip(found.ladders, solution.node, strict=True)},
        penalty=_penalty(found, solution.node, rows),
        loss=(solution.loss * (rows.size - lost) + lost) / max(rows.size, 1) if lost else solution.loss,
        within_budget=solution.within_budget,
        visited=solution.visited,
        board=board,
    )


def _budget(targets: Targets, everybody: int, left: int) -> Targets:
    """The same targets, with the share of those `left` that may still be suppressed."""
    if everybody == left or not left:
        return targets
    return replace(targets, suppression=(targets.suppression * everybody - (everybody - left)) / left)


def _labels(found: Scene, node: Node, rows: Flags) -> list[Labels]:
    made = []
    for ladder, rung, values in zip(found.ladders, node, found.values, strict=True):
        out = np.full(rows.size, None, dtype=object)
        out[rows] = np.array(ladder.labels[rung], dtype=object)[values[rows]]
        made.append(out)
    return made


def _penalty(found: Scene, node: Node, rows: Flags) -> list[Reals]:
    each = zip(found.ladders, node, found.values, strict=True)
    return [np.where(rows, ladder.loss(rung)[values], 1.0) for ladder, rung, values in each]
