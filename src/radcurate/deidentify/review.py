"""What the value tables blanked, counted over a cohort for the steward who decides what to add to them.

A value is never told together with whose it is, and never at all where it holds a date or the patient's own name or number:
such a value must not get into a table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from radcurate.deidentify.policy import Family
from radcurate.deidentify.vocabulary import Vocabulary

OWN = "(holds a date, or the patient's own name or number)"
# action → where to add a value in the vocabulary; what has no place there is no matter of vocabulary
PLACES = {
    "keep_if_listed": ("values.{}",),
    "keep_if_matches": ("words.{}", "values.{}", "patterns.{}"),
    "words": ("descriptions.words",),
    "roi_name": ("regions.words",),
}
NUMBERS = frozenset({"keep", "generalise", "lut"})
SHORTEST_PART = 4  # of an identifier that is looked for inside words; shorter ones must be words of their own
LONGEST_PIECE = 2  # characters of a piece of somebody's own that others' values may show

_WORD = re.compile(r"[^\W_]+")
_DIGITS = re.compile(r"\d{5,}")
_TAG = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)$")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})
_MONTH = r"(?:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[^\W\d_]*"
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-./ ]?(?:0[1-9]|1[0-2])[-./ ]?(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)?\d\d(?!\d)"
    r"|(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d(?!\d)"
    rf"|\d\W{{0,2}}{_MONTH}\W{{0,2}}\d|{_MONTH}\W{{0,2}}\d{{1,2}}\W{{1,2}}\d",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Own:
    """What is the patient's own, folded: words that must stand alone, and longer parts that may stand in other words."""

    words: frozenset[str] = field(repr=False)
    parts: frozenset[str] = field(repr=False)

    def held_by(self, value: str) -> bool:
        """Whether a value holds something of the patient, or any date."""
        return bool(_DATE.search(value)) or bool(self._found(value))

    def among(self, parts: Iterable[str], value: str) -> set[str]:
        """Those parts of a value that are the patient's own, be it a piece of a name, a number or a date in it."""
        dated, found = bool(_DATE.search(value)), self._found(value)
        return {
            part
            for part in parts
            if self.held_by(part)
            or (dated and any(char.isdigit() for char in part))
            or any(form in whole for form in _folded(part) for whole in found)
        }

    def _found(self, value: str) -> set[str]:
        words = {form for word in _WORD.findall(value) for form in _folded(word)}
        wholes = _folded(value)
        return (words & self.words) | {part for part in self.parts if any(part in whole for whole in wholes)}


def own(identifiers: Iterable[Mapping[str, str]]) -> Own:
    """The patient's own words and numbers from the inventory's identifiers of one patient."""
    words: set[str] = set()
    parts: set[str] = set()
    for row in identifiers:
        value = row["value"]
        if row["category"] == "name":
            found = [form for word in _WORD.findall(value) for form in _folded(word)]
        elif row["category"] in ("id", "uid"):
            found = [*_folded(value), *_DIGITS.findall(value), *(n.lstrip("0") for n in _DIGITS.findall(value))]
        else:
            continue
        words.update(form for form in found if len(form) >= 2)
        parts.update(form for form in found if len(form) >= (SHORTEST_PART if form.isascii() else 2))
    return Own(frozenset(words), frozenset(parts))


@dataclass(frozen=True, order=True)
class Place:
    """A blanked value: the attribute, the action that refused it, and the value without regard to case ("": not told)."""

    keyword: str
    action: str
    folded: str


@dataclass
class Count:
    """How often: files, and pseudonyms that are counted but never told."""

    shown: str
    files: int = 0
    beside: int = 0  # of them, those in which an untold value of the attribute is counted already
    series: set[str] = field(default_factory=set, repr=False)
    subjects: set[str] = field(default_factory=set, repr=False)
    own: bool = False  # somebody's own, so nobody's to see


@dataclass
class Tally:
    """Counts of blanked values; grows file by file, or by other tallies."""

    counts: dict[Place, Count] = field(default_factory=dict)
    files: int = 0
    unread: int = 0

    def add(self, other: Tally) -> None:
        """Take in what was counted elsewhere."""
        self.files += other.files
        self.unread += other.unread
        for place, count in other.counts.items():
            known = self.counts.setdefault(place, Count(count.shown))
            known.shown = min(known.shown, count.shown)
            known.files += count.files
            known.beside += count.beside
            known.series |= count.series
            known.subjects |= count.subjects
            known.own |= count.own


@dataclass(frozen=True)
class Line:
    """A line of the table; `value` is None where it must not be told."""

    keyword: str
    action: str
    value: str | None
    files: int
    series: int
    patients: int

    @property
    def rare(self) -> bool:
        """One patient's only: what stands there may say who it is."""
        return self.patients == 1


@dataclass
class Listener:
    """Hears from a `Rewriter` what it blanked, in one series of one patient."""

    vocabulary: Vocabulary
    series: str
    subject: str
    own: Own
    tally: Tally = field(default_factory=Tally)
    family: Family | None = None
    _heard: set[tuple[str, str, str, bool]] = field(default_factory=set, repr=False)
    _known: dict[tuple[str, str], tuple[tuple[str, str, str, bool], ...]] = field(default_factory=dict, repr=False)

    def __call__(self, path: str, keyword: str, value: str) -> None:
        """The rewriter's `on_blank`."""
        place = (path, value)
        if place not in self._known:
            self._known[place] = tuple(self._parts(path, keyword, value))
        self._heard.update(self._known[place])

    def end_of_file(self) -> None:
        """Count what was heard once for this file."""
        self.tally.files += 1
        for keyword, action, value, is_own in self._heard:
            count = self.tally.counts.setdefault(Place(keyword, action, value.casefold()), Count(value))
            count.shown = min(count.shown, value)
            if is_own and value:  # counted with the untold ones
                count.own = True
                continue
            count.files += 1
            count.beside += bool(value) and (keyword, action, "", True) in self._heard
            count.series.add(self.series)
            count.subjects.add(self.subject)
        self._heard.clear()

    def _parts(self, path: str, keyword: str, value: str) -> Iterable[tuple[str, str, str, bool]]:
        """Keyword, action, value and whether it is the patient's own, for each part of the value that was refused."""
        action = self._action(path)
        if action not in PLACES and action not in NUMBERS:
            yield keyword, action, "", True  # a malformed date, UID or age is the patient's, whatever it says
            return
        if action in NUMBERS:
            yield keyword, action, _shape(value), False  # numbers have no vocabulary, and a long one may be anybody's
            return
        parts = self.vocabulary.left_out(action, keyword, value)
        if self.own.held_by(value):
            yield keyword, action, "", True
        mine = self.own.among(parts, value)
        for part in parts:
            if part not in mine:
                yield keyword, action, part, False
            elif len(part) > LONGEST_PIECE or self.own.held_by(part):  # a shorter piece says nothing of others' values
                yield keyword, action, part, True

    def _action(self, path: str) -> str:
        match = _TAG.search(path)
        rule = self.family.rules.get(int(match[1] + match[2], 16)) if self.family and match else None
        return rule.action if rule else "unknown"


def lines(tally: Tally) -> list[Line]:
    """The table: most files first. Values that are somebody's own stand together, one line an attribute, untold."""
    told: list[Line] = []
    untold: dict[tuple[str, str], Count] = {}
    for place, count in tally.counts.items():
        if place.folded and not count.own:
            told.append(_line(place.keyword, place.action, count.shown, count))
            continue
        together = untold.setdefault((place.keyword, place.action), Count(""))
        together.files += count.files - count.beside
        together.series |= count.series
        together.subjects |= count.subjects
    told += [_line(keyword, action, None, count) for (keyword, action), count in untold.items()]
    return sorted(told, key=lambda line: (-line.files, line.keyword, line.action, line.value or ""))


def _shape(value: str) -> str:
    """What a number looks like, not what it is."""
    digits = sum(char.isdigit() for char in value)
    return f"a number of {digits} digits" if re.fullmatch(r"[\d.eE+\-\\ \0]+", value) and digits else "no number"


def _line(keyword: str, action: str, value: str | None, count: Count) -> Line:
    return Line(keyword, action, value, count.files, len(count.series), len(count.subjects))


def _folded(text: str) -> set[str]:
    """Letters and digits only, without case and accents; ü as u and as ue."""
    lower = text.casefold()
    forms = {lower, "".join(char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char))}
    forms.add(lower.translate(_UMLAUTS))
    return {form for one in forms if (form := "".join(char for char in one if char.isalnum()))}
