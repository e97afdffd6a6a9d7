"""Every label that hierarchies make, and what it may stand for."""

from __future__ import annotations

import math
from datetime import date

import pytest

from radcurate.attack.labels import ANYTHING, ages, days


@pytest.mark.parametrize("label", [None, "*", "", math.nan])
def test_what_tells_nothing_matches_everything(label):
    assert ages(label) == ANYTHING


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [("60-64", 60, 65), ("63", 63, 64), (63.0, 63, 63), (63, 63, 63), ("63.5", 63.5, 63.5), ("90+", 90, math.inf)],
)
def test_ages(label, low, high):
    assert ages(label) == pytest.approx((low, high), abs=1e-6)


def test_a_whole_year_above_the_group_is_a_year_away():
    assert 64 < ages("60-64")[1] < 65


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2016", "2016-01-01", "2016-12-31"),
        ("2016-02", "2016-02-01", "2016-02-29"),
        ("2015-Q2", "2015-04-01", "2015-06-30"),
        ("2015-03-04", "2015-03-04", "2015-03-04"),
        (date(2015, 3, 4), "2015-03-04", "2015-03-04"),
        ("2018/2020", "2018-01-01", "2020-12-31"),
        ("2018-Q1/2018-11", "2018-01-01", "2018-11-30"),
    ],
)
def test_days(label, first, last):
    assert days(label) == tuple(date.fromisoformat(text).toordinal() for text in (first, last))


@pytest.mark.parametrize("label", ["spring", "2015-13", "2015-02-30", "2015-Q5", "1/2/3", "15-02-03", "0000"])
def test_labels_of_ones_own_are_not_read(label):
    assert days(label) is None


def test_ages_of_ones_own_are_not_read():
    assert ages("young") is None
    assert ages("6*") is None
    assert ages("-5") is None


def test_no_day_known_matches_everything():
    assert days("*") == days(None) == ANYTHING
