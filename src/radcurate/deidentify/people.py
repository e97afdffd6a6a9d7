"""What no value of a patient may say, even where the tables would let it: words of the names, numbers of the identifiers."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d{5,15}", re.ASCII)  # shorter ones collide with technical values, and prove nothing
_DIGITS = re.compile(r"\d")
SHORTEST_WORD = 3  # in codes: words of two letters, such as CT, are everywhere
_NO_DAY = frozenset({"00"})


def words_of_names(names: Iterable[str]) -> frozenset[str]:
    """Casefolded words of two letters and more."""
    return frozenset(word.casefold() for name in names for word in _WORD.findall(name))


def numbers_of_ids(identifiers: Iterable[str]) -> frozenset[float]:
    """Numbers of five digits and more, leading zeros dropped."""
    return frozenset(float(digits) for text in identifiers for digits in _NUMBER.findall(text) if int(digits) >= 10**4)


def numbers_of_dates(dates: Iterable[str]) -> frozenset[float]:
    """Dates YYYYMMDD as the numbers they might be hidden in: year, month and day in three orders."""
    found = set()
    for text in dates:
        digits = "".join(_DIGITS.findall(text))[:8]
        if len(digits) == 8 and digits[4:6] not in _NO_DAY:
            year, month, day = digits[:4], digits[4:6], digits[6:]
            found |= {float(year + month + day), float(day + month + year), float(month + day + year)}
    return frozenset(found)


def digits_of(numbers: Iterable[float]) -> frozenset[str]:
    """The digits of the patient's own numbers."""
    return frozenset(str(int(number)) for number in numbers)


def says_word(text: str, words: Collection[str]) -> bool:
    """Whether one of the words, three letters or more, stands by itself in a text."""
    if not words:
        return False
    return any(len(word) >= SHORTEST_WORD and word.casefold() in words for word in _WORD.findall(text))


def says_number(text: str, digits: Collection[str]) -> bool:
    """Whether the text's digits, read together, contain one of the patient's own numbers."""
    if not digits:
        return False
    found = "".join(_DIGITS.findall(text))
    return len(found) >= 5 and any(number in found for number in digits)


def is_number(text: str, digits: Collection[str]) -> bool:
    """Whether a number's integer part, its decimals or all its digits are one of the patient's own numbers."""
    if not digits:
        return False
    whole, _, decimals = text.strip(" +-\0").lower().partition("e")[0].partition(".")
    parts = (whole, decimals, whole + decimals)
    return any(part.strip("0") and _own(part, digits) for part in parts)


def _own(part: str, digits: Collection[str]) -> bool:
    left = part.lstrip("0")
    return left in digits or (left != part.strip("0") and any(left.rstrip("0") == own.rstrip("0") for own in digits))
