"""Bytes of a DICOM file, written element by element, so that anything can be written, wrong things too (PS3.5 section 7, PS3.10)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

Value = bytes | str | tuple[float, ...]
_LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
_NUMBERS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d", "OW": "H"}
_UNDEFINED = 0xFFFFFFFF
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
BIG, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True)
class Form:
    """How a data set is written."""

    explicit: bool = True
    little: bool = True
    codec: str = "latin-1"  # of Python, for texts


@dataclass
class Element:
    """One element. items: of a sequence; fragments: of encapsulated pixel data; open: of undefined length; un: written as UN."""

    tag: int
    vr: str
    value: Value = b""
    items: list[Rows] | None = None
    fragments: list[bytes] | None = None
    open: bool = False
    un: bool = False


Rows = dict[int, Element]


@dataclass
class File:
    """A whole file. meta: elements beside the required ones; tail: bytes after the data set."""

    elements: Rows
    sop_class: str
    sop_instance: str
    syntax: str = EXPLICIT
    codec: str = "latin-1"
    meta: Rows = field(default_factory=dict)
    preamble: bytes = b""
    tail: bytes = b""


def write(file: File) -> bytes:
    """The file's bytes."""
    content = encode(file.elements, Form(file.syntax != IMPLICIT, file.syntax != BIG, file.codec))
    if file.syntax == DEFLATED:
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        content = stream.compress(content) + stream.flush()
        content = even(content)
    return file.preamble.ljust(128, b"\0")[:128] + b"DICM" + _meta(file) + content + file.tail


def _meta(file: File) -> bytes:
    required = {
        0x00020001: Element(0x00020001, "OB", b"\0\1"),
        0x00020002: Element(0x00020002, "UI", file.sop_class),
        0x00020003: Element(0x00020003, "UI", file.sop_instance),
        0x00020010: Element(0x00020010, "UI", file.syntax),
    }
    elements = required | file.meta
    body = encode(elements, Form(codec=file.codec))
    return encode({0x00020000: Element(0x00020000, "UL", (len(body),))}, Form()) + body


def encode(elements: Rows, form: Form) -> bytes:
    """The elements' bytes, in ascending order."""
    return b"".join(_element(elements[tag], form) for tag in sorted(elements))


def _element(element: Element, form: Form) -> bytes:
    if element.fragments is not None:
        return _head(element.tag, "OB", _UNDEFINED, form) + _encapsulated(element.fragments)
    vr = "UN" if element.un else element.vr
    if element.items is not None:
        inner = Form(False, True, form.codec) if element.un else form
        value = b"".join(_item(item, inner, element.open) for item in element.items)
        if element.open:
            end = _head(0xFFFEE0DD, "", 0, Form(False, inner.little))
            return _head(element.tag, vr, _UNDEFINED, form) + value + end
    else:
        value = value_bytes(element, form)
    return _head(element.tag, vr, len(value), form) + value


def value_bytes(element: Element, form: Form) -> bytes:
    """The value of an element that is no sequence, padded to an even length."""
    value, order = element.value, "<" if form.little else ">"
    if isinstance(value, tuple):
        if element.vr == "AT":
            halves = [half for tag in value for half in (int(tag) >> 16, int(tag) & 0xFFFF)]
            return struct.pack(f"{order}{len(halves)}H", *halves)
        code = _NUMBERS[element.vr]
        return struct.pack(f"{order}{len(value)}{code}", *(v if code in "fd" else int(v) for v in value))
    raw = value.encode(form.codec) if isinstance(value, str) else value
    pad = b"\0" if element.vr in ("UI", "OB", "OW", "UN") else b" "
    return raw + pad * (len(raw) % 2)


def even(raw: bytes) -> bytes:
    """Bytes with a zero behind an odd number of them."""
    return raw + b"\0" * (len(raw) % 2)


def _item(elements: Rows, form: Form, undefined: bool) -> bytes:
    content, plain = encode(elements, form), Form(False, form.little)
    if undefined:
        return _head(0xFFFEE000, "", _UNDEFINED, plain) + content + _head(0xFFFEE00D, "", 0, plain)
    return _head(0xFFFEE000, "", len(content), plain) + content


def _encapsulated(fragments: list[bytes]) -> bytes:
    plain, parts = Form(False), [_head(0xFFFEE000, "", 0, Form(False))]
    for fragment in fragments:
        padded = even(fragment)
        parts += [_head(0xFFFEE000, "", len(padded), plain), padded]
    return b"".join([*parts, _head(0xFFFEE0DD, "", 0, plain)])


def _head(tag: int, vr: str, length: int, form: Form) -> bytes:
    order = "<" if form.little else ">"
    start = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not form.explicit or not vr:
        return start + struct.pack(order + "L", length)
    if vr in _LONG:
        return start + vr.encode() + b"\0\0" + struct.pack(order + "L", length)
    return start + vr.encode() + struct.pack(order + "H", length)
