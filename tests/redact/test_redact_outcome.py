"""What becomes of a series after a look, and after a person looked."""

import pytest

from radcurate.redact.found import Box, Hit, Place
from radcurate.redact.outcome import REMEDIES, decide, left_over


def hit(kind="text", sure=True):
    return Hit(Place(0, 0), Box(0, 0, 5, 9), kind, sure, 0.9)


SURE, DOUBT, OWN = hit(), hit(sure=False), hit("identity")


def outcome(*hits, covered=0.1, refused=None, strict=True, choices=()):
    return decide(hits, covered, refused, strict, 0.25, choices)


def test_nothing_was_found():
    assert outcome().decision == "no_text" and outcome().reason is None


def test_what_is_sure_is_filled():
    found = outcome(SURE, OWN)
    assert found.fill == (SURE, OWN) and found.reason is None


def test_a_doubt_is_for_a_person_where_it_is_looked_at_strictly():
    assert outcome(SURE, DOUBT).reason == "text_uncertain"
    assert outcome(SURE, DOUBT, strict=False).reason is None
    assert outcome(SURE, DOUBT, strict=False).fill == (SURE,)


def test_a_page_of_text_is_no_image():
    assert outcome(*[SURE] * 7, covered=0.26).reason == "mostly_text"
    assert outcome(SURE, covered=0.26).reason is None, "a small slice with a name on it"
    assert outcome(SURE, covered=0.51).reason == "mostly_text", "so much is not filled, whatever it is"


def test_what_could_not_be_looked_at_does_not_go_on():
    assert outcome(refused="pixels_unreadable").reason == "pixels_unreadable"
    assert outcome(refused="pixels_unreadable", choices=["release"]).reason == "pixels_unreadable"
    assert outcome(refused="pixels_unreadable", choices=["erase"]).reason == "pixels_unreadable"


def test_a_person_has_all_of_it_erased():
    found = outcome(SURE, DOUBT, covered=0.9, choices=["erase"])
    assert found.fill == (SURE, DOUBT) and found.reason is None


def test_a_person_releases_all_but_the_patients_own_words():
    found = outcome(SURE, DOUBT, OWN, choices=["release"])
    assert found.fill == (OWN,) and found.reason is None and found.decision == "released_by_person"


def test_what_is_left_after_erasing_may_be_released():
    found = outcome(SURE, DOUBT, choices=["erase", "release"])
    assert found.fill == (SURE, DOUBT) and found.decision == "released_by_person"


def test_the_last_word_keeps_it_out():
    assert outcome(SURE, choices=["leave_out"]).reason == "left_out"
    assert outcome(SURE, choices=["leave_out", "erase"]).reason is None


@pytest.mark.parametrize("reason", ["text_uncertain", "mostly_text", "left_out"])
def test_reasons_have_remedies(reason):
    assert REMEDIES[reason]


INSIDE = Box(0, 0, 5, 9)


def seen(text="", sure=False, box=INSIDE, kind="text", frame=0):
    return Hit(Place(0, frame), box, kind, sure, 0.6, text)


FILLED = [seen("MEIER 1950", sure=True, box=Box(0, 0, 10, 40))]


@pytest.mark.parametrize(
    ("again", "lenient", "strict"),
    [
        (seen("MEIER", sure=True), True, True),
        (seen("MElER 19"), True, True),  # reads like what was there
        (seen("7.v"), False, True),  # the filling's own texture
        (seen("MElER 19", frame=1), False, True),  # where nothing was filled
        (seen(kind="mark", sure=True), False, False),  # a shape in what was filled
        (seen(kind="mark", sure=True, box=Box(0, 30, 10, 60)), True, True),  # and beyond it
        (seen("MEIER", kind="identity", sure=True), True, True),
    ],
)
def test_what_counts_as_left(again, lenient, strict):
    assert bool(left_over([again], FILLED, False)) is lenient
    assert bool(left_over([again], FILLED, True)) is strict
