"""Data sets as bytes: ascending tags, known lengths, nothing that was not put in (PS3.5 section 7)."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Literal

from radcurate.dicom.elements import (
    ITEM,
    LONG_VRS,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
    DataSet,
    Element,
    Encoding,
)

_PAD = {"UI": b"\0", "OB": b"\0", "OW": b"\0", "UN": b"\0"}
SHORT_LIMIT = 0xFFFE


def encode(elements: DataSet, encoding: Encoding) -> bytes:
    """The data set's bytes."""
    parts: list[bytes] = []
    for tag in sorted(elements):
        _append(parts, elements[tag], encoding)
    return b"".join(parts)


def encode_element(element: Element, encoding: Encoding) -> bytes:
    """One element's bytes."""
    parts: list[bytes] = []
    _append(parts, element, encoding)
    return b"".join(parts)


def too_long(elements: DataSet) -> bool:
    """Whether a value, at any depth, is longer than the 16-bit length of its VR."""
    return any(
        (element.vr in SHORT_VRS and len(element.value) > SHORT_LIMIT)
        or any(too_long(item) for item in element.items or [])
        for element in elements.values()
    )


def _append(parts: list[bytes], element: Element, encoding: Encoding) -> None:
    if element.fragments is not None:
        parts.append(_head(element.tag, "OB", UNDEFINED, encoding))
        parts.extend(_encapsulated(element.fragments))
        return
    if element.items is not None:
        value = b"".join(_item(item, encoding) for item in element.items)
        parts += [_head(element.tag, "SQ", len(value), encoding), value]
        return
    parts.append(encode_value(element.tag, element.vr, element.value, encoding))


def encode_value(tag: int, vr: str, value: bytes, encoding: Encoding) -> bytes:
    """The bytes of an element with a single value."""
    value = padded(value, vr)
    return _head(tag, vr, len(value), encoding) + value


def padded(value: bytes, vr: str) -> bytes:
    """An even number of bytes (PS3.5 6.2)."""
    return value if len(value) % 2 == 0 else value + _PAD.get(vr, b" ")


def _item(item: DataSet, encoding: Encoding) -> bytes:
    content = encode(item, encoding)
    order = "<" if encoding.little else ">"
    return struct.pack(order + "HHL", ITEM >> 16, ITEM & 0xFFFF, len(content)) + content


def _encapsulated(fragments: list[bytes]) -> list[bytes]:
    parts: list[bytes] = []
    for fragment in fragments:
        value = padded(fragment, "OB")
        parts += [struct.pack("<HHL", ITEM >> 16, ITEM & 0xFFFF, len(value)), value]
    parts.append(struct.pack("<HHL", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0))
    return parts


def _head(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    start, short = _start(tag, vr, encoding)
    order: Literal["little", "big"] = "little" if encoding.little else "big"
    if not short:
        return start + length.to_bytes(4, order)
    if length > SHORT_LIMIT:  # too long for a 16-bit length: written as UN (PS3.5 6.2.2)
        return start[:4] + b"UN\0\0" + length.to_bytes(4, order)
    return start + length.to_bytes(2, order)


@lru_cache(maxsize=1 << 14)
def _start(tag: int, vr: str, encoding: Encoding) -> tuple[bytes, bool]:
    """Tag and VR of an element, and whether its length has two bytes."""
    start = struct.pack("<HH" if encoding.little else ">HH", tag >> 16, tag & 0xFFFF)
    if not encoding.explicit:
        return start, False
    return (start + vr.encode() + b"\0\0", False) if vr in LONG_VRS else (start + vr.encode(), True)
