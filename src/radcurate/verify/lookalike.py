"""Whether a text that was read from pixels is the patient's own: letters that look alike are taken for each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from radcurate.verify.days import days_in, parse_day
from radcurate.verify.words import also_names, vocabulary
from radcurate.verify.writings import UMLAUTS, fold, writings

PIXELS = "pixels"
LEAST, LEAST_ALONE = 5, 4  # letters of a word that is looked for within others, and by itself
ONE_SLIP, TWO_SLIPS = 7, 11  # letters of a word in which one, or two, may be misread, missing or too many
ORDERS = ("%d%m%Y", "%Y%m%d", "%m%d%Y")
_ALIKE = str.maketrans("oqdilj|!tszbguy", "0001111115286vv")
_DIGITS = str.maketrans("oqdil|!szbg", "00011115286")
_NO_LETTER = re.compile(r"[\W_]+")
_MOSTLY_DIGITS = re.compile(r"[\w.:/|!-]+")
_FULL_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|1[0-2])[-./](?:19|20)\d\d)(?!\d)"
)


@dataclass(frozen=True)
class Own:
    """A patient's words as they may look, with category and keyword; and days, by keyword."""

    words: Mapping[str, tuple[str, str]]
    days: Mapping[date, str]


def own_words(rows: Iterable[Mapping[str, str]], shortest: int, harmless: frozenset[str]) -> Own:
    """What to look for in pixels, from rows with category, keyword, value. Everyday words are left out."""
    words: dict[str, tuple[str, str]] = {}
    days: dict[date, str] = {}
    for row in rows:
        category, keyword, value = row["category"], row["keyword"], row["value"].strip(" \0\t\r\n")
        if category == "date":
            if (day := parse_day(value)) is not None:
                days.setdefault(day, keyword)
                for order in ORDERS:  # with a digit misread
                    words.setdefault(alike(f"{day:{order}}"), ("date", keyword))
        elif value and category != "uid" and keyword != "file_name":
            for form, _ in writings(category, keyword, value, shortest, harmless):
                if _telling(form, harmless):
                    for writing in (form, form.translate(UMLAUTS)):
                        words.setdefault(alike(writing), (category, keyword))
    return Own({word: words[word] for word in sorted(words) if len(word) >= LEAST_ALONE}, days)


def _telling(form: str, harmless: frozenset[str]) -> bool:
    """Not an everyday word, and not a number of few digits."""
    letters = fold(form)
    if letters in vocabulary() and letters not in also_names():
        return False
    return letters not in harmless and (sum(c.isdigit() for c in form) >= LEAST or any(c.isalpha() for c in form))


def alike(text: str) -> str:
    """Lower case without diacritics, spaces and punctuation; letters that readers confuse are one."""
    return _NO_LETTER.sub("", fold(text)).translate(_ALIKE)


def tells(text: str, own: Own) -> Iterator[tuple[str, str]]:
    """Category and keyword of what a text says of the patient; a full date counts whoever's it is."""
    whole = alike(text)
    tokens = {alike(token) for token in text.split()}
    found = {
        told
        for word, told in own.words.items()
        if word in tokens or (len(word) >= LEAST and (word in whole or _nearly_in(word, whole)))
    }
    digits = _as_digits(text.lower())
    said = {day for reading in (text.lower(), digits) for day in days_in(reading)}
    found |= {("date", own.days[day]) for day in said if day in own.days}
    if not any(category == "date" for category, _ in found) and _FULL_DATE.search(digits.replace(" ", "")):
        found.add(("date", PIXELS))
    yield from sorted(found)


def _as_digits(text: str) -> str:
    """Words that are digits for the most part, as digits: 17.O3.l96O → 17.03.1960."""

    def mended(match: re.Match[str]) -> str:
        word = match.group()
        return word.translate(_DIGITS) if sum(c.isdigit() for c in word) * 2 >= sum(c.isalnum() for c in word) else word

    return _MOSTLY_DIGITS.sub(mended, text)


def _nearly_in(word: str, text: str) -> bool:
    """Whether a word stands in a text but for one slip, or two in a long word."""
    slips = 2 if len(word) >= TWO_SLIPS else 1 if len(word) >= ONE_SLIP else 0
    if not slips or len(text) < len(word) - slips or not any(part in text for part in _pieces(word, slips + 1)):
        return False
    return _least_slips(word, text) <= slips


@lru_cache(maxsize=16384)
def _pieces(word: str, count: int) -> tuple[str, ...]:
    """A word in pieces: with fewer slips than pieces, one of them is left as it was."""
    size = len(word) / count
    return tuple(word[round(size * n) : round(size * (n + 1))] for n in range(count))


def _least_slips(word: str, text: str) -> int:
    """Fewest changed, missing and added letters between a word and any part of a text."""
    costs = [0] * (len(text) + 1)
    for row, letter in enumerate(word, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(text, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(diagonal + (letter != other), costs[column] + 1, costs[column - 1] + 1),
            )
    return min(costs)
