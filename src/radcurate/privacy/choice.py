"""Which patients stay and what is told of them: the search over a cohort, and rows given up so that vectors can be shared.

Suppressing a patient can leave others with a set of kinds of regions that too few share; giving up these regions changes
what is shown of their quasi-identifiers. So search and giving up alternate until neither changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Coded, Flags, Ints, Reals, combine, renumber
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import ANY, Ladder
from radcurate.privacy.measures import TOLERANCE, Risk, risk
from radcurate.privacy.mondrian import Regions, mondrian
from radcurate.privacy.rows import Pair, ladders, subjects
from radcurate.privacy.search import Board, Cohort, Node, Targets, search
from radcurate.privacy.sensitive import ranks, sensitive
from radcurate.privacy.vectors import Treatment, kinds, shareable

Method = Literal["full_domain", "mondrian"]
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
        levels: rung of each quasi-identifier, or regions that show labels of their own.
        risk: of what is released.
        loss: mean of the weighted penalties; rows that are not released count 1.
        within_budget: not more patients are suppressed than may be.
        visited: nodes that the search looked at; 0 for regions.
    """

    rows: Flags
    kept: Flags
    given_up: Flags
    levels: Levels | Parts
    risk: Risk
    loss: float
    within_budget: bool
    visited: int

    @property
    def suppressed(self) -> int:
        """Patients that are left out."""
        return int((~self.kept).sum())


@dataclass(frozen=True)
class Levels:
    """One rung for each quasi-identifier, for all rows."""

    node: Node

    def told(self, found: Scene) -> list[bool]:
        """Quasi-identifiers that show more than `*`."""
        return [rung < len(ladder.names) - 1 for ladder, rung in zip(found.ladders, self.node, strict=True)]

    def names(self, found: Scene) -> list[str]:
        """Name of the level of each quasi-identifier."""
        return [ladder.names[rung] for ladder, rung in zip(found.ladders, self.node, strict=True)]

    def labels(self, found: Scene, place: int) -> Labels:
        """Label of each row in a quasi-identifier, shape (row,)."""
        return np.array(found.ladders[place].labels[self.node[place]], dtype=object)[found.values[place]]

    def penalty(self, found: Scene, place: int) -> Reals:
        """What each row lost in a quasi-identifier, shape (row,)."""
        return found.ladders[place].loss(self.node[place])[found.values[place]]


@dataclass(frozen=True)
class Parts:
    """Regions of patients; `region`, shape (subject,), of the scene, any number for who is in none."""

    region: Ints
    regions: Regions

    def told(self, found: Scene) -> list[bool]:
        """Quasi-identifiers that show more than `*` to anybody."""
        return [any(label != ANY for label in each.texts) for each in self.regions.shown]

    def names(self, found: Scene) -> list[str]:
        """Every region has labels of its own."""
        return ["by region" if told else ANY for told in self.told(found)]

    def labels(self, found: Scene, place: int) -> Labels:
        """Label of each row in a quasi-identifier, shape (row,)."""
        return np.asarray(self._of_rows(found, self.regions.labels[place]), dtype=object)

    def penalty(self, found: Scene, place: int) -> Reals:
        """What each row lost in a quasi-identifier, shape (row,)."""
        return np.asarray(self._of_rows(found, self.regions.penalty[place]), dtype=np.float64)

    def _of_rows(self, found: Scene, values: Any) -> Any:
        if not values.size:  # nobody is in a region
            return np.full(found.subject.size, None)
        return values[self.region[found.subject]]


def choose(found: Scene, targets: Targets, treatment: Treatment, method: Method = "full_domain") -> Choice:
    """Search, give up rows whose vector can't be shared, and search again until nothing more has to go."""
    offered = shareable(found.subject, found.kind, treatment)
    while True:
        cohort, people = found.cohort(offered)
        part = METHODS[method](cohort, _budget(targets, found.n_subjects, people.size), people, found.n_subjects)
        kept = np.zeros(found.n_subjects, dtype=bool)
        kept[people] = part.kept
        rows = offered & kept[found.subject]
        shared = shareable(found.subject[rows], found.kind[rows], treatment)
        if shared.all():
            break
        offered = offered.copy()
        offered[rows] = shared
    lost = int((~offered).sum())
    suppressed = int((~kept).sum())
    inside = {name: column.at(part.kept) for name, column in cohort.sensitive.items()}
    return Choice(
        rows=rows,
        kept=kept,
        given_up=~offered,
        levels=part.levels,
        risk=risk(renumber(part.group[part.kept])[0], inside, suppressed, targets.c),
        loss=(part.loss * (rows.size - lost) + lost) / max(rows.size, 1) if lost else part.loss,
        within_budget=suppressed <= targets.suppression * kept.size + TOLERANCE,
        visited=part.visited,
    )


@dataclass(frozen=True)
class _Part:
    """What a method made of a cohort; `kept` and `group` (class), shape (subject,), of the cohort."""

    kept: Flags
    group: Ints
    levels: Levels | Parts
    loss: float
    within_budget: bool
    visited: int


def _by_levels(cohort: Cohort, targets: Targets, _people: Ints, _everybody: int) -> _Part:
    board = Board(cohort)
    made = search(board, targets)
    levels = Levels(made.node)
    return _Part(made.kept, board.groups(made.node), levels, made.loss, made.within_budget, made.visited)


def _by_regions(cohort: Cohort, targets: Targets, people: Ints, everybody: int) -> _Part:
    made = mondrian(cohort, targets)
    region = np.zeros(everybody, dtype=np.int64)
    region[people] = np.maximum(made.region, 0)
    alike = combine([each.code for each in made.shown], int(made.region.max(initial=-1)) + 1)
    group = alike[made.region] if alike.size else np.zeros(made.region.size, dtype=np.int64)
    return _Part(made.kept, group, Parts(region, made), made.loss, made.within_budget, 0)


METHODS: dict[Method, Callable[[Cohort, Targets, Ints, int], _Part]] = {
    "full_domain": _by_levels,
    "mondrian": _by_regions,
}


def reachable(found: Scene, choice: Choice, c: float) -> Risk:
    """Risk at the coarsest levels without suppression: no k or l above it can be reached."""
    cohort, _ = found.cohort(~choice.given_up)
    cells = [ladder.groups(ladder.most)[codes] for ladder, codes in zip(cohort.ladders, cohort.values, strict=True)]
    return risk(classes(cohort.subject, combine(cells, cohort.subject.size)), cohort.sensitive, c=c)


def _budget(targets: Targets, everybody: int, left: int) -> Targets:
    """The same targets, with the share of those `left` that may still be suppressed."""
    if everybody == left or not left:
        return targets
    return replace(targets, suppression=(targets.suppression * everybody - (everybody - left)) / left)


def labels(found: Scene, choice: Choice) -> dict[str, list[str | None]]:
    """For each quasi-identifier its label in each released row."""
    return {
        ladder.column: choice.levels.labels(found, place)[choice.rows].tolist()
        for place, ladder in enumerate(found.ladders)
    }


def penalties(found: Scene, choice: Choice) -> list[Reals]:
    """For each quasi-identifier what each row lost, shape (row,), in [0, 1]; 1 where the row is not released."""
    lost = [np.ones(choice.rows.size) for _ in found.ladders]
    for place, each in enumerate(lost):
        each[choice.rows] = choice.levels.penalty(found, place)[choice.rows]
    return lost


def weights(found: Scene) -> Reals:
    """Share of each quasi-identifier in the loss, shape (quasi-identifier,)."""
    each = np.array([ladder.weight for ladder in found.ladders])
    return each / each.sum() if each.size else each
