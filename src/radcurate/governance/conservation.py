"""Nothing appears, nothing disappears: each inventoried series ends in exactly one outcome.

    inventoried = released + excluded + quarantined + failed

The outcome of a series is found by walking the stages' series tables in order. The walk stops at the first stage that
did not pass the series on; a stage that has no row for a series it should have had lost it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.governance.evidence import WALK, Evidence
from radcurate.governance.series_rows import (
    STEP,
    last_place,
    member_table,
    number_of,
    place_in,
    step_table,
)
from radcurate.tables import EXCLUDED, FAILED, OK, QUARANTINED, TEXT, Schema, sort
from radcurate.tables.stored import texts

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]
RELEASED, LOST = "released", "lost"
ENDS = (RELEASED, EXCLUDED, QUARANTINED, FAILED)

OUTCOMES = Schema(
    "outcomes",
    [
        ("series", TEXT),  # pseudonym, S-…
        ("kind", TEXT),
        ("modality", TEXT),
        ("outcome", TEXT),  # released | excluded | quarantined | failed | lost
        ("stage", TEXT),  # where it was decided
        ("reason", TEXT),  # null when released
        ("remedy", TEXT),
    ],
    ("series",),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one series."""

    series: str
    kind: str
    modality: str
    outcome: str
    stage: str
    reason: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Leak:
    """A series or file that the books don't account for."""

    kind: str  # lost | double | stranger | revived | status | files | no_rows | rows
    stage: str
    series: str


@dataclass(frozen=True)
class Tally:
    """How many series ended one way, at one stage, for one reason."""

    outcome: str
    stage: str
    reason: str | None
    series: int


def outcomes(evidence: Evidence) -> list[Outcome]:
    """The outcome of every inventoried series, by pseudonym; of a series that is listed twice the last row counts."""
    found = member_table(evidence.members)
    names = pc.unique(found["series"]).sort()
    members = found.take(pa.array(last_place(found["series"].combine_chunks(), names)))
    return _Walk(names, members, evidence).ends()


class _Walk:
    """All series walk through the stages together; what ended somewhere stays there.

    Attributes of a series, shape (series,): `outcome`, `stage`, `reason`, `remedy`, and whether it is `open` still.
    """

    def __init__(self, names: pa.Array, members: pa.Table, evidence: Evidence) -> None:
        self.names, self.members, self.evidence = names, members, evidence
        number = len(names)
        self.outcome, self.stage = np.full(number, RELEASED, object), np.full(number, "release", object)
        self.reason, self.remedy = np.full(number, None, object), np.full(number, None, object)
        self.own = {name: np.array([*texts(members[name]), None], object)[:-1] for name in STEP[1:]}
        self.open = self.own["status"] == OK

    def ends(self) -> list[Outcome]:
        """The outcome of each series."""
        unusable = np.flatnonzero(~self.open)
        for stage in WALK:
            self._pass(stage, unusable if stage == "consent" else None)
        kinds = (texts(self.members[name]) for name in ("kind", "modality"))
        columns = (self.outcome, self.stage, self.reason, self.remedy)
        return list(map(Outcome, texts(self.members["series"]), *kinds, *(column.tolist() for column in columns)))

    def _pass(self, stage: str, unusable: Ints | None) -> None:
        """Let the open series pass a stage; consent sees those that the inventory set aside, too."""
        steps = step_table(self.evidence.steps.get(stage, ()))
        row = last_place(steps["series"].combine_chunks(), self.names)
        told = {name: np.array([*texts(steps[name]), None], object)[row] for name in STEP[1:]}
        if unusable is not None:
            self._end_unusable(unusable, row, told)
        self._lose(stage, self.open & (row < 0), "no_row")
        self._end(stage, np.flatnonzero(self.open & (told["status"] != OK)), told)
        if stage == "consent":
            chosen = place_in(self.names, _array(self.evidence.chosen)) >= 0
            self._lose(stage, self.open & ~chosen, "not_in_its_chunk")

    def _end_unusable(self, unusable: Ints, row: Ints, told: Mapping[str, Words]) -> None:
        """Consent judges what the inventory set aside all the same: without permission it counts as excluded."""
        missing = row[unusable] < 0
        excluded = ~missing & (told["status"][unusable] == EXCLUDED)
        self._lose("consent", unusable[missing], "no_row")
        self._end("consent", unusable[excluded], told)
        self._end("inventory", unusable[~missing & ~excluded], self.own)

    def _lose(self, stage: str, which: Ints | Flags, why: str) -> None:
        self.outcome[which], self.stage[which], self.reason[which] = LOST, stage, why
        self.open[which] = False

    def _end(self, stage: str, which: Ints, told: Mapping[str, Words]) -> None:
        status = told["status"][which]
        self.outcome[which] = np.where(np.isin(status.astype(str), (*ENDS, LOST)), status, LOST)
        self.stage[which], self.reason[which], self.remedy[which] = stage, told["reason"][which], told["remedy"][which]
        self.open[which] = False


def _array(names: Collection[str]) -> pa.Array:
    return names if isinstance(names, pa.Array) else pa.array(sorted(names), pa.string())


def leaks(evidence: Evidence, ends: Sequence[Outcome]) -> list[Leak]:
    """Everything that breaks the books for series, sorted."""
    found = [Leak("lost", end.stage, end.series) for end in ends if end.outcome == LOST]
    found += _doubles(evidence) + _intruders(evidence, ends) + _row_leaks(evidence, ends)
    return sorted(set(found), key=lambda leak: (leak.stage, leak.kind, leak.series))


def _doubles(evidence: Evidence) -> list[Leak]:
    stages = {stage: step_table(evidence.steps.get(stage, ()))["series"] for stage in WALK}
    return [
        Leak("double", stage, str(series))
        for stage, names in {"inventory": member_table(evidence.members)["series"], **stages}.items()
        for series in _twice(names)
    ]


def _twice(names: pa.ChunkedArray) -> list[Any]:
    counts = pc.value_counts(names)
    return list(counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist())


def _intruders(evidence: Evidence, ends: Sequence[Outcome]) -> list[Leak]:
    """Series that a stage knows though no earlier one passed them on."""
    order = {stage: place for place, stage in enumerate(("inventory", *WALK, "release"))}
    names = pa.array([end.series for end in ends], pa.string())
    ended = np.array([order[end.stage] for end in ends] + [len(order)])
    settled = np.array([end.outcome not in (RELEASED, LOST) for end in ends] + [False])
    found = []
    for stage in WALK:
        steps = step_table(evidence.steps.get(stage, ()))
        place = place_in(steps["series"], names)
        passed = pc.fill_null(pc.equal(steps["status"], OK), False).to_numpy()
        revived = (place >= 0) & passed & settled[place] & (order[stage] > ended[place])
        for kind, which in (("stranger", place < 0), ("revived", revived)):
            rows = pa.array(np.flatnonzero(which))
            found += [Leak(kind, stage, str(series)) for series in steps["series"].take(rows).to_pylist()]
    return found


def _row_leaks(evidence: Evidence, ends: Sequence[Outcome]) -> list[Leak]:
    """Rows of the release come from released series only, and each released series has one."""
    released = {end.series for end in ends if end.outcome == RELEASED}
    found = [Leak("rows", "protect", series) for series, n in evidence.rows_of.items() if n and series not in released]
    return found + [Leak("no_rows", "protect", series) for series in released if not evidence.rows_of.get(series)]


def file_leaks(evidence: Evidence, ends: Sequence[Outcome]) -> list[Leak]:
    """Files that were found but neither belong to a series nor were set aside, or that a stage dropped from a series."""
    found = []
    counted = evidence.found
    if counted.found != counted.placed + sum(counted.set_aside.values()):
        found.append(Leak("files", "inventory", ""))
    if evidence.reported is not None and evidence.reported != counted:
        found.append(Leak("files", "consent", ""))
    members = member_table(evidence.members)
    released = pa.array([end.series for end in ends if end.outcome == RELEASED], pa.string())
    members = members.filter(pc.is_in(members["series"], value_set=released))
    names = members["series"].combine_chunks()
    wanted = members["files"].to_numpy()
    for stage, numbers in evidence.files.items():
        wrong = pa.array(np.flatnonzero(number_of(numbers, names) != wanted))
        found += [Leak("files", stage, str(series)) for series in names.take(wrong).to_pylist()]
    return found


def tally(ends: Sequence[Outcome]) -> list[Tally]:
    """Counts by outcome, stage and reason, largest outcome class first in the order of `ENDS`."""
    counts = Counter((end.outcome, end.stage, end.reason) for end in ends)
    place = {name: number for number, name in enumerate((*ENDS, LOST))}
    ordered = sorted(counts.items(), key=lambda item: (place[item[0][0]], item[0][1], item[0][2] or ""))
    return [Tally(outcome, stage, reason, number) for (outcome, stage, reason), number in ordered]


def outcomes_table(ends: Sequence[Outcome]) -> pa.Table:
    """`OUTCOMES` as an Arrow table, sorted by series."""
    columns = {name: pa.array([getattr(end, name) for end in ends], kind) for name, kind in OUTCOMES.columns}
    return sort(OUTCOMES, pa.table(columns, schema=OUTCOMES.arrow))
