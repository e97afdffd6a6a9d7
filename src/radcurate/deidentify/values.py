"""Values by VR: what the standard allows, strictly (PS3.5 table 6.2-1). Anything else is not a value and is blanked.

A reader that forgives lets a name pass as a number; these functions take raw bytes and give back bytes that are known to be
a value of the VR, or None.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from radcurate.dicom.dictionary import attribute
from radcurate.dicom.elements import dictionary_vr

TEXT_VRS = frozenset(["CS", "SH", "LO", "ST", "LT", "UC", "UT"])
NUMBER_VRS = frozenset(["DS", "IS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"])
BULK_VRS = frozenset(["OB", "OW", "OL", "OV", "OF", "OD"])
LONGEST_DECIMAL = 32  # characters; the standard says 16, which many writers exceed
_DECIMAL = rb" *[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})? *"
_DECIMALS = re.compile(rb"(?:" + _DECIMAL + rb"|)(?:\\(?:" + _DECIMAL + rb"|))*")
_INTEGERS = re.compile(rb"(?: *[+-]?\d{1,12}(?:\.0*)? *|)(?:\\(?: *[+-]?\d{1,12}(?:\.0*)? *|))*")
_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.\d+)+")  # components with leading zeros are wrong but common
_TIME = re.compile(r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?")
_CHARSET = re.compile(r"|ISO[ _-]?(2022)?[ _-]?IR[ _-]?\d{1,3}|GB18030|GBK", re.IGNORECASE)
_LETTERS = re.compile(rb"[A-Za-z]{5}")
_PRINTABLE = re.compile(rb"[ -~]{4,}\0?")
_STRUCTS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
_SIZES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "UV": 8, "SV": 8, "FL": 4, "FD": 8, "AT": 4}


def decode_text(raw: bytes, charsets: Sequence[str]) -> str | None:
    """Text in the given specific character sets, without the padding; None where it isn't such text."""
    raw = raw.strip(b" \0")
    if not raw:
        return ""
    try:
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii")
        if not all(_CHARSET.fullmatch(term) for term in charsets):
            return None  # a name in its place would be quoted in a warning of pydicom
        from pydicom.charset import convert_encodings, decode_bytes  # 25 MB, for the few that need it

        return str(decode_bytes(raw, convert_encodings(list(charsets)), set("\n\r\t\f\\^=")))
    except (UnicodeError, LookupError, ValueError):
        return None


def components(text: str) -> list[str]:
    """The values of a multi-valued text, without padding."""
    return [part.strip(" \0") for part in text.split("\\")]


def number(vr: str, raw: bytes, little: bool, largest_count: int | None = None) -> bytes | None:
    """The bytes of a numeric VR as they are if each value is one; None otherwise.

    Args:
        vr: one of `NUMBER_VRS`.
        raw: the value's bytes.
        little: byte order.
        largest_count: how many values the attribute may have; None for any number.
    """
    if vr in ("DS", "IS"):
        return _decimal_string(vr, raw)
    size = _SIZES[vr]
    if len(raw) % size or (largest_count is not None and len(raw) > largest_count * size):
        return None
    order = "<" if little else ">"
    if vr == "AT":
        halves = struct.unpack(f"{order}{len(raw) // 2}H", raw)
        tags = [high << 16 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]
        return raw if all(attribute(tag) for tag in tags) else None
    text = _text_in_floats(vr, raw, order) if vr in ("FL", "FD") else _text_in_integers(raw)
    return None if text else raw


def _text_in_integers(raw: bytes) -> bool:
    """Whether integers look like typed text: real ones in DICOM are small, so that their high bytes are zero."""
    return bool(_PRINTABLE.fullmatch(raw) or _LETTERS.search(raw))


def _text_in_floats(vr: str, raw: bytes, order: str) -> bool:
    """Whether floats look like typed text, or are no finite numbers.

    Text read as floats is enormous or minute unless each last letter is one of a few; a measured float can be printable
    by chance, so only several at once count.
    """
    numbers = struct.unpack(f"{order}{len(raw) // _SIZES[vr]}{_STRUCTS[vr]}", raw)
    if not all(math.isfinite(value) for value in numbers):
        return True
    if vr == "FD" and any(value and not 1e-30 <= abs(value) <= 1e15 and abs(value) < 1e300 for value in numbers):
        return True
    return len(raw) >= 8 and bool(_PRINTABLE.fullmatch(raw)) and any(abs(value) >= 2**17 for value in numbers)


def readings(vr: str, raw: bytes, little: bool) -> list[float]:
    """The numbers of a value that `number` has accepted; tags are none."""
    if vr == "AT":
        return []
    if vr in ("DS", "IS"):
        return [float(part) for part in raw.split(b"\\") if part.strip()]
    return list(struct.unpack(f"{'<' if little else '>'}{len(raw) // _SIZES[vr]}{_STRUCTS[vr]}", raw))


def holds_date(numbers: Sequence[float]) -> bool:
    """Whether a number is a day written as digits: YYYYMMDD, DDMMYYYY or MMDDYYYY, from 1900 to 2100."""
    return any(
        1_010_000 <= number <= 31_122_100 and number == int(number) and _is_date(int(number)) for number in numbers
    )


def _is_date(number: int) -> bool:
    digits = f"{number:08d}"
    orders = (digits, digits[4:] + digits[2:4] + digits[:2], digits[4:] + digits[:4])
    return any(
        1900 <= int(text[:4]) <= 2100 and 1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:]) <= 31 for text in orders
    )


def is_typed(raw: bytes) -> bool:
    """Whether bytes are printable ASCII throughout: typed text rather than numbers."""
    return bool(_PRINTABLE.fullmatch(raw))


@cache
def largest_count(tag: int) -> int | None:
    """The largest value multiplicity of a standard tag (PS3.6); None where it has no limit."""
    found = attribute(tag)
    text = found.vm if found else "1-n"
    last = text.rpartition("-")[2]
    return int(last) if last.isdigit() else None


def _decimal_string(vr: str, raw: bytes) -> bytes | None:
    value = raw.rstrip(b"\0")
    pattern = _DECIMALS if vr == "DS" else _INTEGERS
    if not pattern.fullmatch(value):
        return None
    if vr == "IS":
        if not all(-(2**31) <= float(part) < 2**31 for part in value.split(b"\\") if part.strip()):
            return None
        if b"." in value:
            value = b"\\".join(str(int(float(part))).encode() if part.strip() else b"" for part in value.split(b"\\"))
    elif any(len(part) > LONGEST_DECIMAL for part in value.split(b"\\")):
        return None
    return value


def uids(raw: bytes) -> list[str] | None:
    """The UIDs of a UI value; None where one isn't a UID."""
    try:
        parts = components(raw.decode("ascii").strip(" \0"))
    except UnicodeError:
        return None
    return parts if all(not part or (len(part) <= 64 and _UID.fullmatch(part)) for part in parts) else None


def time(text: str) -> str | None:
    """A TM value as HH[MM[SS[.F]]]; the old form with colons is normalised."""
    match = _TIME.fullmatch(text)
    return "".join(part for part in match.groups() if part) if match else None


def each(text: str, change: Callable[[str], str | None]) -> str | None:
    """`change` of each component that isn't empty; None as soon as one has no valid value."""
    changed = [change(part) if part else "" for part in components(text)]
    return None if any(part is None for part in changed) else "\\".join(part or "" for part in changed)


@lru_cache(maxsize=1 << 14)
def resolve_vr(tag: int, written: str, signed: bool, bits: int) -> str | None:
    """The VR to interpret an element by: the dictionary's; None where the file's VR contradicts it.

    Args:
        tag: a standard tag.
        written: VR in the file, empty in implicit VR.
        signed: PixelRepresentation is 1; decides `US or SS`.
        bits: BitsAllocated; decides `OB or OW`.
    """
    allowed = dictionary_vr(tag).split(" or ")
    if written in allowed:
        return written
    if written in ("", "UN"):
        return _ambiguous(allowed, signed, bits)
    kin = next(
        (
            group
            for group in (TEXT_VRS | {"DS", "IS", "DA", "TM", "DT", "AS", "UI", "PN", "AE", "UR"},)
            if written in group
        ),
        frozenset(),
    )
    return allowed[0] if allowed[0] in kin else None


def _ambiguous(allowed: list[str], signed: bool, bits: int) -> str:
    if "SS" in allowed:
        return "SS" if signed else "US"
    if "OW" in allowed:
        return "OB" if bits <= 8 and "OB" in allowed else "OW"
    return allowed[0]
