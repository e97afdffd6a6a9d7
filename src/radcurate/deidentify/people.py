"""The words of a patient's names, which no text of that patient may keep, even where the vocabulary has them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W\d_]{2,}")


def words_of_names(names: Iterable[str]) -> frozenset[str]:
    """Casefolded words of two letters and more."""
    return frozenset(word.casefold() for name in names for word in _WORD.findall(name))
