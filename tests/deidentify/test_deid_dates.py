"""The date rule: intervals survive, dates don't."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.deidentify.age import age_text, years_between, years_of
from radcurate.deidentify.dates import DateRule, date_rule, parse_date
from radcurate.keys import Key

DAYS = st.dates(date(1940, 1, 1), date(2060, 1, 1))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 520), st.text(max_size=20))
def test_the_shift_is_whole_weeks_within_the_limit_and_never_zero(secret: bytes, weeks: int, subject: str) -> None:
    rule = date_rule(Key(secret), subject, "shift", weeks)
    assert rule.days % 7 == 0 and 0 < abs(rule.days) <= 7 * weeks
    assert str(rule.days) not in repr(rule)


def test_patients_and_keys_differ(key: Key) -> None:
    shifts = {date_rule(key, f"P-{number}", "shift", 52).days for number in range(2000)}
    assert len(shifts) == 104, "every shift that is allowed occurs"
    assert len({date_rule(Key(bytes([n] * 32)), "P-1", "shift", 52).days for n in range(20)}) > 5


@given(DAYS, DAYS, st.integers(-52, 52))
def test_intervals_survive_a_shift(first: date, second: date, weeks: int) -> None:
    rule = DateRule("shift", 7 * weeks)
    moved = [parse_date(rule.date(f"{day:%Y%m%d}") or "") for day in (first, second)]
    assert moved[0] and moved[1] and moved[1] - moved[0] == second - first
    assert moved[0].weekday() == first.weekday()


@given(DAYS)
def test_year_only(day: date) -> None:
    assert DateRule("year").date(f"{day:%Y%m%d}") == f"{day.year}0101"


@pytest.mark.parametrize("text", ["20200230", "Doe", "2020", "202003", "20200310-20200311", "", "2020-03-10"])
def test_what_is_no_date_goes(text: str) -> None:
    assert DateRule("shift", 7).date(text) is None


def test_moments_keep_their_time_and_lose_their_zone() -> None:
    rule = DateRule("shift", 7)
    assert rule.moment("20200310235959.5") == "20200317235959.5"
    assert rule.moment("20200310120000+0200") == "20200317120000"
    assert rule.moment("20200310230000+0000", "+0200") == "20200318010000", "turned into the zone of the data set"
    assert rule.moment("2020") is None and rule.moment("202003") is None
    assert DateRule("year").moment("20200310235959") == "20200101235959"


def test_the_old_form_and_the_end_of_the_calendar() -> None:
    assert DateRule("shift", 7).date("2020.03.10") == "20200317"
    assert DateRule("shift", 7).date("99991231") is None


def test_a_decay_interval_across_midnight_survives() -> None:
    rule = DateRule("shift", -364)
    start, scan = rule.moment("20200310234500"), rule.moment("20200311004500")
    assert start and scan
    assert (datetime.strptime(scan, "%Y%m%d%H%M%S") - datetime.strptime(start, "%Y%m%d%H%M%S")).seconds == 3600


@pytest.mark.parametrize(
    ("text", "years"), [("047Y", 47), ("47", 47), ("018M", 1), ("003W", 0), ("095Y", 90), ("Doe", None), ("", None)]
)
def test_ages(text: str, years: int | None) -> None:
    assert years_of(text) == years


def test_age_from_dates() -> None:
    assert years_between(date(1950, 6, 12), date(2020, 6, 11)) == 69
    assert years_between(date(1920, 1, 1), date(2020, 1, 1)) == 90
    assert years_between(date(2021, 1, 1), date(2020, 1, 1)) is None
    assert years_between(None, date(2020, 1, 1)) is None
    assert age_text(90) == "090Y" and age_text(7) == "007Y"
