"""What is looked for: a patient's original identifiers in every writing that counts, ready for one pass over many bytes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from radcurate.verify.days import parse_day
from radcurate.verify.writings import Edge, encodings, hidden, writings

UID_RUN = re.compile(rb"[0-9]+\.[0-9]*\.[0-9.]*")
PREFIX = 4


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
    own_numbers: frozenset[int]  # of five digits and more, which no technical attribute may tell
    numbers: Mapping[int, tuple[tuple[str, str], ...]]  # identifiers as numbers -> category and keyword
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
    numbers: dict[int, set[tuple[str, str]]] = defaultdict(set)
    own: set[int] = set()
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
                numbers[int(value)].add((category, keyword))
        else:
            own.update(int(digits) for digits in re.findall(r"\d{5,15}", value) if category == "id")
            for writing, edge in writings(category, keyword, value, shortest, harmless):
                needle = Needle(
                    category, keyword, edge, writing.replace(" ", "").isalpha(), _is_code(category, keyword, writing)
                )
                for raw in encodings(writing):
                    texts[raw].add(needle)
            for raw in hidden(category, keyword, value):
                texts[raw].add(Needle(category, keyword, Edge.NONE, words=False, code=True))
            for number in _numbers(category, keyword, value):
                numbers[number].add((category, keyword))
    _add_ages(days, texts)
    return _prepared(texts, uids, days, numbers, own, count, harmless)


def _numbers(category: str, keyword: str, value: str) -> set[int]:
    """Numbers of six digits and more, as typed into a numeric attribute; round ones are too likely by chance."""
    if category != "id" or keyword == "file_name":
        return set()
    found = {int(digits) for digits in re.findall(r"\d{6,18}", value)}
    return {number for number in found if number >= 100_000 and number % 1000}


def _add_ages(days: Mapping[str, set[date]], texts: dict[bytes, set[Needle]]) -> None:
    """The age in days on any other day of the patient tells the birth date: five digits by themselves."""
    others = {day for keyword, found in days.items() if keyword != "PatientBirthDate" for day in found}
    for birth in days.get("PatientBirthDate", ()):
        for day in others:
            if (age := (day - birth).days) >= 10_000:
                texts[str(age).encode()].add(Needle("date", "PatientBirthDate", Edge.TOKEN, words=False, code=True))


def _is_code(category: str, keyword: str, text: str) -> bool:
    """Folders and files are often called by what is in them, as in T1_AX_3MM; station names and numbers aren't."""
    return category == "id" and keyword != "file_name" and any(character.isdigit() for character in text)


def _prepared(
    texts: dict[bytes, set[Needle]],
    uids: dict[bytes, set[str]],
    days: dict[str, set[date]],
    numbers: dict[int, set[tuple[str, str]]],
    own: set[int],
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
        frozenset(own),
        {number: tuple(sorted(found)) for number, found in numbers.items()},
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
