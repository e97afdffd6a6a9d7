"""This patient's own words, and whether a reading says one of them, misread or written otherwise.

A reading that says the patient's name, number, place or a day of theirs is text of the worst kind, so it counts as sure
where the same reading of other words would only be a doubt. The words stay in memory; nothing here prints them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, permutations

LEAST_NAME = 3  # letters of a part of a name
LEAST_PLACE = 5  # letters of a word of an institution or address; shorter ones are everywhere
LEAST_NUMBER = 4  # digits or letters of an identifier with a digit in it
LEAST_MISREAD = 5  # characters of a word that may be read with a mistake
PER_MISTAKE = 5  # one more mistake for as many characters
LEAST_BEGINNING = 5  # characters of a name that is cut off
_RUN = re.compile(r"[^\W_]+")
_PLACES = re.compile(r"Institution|Address|StationName|Department|Location|Hospital|Residence|Sponsor|Site")
# letters that recognisers take for each other, each group as its first member
_CONFUSED = str.maketrans(
    {letter: group[0] for group in ("0oqd", "1il|!jt", "5s", "8b", "2z", "6g", "uv") for letter in group[1:]}
)
_AS_DIGITS = str.maketrans("oqdil|!jszbg", "000111115286")
_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan ene gen",
            "feb fev",
            "mar mrz maerz",
            "apr avr abr",
            "may mai mag",
            "jun juin giu",
            "jul juil lug",
            "aug aou ago",
            "sep set",
            "oct okt ott out",
            "nov",
            "dec dez dic",
        ],
        start=1,
    )
    for name in names.split()
}
_NOBODY = frozenset(
    [
        "anonymous",
        "anonymized",
        "anonymised",
        "anon",
        "unknown",
        "none",
        "null",
        "test",
        "patient",
        "name",
        "phantom",
        "removed",
        "deidentified",
    ]
)


@dataclass(frozen=True)
class Seeds:
    """What no picture of a patient may say: folded words and numbers, and days as (year, month, day)."""

    words: frozenset[str] = field(default=frozenset(), repr=False)
    numbers: frozenset[str] = field(default=frozenset(), repr=False)
    days: frozenset[tuple[int, int, int]] = field(default=frozenset(), repr=False)


def seeds_of(rows: Iterable[Mapping[str, str]]) -> Seeds:
    """Seeds from rows of identifiers.parquet (category, keyword, value) of one patient."""
    words: set[str] = set()
    numbers: set[str] = set()
    days: set[tuple[int, int, int]] = set()
    for row in rows:
        category, keyword, value = row["category"], row["keyword"], row["value"]
        if category == "date":
            days.update(_days_of_header(value))
            continue
        if category not in ("name", "id", "institution"):
            continue
        place = category == "institution" or _PLACES.search(keyword) is not None
        for run in _RUN.findall(_plain(value)):
            if any(letter.isdigit() for letter in run):
                if len(run) >= LEAST_NUMBER:
                    numbers.add(_folded(run))
            elif len(run) >= (LEAST_PLACE if place else LEAST_NAME) and run not in _NOBODY:
                words.add(_folded(run))
    return Seeds(frozenset(words), frozenset(numbers), frozenset(days))


def says(text: str, seeds: Seeds) -> bool:
    """Whether a reading holds one of the patient's own words, as a recogniser may have misread it."""
    plain = _plain(text)
    runs = [_folded(run) for run in _RUN.findall(plain)]
    if not runs:
        return False
    joined = "".join(runs)
    return (
        any(_like(run, word) for run in runs for word in seeds.words)
        or any(len(word) >= LEAST_MISREAD and word in joined for word in seeds.words)
        or any(number in joined or _like(run, number) for run in runs for number in seeds.numbers)
        or (bool(seeds.days) and not seeds.days.isdisjoint(_days_of_reading(plain)))
    )


def say_together(texts: Sequence[str], seeds: Seeds) -> bool:
    """Whether several readings, in their order, say what none of them says alone."""
    return says("".join(texts), seeds) or says(" ".join(texts), seeds)


def _plain(text: str) -> str:
    """Lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def _folded(run: str) -> str:
    """Letters that look alike as one."""
    return run.replace("rn", "m").replace("vv", "w").translate(_CONFUSED)


def _like(run: str, word: str) -> bool:
    """Whether a run may be the word: misread by a letter in five, two letters exchanged, or its end cut off."""
    if run == word:
        return True
    if len(word) < LEAST_MISREAD:
        return False
    if len(run) >= LEAST_BEGINNING and word.startswith(run):
        return True
    allowed = len(word) // PER_MISTAKE
    return abs(len(run) - len(word)) <= allowed and _mistakes(run, word) <= allowed


def _mistakes(one: str, other: str) -> int:
    """Letters that are wrong, missing, too many or exchanged with their neighbour (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        now = [row]
        for column, wanted in enumerate(other, start=1):
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        before, last = last, now
    return last[-1]


def _days_of_header(value: str) -> Iterator[tuple[int, int, int]]:
    digits = re.sub(r"\D", "", value)[:8]
    if len(digits) == 8 and digits[4:] != "0000":
        yield int(digits[:4]), int(digits[4:6]), int(digits[6:8])


def _days_of_reading(plain: str) -> Iterator[tuple[int, int, int]]:
    """Every day that a reading may mean, in any order; years of two digits in both centuries."""
    parts = [part for run in _RUN.findall(plain) for part in _numbers_of(run)]
    for place in range(len(parts) - 2):
        for first, second, third in permutations(parts[place : place + 3]):
            if first > 31 or (second <= 12 and third <= 31):
                years = (first,) if first > 99 else (1900 + first, 2000 + first)
                yield from ((year, second, third) for year in years)


def _numbers_of(run: str) -> Iterator[int]:
    """Numbers that a date may be made of: a run's own, a month's name, or the parts of six or eight digits in a row."""
    for stretch in re.findall(r"[^\W\d_]{3,}|[\doqdilbjszg]+", run):
        month = _MONTHS.get(stretch[:4]) or _MONTHS.get(stretch[:3])
        if month:
            yield month
            continue
        digits = stretch.translate(_AS_DIGITS)
        if not digits.isdigit():
            continue
        cut: tuple[int, ...] = (0, len(digits))
        if len(digits) == 8:
            cut = (0, 4, 6, 8) if digits[:2] in ("18", "19", "20", "21") else (0, 2, 4, 8)
        elif len(digits) == 6:
            cut = (0, 2, 4, 6)
        yield from (int(digits[start:end]) for start, end in pairwise(cut))
