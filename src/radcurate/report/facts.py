"""What a report is made of: documents of the run by name, and the face it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from radcurate.report.artefact import Artefact, Json
from radcurate.report.page import text

REFUSED, PASSED = "refused", "passed"


@dataclass(frozen=True)
class Picture:
    """A picture for whoever answers for the release; never in the public face."""

    title: str
    page: str  # that tells more about it
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class Facts:
    """A run, or a release, as its documents tell it.

    Attributes:
        title: such as `radiomics 3`.
        private: the face for the restricted zone, with pictures and codes of the run; else the one that goes out.
        verdict: verdict.json or refusal.json.
        counted: numbers counted from tables (`features`, `cleaning`), and what is told of subgroups.
        attack, harmonise, fairness: where there are any.
        gallery: pictures, the ones that need a look first.
        pages: (file, title, what was done) of the pages of single series.
        files: files that lie beside the page, for links; a link is made to no other.
        unshown: what could not be read, in words.
    """

    title: str
    private: bool
    verdict: Artefact
    counted: Artefact
    attack: Artefact | None = None
    harmonise: Artefact | None = None
    fairness: Artefact | None = None
    gallery: Sequence[Picture] = ()
    pages: Sequence[tuple[str, str, str]] = ()
    files: frozenset[str] = frozenset()
    unshown: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether the gate let the run pass."""
        return self.verdict.at("holds") is True

    def findings(self) -> list[tuple[int, Json]]:
        """Criteria with their places in the verdict."""
        return list(enumerate(self.verdict.at("findings") or []))

    def finding(self, measure: str) -> tuple[int, Json] | None:
        """The first criterion on a measure."""
        return next(((n, one) for n, one in self.findings() if one.get("measure") == measure), None)

    def limit(self, measure: str) -> float | None:
        """The limit that the policy sets on a measure; the verdict tells it as `at most 0.05`."""
        found = self.finding(measure)
        return limit_of(str(found[1].get("allowed", ""))) if found else None


def limit_of(allowed: str) -> float | None:
    """The number of `at most 0.05` or `at least 5`; 0 of `none`."""
    if allowed == "none":
        return 0.0
    try:
        return float(allowed.rpartition(" ")[2])
    except ValueError:
        return None


def words(code: Any) -> str:
    """A code such as `slice_gap` for people, as HTML."""
    return text(str(code).replace("_", " "))


def section(name: str, title: str, parts: Sequence[str]) -> str:
    """A part of the page under its own heading; nothing where there are no parts."""
    found = [part for part in parts if part]
    inside = "".join(found)
    return (
        f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{text(title)}</h2>{inside}</section>'
        if found
        else ""
    )


def judged(holds: Any, applies: Any = True) -> str:
    """A verdict in a sign and a word, so that it doesn't hang on colour."""
    if applies is False:
        return '<span class="soft">– does not apply</span>'
    return '<span class="yes">✓ holds</span>' if holds else '<span class="no">✗ does not hold</span>'
