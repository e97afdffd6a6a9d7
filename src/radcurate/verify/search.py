"""Find needles in bytes and decide which finds count (docs/decisions/what-counts-as-a-leak.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from radcurate.verify.days import days_in, parse_day
from radcurate.verify.needles import Needle, Needles
from radcurate.verify.readings import numbers_in, packed
from radcurate.verify.words import also_names, is_identity, is_plain, is_standard_meaning
from radcurate.verify.writings import Edge, fold

TEXT_VRS = frozenset(["AE", "AS", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "UN"])
NUMBER_TEXT = frozenset(("DS", "IS"))
DAY_VRS = frozenset(("DA", "DT"))
CODE_MEANING = 0x00080104
DEVICE = frozenset((0x00080070, 0x00081090, 0x00181020))  # maker, model, software
NAMED_AFTER_DEVICES = frozenset(("StationName", "file_name"))  # a station called by its model tells the model only
STANDARD_UIDS = b"1.2.840.10008."
BINARY_NUMBERS = frozenset(("UL", "SL", "UV", "SV", "FL", "FD"))
CODED, LEAST_CODED = "coded", 6  # among coded pixels chance is the rule
LEAST_JOINED, LONGEST_SPACED = 5, 128
_SPACES = re.compile(rb"[\s._^,;:/+-]")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\0){3,}|(?:\0[\x20-\x7e]){3,}")
_HIGH = re.compile(rb"[\x80-\xff]")
_ESCAPES = re.compile(rb"\x1b(?:[()\-./$]|\$[()\-]?)[0-9A-Za-z@]")
_WORDY = re.compile(rb"[a-df-z\x80-\xff]")  # no exponent
_CLOCK = re.compile(rb"([01]\d|2[0-3])([0-5]\d([0-5]\d)?)?")
_LETTER = re.compile(rb"[a-z\x80-\xff]")
_DIGIT = re.compile(rb"[0-9]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stretch of bytes stands. vr is "" where it is no value; program: text that the program itself wrote."""

    path: str
    vr: str = "LO"
    tag: int = 0
    keyword: str = ""
    program: bool = False
    order: str = "<"  # of the bytes of binary numbers


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """An original identifier that was found; never its value."""

    category: str
    keyword: str  # of the source's attribute
    place: str


@dataclass(slots=True)
class Finds:
    """What was found in a file: hits, the dates that its date attributes hold, and hits that hang on those dates."""

    hits: Counter[Hit] = field(default_factory=Counter)
    written: set[tuple[str, date]] = field(default_factory=set)
    dated: Counter[Hit] = field(default_factory=Counter)

    def merge(self, other: Finds) -> None:
        """Take in what another search found."""
        if other.hits:
            self.hits.update(other.hits)
        if other.written:
            self.written |= other.written
        if other.dated:
            self.dated.update(other.dated)


def search_value(raw: bytes, place: Place, needles: Needles, finds: Finds) -> None:
    """Search one value, or any stretch of bytes, in all its readings."""
    if not raw or raw.isspace():
        return
    if place.vr in DAY_VRS:
        _search_days(raw, place, needles, finds)
    elif place.vr not in ("UI", "TM", "AS", CODED):
        _search_written_days(raw, place, needles, finds)
    if place.vr in BINARY_NUMBERS or place.vr in NUMBER_TEXT:
        _search_numbers(raw, place, needles, finds)
    for reading in _readings(raw, place.vr):
        _search_texts(reading, place, needles, finds)
        for _, uid in needles.uid_matches(reading):
            for keyword in needles.uids[uid]:
                finds.hits[Hit("uid", keyword, place.path)] += 1
    if place.vr in TEXT_VRS or place.vr == "UI":
        _search_pieces(raw.lower(), place, needles, finds)
    for hidden in packed(raw):
        search_value(hidden, Place(place.path, "UN"), needles, finds)


def _search_numbers(raw: bytes, place: Place, needles: Needles, finds: Finds) -> None:
    """An identifier's number as a number, in whatever way it is written."""
    for value in numbers_in(raw, place.vr, place.order):
        for category, keyword in needles.numbers.get(value, ()):
            finds.hits[Hit(category, keyword, place.path)] += 1


def _search_pieces(text: bytes, place: Place, needles: Needles, finds: Finds) -> None:
    """An identifier cut into several values, or spaced out: all of them together are one, to the letter."""
    parts = [part.strip(b" \0") for part in text.split(b"\\")]
    joined = {
        b"".join(parts[first:last])
        for first in range(min(len(parts), 16) - 1)
        for last in range(first + 2, min(len(parts), first + 16) + 1)
    }
    if len(text) <= LONGEST_SPACED and place.vr != "UI":
        joined |= {squeezed for part in parts if (squeezed := _SPACES.sub(b"", part)) != part}
    everyday = _plain(text, needles.harmless) and any(len(part.split(maxsplit=1)[0]) > 1 for part in parts if part)
    for whole in joined:
        for needle in needles.texts.get(whole, ()) if len(whole) >= LEAST_JOINED else ():
            if not (needle.words and everyday) and (needle.words or len(whole) > LEAST_JOINED):
                finds.hits[Hit(needle.category, needle.keyword, place.path)] += 1
        for keyword in needles.uids.get(whole, ()):
            finds.hits[Hit("uid", keyword, place.path)] += 1


def _readings(raw: bytes, vr: str) -> Iterator[bytes]:
    """Lower-case bytes as they are; without the zeros of UTF-16, the escapes of ISO 2022 and the diacritics, where there are any."""
    lowered = raw.lower()
    yield lowered
    for wide in _WIDE.finditer(lowered):
        yield wide.group().replace(b"\0", b"")
    if b"\x1b" in lowered:
        yield _ESCAPES.sub(b"", raw).lower()
    if (vr in TEXT_VRS or not vr) and _HIGH.search(lowered):
        for charset in ("utf-8", "latin-1"):
            folded = fold(raw.decode(charset, "replace")).encode()
            if folded != lowered:
                yield folded


def _search_days(raw: bytes, place: Place, needles: Needles, finds: Finds) -> None:
    """A date attribute: what it holds is judged with all others of the patient, once they are known."""
    for part in raw.decode("latin-1").split("\\"):
        day = parse_day(part.strip(" \0")[:8])
        if day is not None:
            keyword = place.keyword or "StudyDate"
            finds.written.add((keyword, day))
            if day in needles.every_day:
                finds.dated[Hit("date", keyword, place.path)] += 1
        elif part.strip(" \0"):
            _search_written_days(part.encode("latin-1"), place, needles, finds)


def _search_written_days(raw: bytes, place: Place, needles: Needles, finds: Finds) -> None:
    """Anywhere else a date of the source has no business, in whatever way it is written."""
    if not needles.every_day or place.vr in NUMBER_TEXT:
        return
    text = raw.decode("latin-1").lower()
    if b"\0" in raw:
        text = text.replace("\0", "") if _WIDE.search(raw) else text
    for day in {day for day in days_in(text) if day in needles.every_day}:
        for keyword, days in needles.days.items():
            if day in days:
                finds.hits[Hit("date", keyword, place.path)] += 1


def _search_texts(text: bytes, place: Place, needles: Needles, finds: Finds) -> None:
    seen: Counter[Hit] = Counter()
    for start, part in needles.matches(text):
        for needle in needles.texts[part]:
            if _counts(text, start, start + len(part), needle, place, needles.harmless):
                seen[Hit(needle.category, needle.keyword, place.path)] += 1
    finds.hits.update(seen)


def _counts(text: bytes, start: int, end: int, needle: Needle, place: Place, harmless: frozenset[str]) -> bool:
    """Whether a match is a leak: its surroundings, the kind of value, and the words of the value."""
    if not _stands(text, start, end, needle.edge):
        return False
    value = _component(text, start, end)
    alone = value.strip(b" \0") == text[start:end].strip()
    number = needle.edge in (Edge.NUMBER, Edge.TOKEN, Edge.VALUE) and not needle.words
    if place.vr in NUMBER_TEXT:
        return bool(_WORDY.search(text[start:end])) or (alone and end - start >= 6)
    if place.vr == CODED:
        return end - start >= LEAST_CODED
    if place.vr == "UI":
        return not value.startswith(STANDARD_UIDS)
    if place.vr == "TM":
        return not (number and alone and _CLOCK.fullmatch(text[start:end]))
    if place.vr in DAY_VRS:
        return not (alone and parse_day(value.decode("latin-1").strip(" \0")[:8]))
    if (
        place.vr and place.vr not in TEXT_VRS and end - start < 4 and text[start:end].isascii()
    ):  # chance, among binary numbers
        return False
    if place.program and needle.words:
        return b" " in text[start:end].strip() or b"^" in text[start:end]
    if (
        not place.vr
    ):  # bytes without structure are a fault of the file by themselves; standard words among them tell nothing
        return needle.code or not _plain(text[start:end], harmless)
    if place.tag in DEVICE and needle.keyword in NAMED_AFTER_DEVICES:
        return False
    if place.tag == CODE_MEANING and needle.words and is_standard_meaning(value.decode("latin-1").strip(" \0")):
        return False
    if needle.category == "name" and not also_names().isdisjoint(re.split(r"\W+", text[start:end].decode("latin-1"))):
        return True
    return needle.code or is_identity(place.tag) or place.vr == "PN" or not _plain(value, harmless)


def _stands(text: bytes, start: int, end: int, edge: Edge) -> bool:
    before, behind = text[start - 1 : start] if start else b"", text[end : end + 1]
    if edge is Edge.WORD:
        return not _LETTER.match(before) and not _LETTER.match(behind)
    if edge is Edge.NUMBER:
        return not _DIGIT.match(before) and not _DIGIT.match(behind)
    if edge is Edge.TOKEN:
        return not (before + behind).isalnum() and not before.isalnum() and not behind.isalnum()
    if edge is Edge.VALUE:
        return _component(text, start, end).strip(b" \0") == text[start:end]
    return True


def _component(text: bytes, start: int, end: int) -> bytes:
    """The value among backslash-separated ones that holds text[start:end]."""
    behind = text.find(b"\\", end)
    return text[text.rfind(b"\\", 0, start) + 1 : behind if behind >= 0 else len(text)]


def _plain(value: bytes, harmless: frozenset[str]) -> bool:
    """Whether the value consists of harmless words only."""
    if len(value) > 256:
        return False
    try:
        return is_plain(fold(value.decode()).strip(" \0"), harmless)
    except UnicodeDecodeError:
        return is_plain(fold(value.decode("latin-1")).strip(" \0"), harmless)
