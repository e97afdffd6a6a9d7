"""Each series has one outcome: laws over made-up walks, and every kind of leak."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.governance.conservation import ENDS, file_leaks, leaks, outcomes, outcomes_table, tally
from radcurate.governance.evidence import WALK, Evidence, Files, Member, Step

STATUSES = ("ok", "excluded", "quarantined", "failed")


def evidence_of(ends: list[tuple[str, str]]) -> Evidence:
    """A run in which series number n ends at stage ends[n][0] with status ends[n][1] (`release`: nowhere before)."""
    members, steps, files = [], {stage: [] for stage in WALK}, {"deidentify": {}}
    chosen, rows_of = set(), {}
    for number, (stage, status) in enumerate(ends):
        name = f"S-{number:04d}"
        at_inventory = Step(name, status, "why") if stage == "inventory" else Step(name, "ok")
        members.append(Member(name, "P-1", "image", "CT", 3, at_inventory))
        for place in WALK:
            if place == stage:
                steps[place].append(Step(name, status, "why"))
                break
            steps[place].append(Step(name, "ok") if stage != "inventory" else Step(name, status, "why"))
            if stage == "inventory":
                break
        if stage not in ("inventory", "consent"):
            chosen.add(name)
            files["deidentify"][name] = 3
        if stage == "release":
            rows_of[name] = 1
    found = Files(3 * len(ends) + 1, 3 * len(ends), {"not_dicom": 1})
    empty = pa.table({})
    return Evidence(
        tuple(members), frozenset(chosen), found, found, {k: tuple(v) for k, v in steps.items()}, files, 0, {}, {}, {}, empty, empty,
        (), {}, (), {}, rows_of, "expert_determination", "shift",
    )  # fmt: skip


ENDINGS = st.one_of(
    st.tuples(st.sampled_from(("inventory", *WALK)), st.sampled_from(STATUSES[1:])), st.just(("release", "ok"))
)


@settings(deadline=None)
@given(st.lists(ENDINGS, max_size=30))
def test_inventoried_is_the_sum_of_outcomes(ends):
    evidence = evidence_of(ends)
    found = outcomes(evidence)
    assert not leaks(evidence, found)
    assert not file_leaks(evidence, found)
    counts = {outcome: sum(t.series for t in tally(found) if t.outcome == outcome) for outcome in ENDS}
    assert sum(counts.values()) == len(ends)
    assert counts["released"] == sum(stage == "release" for stage, _ in ends)
    assert outcomes_table(found).num_rows == len(ends)


@settings(deadline=None)
@given(st.lists(ENDINGS, min_size=1, max_size=12), st.sampled_from(WALK), st.data())
def test_a_row_that_any_stage_drops_is_noticed(ends, stage, data):
    evidence = evidence_of(ends)
    there = evidence.steps[stage]
    if not there:
        return
    gone = data.draw(st.sampled_from(there))
    broken = replace(evidence, steps={**evidence.steps, stage: tuple(step for step in there if step is not gone)})
    assert leaks(broken, outcomes(broken))


START = [("release", "ok"), ("deface", "quarantined"), ("consent", "excluded"), ("inventory", "quarantined")]


def kinds(evidence):
    return {(leak.kind, leak.stage) for leak in leaks(evidence, outcomes(evidence))}


def with_step(evidence, stage, step):
    return replace(evidence, steps={**evidence.steps, stage: (*evidence.steps[stage], step)})


def test_without_permission_counts_as_excluded_whatever_the_inventory_said():
    evidence = evidence_of([("inventory", "quarantined")])
    evidence = replace(evidence, steps={**evidence.steps, "consent": (Step("S-0000", "excluded", "other_purpose"),)})
    (end,) = outcomes(evidence)
    assert (end.outcome, end.stage, end.reason) == ("excluded", "consent", "other_purpose")


def test_a_series_that_a_stage_invents():
    assert ("stranger", "extract") in kinds(with_step(evidence_of(START), "extract", Step("S-9999", "ok")))


def test_a_series_that_comes_back():
    assert ("revived", "verify") in kinds(with_step(evidence_of(START), "verify", Step("S-0001", "ok")))


def test_a_series_that_stays_out_may_be_told_again():
    assert not kinds(with_step(evidence_of(START), "verify", Step("S-0001", "quarantined", "why")))


@pytest.mark.parametrize("stage", WALK)
def test_a_series_twice(stage):
    assert ("double", stage) in kinds(with_step(evidence_of(START), stage, Step("S-0000", "ok")))


def test_a_series_twice_in_the_inventory():
    evidence = evidence_of(START)
    assert ("double", "inventory") in kinds(replace(evidence, members=(*evidence.members, evidence.members[0])))


def test_an_unknown_status_is_a_loss():
    evidence = evidence_of([("deface", "mislaid")])
    assert ("lost", "deface") in kinds(evidence)


def test_a_permitted_series_that_its_chunk_lacks():
    assert ("lost", "consent") in kinds(replace(evidence_of(START), chosen=frozenset()))


def test_rows_of_a_series_that_was_not_released():
    assert ("rows", "protect") in kinds(replace(evidence_of(START), rows_of={"S-0000": 1, "S-0001": 1}))


def test_a_released_series_without_a_row():
    assert ("no_rows", "protect") in kinds(replace(evidence_of(START), rows_of={}))


def test_a_dropped_file():
    evidence = evidence_of(START)
    ends = outcomes(evidence)
    assert file_leaks(replace(evidence, files={"deidentify": {"S-0000": 2}}), ends)
    assert file_leaks(replace(evidence, found=replace(evidence.found, found=99)), ends)
    assert file_leaks(replace(evidence, reported=Files(1, 1, {})), ends)
