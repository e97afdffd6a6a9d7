"""What a de-identified object says about itself (PS3.15 E.1.1, PS3.3 C.12.1 and PS3.16 CID 7050): only what is true."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from radcurate import __version__
from radcurate.deidentify.options import OPTIONS
from radcurate.dicom.elements import DataSet, Element

MARKER_TAGS = (0x00120062, 0x00120063, 0x00120064, 0x00280303)
BASIC = ("113100", "Basic Application Confidentiality Profile")


@cache
def markers(digest: str, options: tuple[str, ...], mode: str) -> Mapping[int, Element]:
    """The elements that mark the object.

    Args:
        digest: digest of the policy tables.
        options: options of PS3.15 that the policy's active rows rely on.
        mode: shift or year.
    """
    claimed = [BASIC, *(OPTIONS[option] for option in options)]
    kept = "dates shifted" if mode == "shift" else "years, times of day"
    method = f"radcurate {__version__}; policy {digest}; {kept}"
    found: DataSet = {
        0x00120062: Element(0x00120062, "CS", b"YES"),
        0x00120063: Element(0x00120063, "LO", method.encode()),
        0x00120064: Element(0x00120064, "SQ", items=[_code(*code) for code in sorted(claimed)]),
        0x00280303: Element(0x00280303, "CS", b"MODIFIED"),
    }
    return MappingProxyType(found)


def _code(value: str, meaning: str) -> DataSet:
    return {
        0x00080100: Element(0x00080100, "SH", value.encode()),
        0x00080102: Element(0x00080102, "SH", b"DCM"),
        0x00080104: Element(0x00080104, "LO", meaning.encode()),
    }
