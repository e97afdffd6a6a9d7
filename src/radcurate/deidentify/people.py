"""What no value of a patient may say, even where the tables would let it: words of the names, numbers of the identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]{2,}")
_NUMBER = re.compile(r"\d{5,15}", re.ASCII)  # shorter ones collide with technical values, and prove nothing


def words_of_names(names: Iterable[str]) -> frozenset[str]:
    """Casefolded words of two letters and more."""
    return frozenset(word.casefold() for name in names for word in _WORD.findall(name))


def numbers_of_ids(identifiers: Iterable[str]) -> frozenset[float]:
    """Numbers of five digits and more, leading zeros dropped."""
    return frozenset(float(digits) for text in identifiers for digits in _NUMBER.findall(text) if int(digits) >= 10**4)
