"""What a check of the machine found, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from radcurate.errors import CurationError, place_of

GOOD, NOTE, FAULT = "good", "note", "fault"  # a note stops nothing


@dataclass(frozen=True)
class Finding:
    """One line of `radcurate doctor`.

    Args:
        about: what was looked at, one or two words.
        state: good, note (works, but look at it) or fault (a run would fail or be unsafe).
        found: what is there; never a path of the export, a header value or a key.
        remedy: what to do; empty where nothing is to be done.
    """

    about: str
    state: str
    found: str
    remedy: str = ""


def good(about: str, found: str) -> Finding:
    """Nothing to do."""
    return Finding(about, GOOD, found)


def note(about: str, found: str, remedy: str = "") -> Finding:
    """Works, but somebody should know."""
    return Finding(about, NOTE, found, remedy)


def fault(about: str, found: str, remedy: str) -> Finding:
    """A run would fail, or would not be safe."""
    return Finding(about, FAULT, found, remedy)


def examine(checks: Iterable[tuple[str, Callable[[], Iterable[Finding]]]]) -> Iterator[Finding]:
    """The findings of all checks; one that breaks is a fault of its own and doesn't keep the others from looking."""
    for about, check in checks:
        try:
            yield from check()
        except CurationError as error:
            yield fault(about, f"{error.problem}: {error.found}", error.fix)
        except Exception as error:  # its message may hold a path of the export
            yield fault(about, f"can't be checked: {place_of(error)}", "tell the developers the line to the left")


def render(findings: Iterable[Finding]) -> str:
    """A line for each finding, its remedy below; faults are told in capitals."""
    lines = []
    for finding in findings:
        state = finding.state.upper() if finding.state == FAULT else finding.state
        lines.append(f"{state:5}  {finding.about:13}  {finding.found}")
        if finding.remedy:
            lines.append(f"{'':5}  {'':13}  → {finding.remedy}")
    return "\n".join(lines)
