"""Dates: writings, and telling shifted dates from original ones."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.verify.days import days_in, explained, parse_day

DAY = date(2020, 3, 10)
days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
WRITINGS = (
    "%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y_%m_%d", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%d%m%Y", "%m%d%Y", "%d.%m.%y", "%m/%d/%y", "%y-%m-%d", "%Y%m%d%H%M%S", "%Y-%m-%dt%H:%M:%S", "%B %d %Y", "%d%b%Y",
)  # fmt: skip


@given(
    days, st.sampled_from(WRITINGS), st.sampled_from(["", "on ", "(", "x"]), st.sampled_from(["", ".", " at noon", ")"])
)
def test_every_usual_writing_is_read(day: date, writing: str, before: str, behind: str) -> None:
    assert day in set(days_in(f"{before}{day.strftime(writing).lower()}{behind}"))


@pytest.mark.parametrize(
    "text",
    [
        "1202003101",
        "2.25.120200310",
        "0.20200310555",
        "12.1.03.10",
        "10.03",
        "101500",
        "3102020",
        "20201310",
        "11.25.10.03.20.5",
    ],
)
def test_parts_of_numbers_are_no_dates(text: str) -> None:
    assert DAY not in set(days_in(text))


def test_parse_day() -> None:
    assert parse_day("20200310") == DAY
    assert parse_day("20200230") is None
    assert parse_day("2020") is None


ORIGINAL = {"StudyDate": frozenset({DAY, DAY + timedelta(7)}), "SeriesDate": frozenset({DAY, DAY + timedelta(7)}), "PatientBirthDate": frozenset({date(1951, 8, 9)})}  # fmt: skip


def moved(weeks: int, *names: str) -> set[tuple[str, date]]:
    return {(name, day + timedelta(7 * weeks)) for name in names for day in ORIGINAL[name]}


@given(st.integers(-52, 52).filter(bool))
def test_a_shift_of_whole_weeks_is_explained(weeks: int) -> None:
    assert explained(moved(weeks, "StudyDate", "SeriesDate"), ORIGINAL)


def test_originals_are_not_explained_though_they_are_a_week_apart() -> None:
    assert not explained(moved(0, "StudyDate", "SeriesDate"), ORIGINAL)
    assert not explained({("StudyDate", DAY)}, ORIGINAL)  # of the second visit nothing is left


@given(st.integers(2, 52), st.sampled_from(["StudyDate", "SeriesDate"]))
def test_one_attribute_left_as_it_was_is_not_explained(weeks: int, left: str) -> None:
    other = "SeriesDate" if left == "StudyDate" else "StudyDate"
    assert not explained(moved(weeks, other) | moved(0, left), ORIGINAL)


@given(st.integers(-140, 140).filter(lambda days: days % 7))  # within the year: the first day of one is the other rule
def test_a_shift_of_odd_days_is_not_the_rule(shift: int) -> None:
    assert not explained({("PatientBirthDate", date(1951, 8, 9) + timedelta(shift))}, ORIGINAL)


def test_years_only() -> None:
    assert explained({("StudyDate", date(2020, 1, 1)), ("PatientBirthDate", date(1951, 1, 1))}, ORIGINAL)
    assert not explained({("StudyDate", date(2020, 1, 1)), ("SeriesDate", DAY)}, ORIGINAL)
