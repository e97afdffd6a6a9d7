"""Dates in any usual writing, and whether written dates are what the date rule made of the original ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

_NAMES = (
    "jan ene gen,feb fév fev,mar mär mrz,apr avr abr,may mai mag,jun juin giu,jul juil lug,aug aoû aou ago,sep,oct okt ott out,"
    "nov,dec dez déc dic"
)
MONTHS = {name: number for number, names in enumerate(_NAMES.split(","), start=1) for name in names.split()}
_MONTH = "(" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")[a-zäéû]*"
_TIME = r"(?=(?:[T _-]?\d{2}:?(?:\d{2}:?(?:\d{2})?)?)?(?!\d))"  # a time of day may follow directly
_YMD = re.compile(r"(?<!\d)((?:1[89]|2[01])\d\d)([-./_ \\]?)(\d\d)\2(\d\d)" + _TIME)
_YMD_LOOSE = re.compile(r"(?<!\d)((?:1[89]|2[01])\d\d)([-./])(\d{1,2})\2(\d{1,2})(?!\d)")
_DMY = re.compile(r"(?<!\d)(\d{1,2})([-./_ ])(\d{1,2})\2((?:1[89]|2[01])\d\d)(?!\d)")
_PACKED = re.compile(r"(?<!\d)(\d\d)(\d\d)((?:1[89]|2[01])\d\d)(?!\d)")
_SHORT = re.compile(r"(?<!\d)(?<!\d\.)(\d\d)([-./])(\d\d)\2(\d\d)(?!\.?\d)")
_SIX = re.compile(r"(?<!\d)(?<!\d\.)(\d\d)(\d\d)(\d\d)(?!\.?\d)")
_DAY_MONTH = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[-./_ ]{0,2}" + _MONTH + r"[-./_, ]{0,2}(\d{4}|\d\d)(?!\d)")
_MONTH_DAY = re.compile(_MONTH + r"[-./_ ]{0,2}(\d{1,2})(?:st|nd|rd|th)?[-./_, ]{1,2}(\d{4}|\d\d)(?!\d)")

Days = Mapping[str, frozenset[date]]  # by keyword


def parse_day(text: str) -> date | None:
    """YYYYMMDD as a day; None where it is none."""
    if not re.fullmatch(r"\d{8}", text):
        return None
    return _day(text[:4], text[4:6], text[6:])


def _day(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def days_in(text: str) -> Iterator[date]:
    """Every day that a lower-case text may mean; a writing that can be read in several ways gives several."""
    if not any(character.isdigit() for character in text):
        return
    for found in _candidates(text):
        if found is not None:
            yield found


def _candidates(text: str) -> Iterator[date | None]:
    for pattern in (_YMD, _YMD_LOOSE):
        for match in _every(pattern, text):
            yield _day(match[1], match[3], match[4])
    for match in _every(_DMY, text):
        yield _day(match[4], match[3], match[1])
        yield _day(match[4], match[1], match[3])
    for match in _every(_PACKED, text):
        yield _day(match[3], match[2], match[1])
        yield _day(match[3], match[1], match[2])
    for match in _every(_SHORT, text):
        yield from _two_digits(match[1], match[3], match[4])
    for match in _every(_SIX, text):
        if int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:  # else it may be a time of day
            yield from _two_digits(match[1], match[2], match[3])
    for match in _every(_DAY_MONTH, text):
        yield from (_day(year, MONTHS[match[2]], match[1]) for year in _years(match[3]))
    for match in _every(_MONTH_DAY, text):
        yield from (_day(year, MONTHS[match[1]], match[2]) for year in _years(match[3]))


def _every(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches, overlapping ones too."""
    match = pattern.search(text)
    while match:
        yield match
        match = pattern.search(text, match.start() + 1)


def _two_digits(first: str, second: str, third: str) -> Iterator[date | None]:
    for year in _years(third):
        yield _day(year, second, first)
        yield _day(year, first, second)
    for year in _years(first):
        yield _day(year, second, third)


def _years(text: str) -> tuple[int, ...]:
    return (int(text),) if len(text) == 4 else (1900 + int(text), 2000 + int(text))


def explained(written: Iterable[tuple[str, date]], original: Days) -> bool:
    """Whether the dates of a patient's files are the original ones under the date rule, not the original ones themselves.

    A shifted date may fall on another original date of the patient (weekly visits, a shift of whole weeks), so an equal
    date alone proves nothing. It is explained when one shift of whole weeks, other than 0, leads from original dates of
    the same attribute to every written date, or when all are first days of a year. It is not when no shift at all
    explains the files just as well: then they may be the originals.
    """
    pairs = sorted(set(written))
    if all(day.month == day.day == 1 for _, day in pairs):
        return True
    every = frozenset(day for days in original.values() for day in days)
    if all(day in original.get(keyword, every) for keyword, day in pairs):
        return False
    shifts: set[int] | None = None
    for keyword, day in pairs:
        possible = {(day - source).days for source in original.get(keyword, every)}
        shifts = possible if shifts is None else shifts & possible
    return any(shift and shift % 7 == 0 for shift in shifts or ())
