"""The parts of `measures.json` that are no risks: demands, levels, losses, who was suppressed, which columns go out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from radcurate.privacy.coding import Ints
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import Ladder
from radcurate.privacy.measures import TOLERANCE, Flags, Risk
from radcurate.privacy.rows import Pair
from radcurate.privacy.search import Board, Cohort, Solution, Targets

MISSING = "missing"


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
    if after.t is not None and after.t > targets.t + TOLERANCE:
        found.append("t")
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


def by_group(cohort: Cohort, kept: Flags) -> dict[str, dict[str, dict[str, float]]]:
    """Patients and suppressed patients in each group of each quasi-identifier, at its last level before `*`."""
    return {
        ladder.column: _groups(ladder, codes, cohort, kept)
        for ladder, codes in zip(cohort.ladders, cohort.values, strict=True)
    }


def _groups(ladder: Ladder, codes: Ints, cohort: Cohort, kept: Flags) -> dict[str, dict[str, float]]:
    labels = ladder.labels[-2]
    found: dict[str, dict[str, float]] = {}
    for label in sorted({label or "" for label in labels}):
        inside = np.array([(own or "") == label for own in labels], dtype=bool)
        people = np.unique(cohort.subject[inside[codes]])
        out = int((~kept[people]).sum())
        found[label or MISSING] = {
            "subjects": int(people.size),
            "suppressed": out,
            "share": out / people.size if people.size else 0.0,
        }
    return found


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
