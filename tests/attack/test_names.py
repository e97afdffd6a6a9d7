"""Similarity of names by hand, and which hospitals it keeps apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.attack.names import alike, distances, plain_name, similarity


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2), ("same", "same", 0), ("é", "e", 1)],
)
def test_levenshtein_by_hand(one, other, steps):
    assert distances(one, [other]).tolist() == [steps]


def test_many_at_once_are_each_as_alone():
    others = ["sitting", "", "kitten", "mitten", "a much longer name than that"]
    assert distances("kitten", others).tolist() == [int(distances("kitten", [other])[0]) for other in others]


def slow(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return slow(one[1:], other[1:])
    return 1 + min(slow(one[1:], other), slow(one, other[1:]), slow(one[1:], other[1:]))


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_as_the_definition_says(one, other):
    assert distances(one, [other])[0] == slow(one, other)


@given(st.text(max_size=12), st.text(max_size=12))
def test_laws_of_similarity(one, other):
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, other) == similarity(other, one)
    assert similarity(one, one) == 1


def test_sigma_by_hand():
    # kitten, sitting: 3 steps, 7 letters
    assert similarity("kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert similarity("Univ. Hosp. Zürich", "University Hospital Zuerich") == 1


def test_abbreviations_are_written_out():
    assert plain_name("St. Mary's Med. Ctr.") == "saint marys medical center"
    assert plain_name("The University Hospital of Basel") == "university hospital basel"
    assert plain_name("Hôpital de la Tour") == "hopital tour"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Univ Hosp Basel", "University Hospital of Basel", True),
        ("Universty Hospital Basel", "University Hospital Basel", True),
        ("University Hospital Zürich", "University Hospital Zurich", True),
        ("St. Mary Hospital", "St. Mark Hospital", False),
        ("University Hospital Basel", "University Hospital Bern", False),
        ("Clinic 1", "Clinic 2", False),
        ("Boston Medical Center", "Boston University Hospital", False),
    ],
)
def test_the_same_hospital_or_another(one, other, same):
    assert alike([one], [other], 0.85).tolist() == [[same]]


def test_alike_gives_a_row_per_name():
    assert np.array_equal(alike(["A", "B"], ["B", "A", "C"], 1.0), [[False, True, False], [True, False, False]])
    assert alike([], ["A"], 0.9).shape == (0, 1)
    assert alike(["A"], [], 0.9).shape == (1, 0)


words = st.text("abcd 1", min_size=1, max_size=8)


@given(st.lists(words, max_size=5), st.lists(words, max_size=5), st.sampled_from([0.5, 0.7, 0.85, 1.0]))
def test_no_name_that_is_alike_is_passed_over(names, others, least):
    for name, row in zip(names, alike(names, others, least), strict=True):
        for other, found in zip(others, row, strict=True):
            assert not found or similarity(name, other) >= least - 1e-9
            single = "1" not in name + other and " " not in plain_name(name) + plain_name(other)
            if single and plain_name(name) and plain_name(other):
                assert found == (similarity(name, other) >= least - 1e-9)
