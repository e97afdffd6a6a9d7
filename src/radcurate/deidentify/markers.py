"""What a de-identified object says about itself (PS3.15 E.1.1, PS3.3 C.12.1 and PS3.16 CID 7050): only what is true."""

from __future__ import annotations

from collections.abc import Sequence

from radcurate import __version__
from radcurate.deidentify.policy import OPTIONS
from radcurate.dicom.elements import DataSet, Element

BASIC = ("113100", "Basic Application Confidentiality Profile")


def markers(digest: str, options: Sequence[str], mode: str) -> DataSet:
    """The elements that mark the object.

    Args:
        digest: digest of the policy tables.
        options: options of the policy that its rows rely on.
        mode: shift or year. Years are no longitudinal information with modified dates, so that option is not claimed then.
    """
    claimed = [BASIC, *(OPTIONS[option] for option in options if option != "modified_dates" or mode == "shift")]
    kept = "dates shifted" if mode == "shift" else "years, times of day"
    method = f"radcurate {__version__}; policy {digest}; {kept}"
    return {
        0x00120062: Element(0x00120062, "CS", b"YES"),
        0x00120063: Element(0x00120063, "LO", method.encode()),
        0x00120064: Element(0x00120064, "SQ", items=[_code(*code) for code in sorted(claimed)]),
        0x00280303: Element(0x00280303, "CS", b"MODIFIED"),
    }


def _code(value: str, meaning: str) -> DataSet:
    return {
        0x00080100: Element(0x00080100, "SH", value.encode()),
        0x00080102: Element(0x00080102, "SH", b"DCM"),
        0x00080104: Element(0x00080104, "LO", meaning.encode()),
    }
