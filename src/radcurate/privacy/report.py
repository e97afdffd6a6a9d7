"""The parts of `measures.json` that are no risks: demands, levels, losses, who was suppressed, which columns go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.privacy.choice import Choice, Scene, labels, penalties, weights
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Ints, Reals, codes_of, combine
from radcurate.privacy.columns import Columns
from radcurate.privacy.diversity import TOLERANCE as ROUNDING
from radcurate.privacy.hierarchies import Ladder
from radcurate.privacy.measures import TOLERANCE, Flags, Risk
from radcurate.privacy.search import Targets
from radcurate.privacy.utility import mean_of, of_patients
from radcurate.privacy.vectors import Owners, Treatment


def outcome(targets: Targets, after: Risk, choice: Choice) -> dict[str, Any]:
    """Demands, and whether what is released keeps them."""
    n_subjects, suppressed = int(choice.kept.size), choice.suppressed
    n_rows, released = int(choice.rows.size), int(choice.rows.sum())
    reasons = unmet(targets, after, choice.within_budget)
    return {
        "required": asdict(targets),
        "holds": not reasons,
        "unmet": reasons,
        "n_subjects": n_subjects,
        "n_rows": n_rows,
        "released_subjects": after.n_subjects,
        "released_rows": released,
        "suppressed_subjects": suppressed,
        "suppressed_share": suppressed / n_subjects if n_subjects else 0.0,
        "suppressed_rows": n_rows - released,
        "ncp": choice.loss,
        "nodes_visited": choice.visited,
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


def losses(found: Scene, choice: Choice) -> dict[str, Any]:
    """Chosen level and loss of each quasi-identifier; rows that are not released count 1."""
    each = zip(found.ladders, penalties(found, choice), strict=True)
    return {
        "levels": dict(zip((ladder.column for ladder in found.ladders), choice.levels.names(found), strict=True)),
        "utility_loss": {ladder.column: float(lost.sum() / max(lost.size, 1)) for ladder, lost in each},
    }


@dataclass(frozen=True)
class Group:
    """Patients that share a value of a quasi-identifier at its last level before `*`, and what they paid.

    `loss`: mean over patients of what their rows lost in quasi-identifiers, 1 for who is suppressed. `distortion`: mean
    over the released patients of how far their features were moved, in standard deviations; None where none is released.
    """

    column: str
    value: str | None
    subjects: int
    suppressed: int
    loss: float
    distortion: float | None


def by_group(found: Scene, choice: Choice, moved: Reals) -> list[Group]:
    """What each group of patients paid; a patient counts in every group that a row of it falls in.

    `moved`, shape (row,): how far the features of each released row were moved, NaN for others.
    """
    lost = weights(found) @ np.array(penalties(found, choice)) if found.ladders else np.zeros(found.subject.size)
    each = of_patients(lost, found.subject, found.n_subjects)
    shift = of_patients(moved[choice.rows], found.subject[choice.rows], found.n_subjects)
    return [
        _group(ladder, label, codes, found.subject, choice.kept, each, shift)
        for ladder, codes in zip(found.ladders, found.values, strict=True)
        for label in sorted(set(ladder.labels[-2]), key=lambda label: (label is None, label))
    ]


def _group(
    ladder: Ladder, label: str | None, codes: Ints, subject: Ints, kept: Flags, lost: Reals, moved: Reals
) -> Group:
    inside = np.array([own == label for own in ladder.labels[-2]], dtype=bool)
    people = np.unique(subject[inside[codes]])
    return Group(
        column=ladder.column,
        value=label,
        subjects=int(people.size),
        suppressed=int((~kept[people]).sum()),
        loss=float(np.sort(lost[people]).mean()),
        distortion=mean_of(kept[people], moved[people]),
    )


def gaps(groups: Sequence[Group]) -> dict[str, float]:
    """For each quasi-identifier the largest less the smallest share of suppressed patients among its groups."""
    shares: dict[str, list[float]] = {}
    for group in groups:
        shares.setdefault(group.column, []).append(group.suppressed / group.subjects)
    return {column: max(found) - min(found) for column, found in shares.items()}


def columns_of(columns: Columns, source: Sequence[str], released: Sequence[str]) -> dict[str, Any]:
    """What goes out, with role and reason, and what of the names in `source` is dropped."""
    names = list(dict.fromkeys(released))
    found = list(dict.fromkeys(source))
    entries = {name: columns.find(name) for name in names}
    return {
        "released_columns": names,
        "dropped_columns": [name for name in found if name not in entries],
        "undeclared_columns": [name for name in found if columns.find(name) is None],
        "roles": {name: entry.role for name, entry in entries.items() if entry is not None},
        "reasons": {name: entry.reason for name, entry in entries.items() if entry is not None},
    }


def features(treatment: Treatment, group: Ints, whose: Owners, found: Scene, choice: Choice) -> dict[str, Any]:
    """What was done to feature vectors, and what of it an attacker meets.

    Args:
        group: of each released patient, shape (subject,).
        whose: the released rows, as the scene's rows are.
    """
    told: dict[str, Any] = {
        "method": "mdav" if treatment.k else "none",
        "k": treatment.k,
        "noise": treatment.noise,
        "changed": treatment.changes,
    }
    if not treatment.k:
        return told
    sizes = np.bincount(group)
    without = np.bincount(found.subject, weights=~choice.given_up, minlength=found.n_subjects) == 0
    pairs = np.unique(np.stack([whose.subject, whose.kind]), axis=1)
    return told | {
        "comparable": list(treatment.comparable),
        "groups": int(sizes.size),
        "smallest_group": int(sizes.min()) if sizes.size else 0,
        "largest_group": int(sizes.max(initial=0)),
        "suppressed_subjects": int(without.sum()),
        "suppressed_regions": int(choice.given_up.sum()),
        "merged_regions": int(whose.subject.size - pairs.shape[1]),
        "k_with_quasi_identifiers": _both(whose.subject, group, labels(found, choice)),
    }


def _both(owner: Ints, group: Ints, shown: Mapping[str, list[str | None]]) -> int:
    """Smallest crowd for somebody who knows a patient's quasi-identifiers and features."""
    cells = [codes_of(pa.array(texts, pa.string())) for texts in shown.values()]
    sizes = np.bincount(classes(owner, combine([*cells, group[owner]], owner.size)))
    return int(sizes.min()) if sizes.size else 0
