"""The parts of `measures.json` that are no risks: demands, levels, losses, who was suppressed, which columns go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radcurate.privacy.coding import Ints
from radcurate.privacy.columns import Columns
from radcurate.privacy.diversity import TOLERANCE as ROUNDING
from radcurate.privacy.hierarchies import Ladder
from radcurate.privacy.measures import TOLERANCE, Flags, Risk
from radcurate.privacy.rows import Pair
from radcurate.privacy.search import Board, Cohort, Solution, Targets


def outcome(
    targets: Targets, after: Risk, suppressed: int, n_rows: int, released_rows: int, solution: Solution
) -> dict[str, Any]:
    """Demands, and whether what is released keeps them."""
    n_subjects = after.n_subjects + suppressed
    reasons = unmet(targets, after, solution.within_budget)
    return {
        "required": {"k": targets.k, "l": targets.l, "t": targets.t, "suppression": targets.suppression},
        "holds": not reasons,
        "unmet": reasons,
        "n_subjects": n_subjects,
        "n_rows": n_rows,
        "released_subjects": after.n_subjects,
        "released_rows": released_rows,
        "suppressed_subjects": suppressed,
        "suppressed_share": suppressed / n_subjects if n_subjects else 0.0,
        "suppressed_rows": n_rows - released_rows,
        "ncp": solution.loss,
        "nodes_visited": solution.visited,
    }


def unmet(targets: Targets, after: Risk, within_budget: bool) -> list[str]:
    """Names of the demands that don't hold; an empty release keeps none."""
    found = [] if within_budget else ["suppression"]
    if after.n_subjects == 0:
        return [*found, "nobody_left"]
    if after.k < targets.k:
        found.append("k")
    if after.l is not None and after.l < targets.l:
        found.append("l")
    if after.l_entropy is not None and after.l_entropy < targets.l_entropy - ROUNDING:
        found.append("l_entropy")
    if after.l_recursive is not None and after.l_recursive < targets.l_recursive:
        found.append("l_recursive")
    if after.t is not None and after.t > targets.t + TOLERANCE:
        found.append("t")
    if after.t_ordered is not None and after.t_ordered > targets.t_ordered + TOLERANCE:
        found.append("t_ordered")
    return found


def losses(ladders: Sequence[Ladder], solution: Solution, board: Board) -> dict[str, Any]:
    """Chosen level and loss of each quasi-identifier; suppressed rows count 1."""
    lost = np.where(solution.kept, 0.0, board.rows_of)
    each = {
        ladder.column: float((np.where(solution.kept, penalty[rung], 0.0) + lost).sum() / board.n_rows)
        for ladder, rung, penalty in zip(ladders, solution.node, board.penalty, strict=True)
    }
    return {
        "levels": {ladder.column: ladder.names[rung] for ladder, rung in zip(ladders, solution.node, strict=True)},
        "utility_loss": each,
    }


@dataclass(frozen=True)
class Group:
    """Patients that share a value of a quasi-identifier at its last level before `*`."""

    column: str
    value: str | None
    subjects: int
    suppressed: int


def by_group(cohort: Cohort, kept: Flags) -> list[Group]:
    """Patients and suppressed patients of each group; a patient counts in every group that a row of it falls in."""
    return [
        _group(ladder, label, codes, cohort.subject, kept)
        for ladder, codes in zip(cohort.ladders, cohort.values, strict=True)
        for label in sorted(set(ladder.labels[-2]), key=lambda label: (label is None, label))
    ]


def _group(ladder: Ladder, label: str | None, codes: Ints, subject: Ints, kept: Flags) -> Group:
    inside = np.array([own == label for own in ladder.labels[-2]], dtype=bool)
    people = np.unique(subject[inside[codes]])
    return Group(ladder.column, label, int(people.size), int((~kept[people]).sum()))


def gaps(groups: Sequence[Group]) -> dict[str, float]:
    """For each quasi-identifier the largest less the smallest share of suppressed patients among its groups."""
    shares: dict[str, list[float]] = {}
    for group in groups:
        shares.setdefault(group.column, []).append(group.suppressed / group.subjects)
    return {column: max(found) - min(found) for column, found in shares.items()}


def columns_of(columns: Columns, source: Pair, released: Pair) -> dict[str, Any]:
    """What goes out, with role and reason, and what is dropped."""
    names = list(dict.fromkeys([*released.features.column_names, *released.acquisition.column_names]))
    found = list(dict.fromkeys([*source.features.column_names, *source.acquisition.column_names]))
    entries = {name: columns.find(name) for name in names}
    return {
        "released_columns": names,
        "dropped_columns": [name for name in found if name not in entries],
        "undeclared_columns": [name for name in found if columns.find(name) is None],
        "roles": {name: entry.role for name, entry in entries.items() if entry is not None},
        "reasons": {name: entry.reason for name, entry in entries.items() if entry is not None},
    }
