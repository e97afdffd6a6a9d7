"""Words of the standard and of the trade, which name nobody: a list of verify's own.

A patient may be called Head or Brown, a hospital General. Where such a word stands in a value that consists of nothing
but words of this list, it is taken for what it says. In attributes that are made for identities it never is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[\d\s_.,;:/\\()\[\]+*&%^<>=#'\"|-]*")
# names, numbers and institutions of a study, besides group 0010
IDENTITY = frozenset(
    {0x00080050, 0x00080080, 0x00080081, 0x00080090, 0x00081010, 0x00081040, 0x00081048, 0x00081050, 0x00081060, 0x00081070,
     0x00181000, 0x00200010, 0x00321032, 0x00400253, 0x00401001, 0x00420010, 0x00700084}
)  # fmt: skip
_HARMLESS_PATIENT = frozenset({0x00100040, 0x00101010, 0x00101020, 0x00101030})


@lru_cache(maxsize=1)
def _lines() -> tuple[str, ...]:
    text = files("radcurate.verify").joinpath("words.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """The words, lower case, with and without diacritics."""
    words = {word for line in _lines() for word in line.removeprefix("!").split()}
    decomposed = (unicodedata.normalize("NFKD", word) for word in words if not word.isascii())
    return frozenset(words | {"".join(c for c in word if not unicodedata.combining(c)) for word in decomposed})


@lru_cache(maxsize=1)
def also_names() -> frozenset[str]:
    """Those that people are called too: they never excuse a name."""
    return frozenset(word for line in _lines() if line.startswith("!") for word in line[1:].split())


@lru_cache(maxsize=1)
def _standard_meanings() -> frozenset[str]:
    from pydicom.sr._concepts_dict import concepts  # PS3.16 annex D and context groups; large, and rarely needed

    return frozenset(
        value[0][:64].casefold() for names in concepts.values() for name in names.values() for value in name.values()
    )


def is_standard_meaning(value: str) -> bool:
    """Whether a lower-case CodeMeaning is one that the standard gives to a code (cut to the length of an LO)."""
    return value[:64] in _standard_meanings()


def is_identity(tag: int) -> bool:
    """Whether an attribute is there to name somebody, so that no word in it is harmless."""
    return tag in IDENTITY or (tag >> 16 == 0x0010 and tag not in _HARMLESS_PATIENT)


@lru_cache(maxsize=65536)
def is_plain(value: str, harmless: frozenset[str] = frozenset()) -> bool:
    """Whether a value consists of words of the list, numbers of up to four digits and punctuation only."""
    if not value.isascii() or re.search(r"\d{5}", value):
        return False
    known = all(word in vocabulary() or word in harmless for word in _WORD.findall(value.lower()))
    return known and bool(_BETWEEN.fullmatch(_WORD.sub("", value)))
