"""Private attributes that are known to be safe (PS3.15 E.3.10), if the settings ask for them: creator, VR and value have to fit.

A private tag means something only together with its creator, who reserves a block of the group by the element (gggg,00bb) of
the same data set or item (PS3.5 7.8.1). So an element stays only if that reservation names a creator whose element is listed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from radcurate.deidentify.options import Rule
from radcurate.deidentify.scope import Scope, ascii_text
from radcurate.dicom.elements import DataSet, Element, Encoding, is_private, read_items
from radcurate.dicom.problems import Unsafe
from radcurate.errors import CurationError

COLUMNS = ("creator", "group", "element", "vr", "vm", "meaning", "source")
FILE = "safe_private.csv"
# VR → action; dates, UIDs, long texts and unread bytes are never safe
ACTIONS = dict.fromkeys(("DS", "IS", "US", "SS", "UL", "SL", "FL", "FD"), "keep") | {
    "CS": "safe_text",
    "SH": "safe_text",
    "LO": "safe_text",
    "SQ": "sequence",
}
LARGEST = "-1e12..1e12"  # physical quantities of vendors come in units of their own
_HEX = {"group": re.compile("[0-9A-F]{4}"), "element": re.compile("[0-9A-F]{2}")}
_DEEPEST = 8

Place = tuple[str, int, int]  # creator, group, last two digits of the element


@dataclass(frozen=True)
class SafeAttribute:
    """One row of the table."""

    vr: str
    meaning: str
    source: str


def load_safe_private(path: Path) -> tuple[dict[Place, SafeAttribute], bytes]:
    """The table by creator, group and element, and the file's bytes.

    Raises:
        CurationError: it can't be read, or a row is wrong; the message names the line.
    """
    try:
        raw = path.read_bytes()
        rows = list(csv.DictReader(io.StringIO(raw.decode())))
    except (OSError, UnicodeError) as error:
        raise CurationError(
            "the table of safe private attributes can't be read",
            wanted=f"{FILE} beside the folder of the allow-list, in UTF-8",
            found=type(error).__name__,
            fix="copy config/safe_private.csv, or set deidentify.safe_private: false",
        ) from None
    found: dict[Place, SafeAttribute] = {}
    for line, row in enumerate(rows, start=2):
        _check(row, line)
        place = (row["creator"], int(row["group"], 16), int(row["element"], 16))
        found[place] = SafeAttribute(row["vr"], row["meaning"], row["source"])
    return found, raw


def _check(row: Mapping[str, str], line: int) -> None:
    problem = None
    if tuple(row) != COLUMNS or None in row.values():
        problem = ("the columns " + ", ".join(COLUMNS), "other columns")
    elif row["vr"] not in ACTIONS:
        problem = ("a VR among " + ", ".join(ACTIONS), row["vr"] or "none")
    elif not all(form.fullmatch(row[name]) for name, form in _HEX.items()) or not int(row["group"], 16) % 2:
        problem = ("an odd group of four and an element of two hexadecimal digits", "something else")
    elif not row["creator"].strip() or not row["source"]:
        problem = ("a creator and a source", "none")
    if problem:
        raise CurationError(
            "a row of the table of safe private attributes is wrong",
            wanted=problem[0],
            found=problem[1],
            fix="see config/safe_private.csv in the repository",
            where=("line", str(line)),
        )


def rule_of(element: Element, scope: Scope, table: Mapping[Place, SafeAttribute]) -> tuple[Rule, str] | None:
    """The rule and the VR for a private element; None where its creator, tag or VR is not as listed."""
    tag = element.tag
    creator = creator_of(tag, scope.item)
    known = table.get((creator, tag >> 16, tag & 0xFF)) if creator and tag & 0xFF00 >= 0x1000 else None
    if known is None or element.vr not in (known.vr, "", "UN"):
        return None
    if element.vr == "UN" and not scope.little:
        return None  # nobody can tell the byte order of its value
    rule = Rule(tag, "private", ACTIONS[known.vr], LARGEST, "safe_private", "listed as safe private", known.source)
    return rule, known.vr


def creator_of(tag: int, item: DataSet) -> str:
    """The creator who has reserved the block of a private tag in its data set or item; empty where nobody has."""
    reservation = item.get((tag & 0xFFFF0000) | (tag >> 8 & 0xFF))
    return "" if reservation is None or reservation.vr not in ("LO", "", "UN") else ascii_text(reservation)


def reservations(new: DataSet, old: DataSet) -> DataSet:
    """The creators of the private blocks of which something stays, written anew."""
    found: DataSet = {}
    for tag in new:
        if is_private(tag) and tag & 0xFFFF >= 0x1000:
            place = (tag & 0xFFFF0000) | (tag >> 8 & 0xFF)
            found[place] = Element(place, "LO", creator_of(tag, old).encode())
    return found


def items_of(element: Element, scope: Scope) -> list[DataSet] | None:
    """The items of a private sequence, which the reader of the file has left as bytes; None where they are none."""
    if element.items is not None:
        return element.items
    if scope.path.count(">") >= _DEEPEST:
        return None
    try:
        return read_items(element.value, Encoding(explicit=element.vr == "SQ", little=scope.little))
    except Unsafe:
        return None
