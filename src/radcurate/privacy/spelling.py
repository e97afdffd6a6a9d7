"""Ladders of text: masked from the right, or shortened word by word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

Texts = Sequence[str | None]
Labels = tuple[str | None, ...]
WORDS = ("value", "spelling", "2 words", "1 word")  # of names: hospitals, scanners


def masked(texts: Texts, widths: Sequence[int]) -> tuple[tuple[str, ...], list[Labels]]:
    """Ever shorter beginnings: the last 1, 2, 4, … characters of the longest text give way to `*`, or `widths` of them.

    All texts are cut at one place, so a shorter one does not tell its length; what would leave nothing is left out.
    """
    longest = max((len(text) for text in texts if text is not None), default=0)
    hidden = [width for width in widths or [2**power for power in range(longest.bit_length())] if width < longest]
    names = ("value", *(f"{width} masked" for width in hidden))
    rungs = [tuple(None if text is None else text[: longest - width] + "*" for text in texts) for width in hidden]
    return names, [tuple(texts), *rungs]


def worded(texts: Texts) -> tuple[tuple[str, ...], list[Labels]]:
    """A name, its spelling made even (case, accents, signs, spaces), its first two words, its first word."""
    words = [None if text is None else even(text).split() for text in texts]
    shorter = [tuple(None if each is None else " ".join(each[:n]) for each in words) for n in (None, 2, 1)]
    return WORDS, [tuple(texts), *shorter]


def even(text: str) -> str:
    """`St. Élisabeth-Klinik` as `st elisabeth klinik`; a text without letters and numbers as it is."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", plain)) or text.strip()
