"""What tables tell, in the words that both sides share."""

from __future__ import annotations

import math

import pytest
from told_tools import raw_of, released_of

from radcurate.attack.candidates import Limits, candidates, fits
from radcurate.attack.told import registry_of, sex_of, shown, words_of


@pytest.mark.parametrize(
    ("value", "sex"),
    [
        ("M", "M"),
        ("female", "F"),
        ("w", "F"),
        ("männlich", "M"),
        (1, "M"),
        ("2", "F"),
        ("d", "O"),
        ("Q", "q"),
        *((word, None) for word in ("", None, "*", "unknown")),
    ],
)
def test_words_for_sex(value, sex):
    assert sex_of(value) == sex


RAW = raw_of(
    (0, "M", 61.0, "2015-01-05", "North"),
    (1, "M", 63.0, "2015-02-05", "South"),
    (2, "F", 64.0, "2015-03-05", "East"),
)


def people(released) -> list[int]:
    words = words_of(RAW)
    limits = Limits(0, 0, words.alike(released, 0.85))
    return candidates(shown(released, words), registry_of(RAW, words), limits).people.tolist()


def test_raw_values_find_their_own():
    assert people(RAW) == [1, 1, 1]


def test_labels_match_what_they_contain():
    rows = [(patient, "*", "60-64", "2015", "*") for patient in range(3)]
    assert people(released_of(RAW, *rows)) == [3, 3, 3]
    rows = [(0, "M", "60-64", "2015-Q1", "*"), (1, "M", "60-64", "2015-Q1", "*"), (2, "F", "60-64", "*", "*")]
    assert people(released_of(RAW, *rows)) == [2, 2, 1]


def test_labels_of_somebodys_own_hierarchy_stand_for_the_values_behind_them():
    rows = [(0, "*", "older", "*", "*"), (1, "*", "older", "*", "*"), (2, "*", "oldest", "*", "*")]
    released = released_of(RAW, *rows)
    assert released.age.tolist() == [[61, 63], [61, 63], [64, 64]]
    assert people(released) == [2, 2, 1]


def test_a_region_stands_for_its_hospitals():
    rows = [(0, "*", "*", "*", "coast"), (1, "*", "*", "*", "coast"), (2, "*", "*", "*", "East")]
    released = released_of(RAW, *rows)
    assert released.site[0] == {"North", "South"}
    assert people(released) == [2, 2, 1]


def test_a_sex_that_nobody_has_matches_nobody():
    assert people(released_of(RAW, *[(patient, "O", "*", "*", "*") for patient in range(3)])) == [0, 0, 0]


def test_order_of_rows_does_not_matter():
    rows = [(2, "F", 64.0, "2015-03-05", "East"), (0, "M", 61.0, "2015-01-05", "North")]
    one = raw_of(*rows)
    assert one.patient.tolist() == [0, 2]
    assert one.sex == ("M", "F")


def test_some_patients_and_fewer_words():
    some = RAW.of(RAW.patient[[0, 2]])
    assert some.n_patients == 2 and some.sex == ("M", "F")
    assert RAW.without("sex").sex == (None,) * 3
    assert RAW.without("site").site == (None,) * 3
    assert (RAW.without("age").age == [-math.inf, math.inf]).all()
    assert (RAW.without("date").day == [-math.inf, math.inf]).all()
    assert people(RAW.without("date").without("age").without("site")) == [2, 2, 1]


def test_the_patient_is_always_among_those_who_fit_a_coarser_label():
    rows = [(patient, "*", "60-79", "2015/2016", None) for patient in range(3)]
    words = words_of(RAW)
    released = released_of(RAW, *rows)
    limits = Limits(0, 0, words.alike(released, 1.0))
    assert fits(shown(released, words), registry_of(RAW, words), limits, RAW.patient).all()
