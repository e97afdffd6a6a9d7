"""Nothing appears, nothing disappears: each inventoried series ends in exactly one outcome.

    inventoried = released + excluded + quarantined + failed

The outcome of a series is found by walking the stages' series tables in order. The walk stops at the first stage that
did not pass the series on; a stage that has no row for a series it should have had lost it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from radcurate.governance.evidence import WALK, Evidence, Member, Step
from radcurate.tables import EXCLUDED, FAILED, OK, QUARANTINED, TEXT, Schema, table

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


@dataclass(frozen=True)
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
    """The outcome of every inventoried series, by pseudonym."""
    steps = {stage: {step.series: step for step in evidence.steps.get(stage, ())} for stage in WALK}
    members = {member.series: member for member in evidence.members}
    return [_walk(member, steps, evidence) for _, member in sorted(members.items())]


def _walk(member: Member, steps: Mapping[str, Mapping[str, Step]], evidence: Evidence) -> Outcome:
    if member.step.status != OK:
        return _unusable(member, steps["consent"].get(member.series))
    for stage in WALK:
        step = steps[stage].get(member.series)
        if step is None:
            return _end(member, stage, Step(member.series, LOST, "no_row"))
        if step.status != OK:
            return _end(member, stage, step)
        if stage == "consent" and member.series not in evidence.chosen:
            return _end(member, stage, Step(member.series, LOST, "not_in_its_chunk"))
    return Outcome(member.series, member.kind, member.modality, RELEASED, "release")


def _unusable(member: Member, consent: Step | None) -> Outcome:
    """A series that the inventory set aside. Consent judges it all the same: without permission it counts as excluded."""
    if consent is None:
        return _end(member, "consent", Step(member.series, LOST, "no_row"))
    return _end(
        member,
        "consent" if consent.status == EXCLUDED else "inventory",
        consent if consent.status == EXCLUDED else member.step,
    )


def _end(member: Member, stage: str, step: Step) -> Outcome:
    status = step.status if step.status in (*ENDS, LOST) else LOST
    return Outcome(member.series, member.kind, member.modality, status, stage, step.reason, step.remedy)


def leaks(evidence: Evidence, ends: Sequence[Outcome]) -> list[Leak]:
    """Everything that breaks the books for series, sorted."""
    found = [Leak("lost", end.stage, end.series) for end in ends if end.outcome == LOST]
    found += _doubles(evidence) + _intruders(evidence, ends) + _row_leaks(evidence, ends)
    return sorted(set(found), key=lambda leak: (leak.stage, leak.kind, leak.series))


def _doubles(evidence: Evidence) -> list[Leak]:
    tables = {"inventory": [member.series for member in evidence.members]}
    tables |= {stage: [step.series for step in evidence.steps.get(stage, ())] for stage in WALK}
    return [
        Leak("double", stage, series)
        for stage, names in tables.items()
        for series, n in Counter(names).items()
        if n > 1
    ]


def _intruders(evidence: Evidence, ends: Sequence[Outcome]) -> list[Leak]:
    """Series that a stage knows though no earlier one passed them on."""
    by_series = {end.series: end for end in ends}
    order = {stage: place for place, stage in enumerate(("inventory", *WALK, "release"))}
    found = []
    for stage in WALK:
        for step in evidence.steps.get(stage, ()):
            end = by_series.get(step.series)
            if end is None:
                found.append(Leak("stranger", stage, step.series))
            elif step.status == OK and end.outcome not in (RELEASED, LOST) and order[stage] > order[end.stage]:
                found.append(Leak("revived", stage, step.series))
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
    alive = {end.series for end in ends if end.outcome == RELEASED}
    for member in evidence.members:
        if member.series in alive:
            found += [
                Leak("files", stage, member.series)
                for stage, numbers in evidence.files.items()
                if numbers.get(member.series) != member.files
            ]
    return found


def tally(ends: Sequence[Outcome]) -> list[Tally]:
    """Counts by outcome, stage and reason, largest outcome class first in the order of `ENDS`."""
    counts = Counter((end.outcome, end.stage, end.reason) for end in ends)
    place = {name: number for number, name in enumerate((*ENDS, LOST))}
    ordered = sorted(counts.items(), key=lambda item: (place[item[0][0]], item[0][1], item[0][2] or ""))
    return [Tally(outcome, stage, reason, number) for (outcome, stage, reason), number in ordered]


def outcomes_table(ends: Sequence[Outcome]) -> pa.Table:
    """`OUTCOMES` as an Arrow table, sorted by series."""
    return table(OUTCOMES, [vars(end) for end in ends])
