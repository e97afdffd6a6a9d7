"""From sheets to specimens."""

from __future__ import annotations

from radcurate.canary.raw import EXPLICIT, Element, File, Rows, Value, write
from radcurate.canary.sheet import Sheet, tag_of
from radcurate.canary.specimen import Specimen


def specimen(
    name: str,
    family: str,
    sheet: Sheet,
    syntax: str = EXPLICIT,
    codec: str = "latin-1",
    meta: Rows | None = None,
    preamble: bytes = b"",
    tail: bytes = b"",
) -> Specimen:
    """Write a sheet as a file."""
    file = File(
        sheet.elements,
        _text(sheet, "SOPClassUID"),
        _text(sheet, "SOPInstanceUID"),
        syntax,
        codec,
        meta or {},
        preamble,
        tail,
    )
    return Specimen(name, family, file.sop_class, write(file), tuple(sheet.plants), tuple(sheet.kept))


def element(place: str | int, vr: str, value: Value) -> Rows:
    """One element, to be put into file meta."""
    tag = tag_of(place)
    return {tag: Element(tag, vr, value)}


def _text(sheet: Sheet, keyword: str) -> str:
    value = sheet.elements[tag_of(keyword)].value
    return value if isinstance(value, str) else ""
