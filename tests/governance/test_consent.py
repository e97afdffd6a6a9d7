"""Permission by model, purpose and day; each way to be refused has a planted case."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.errors import CurationError
from radcurate.governance.consent import (
    CONDITIONS,
    REMEDIES,
    Invalid,
    check_waiver,
    newest_date,
    parse_rows,
    permissions,
    uses_waiver,
)

DAY = date(2024, 6, 1)


def row(**changes: str) -> dict[str, str]:
    plain = {"patient": "P1", "model": "dynamic", "purposes": "research;teaching", "recontact": "yes", "withdrawn": ""}
    return {**plain, "date": "2024-01-01", "governance": "", **changes}


def judged(*rows: dict[str, str], purpose: str = "research", on: date = DAY) -> str | None:
    return permissions(["P1"], parse_rows(rows), purpose, on)["P1"]


PERMITTED = {
    "dynamic": [row()],
    "broad with a governance body": [row(model="broad", governance="Board 7")],
    "waiver": [row(model="waiver")],
    "blanks and case": [row(patient=" P1 ", model="Dynamic ", purposes=" Teaching ; RESEARCH ")],
    "given again after a withdrawal": [row(withdrawn="2024-02-01"), row(date="2024-03-01")],
    "the same row twice": [row(), row()],
    "an older refusal": [row(purposes="teaching"), row(date="2024-02-01")],
    "a future change": [row(), row(date="2025-01-01", purposes="teaching")],
    "a day with a time": [row(date="2024-01-01T10:00:00")],
    "no word on contact": [row(recontact="")],
}


@pytest.mark.parametrize("case", PERMITTED)
def test_what_permits(case: str) -> None:
    assert judged(*PERMITTED[case]) is None


REFUSED = {
    "no_record": [row(patient="P2")],
    "withdrawn": [row(withdrawn="2024-02-01")],
    "withdrawn on the day it was given": [row(withdrawn="2024-01-01")],
    "withdrawn in an older row": [row(withdrawn="2024-05-01"), row(date="2024-02-01")],
    "withdrawn after the day of judgement": [row(withdrawn="2024-12-01")],
    "withdrawn in one of two rows of a day": [row(), row(withdrawn="2024-02-01")],
    "withdrawn and another row is invalid": [row(withdrawn="2024-02-01"), row(model="x", date="2023-01-01")],
    "other_purpose": [row(purposes="teaching")],
    "other_purpose in the newest row": [row(), row(date="2024-02-01", purposes="teaching")],
    "not_yet_given": [row(date="2025-01-01")],
    "no_governance": [row(model="broad")],
    "contradictory_rows": [row(), row(purposes="research")],
    "invalid_row model": [row(model="verbal")],
    "invalid_row purposes": [row(purposes=" ; ")],
    "invalid_row date": [row(date="1.2.2024")],
    "invalid_row day": [row(date="2024-02-31")],
    "invalid_row no date": [row(date="")],
    "invalid_row withdrawn": [row(withdrawn="yes")],
    "invalid_row recontact": [row(recontact="perhaps")],
    "invalid_row beside a valid one": [row(), row(model="", date="2024-02-01")],
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_refuses(case: str) -> None:
    reason = judged(*REFUSED[case])
    assert reason == case.split()[0]
    assert reason in REMEDIES


def test_giving_and_taking_back_changes_exactly_that_patient() -> None:
    before = [row(), row(patient="P2")]
    after = [*before, row(patient="P2", date="2024-04-01", purposes="teaching")]
    first, second = (permissions(["P1", "P2"], parse_rows(rows), "research", DAY) for rows in (before, after))
    assert first == {"P1": None, "P2": None}
    assert second == {"P1": None, "P2": "other_purpose"}
    assert permissions(["P1", "P2"], parse_rows(after), "research", date(2024, 3, 1)) == first


@given(st.permutations(range(4)))
def test_the_order_of_rows_plays_no_part(order: list[int]) -> None:
    history = [row(purposes="teaching"), row(date="2024-02-01"), row(date="2024-02-01"), row(date="2026-01-01")]
    assert judged(*(history[k] for k in order)) is None


@given(st.dictionaries(st.sampled_from(list(row())), st.text(max_size=8)))
def test_no_cell_breaks_the_judgement(changes: dict[str, str]) -> None:
    reason = judged(row(**changes))
    assert reason is None or reason in REMEDIES


def test_rows_are_told_by_number_and_column() -> None:
    (invalid,) = (r for r in parse_rows([row(), row(model="x", date="y")]) if isinstance(r, Invalid))
    assert (invalid.row, invalid.why) == (2, "model, date")


def test_the_newest_day_includes_withdrawals() -> None:
    assert newest_date(parse_rows([row(), row(withdrawn="2024-05-05")])) == date(2024, 5, 5)
    assert newest_date(parse_rows([row(date="")])) is None


def test_a_waiver_is_looked_for_only_where_it_counts() -> None:
    records = parse_rows([row(model="waiver"), row(date="2024-02-01"), row(patient="P2", model="waiver")])
    assert not uses_waiver(["P1"], records, DAY)
    assert uses_waiver(["P1"], records, date(2024, 1, 15))
    assert uses_waiver(["P2"], records, DAY)
    assert not uses_waiver(["P3"], records, DAY)


def waiver(**changes: Any) -> dict[str, Any]:
    held = {name: {"holds": True, "because": "said so in the minutes"} for name in CONDITIONS}
    return {"irb_reference": "EK 1/2024", "conditions": {**held, **changes}}


def test_a_complete_waiver_holds() -> None:
    check_waiver(waiver())


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize(
    "condition",
    [
        None,
        {},
        {"holds": False, "because": "no"},
        {"holds": True, "because": " "},
        {"holds": "yes", "because": "x"},
        True,
    ],
)
def test_one_condition_short_and_the_waiver_does_not_hold(name: str, condition: Any) -> None:
    with pytest.raises(CurationError, match="waiver of consent does not hold") as error:
        check_waiver(waiver(**{name: condition}))
    assert f"conditions.{name}" in error.value.found


@pytest.mark.parametrize("content", [None, [], "text", {}, {"irb_reference": "x", "conditions": []}])
def test_a_file_that_is_no_waiver_does_not_hold(content: object) -> None:
    with pytest.raises(CurationError, match="waiver of consent does not hold"):
        check_waiver(content)


@pytest.mark.parametrize("reference", [None, "", " ", True])
def test_a_waiver_needs_the_board_s_reference(reference: object) -> None:
    with pytest.raises(CurationError) as error:
        check_waiver({**waiver(), "irb_reference": reference})
    assert error.value.found.endswith("irb_reference")
