"""Whether what was read in one picture is text: the recogniser verifies what the detector only suspects.

The detector sees text in ribs and in noise; what it found counts only where the recogniser reads letters. Readings of one
letter come from rings and edges too, so they never count by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from radcurate.redact.found import Box
from radcurate.redact.lines import Line

SURE_LETTERS = 3
SURE_CONFIDENCE = {3: 0.85, 4: 0.75, 5: 0.7}  # by letters
LONG_CONFIDENCE = 0.6  # of more letters
ROUND, ROUND_CONFIDENCE = frozenset("OQ0CDG8I1L|()-. "), 0.97
FOREIGN_CONFIDENCE = 0.8  # of letters beyond ASCII: of noise, most readings are Chinese
SHORT_CONFIDENCE = 0.9  # of two letters
DOUBT_LETTERS = 2
PART = 0.75  # of a line's area within another one
DOUBT_CONFIDENCE = 0.4
SHORT_DOUBT = 0.6  # of two letters
BESIDE_CONFIDENCE = 0.5
OWN_CONFIDENCE = 0.3  # of the patient's own words
OWN_LETTERS = 3
NARROWEST, WIDEST = 0.15, 2.5  # of a letter in heights of its line
# what a film's side or a plane's directions are marked with: of no person
DIRECTIONS = frozenset(
    [
        "L",
        "R",
        "A",
        "P",
        "H",
        "F",
        "S",
        "I",
        "AP",
        "PA",
        "LA",
        "RA",
        "LP",
        "RP",
        "LH",
        "RH",
        "LF",
        "RF",
        "HL",
        "HR",
        "FL",
        "FR",
        "AR",
        "AL",
        "PR",
        "PL",
    ]
)


def letters(text: str) -> int:
    """Letters and digits of a reading."""
    return sum(letter.isalnum() for letter in text)


def is_direction(text: str) -> bool:
    """Whether a reading is a mark of side or direction and nothing else."""
    return text.strip(" .()[]").upper() in DIRECTIONS


def shaped(line: Line) -> bool:
    """Whether a line is as long as its letters can make it."""
    return NARROWEST <= line.length / max(1.0, line.height) / max(1, len(line.text)) <= WIDEST


def sure(line: Line) -> bool:
    """Whether a line is text beyond doubt."""
    count = letters(line.text)
    return (
        count >= SURE_LETTERS and line.confidence >= _least(line.text) and shaped(line) and not is_direction(line.text)
    )


def _least(text: str) -> float:
    """Confidence that makes a reading sure: rings read as round letters, and noise as a few letters or Chinese ones."""
    if set(text.upper()) <= ROUND:
        return ROUND_CONFIDENCE
    if not text.isascii():
        return FOREIGN_CONFIDENCE
    return SURE_CONFIDENCE.get(letters(text), LONG_CONFIDENCE)


def sure_in_company(line: Line) -> bool:
    """Whether a line of two letters is text beyond doubt in a picture that shows a longer one."""
    enough = letters(line.text) == DOUBT_LETTERS and line.confidence >= SHORT_CONFIDENCE and line.text.isascii()
    return enough and shaped(line) and not is_direction(line.text)


def doubtful(line: Line) -> bool:
    """Whether a line may be text: enough to ask a person where doubts count."""
    count = letters(line.text)
    least = DOUBT_CONFIDENCE if count > DOUBT_LETTERS else SHORT_DOUBT
    enough = count >= DOUBT_LETTERS and line.confidence >= least
    return enough and shaped(line) and not is_direction(line.text)


def outermost(found: Sequence[Line]) -> list[Line]:
    """Lines without those that are a part of another: the longer reading of a line stands for it."""
    kept: list[Line] = []
    for line in sorted(found, key=lambda line: (-letters(line.text) * line.confidence, line.box)):
        if not within(line, kept):
            kept.append(line)
    return kept


def within(line: Line, others: Sequence[Line]) -> bool:
    """Whether nearly all of a line lies in one of the others."""
    own = _area(line.box)
    return any(_shared(line.box, other.box) >= PART * own for other in others)


def beside(line: Line, others: Sequence[Line]) -> bool:
    """Whether a line goes on where a sure one ends: a comma, an initial, a digit by itself."""
    readable = letters(line.text) > 0 and line.confidence >= BESIDE_CONFIDENCE
    return readable and any(_next_to(line.box, other.box) for other in others)


def goes_on(line: Line, following: Line) -> bool:
    """Whether the second line follows the first: to its right, or right below it."""
    one, other = line.box, following.box
    if _next_to(one, other) and other.left > one.left:
        return True
    high, tall = one.bottom - one.top, other.bottom - other.top
    apart = other.top - one.bottom
    shared = min(one.right, other.right) - max(one.left, other.left)
    return other.top > one.top and apart <= max(high, tall) / 2 and shared > 0 and 0.5 <= high / max(1, tall) <= 2


def _area(box: Box) -> int:
    return max(1, (box.bottom - box.top) * (box.right - box.left))


def _shared(one: Box, other: Box) -> int:
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    wide = min(one.right, other.right) - max(one.left, other.left)
    return max(0, high) * max(0, wide)


def _next_to(one: Box, other: Box) -> bool:
    high, tall = one.bottom - one.top, other.bottom - other.top
    if not 0.5 <= high / max(1, tall) <= 2:
        return False
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    apart = max(one.left, other.left) - min(one.right, other.right)
    return shared >= 0.6 * min(high, tall) and apart <= 1.0 * max(high, tall)
