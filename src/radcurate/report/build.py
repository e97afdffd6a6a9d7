"""The report: one page, two faces. What is in it follows from the documents that there are."""

from __future__ import annotations

import re

from radcurate.report import attacked, cohort, groups, judgement, measured, page
from radcurate.report.facts import Facts
from radcurate.report.plainly import plainly

SECTIONS = (
    plainly,
    judgement.help_with,
    cohort.funnel,
    cohort.cleaning,
    measured.features,
    measured.crowds,
    attacked.attacks,
    groups.harmonised,
    judgement.gate,
    judgement.register,
    groups.fairness,
    judgement.papers,
)
HEADING = re.compile(r'<section id="(\w+)"[^>]*><h2[^>]*>(.*?)</h2>')


def build(facts: Facts) -> bytes:
    """The page as HTML: self-contained, without a script, without a request to anywhere."""
    body = [part for part in (make(facts) for make in SECTIONS) if part]
    head = "Report of the run" if facts.private else f"{facts.title}: how this release came about"
    zone = "For the restricted zone." if facts.private else "Part of the release."
    return page.document(
        head,
        [
            '<a class="skip" href="#main">To the content</a>',
            f'<header><h1>{page.text(head)}</h1><p class="soft">{zone} Every number leads to the file that it is from; hover or follow it.</p></header>',
            f'<nav aria-label="Contents"><ul>{_contents(body)}</ul></nav>',
            f'<main id="main">{"".join(body)}</main>',
        ],
    )


def _contents(body: list[str]) -> str:
    found = [match for part in body if (match := HEADING.match(part))]
    return "".join(f'<li><a href="#{match[1]}">{match[2]}</a></li>' for match in found)
