"""From what was found in the pictures of a series to what is done with it: filled, left, or for a person.

What a person decided comes as verbs in the order in which they were said, each about what was found after those before:
`erase` fills the doubtful too, `release` says that nothing that is left tells anybody, `leave_out` keeps the series out.
A patient's own words are filled whatever was decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from radcurate.redact.found import Box, Hit, Place

IDENTITY, SKIN = "identity", "skin"
HELD = 0.9  # of a shape's box in filled boxes: it is of the filling
ALIKE = 0.5  # of two readings
PAGE_LINES = 6  # small slices with a name plate of three to five lines are covered by a quarter as well
RELEASE, ERASE, LEAVE_OUT, SMOOTH_SKIN = "release", "erase", "leave_out", "smooth_skin"
ANEW = "export the series again, or leave it out"
DECIDE = "look at it with `radcurate review pictures`, then say with `radcurate review decide` what is to become of it"
REMEDIES = {
    "text_uncertain": DECIDE,
    "mostly_text": "leave it out: most of it is text, as on a patient's or dose page; or " + DECIDE,
    "text_left": "text can be read after cleaning; leave the series out, or " + DECIDE,
    "text_said_not_found": "its header says that text is burned in, and none was found: name its place in "
    "`redact.regions`, or leave the series out",
    "box_over_roi": "draw the contour so that it keeps away from the text, or leave the series out",
    "outside_changed": "report this as an error of radcurate: it changed pixels that it should not",
    "skin_unsigned": "look at the skin that would be smoothed, then sign with `radcurate review decide`: smooth_skin, or leave_out",
    "skin_pattern_left": "the mark in the skin can still be told after smoothing: make its ball larger in `redact.marks`, or leave "
    "the series out",
    "left_out": "a person decided so in the file of decisions",
}


@dataclass(frozen=True)
class Outcome:
    """What is to be done with a series before anything is written.

    decision: code for the series table. reason: why it is set aside; None: it goes on once `fill` is filled.
    """

    decision: str
    fill: tuple[Hit, ...] = ()
    reason: str | None = None


def decide(
    hits: Sequence[Hit],
    covered: float,
    refused: str | None,
    strict: bool,
    most_covered: float,
    choices: Sequence[str] = (),
) -> Outcome:
    """What becomes of a series.

    Args:
        hits: found in its pictures.
        covered: largest share of a frame that lies in boxes.
        refused: why the pictures couldn't be looked at, if so.
        strict: doubts are for a person.
        most_covered: share of a frame above which it is a page of text, not an image with text on it, if there are many lines.
        choices: what a person decided, see above.
    """
    if choices and choices[-1] == LEAVE_OUT:
        return Outcome("left_out_by_person", reason="left_out")
    if refused is not None:
        return Outcome("not_looked_at", reason=refused)
    if ERASE in choices:
        return Outcome("released_by_person" if RELEASE in choices else "text_removed", tuple(hits))
    if RELEASE in choices:
        own = tuple(hit for hit in hits if hit.kind in (IDENTITY, SKIN))
        return Outcome("released_by_person", own)
    sure = tuple(hit for hit in hits if hit.sure)
    if covered > 2 * most_covered or (covered > most_covered and _most_lines(sure) > PAGE_LINES):
        return Outcome("page_of_text", sure, "mostly_text")
    if strict and len(sure) < len(hits):
        return Outcome("doubtful_text", sure, "text_uncertain")
    return Outcome("text_removed" if sure else "no_text", sure)


def left_over(seen: Sequence[Hit], filled: Sequence[Hit], strict: bool) -> tuple[Hit, ...]:
    """Of what a second look saw, what counts as left.

    What is sure counts, and a doubt where it is looked at strictly or reads like what was there. What was filled is made of
    pixels from outside, so a shape that lies in it and doesn't read is nothing that was drawn before.

    Args:
        seen: by the second look.
        filled: before it.
        strict: doubts are for a person.
    """
    under: dict[Place, list[Hit]] = {}
    for hit in filled:
        under.setdefault(hit.place, []).append(hit)
    return tuple(hit for hit in seen if _counts(hit, under.get(hit.place, []), strict))


def _counts(hit: Hit, filled: Sequence[Hit], strict: bool) -> bool:
    if hit.kind == "mark" and not hit.text:
        return _share(hit.box, [other.box for other in filled]) < HELD
    return hit.sure or strict or any(_shared(hit.box, other.box) and _alike(hit.text, other.text) for other in filled)


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, one.casefold(), other.casefold(), autojunk=False).ratio() >= ALIKE


def _share(box: Box, others: Sequence[Box]) -> float:
    """Share of a box that lies in any of the others."""
    inside = np.zeros((box.bottom - box.top, box.right - box.left), bool)
    for other in others:
        inside[
            max(0, other.top - box.top) : max(0, other.bottom - box.top),
            max(0, other.left - box.left) : max(0, other.right - box.left),
        ] = True
    return float(inside.mean()) if inside.size else 1.0


def _shared(one: Box, other: Box) -> bool:
    return min(one.bottom, other.bottom) > max(one.top, other.top) and min(one.right, other.right) > max(
        one.left, other.left
    )


def _most_lines(hits: Sequence[Hit]) -> int:
    """Of one frame."""
    return max(Counter(hit.place for hit in hits).values(), default=0)
