"""What a check found, and checks that break."""

from __future__ import annotations

from collections.abc import Iterator

from radcurate.errors import CurationError
from radcurate.operation.finding import FAULT, Finding, examine, fault, good, note, render


def test_a_check_that_explains_itself_is_a_fault_with_its_remedy() -> None:
    def check() -> Iterator[Finding]:
        raise CurationError("no key", wanted="a key", found="nothing", fix="make one")
        yield

    (found,) = examine([("key", check)])
    assert found == Finding("key", FAULT, "no key: nothing", "make one")


def test_a_check_that_breaks_tells_no_message_and_the_others_go_on() -> None:
    def check() -> Iterator[Finding]:
        raise ValueError("/export/Doe^Jane")
        yield

    first, second = examine([("input", check), ("disk", lambda: [good("disk", "enough")])])
    assert first.state == FAULT and "Doe" not in render([first]) and "ValueError" in first.found
    assert second.found == "enough"


def test_remedies_stand_below_and_faults_in_capitals() -> None:
    text = render([good("a", "fine"), note("b", "hm", "look"), fault("c", "bad", "mend")])
    assert [line.split() for line in text.splitlines()] == [
        ["good", "a", "fine"],
        ["note", "b", "hm"],
        ["→", "look"],
        ["FAULT", "c", "bad"],
        ["→", "mend"],
    ]
