"""What people decided about series that deface set aside."""

from pathlib import Path

import pytest

from radcurate import tables
from radcurate.governance.decisions import Decision, Decisions, deface_evidence
from radcurate.settings import Deface
from radcurate.stages._face_decisions import settle
from radcurate.stages._faces import Result, Space

SPACE = Space((), (), Path(), Path(), Path(), Deface())


def aside(reason="face_uncertain", **check):
    """A series that was set aside, with what was measured on it."""
    row = {"series": "S-1", "status": tables.QUARANTINED, "reason": reason, "remedy": "look", "decision": reason}
    return Result([row | {"face": None}], [{"series": "S-1", **check}])


def said(key, word, result, reason=None):
    row = result.series[0]
    evidence = deface_evidence(key, "S-1", reason or row["reason"], {**row, **result.quality[0]})
    return Decision("00000", "S-1", "deface", word, evidence, "A Person", "2026-01-01", "looked")


def settled(key, result, *lines, clean=None):
    (found,) = settle([SPACE], [result], Decisions(lines), key, clean or (lambda space: pytest.fail("cleaned again")))
    return found.series[0]


def test_nobody_decided(key):
    row = settled(key, aside())
    assert (row["status"], row["reason"], row["remedy"]) == ("quarantined", "face_uncertain", "look")


def test_a_person_saw_no_face(key):
    row = settled(key, aside(), said(key, "release", aside()))
    assert (row["status"], row["reason"], row["face"], row["decision"]) == ("ok", None, "none", "released_by_person")


@pytest.mark.parametrize("reason", ["face_left", "roi_overlap", "brain_touched"])
def test_a_face_that_was_recognised_is_not_released(key, reason):
    found = aside(reason, passed=False)
    row = settled(key, found, said(key, "release", aside(reason, passed=False)))
    assert (row["status"], row["reason"]) == ("quarantined", reason) and "word alone" in row["remedy"]


@pytest.mark.parametrize(
    "reason", ["pixels_unreadable", "check_invalid", "outside_changed", "two_heads", "header_turned"]
)
def test_what_nobody_could_read_or_check_is_not_released(key, reason):
    row = settled(key, aside(reason), said(key, "release", aside(reason)))
    assert (row["status"], row["reason"]) == ("quarantined", reason)


def test_a_decision_about_something_else_is_void(key):
    row = settled(key, aside(turn="as_stored"), said(key, "release", aside(turn="mirrored")))
    assert row["status"] == "quarantined" and "something else" in row["remedy"]


def test_a_person_leaves_it_out(key):
    row = settled(key, aside(), said(key, "leave_out", aside()))
    assert (row["status"], row["reason"]) == ("quarantined", "left_out")


def test_what_was_left_out_may_come_back(key):
    out = said(key, "leave_out", aside())
    row = settled(key, aside(), out, said(key, "release", aside(), "left_out"))
    assert row["status"] == "ok"


def test_leaving_out_first_opens_no_way_round(key):
    out = said(key, "leave_out", aside("pixels_unreadable"))
    row = settled(key, aside("pixels_unreadable"), out, said(key, "release", aside("pixels_unreadable"), "left_out"))
    assert (row["status"], row["reason"]) == ("quarantined", "left_out")


def test_the_shell_alone_is_taken_of_the_whole_space(key):
    asked = []

    def clean(space):
        asked.append(space.settings.style)
        return Result([{"series": "S-1", "status": tables.OK, "reason": None, "face": "removed"}], [{"series": "S-1"}])

    found = aside("roi_overlap", passed=False)
    row = settled(key, found, said(key, "shell", aside("roi_overlap", passed=False)), clean=clean)
    assert asked == ["shell"] and row["face"] == "removed"
