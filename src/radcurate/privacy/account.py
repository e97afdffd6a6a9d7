"""What protection did to features and what it cost, once the released values are there: the rest of measures.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radcurate.privacy import report, utility
from radcurate.privacy.choice import Choice, Method, reachable
from radcurate.privacy.coding import Ints, Reals
from radcurate.privacy.columns import Columns
from radcurate.privacy.protect import Protected
from radcurate.privacy.report import Group
from radcurate.privacy.search import Targets
from radcurate.privacy.values import Values
from radcurate.privacy.vectors import Treatment


@dataclass(frozen=True)
class Asked:
    """What `protect` is asked for; see there."""

    columns: Columns
    targets: Targets
    treatment: Treatment
    method: Method


@dataclass(frozen=True)
class Released:
    """Features of the released rows, in the order of the release.

    Attributes:
        before, after: as measured, and as released; the same object where nothing is done to them.
        modality: column of modalities, shape (row,).
        group: of each patient, shape (subject,), see `vectors.Treated`.
        source: columns of both tables as measured.
        names: columns of both tables as released.
    """

    before: Values
    after: Values
    modality: Any
    group: Ints
    source: Sequence[str]
    names: Sequence[str]


@dataclass(frozen=True)
class Account:
    """What protection cost.

    Attributes:
        groups: what each group of each quasi-identifier paid; names rare groups, so not to share.
        distortion: for each feature and modality how far it was moved.
        document: measures.json; holds no value of a patient.
    """

    groups: list[Group]
    distortion: list[dict[str, Any]]
    document: dict[str, Any]


def account(made: Protected, values: Released, asked: Asked) -> Account:
    """Everything that is told about a protected cohort."""
    columns, targets, treatment = asked.columns, asked.targets, asked.treatment
    found, choice = made.found, made.choice
    apart = utility.distortion_of_rows(values.before, values.after, made.owners.kind)
    groups = report.by_group(found, choice, _spread(choice, made.place, apart))
    moved = utility.distortions(values.before, values.after, values.modality, made.owners.subject, treatment, targets.k)
    document = {
        "method": asked.method,
        "before": made.before,
        "after": made.after.document() | made.sizes,
        "structure": made.structure.document(),
        **report.outcome(targets, made.after, choice),
        "reachable": reachable(found, choice, targets.c).document(),
        **report.losses(found, choice),
        "suppression_gap": report.gaps(groups),
        "features": report.features(treatment, values.group, made.chosen, found, choice),
        "utility": {"distortion": utility.summary(moved)},
        **report.columns_of(columns, values.source, values.names),
        "sensitive": columns.named("sensitive"),
    }
    return Account(groups, moved, document)


def _spread(choice: Choice, place: Ints, values: Reals) -> Reals:
    """Values of the released rows in the places that these have among all rows, shape (row,); NaN elsewhere."""
    out = np.full(choice.rows.size, np.nan)
    out[place] = values
    return out
