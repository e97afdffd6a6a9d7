"""The writings of an identifier: parts and orders of names, diacritics, character sets, codes of codes."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator
from enum import Enum
from itertools import permutations

from radcurate.verify.words import vocabulary

CHARSETS = (
    "utf-8", "latin-1", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "tis-620", "shift_jis", "iso2022_jp", "iso2022_jp_2", "euc_jp", "euc_kr", "iso2022_kr", "gb18030", "cp1251", "utf-16-le", "utf-16-be",
)  # fmt: skip
SEPARATORS = (" ", "", "^", ", ", ",", "_", "-", ".", "/", "=")
_PARTICLES = "van von der den del dos das the mrs phd prof med med. dipl ing mag sir frau herr jun sen iii bsc msc"
PARTICLES = frozenset(_PARTICLES.split())
SPECIAL = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss"})
LEAST_HIDDEN = 6  # characters


class Edge(Enum):
    """What must surround a match within its value, so that chance in codes and numbers is no hit."""

    NONE = "none"  # anywhere
    WORD = "no letters"
    NUMBER = "no digits"
    TOKEN = "no letters or digits"
    VALUE = "nothing: the whole value"


def fold(text: str) -> str:
    """Lower case without diacritics: Ångström -> angstrom."""
    lowered = text.casefold().translate(SPECIAL)
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))


def writings(
    category: str, keyword: str, value: str, shortest: int, harmless: frozenset[str]
) -> Iterator[tuple[str, Edge]]:
    """What to look for on behalf of one value, and what must surround it."""
    if category == "name":
        for writing in _name_writings(value):
            yield from _edged(writing, category, shortest)
        return
    yield from _edged(value, category, shortest)
    if category == "text":
        for part in _telling_parts(value, harmless):
            yield part, Edge.WORD if part.isalpha() else _edge(part, "id", shortest)
    elif keyword != "file_name":  # the number in a code, as typed into a numeric attribute
        for digits in {
            form for run in re.findall(r"\d{6,}", value) for form in (run, run.lstrip("0")) if len(form) >= 6
        }:
            yield digits, _edge(digits, category, shortest)
        bare = value.lstrip("0")
        if value.isdigit() and len(value) >= 6 and shortest <= len(bare) < 6:
            yield bare, Edge.TOKEN


def _telling_parts(value: str, harmless: frozenset[str]) -> Iterator[str]:
    """Numbers, codes and unusual words in a free text: an insurance number, somebody's name."""
    for part in dict.fromkeys(re.findall(r"[^\W_]+(?:[-/.][^\W_]+)*", value.lower())):
        pieces = [fold(piece) for piece in re.findall(r"[^\W\d_]+", part)]
        if re.fullmatch(r"\d{1,4}\.\d+", part):  # a measure
            continue
        if sum(character.isdigit() for character in part) >= 5:
            yield part
        elif (
            part.isalpha()
            and len(part) >= 5
            and not all(piece in vocabulary() or piece in harmless for piece in pieces)
        ):
            yield part
            if not part.isascii():
                yield fold(part)


def _name_writings(value: str) -> Iterator[str]:
    """Parts of a name of three letters and more (two where they aren't Latin), and all parts in both orders."""
    for group in value.split("="):
        parts = [part for part in re.split(r"[\s^,;.]+", group) if part]
        split = [
            piece for part in parts for piece in re.split(r"[-'’]", part) if "-" in part or "'" in part or "’" in part
        ]
        for part in (*parts, *split):
            latin = fold(part).isascii()
            if sum(c.isalnum() for c in part) >= (3 if latin else 2) and part.casefold() not in PARTICLES:
                yield part
        for first, second in permutations(parts[:4], 2):
            if len(first) + len(second) >= 4:
                yield from (first + separator + second for separator in SEPARATORS)
        if parts:
            yield from _with_initials(parts[0], parts[1:4])


def _with_initials(surname: str, others: list[str]) -> Iterator[str]:
    """H. Li, Li H: for surnames that are too short to be searched by themselves."""
    if not 2 <= len(surname) <= 4 or surname.casefold() in PARTICLES:
        return
    for initial in {part[0] for part in others if part[0].isalpha()}:
        for separator in (" ", ". ", ".", "^", ", ", "_"):
            yield initial + separator + surname
            yield surname + separator + initial


def hidden(category: str, keyword: str, value: str) -> set[bytes]:
    """What a name or number of six characters and more looks like in hexadecimal, in base64 and read backwards, lower case."""
    if category not in ("name", "id") or keyword == "file_name":
        return set()
    parts = [part for part in re.split(r"[\s^=,;-]+", value) if part] if category == "name" else []
    found: set[bytes] = set()
    for text in {value, *parts}:
        for form in {text, text.upper(), text.lower(), text.title()}:
            raw = form.encode()
            if len(raw) >= LEAST_HIDDEN and sum(character.isalnum() for character in form) >= LEAST_HIDDEN:
                found |= {raw.hex().encode(), *_base64(raw)}
                if form.isascii() and form.lower() != form.lower()[::-1]:
                    found.add(raw.lower()[::-1])
    return found


def _base64(raw: bytes) -> Iterator[bytes]:
    """The letters that don't depend on what stands before and behind, at each of three offsets."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw)
        yield text[(0, 2, 3)[before] : 8 * (before + len(raw)) // 6].lower()


def _edged(text: str, category: str, shortest: int) -> Iterator[tuple[str, Edge]]:
    """A writing, with and without diacritics, and what must surround it.

    Codes of 16 hexadecimal digits and numbers of 39 digits stand everywhere in what is written, so what may occur in
    them by chance must stand by itself; what can't may be found anywhere.
    """
    lowered = text.lower()
    for form in dict.fromkeys(
        (
            lowered,
            fold(text),
            lowered.translate(UMLAUTS),
            *_shorter(lowered, category),
            unicodedata.normalize("NFC", lowered),
            unicodedata.normalize("NFD", lowered),
        )
    ):
        yield form, _edge(form, category, shortest)


def _shorter(lowered: str, category: str) -> Iterator[str]:
    """Müller for Mueller, and Muller."""
    if category == "name" and len(lowered) >= 6 and re.search("ae|oe|ue", lowered):
        for letters in ("äöü", "aou"):
            yield lowered.replace("ae", letters[0]).replace("oe", letters[1]).replace("ue", letters[2])


def _edge(form: str, category: str, shortest: int) -> Edge:
    if not form.isascii():
        return Edge.NONE
    if form.isalpha():
        if category == "name":
            return Edge.WORD if len(form) < 5 else Edge.NONE
        return Edge.VALUE if len(form) < shortest else Edge.WORD if len(form) < 8 else Edge.NONE
    if len(form) < shortest:
        return Edge.VALUE
    if re.fullmatch(r"[\d.,+ -]*", form):
        return Edge.NUMBER if len(form) >= 8 else Edge.TOKEN
    if re.fullmatch(r"[0-9a-f]*", form):
        return Edge.TOKEN if len(form) < 8 else Edge.NONE
    return Edge.NONE


def encodings(form: str) -> set[bytes]:
    """A lower-case writing as lower-case bytes in the character sets of DICOM; plain letters need one.

    Two-byte letters have their own capital forms, which `bytes.lower` doesn't fold: capitals and title case are added.
    """
    if form.isascii():
        return {form.encode()}
    result = set()
    for variant in dict.fromkeys((form, form.upper(), form.title())):
        for charset in CHARSETS:
            try:
                raw = variant.encode(charset).lower()
            except UnicodeEncodeError:
                continue
            if len(raw) >= 2:
                result.add(raw)
    return result
