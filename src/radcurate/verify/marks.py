"""What a de-identified file must carry and must not (PS3.15 annex E): marks that are true, nothing they don't claim, no hiding places."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

from radcurate.verify.layout import ITEM, Element, Layout, leaves_of, vr_of

IDENTITY_REMOVED, METHOD, METHOD_CODES, DATES_MODIFIED = 0x00120062, 0x00120063, 0x00120064, 0x00280303
CODE_VALUE, SCHEME, MEANING = 0x00080100, 0x00080102, 0x00080104
MEDIA_SOP, SOP, NAME, PATIENT_ID, BURNED_IN = 0x00020003, 0x00080018, 0x00100010, 0x00100020, 0x00280301
BASIC, FULL_DATES, MODIFIED_DATES, SAFE_PRIVATE = "113100", "113106", "113107", "113111"
DEVICE, UIDS = "113109", "113110"
EMPTY_PREAMBLE = bytes(128)
NEVER = frozenset({FULL_DATES, UIDS})  # options that keep what verify wants gone
CODES: Mapping[str, str] = {  # PS3.16 CID 7050
    BASIC: "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113102": "Clean Recognizable Visual Features Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    FULL_DATES: "Retain Longitudinal Temporal Information Full Dates Option",
    MODIFIED_DATES: "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    DEVICE: "Retain Device Identity Option",
    UIDS: "Retain UIDs Option",
    SAFE_PRIVATE: "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
Owed = frozenset[str]  # options of which one has to be claimed; of none where nothing excuses the attribute


def faults(layout: Layout, subject: str) -> list[str]:
    """Reason codes of the file around its values; empty when all is well. subject: the patient's pseudonym, if known."""
    found = []
    if layout.data[:128] != EMPTY_PREAMBLE:
        found.append("preamble")
    if layout.rest < len(layout.data):
        found.append("trailing_bytes")
    if layout.raw(MEDIA_SOP).rstrip(b" \0") != layout.raw(SOP).rstrip(b" \0"):
        found.append("uid_mismatch")
    if subject and any(layout.raw(tag).strip(b" \0") != subject.encode() for tag in (NAME, PATIENT_ID)):
        found.append("wrong_patient")
    if layout.raw(BURNED_IN).strip(b" \0").upper() == b"YES":
        found.append("burned_in_text")
    return found


def marks_of(layout: Layout) -> tuple[bytes, ...]:
    """The bytes of the elements that mark the file."""
    tops = (layout.at.get(tag) for tag in (IDENTITY_REMOVED, METHOD, METHOD_CODES, DATES_MODIFIED))
    return tuple(layout.data[top.begin : top.end] if top else b"" for top in tops)


def claims(layout: Layout) -> tuple[frozenset[str], tuple[str, ...]]:
    """Codes of the options that a file claims, and what is wrong with its marks."""
    removed = (layout.value(IDENTITY_REMOVED) or "").upper()
    dates = (layout.value(DATES_MODIFIED) or "").upper()
    top = layout.at.get(METHOD_CODES)
    codes = _codes(layout, top.begin, top.end) if top else []
    claimed = frozenset(value for value, _, _ in codes)
    if not removed or not dates or not layout.raw(METHOD).strip(b" \0") or not codes:
        return claimed, ("marker_missing",)
    known = all(scheme == "DCM" and CODES.get(value) == meaning for value, scheme, meaning in codes)
    true = (
        removed == "YES"
        and dates in (("MODIFIED",) if MODIFIED_DATES in claimed else ("MODIFIED", "REMOVED"))
        and BASIC in claimed
        and known
        and len(claimed) == len(codes)
        and not claimed & NEVER
    )
    return claimed, () if true else ("marker_untrue",)


def _codes(layout: Layout, begin: int, end: int) -> list[tuple[str, str, str]]:
    raw = layout.data[begin:end]
    found: list[dict[int, str]] = []
    for leaf in leaves_of(raw, layout.explicit, layout.order, strict=True):
        if leaf.tag == CODE_VALUE:
            found.append({})
        if found and leaf.vr != "SQ":
            found[-1][leaf.tag] = raw[leaf.start : leaf.end].decode("latin-1").strip(" \0")
    return [(code.get(CODE_VALUE, ""), code.get(SCHEME, ""), code.get(MEANING, "")) for code in found]


@lru_cache(maxsize=1)
def _options() -> Mapping[int, Owed]:
    """Attributes that the basic profile removes or empties (PS3.15 table E.1-1), and the options that keep or clean them."""
    text = files("radcurate.verify").joinpath("options.csv").read_text("utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["goes"] == "yes"]
    return {int(row["tag"][1:5] + row["tag"][6:10], 16): frozenset(row["options"].split()) for row in rows}


def device_keywords() -> frozenset[str]:
    """Attributes that the device option keeps."""
    text = files("radcurate.verify").joinpath("options.csv").read_text("utf-8")
    return frozenset(row["keyword"] for row in csv.DictReader(text.splitlines()) if DEVICE in row["options"])


def owed(leaves: Iterable[Element], data: bytes) -> tuple[Owed, ...]:
    """For each value that the basic profile would remove: the options of which the file has to claim one."""
    options, found = _options(), set()
    for leaf in leaves:
        needed = options.get(leaf.tag)
        if needed is not None and leaf.vr != "SQ" and data[leaf.start : leaf.end].strip(b" \0"):
            found.add(needed)
        for part in leaf.path.split(">")[:-1]:
            parent = int(part[1:5] + part[6:10], 16)
            if parent in options:
                found.add(options[parent])
    return tuple(sorted(found, key=sorted))


def exact_age(leaves: Iterable[Element], data: bytes) -> bool:
    """Whether an age is told finer than in years, or above 90."""
    for leaf in leaves:
        if leaf.vr == "AS" or (leaf.vr == "UN" and vr_of(leaf.tag) == "AS"):
            for part in data[leaf.start : leaf.end].split(b"\\"):
                age = part.strip(b" \0")
                if age and not (len(age) == 4 and age[:3].isdigit() and age[3:] == b"Y" and int(age[:3]) <= 90):
                    return True
    return False


Safe = frozenset[tuple[str, int, int]]  # private creator, group, last byte of the element


def safe_private(text: str) -> Safe:
    """The reviewed list of private attributes (config/safe_private.csv)."""
    found = set()
    for row in csv.DictReader(text.splitlines()):
        group, element = (row[name].strip().lower().replace("x", "0") for name in ("group", "element"))
        found.add((row["creator"].strip(), int(group, 16), int(element[-2:], 16)))
    return frozenset(found)


def names_listed_creator(leaf: Element, data: bytes, safe: Safe) -> bool:
    """Whether an element reserves private tags for a creator of the list: a constant of the standard's or a maker's."""
    if not leaf.tag >> 16 & 1 or not 0x10 <= leaf.tag & 0xFFFF <= 0xFF:
        return False
    return data[leaf.start : leaf.end].decode("latin-1").strip(" \0") in creators_of(safe)


@lru_cache(maxsize=4)
def creators_of(safe: Safe) -> frozenset[str]:
    """The creators that are listed."""
    return frozenset(creator for creator, _, _ in safe)


def private_is_safe(layout: Layout, safe: Safe) -> bool:
    """Whether all private elements are listed ones under their creator, at any depth."""
    for top in layout.tops:
        if (top.tag >> 16 & 1 or top.vr == "SQ") and not _listed_only(layout, safe, top.tag >> 16):
            return False
    return True


def _listed_only(layout: Layout, safe: Safe, group: int) -> bool:
    creators: dict[tuple[str, int], str] = {}
    last: dict[str, int] = {}
    for top in (top for top in layout.tops if top.tag >> 16 == group):
        for leaf in layout.leaves(top):
            parent, _, _ = leaf.path.rpartition(">")
            if leaf.tag <= last.get(parent, -1):  # another item
                creators = {place: name for place, name in creators.items() if place[0] != parent}
            last[parent] = leaf.tag
            if leaf.tag >> 16 & 1 and not _listed(leaf, layout.data, parent, creators, safe):
                return False
    return True


def _listed(leaf: Element, data: bytes, parent: str, creators: dict[tuple[str, int], str], safe: Safe) -> bool:
    group, element = leaf.tag >> 16, leaf.tag & 0xFFFF
    if 0x10 <= element <= 0xFF:
        creator = data[leaf.start : leaf.end].decode("latin-1").strip(" \0")
        creators[parent, group << 16 | element << 8] = creator
        return creator in creators_of(safe)
    if element <= 0xFF or leaf.tag == ITEM:
        return False
    return (creators.get((parent, leaf.tag & 0xFFFFFF00), ""), group, element & 0xFF) in safe
