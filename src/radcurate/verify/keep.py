"""Technical attributes before and after: a list of verify's own (`must_keep.csv`) says what radiomics can't do without.

A number that is lost or changed is a fault. Where de-identification had to blank a value that is none, or one that is an
identifier, or a text outside its vocabulary, that is counted and no fault.
"""

from __future__ import annotations

import csv
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydicom.datadict import DicomDictionary, tag_for_keyword

from radcurate.verify.days import parse_day
from radcurate.verify.layout import Element, path_of, vr_of

LOST, CHANGED, DATES_KEPT, DATES_UNEVEN = "attribute_lost", "attribute_changed", "dates_kept", "dates_uneven"
LARGEST = 1e6  # a larger number in a technical text attribute is more likely an identifier
NO_IMAGES = frozenset({"RTSTRUCT", "RTPLAN", "REG", "KO", "PR", "SR"})
DAYS = frozenset(("DA", "DT"))
_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d", "AT": "H"}
_TIME = re.compile(r"(\d\d):?(?:(\d\d):?(?:(\d\d)(?:\.(\d{1,6}))?)?)?")


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the list. within: tag of the sequence it stands in, or 0; kind: number | must | text | time | report."""

    tag: int
    keyword: str
    within: int
    modalities: frozenset[str]
    kind: str

    def holds_for(self, modality: str) -> bool:
        """Whether objects of the modality owe it."""
        return bool(self.modalities & {"*", modality}) or ("image" in self.modalities and modality not in NO_IMAGES)


@dataclass(slots=True)
class Compared:
    """What came of comparing elements. shifts: days by which dates moved; kept: attributes found equal, with doubles."""

    faults: Counter[tuple[str, str]] = field(default_factory=Counter)  # (reason, keyword)
    kept: int = 0
    lost_text: Counter[str] = field(default_factory=Counter)
    moved: set[tuple[str, date, date]] = field(default_factory=set)  # attribute, old day, new day

    def merge(self, other: Compared) -> None:
        """Take in another comparison."""
        self.kept += other.kept
        if other.faults:
            self.faults.update(other.faults)
        if other.lost_text:
            self.lost_text.update(other.lost_text)
        if other.moved:
            self.moved |= other.moved


@lru_cache(maxsize=1)
def rows() -> Mapping[int, tuple[Kept, ...]]:
    """The list, by tag."""
    text = files("radcurate.verify").joinpath("must_keep.csv").read_text("utf-8")
    found: dict[int, list[Kept]] = defaultdict(list)
    for row in csv.DictReader(text.splitlines()):
        tag, within = tag_for_keyword(row["keyword"]) or 0, tag_for_keyword(row["within"]) if row["within"] else 0
        found[tag].append(Kept(tag, row["keyword"], within or 0, frozenset(row["modality"].split()), row["kind"]))
    return {tag: tuple(kept) for tag, kept in found.items()}


def concerns(tag: int, vr: str) -> bool:
    """Whether an attribute is to be compared."""
    return tag in rows() or vr in DAYS or (vr == "UN" and vr_of(tag) in DAYS)


IsIdentifier = Callable[[str, bytes, str], bool]  # VR, value, byte order


@dataclass(slots=True)
class Side:
    """The values of an element on one side of the comparison, in the byte order that they were written in."""

    leaves: Sequence[Element]
    data: bytes
    order: str

    def values(self) -> dict[str, list[tuple[Element, bytes]]]:
        """Those that are to be compared, by path."""
        found: dict[str, list[tuple[Element, bytes]]] = defaultdict(list)
        for leaf in self.leaves:
            if concerns(leaf.tag, leaf.vr) and leaf.vr != "SQ":
                found[leaf.path].append((leaf, self.data[leaf.start : leaf.end]))
        return found


def compare(old: Side, new: Side, modality: str, is_identifier: IsIdentifier) -> Compared:
    """Compare one top-level element with what became of it.

    Args:
        old: the source's element.
        new: the cleaned one; without leaves where it is gone.
        modality: of the object.
        is_identifier: whether a number is one of the patient's identifiers, which has to go.
    """
    result = Compared()
    after = new.values()
    for path, values in old.values().items():
        tag = values[0][0].tag
        vr = _vr(values[0][0])
        if vr in DAYS:
            _dates(tag, values, after.get(path, []), result)
            continue
        row = _row(tag, path, modality)
        if row is not None:
            _attribute(row, vr, values, after.get(path, []), (old.order, new.order), result, is_identifier)
    return result


def _vr(leaf: Element) -> str:
    return leaf.vr if leaf.vr != "UN" else vr_of(leaf.tag)


def _row(tag: int, path: str, modality: str) -> Kept | None:
    parents = path.split(">")[:-1]
    within = parents[-1] if parents else ""
    for row in rows().get(tag, ()):
        if row.holds_for(modality) and within == (path_of(row.within) if row.within else ""):
            return row
    return None


def _attribute(
    row: Kept,
    vr: str,
    old: list[tuple[Element, bytes]],
    new: list[tuple[Element, bytes]],
    orders: tuple[str, str],
    result: Compared,
    is_identifier: IsIdentifier,
) -> None:
    full = [value for _, value in old if _filled(vr, value)]
    left = [value for _, value in new if _filled(vr, value)]
    for number, value in enumerate(full):
        twin = left[number] if len(left) == len(full) else None
        if twin is not None and (twin == value or _same(vr, value, twin, orders)):
            result.kept += 1
        elif (
            row.kind in ("text", "report")
            or not _is_value(vr, row, value, orders[0])
            or is_identifier(vr, value, orders[0])
        ):
            result.lost_text[row.keyword] += 1
        else:
            result.faults[LOST if twin is None else CHANGED, row.keyword] += 1


def _filled(vr: str, value: bytes) -> bool:
    """Whether there is a value; a binary zero is one."""
    return bool(value if vr in _FORMATS else value.strip(b" \0"))


def _same(vr: str, old: bytes, new: bytes, orders: tuple[str, str]) -> bool:
    if vr == "TM":
        return _clock(old) == _clock(new) is not None
    before, after = normal(vr, old, orders[0]), normal(vr, new, orders[1])
    return before is not None and before == after


def normal(vr: str, raw: bytes, order: str) -> tuple[Any, ...] | None:
    """A value without what says nothing: padding, the way a number is written, byte order, case. None where it is none."""
    if vr in _FORMATS:
        size = struct.calcsize("=" + _FORMATS[vr])
        return None if len(raw) % size else struct.unpack(f"{order}{len(raw) // size}{_FORMATS[vr]}", raw)
    parts = raw.decode("latin-1").strip(" \0").split("\\")
    if vr in ("DS", "IS"):
        try:
            return tuple(float(part) if part.strip(" \0") else None for part in parts)
        except ValueError:
            return None
    return tuple(part.strip(" \0").casefold() for part in parts)


def _clock(raw: bytes) -> tuple[str, ...] | None:
    match = _TIME.fullmatch(raw.decode("latin-1").strip(" \0"))
    return (
        tuple((part or "").rstrip("0") if n == 3 else part or "00" for n, part in enumerate(match.groups()))
        if match
        else None
    )


def _is_value(vr: str, row: Kept, raw: bytes, order: str) -> bool:
    """Whether a source's value is one that its attribute may have; what isn't had to be blanked."""
    if vr == "TM":
        return _clock(raw) is not None
    if row.kind == "must":
        return raw.isascii()
    found = normal(vr, raw, order)
    most = DicomDictionary[row.tag][1].rpartition("-")[2]
    if found is None or (most.isdigit() and len(found) > int(most)):
        return False
    if vr in ("FL", "FD"):
        return all(value == value and (value == 0 or 1e-30 <= abs(value) <= 1e15) for value in found)
    if vr in ("DS", "IS"):
        return all(value is None or (value == value and abs(value) <= LARGEST) for value in found)
    return not re.fullmatch(rb"[ -~]{4,}\0?", raw)


def _dates(tag: int, old: list[tuple[Element, bytes]], new: list[tuple[Element, bytes]], result: Compared) -> None:
    """How far each date moved; one that went is counted."""
    full = [value for _, value in old if value.strip(b" \0")]
    left = [value for _, value in new if value.strip(b" \0")]
    if len(full) != len(left):
        return
    for before, after in zip(full, left, strict=True):
        if re.search(rb"[+-]\d{4}", before):  # a time zone that is turned into another may carry the day along
            continue
        for one, other in zip(before.split(b"\\"), after.split(b"\\"), strict=False):
            day, moved = _day(one), _day(other)
            if day and moved:
                result.moved.add((path_of(tag), day, moved))


def _day(raw: bytes) -> date | None:
    return parse_day(raw.decode("latin-1").strip(" \0").replace(".", "", 2)[:8])


def dates_fault(moved: set[tuple[str, date, date]], shifted: bool) -> str | None:
    """Whether all dates of a patient moved by one number of whole weeks (shifted), or are first days of their years."""
    if not moved:
        return None
    if not shifted:
        good = all((new.month, new.day) == (1, 1) and new.year == old.year for _, old, new in moved)
        return None if good else DATES_KEPT
    days = {(new - old).days for _, old, new in moved}
    if 0 in days:
        return DATES_KEPT
    return None if len(days) == 1 and days.pop() % 7 == 0 else DATES_UNEVEN
