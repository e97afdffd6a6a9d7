"""What a de-identified file must carry and must not: marks of PS3.15 annex E, no private, overlay or curve elements."""

from __future__ import annotations

from radcurate.verify.layout import Layout

IDENTITY_REMOVED, METHOD, METHOD_CODES, DATES_MODIFIED = 0x00120062, 0x00120063, 0x00120064, 0x00280303
MEDIA_SOP, SOP = 0x00020003, 0x00080018


def faults(layout: Layout) -> list[str]:
    """Reason codes, without doubles, most serious first; empty when all is well."""
    found = []
    tags = {element.tag for element in layout.elements}
    groups = {tag >> 16 for tag in tags}
    if any(group & 1 for group in groups) or tags & {0x00020100, 0x00020102}:
        found.append("private_element")
    if any(group & 0xFF00 in (0x5000, 0x6000) for group in groups):
        found.append("overlay")
    if any(layout.data[:128]):
        found.append("preamble")
    if layout.rest < len(layout.data):
        found.append("trailing_bytes")
    if not _marked(layout, tags):
        found.append("marker_missing")
    if layout.value(MEDIA_SOP) != layout.value(SOP):
        found.append("uid_mismatch")
    return found


def _marked(layout: Layout, tags: set[int]) -> bool:
    removed = (layout.value(IDENTITY_REMOVED) or "").upper() == "YES"
    dates = (layout.value(DATES_MODIFIED) or "").upper() in ("MODIFIED", "REMOVED")
    return removed and dates and bool(tags & {METHOD, METHOD_CODES})
