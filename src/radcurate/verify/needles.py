"""What is looked for: a patient's original identifiers in every writing that counts, ready for one pass over many bytes."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import permutations

from radcurate.verify.days import parse_day
from radcurate.verify.words import vocabulary

CHARSETS = (
    "utf-8", "latin-1", "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "tis-620", "shift_jis", "iso2022_jp", "iso2022_jp_2", "euc_jp", "euc_kr", "iso2022_kr", "gb18030", "cp1251", "utf-16-le", "utf-16-be",
)  # fmt: skip
SEPARATORS = (" ", "", "^", ", ", ",", "_", "-", ".", "/", "=")
PARTICLES = frozenset(
    [
        "van",
        "von",
        "der",
        "den",
        "del",
        "dos",
        "das",
        "the",
        "mrs",
        "phd",
        "prof",
        "med",
        "med.",
        "dipl",
        "ing",
        "mag",
        "sir",
        "frau",
        "herr",
        "jun",
        "sen",
        "iii",
        "bsc",
        "msc",
    ]
)
SPECIAL = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss"})
UID_RUN = re.compile(rb"[0-9]+\.[0-9]*\.[0-9.]*")
PREFIX = 4


class Edge(Enum):
    """What must surround a match within its value, so that chance in codes and numbers is no hit."""

    NONE = "none"  # anywhere
    WORD = "no letters"
    NUMBER = "no digits"
    TOKEN = "no letters or digits"
    VALUE = "nothing: the whole value"


@dataclass(frozen=True, slots=True)
class Needle:
    """One writing of an identifier, lower case; compared with lower-case bytes."""

    category: str
    keyword: str
    edge: Edge
    words: bool  # made of letters only, so that it may be an everyday word
    code: bool  # a number or code given to somebody or something, which no word explains


@dataclass(frozen=True)
class Needles:
    """All writings of a patient's identifiers.

    texts: writing -> needles;  uids: original UID -> keywords;  days: original days by keyword.
    """

    texts: Mapping[bytes, tuple[Needle, ...]]
    uids: Mapping[bytes, tuple[str, ...]]
    days: Mapping[str, frozenset[date]]
    every_day: frozenset[date]
    lengths: Mapping[bytes, tuple[int, ...]]  # by the first PREFIX bytes, longest first
    uid_lengths: tuple[int, ...]
    pattern: re.Pattern[bytes] | None
    identifiers: int
    least: int  # bytes; nothing shorter can hold any of them
    harmless: frozenset[str]  # words that name nobody, besides the list of the package

    def matches(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Every writing in `text` (lower case) and where it begins, overlapping ones too."""
        if self.pattern is None:
            return
        found = self.pattern.search(text)
        while found:
            start = found.start()
            for length in self.lengths[found.group()]:
                part = text[start : start + length]
                if part in self.texts:
                    yield start, part
            found = self.pattern.search(text, start + 1)

    def uid_matches(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Every original UID inside runs of digits and dots, and where it begins."""
        if not self.uids:
            return
        shortest = self.uid_lengths[0]
        for run in UID_RUN.finditer(text):
            digits = run.group()
            if len(digits) < shortest:
                continue
            for length in self.uid_lengths:
                for start in range(len(digits) - length + 1):
                    if digits[start : start + length] in self.uids:
                        yield run.start() + start, digits[start : start + length]


def make_needles(rows: Iterable[Mapping[str, str]], shortest: int, harmless: frozenset[str] = frozenset()) -> Needles:
    """Needles of one patient from rows with category, keyword, value.

    Args:
        rows: the identifiers of the patient.
        shortest: fewest characters that count inside of a longer text; shorter ones must be a whole value.
        harmless: words that a steward vouches for.
    """
    texts: dict[bytes, set[Needle]] = defaultdict(set)
    uids: dict[bytes, set[str]] = defaultdict(set)
    days: dict[str, set[date]] = defaultdict(set)
    count = 0
    for row in rows:
        category, keyword, value = row["category"], row["keyword"], row["value"].strip(" \0\t\r\n")
        if not value:
            continue
        count += 1
        if category == "uid" and value.count(".") >= 2 and value.replace(".", "").isdigit():
            uids[value.encode()].add(keyword)
        elif category == "date":
            day = parse_day(value)
            if day:
                days[keyword].add(day)
        else:
            for writing, edge in _writings(category, keyword, value, shortest, harmless):
                needle = Needle(
                    category, keyword, edge, writing.replace(" ", "").isalpha(), _is_code(category, keyword, writing)
                )
                for raw in _encodings(writing):
                    texts[raw].add(needle)
    return _prepared(texts, uids, days, count, harmless)


def _is_code(category: str, keyword: str, text: str) -> bool:
    """Folders and files are often called by what is in them, as in T1_AX_3MM; station names and numbers aren't."""
    return category == "id" and keyword != "file_name" and any(character.isdigit() for character in text)


def _prepared(
    texts: dict[bytes, set[Needle]],
    uids: dict[bytes, set[str]],
    days: dict[str, set[date]],
    count: int,
    harmless: frozenset[str],
) -> Needles:
    lengths: dict[bytes, set[int]] = defaultdict(set)
    for raw in texts:
        lengths[raw[:PREFIX]].add(len(raw))
    for short in [prefix for prefix in lengths if len(prefix) < PREFIX]:  # such a match must not hide a longer one
        for prefix in [prefix for prefix in lengths if prefix.startswith(short) and prefix != short]:
            lengths[prefix] |= lengths[short]
    return Needles(
        {
            raw: tuple(sorted(found, key=lambda n: (n.category, n.keyword, n.edge.value)))
            for raw, found in texts.items()
        },
        {raw: tuple(sorted(keywords)) for raw, keywords in uids.items()},
        {keyword: frozenset(found) for keyword, found in days.items()},
        frozenset(day for found in days.values() for day in found),
        {prefix: tuple(sorted(found, reverse=True)) for prefix, found in lengths.items()},
        tuple(sorted({len(raw) for raw in uids})),
        _any_of(set(lengths)),
        count,
        min([6] * bool(days) + [len(raw) for raw in texts] + [len(raw) for raw in uids], default=1),
        harmless,
    )


def _any_of(prefixes: set[bytes]) -> re.Pattern[bytes] | None:
    """One expression for thousands of prefixes, grouped by first byte, longer ones first."""
    if not prefixes:
        return None
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for prefix in sorted(prefixes, key=lambda prefix: (-len(prefix), prefix)):
        groups[prefix[:1]].append(prefix[1:])
    parts = [
        re.escape(first) + b"(?:" + b"|".join(map(re.escape, rest)) + b")" for first, rest in sorted(groups.items())
    ]
    return re.compile(b"|".join(parts), re.DOTALL)


def fold(text: str) -> str:
    """Lower case without diacritics: Ångström -> angstrom."""
    lowered = text.casefold().translate(SPECIAL)
    return "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))


def _writings(
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


def _telling_parts(value: str, harmless: frozenset[str]) -> Iterator[str]:
    """Numbers, codes and unusual words in a free text: an insurance number, somebody's name."""
    for part in dict.fromkeys(re.findall(r"[^\W_]+(?:[-/.][^\W_]+)*", value.lower())):
        pieces = [fold(piece) for piece in re.findall(r"[^\W\d_]+", part)]
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
            unicodedata.normalize("NFC", lowered),
            unicodedata.normalize("NFD", lowered),
        )
    ):
        yield form, _edge(form, category, shortest)


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


def _encodings(form: str) -> set[bytes]:
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
