"""Data sets as trees of raw elements: what is in the file, byte for byte, before anybody interprets it (PS3.5 section 7).

A general reader converts values lazily and forgives; here a value is only bytes until `values` has checked them, and what
doesn't parse is an `Unsafe` file, so that nothing slips through unread.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache

from radcurate.dicom.dictionary import attribute, dictionary
from radcurate.dicom.problems import Unsafe, damaged

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
MOST_FRAGMENTS = 1 << 20  # of compressed pixel data: zero bytes each, a million of them fit into eight megabytes
DEPTH = 32  # deeper nesting than any real object; a limit keeps a hostile file from exhausting the stack
SHORT_VRS = frozenset(
    [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FD",
        "FL",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        "UI",
        "UL",
        "US",
    ]
)
LONG_VRS = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
_LONG = -1  # a length that the first eight bytes don't tell
SEARCHED = 1 << 16  # bytes of a rest in which heads of elements are looked for
_HEADERS = {True: struct.Struct("<HH"), False: struct.Struct(">HH")}
_SHORTS = {True: struct.Struct("<H"), False: struct.Struct(">H")}
_LONGS = {True: struct.Struct("<L"), False: struct.Struct(">L")}
_VR_OF = {code.encode(): code for code in SHORT_VRS | LONG_VRS}
_ITEMS = re.compile(rb"\xfe\xff(?:\x00\xe0|\x0d\xe0|\xdd\xe0)|\xff\xfe(?:\xe0\x00|\xe0\x0d|\xe0\xdd)")
_EXPLICIT_HEADS = re.compile(rb"(?s)(?=(.{4})(" + b"|".join(sorted(_VR_OF)) + rb"))")


@dataclass(slots=True)
class Element:
    """One element: a value (bytes), a sequence (items) or encapsulated pixel data (fragments, offset table first)."""

    tag: int
    vr: str  # as in the file; "" where the file doesn't say (implicit VR)
    value: bytes = b""
    items: list[DataSet] | None = None
    fragments: list[bytes] | None = None


DataSet = dict[int, Element]


@dataclass(frozen=True)
class Encoding:
    """Byte order and whether VRs are written."""

    explicit: bool
    little: bool = True


@dataclass
class Reading:
    """A data set, the number of bytes that followed it in the file, and the offset of its pixel data's value (0: none)."""

    elements: DataSet = field(default_factory=dict)
    trailing: int = 0
    pixel_start: int = 0


IMPLICIT = Encoding(explicit=False)
EXPLICIT_LITTLE = Encoding(explicit=True)


def tag_text(tag: int) -> str:
    """`(gggg,eeee)`, as in the standard."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def is_private(tag: int) -> bool:
    """Odd groups are private (PS3.5 7.8)."""
    return bool((tag >> 16) & 1)


def dictionary_vr(tag: int) -> str:
    """VR or alternatives such as `US or SS` of a standard tag (PS3.6); empty for others."""
    entry = attribute(tag)
    return entry.vr if entry else ""


def keyword(tag: int) -> str:
    """Keyword of a standard tag; `private` or `unknown` for others."""
    if is_private(tag):
        return "private"
    entry = attribute(tag)
    return (entry.keyword or "retired") if entry else ("retired" if _repeats(tag) else "unknown")


def _repeats(tag: int) -> bool:
    text = f"{tag:08X}"
    return any(
        all(mask in ("x", char) for mask, char in zip(masked, text, strict=True)) for masked in dictionary().repeating
    )


def read_data_set(data: bytes, start: int, encoding: Encoding) -> Reading:
    """All elements of a file from offset `start`.

    Bytes after the last element are dropped and counted: padding, or what follows pixel data without being an element.

    Raises:
        Unsafe: the bytes don't form a data set, or a tag occurs twice.
    """
    reading, position, previous = Reading(), start, 0
    while position < len(data):
        try:
            element, after = _element(data, position, len(data), encoding, 0)
        except Unsafe:
            if not _is_trailing(data[position:], previous, reading.elements, encoding):
                raise
            break
        if element.tag in reading.elements:
            raise damaged("duplicate_element")
        if previous >= PIXEL_DATA and element.tag <= previous:
            break
        reading.elements[element.tag] = element
        if element.tag == PIXEL_DATA:
            reading.pixel_start = _head(data, position, len(data), encoding)[3]
        position, previous = after, max(previous, element.tag)
    reading.trailing = max(len(data) - position, 0)
    return reading


def read_element(data: bytes, position: int, encoding: Encoding) -> tuple[Element, int]:
    """One element at `position` of a data set, and the offset after it.

    Raises:
        Unsafe: the bytes don't form an element.
    """
    return _element(data, position, len(data), encoding, 0)


def _is_trailing(rest: bytes, previous: int, elements: DataSet, encoding: Encoding) -> bool:
    """Whether what can't be read is no part of the data set: after the pixels, zeros, or nothing that could be elements.

    An image that loses needed elements by this is caught later: its pixels are asked for. Other objects have no such
    end mark, so that there a rest that looks like items or elements is damage.
    """
    if previous >= PIXEL_DATA or not rest.strip(b"\0"):
        return True
    if _ITEMS.search(rest) or any(_known(match) for match in _EXPLICIT_HEADS.finditer(rest, 0, SEARCHED)):
        return False
    if len(rest) < 8:
        return True
    group, number = _HEADERS[encoding.little].unpack_from(rest)
    tag = group << 16 | number
    if tag > previous and is_private(tag):  # elements of a block that nobody has reserved are none
        return number > 0xFF and group << 16 | number >> 8 not in elements
    return tag <= previous or keyword(tag) == "unknown"


def _known(head: re.Match[bytes]) -> bool:
    """Whether four bytes and a VR are the head of a standard element."""
    written, vr = head.group(1), head.group(2).decode()
    groups = (struct.unpack(order, written) for order in ("<HH", ">HH"))
    return any(vr in dictionary_vr(group << 16 | number).split(" or ") for group, number in groups)


def _element(data: bytes, position: int, end: int, encoding: Encoding, depth: int) -> tuple[Element, int]:
    """The element at `position` and the offset after it."""
    tag, vr, length, position = _head(data, position, end, encoding)
    if tag >> 16 in (0xFFFE, 0x0000):
        raise damaged("stray_item")
    if length == UNDEFINED:
        return _undefined(data, tag, vr, position, end, encoding, depth)
    if length > end - position:
        raise damaged("element_length")
    after = position + length
    if _is_sequence(tag, vr) and not is_private(tag):
        inner = _inside_un(data, position) if vr == "UN" else encoding
        return Element(tag, "SQ", items=_items(data, position, after, inner, depth + 1)[0]), after
    return Element(tag, vr, data[position:after]), after


def _inside_un(data: bytes, position: int) -> Encoding:
    """How the items under a UN are written: implicit (PS3.5 6.2.2), unless the first element shows its own VR.

    Some writers put UN before a sequence and leave its explicit items as they were.
    """
    head = data[position + 8 : position + 14]
    vr = _VR_OF.get(head[4:6])
    if vr is None:
        return IMPLICIT
    group, number = _HEADERS[True].unpack_from(head)
    return EXPLICIT_LITTLE if vr in dictionary_vr(group << 16 | number).split(" or ") else IMPLICIT


def _is_sequence(tag: int, vr: str) -> bool:
    return vr == "SQ" or (vr in ("", "UN") and dictionary_vr(tag) == "SQ")


def _head(data: bytes, position: int, end: int, encoding: Encoding) -> tuple[int, str, int, int]:
    """Tag, VR, length and the offset of the value."""
    if end - position < 8:
        raise damaged("element_head")
    little = encoding.little
    tag, vr, length = _start(data[position : position + 8], encoding.explicit, little)
    if length != _LONG:
        return tag, vr, length, position + 8
    if end - position < 12:
        raise damaged("element_head")
    return tag, vr, _LONGS[little].unpack_from(data, position + 8)[0], position + 12


@lru_cache(maxsize=1 << 14)
def _start(head: bytes, explicit: bool, little: bool) -> tuple[int, str, int]:
    """Tag, VR and length from the first eight bytes of an element; `_LONG` where the length comes after them."""
    group, number = _HEADERS[little].unpack_from(head)
    tag = group << 16 | number
    if not explicit or group == 0xFFFE:
        return tag, "", _LONGS[little].unpack_from(head, 4)[0]
    vr = _VR_OF.get(head[4:6])
    if vr is None:
        raise damaged("vr")
    return tag, vr, _SHORTS[little].unpack_from(head, 6)[0] if vr in SHORT_VRS else _LONG


def _undefined(
    data: bytes, tag: int, vr: str, position: int, end: int, encoding: Encoding, depth: int
) -> tuple[Element, int]:
    """An element of undefined length: encapsulated pixels, or a sequence (a UN one is implicit little endian, PS3.5 6.2.2)."""
    if tag == PIXEL_DATA and vr in ("OB", "OW", "UN", ""):
        fragments, after = _fragments(data, position, end)
        return Element(tag, vr, fragments=fragments), after
    if vr not in ("", "SQ", "UN"):
        raise damaged("undefined_length")
    inner = _inside_un(data, position) if vr == "UN" else encoding
    items, after = _items(data, position, end, inner, depth + 1, delimited=True)
    return Element(tag, "SQ", items=items), after


def _items(
    data: bytes, position: int, end: int, encoding: Encoding, depth: int, delimited: bool = False
) -> tuple[list[DataSet], int]:
    """Items of a sequence up to `end` or, if `delimited`, up to the sequence delimiter; and the offset after them."""
    if depth > DEPTH:
        raise damaged("nesting")
    items: list[DataSet] = []
    while position < end:
        tag, _, length, position = _head(data, position, end, encoding)
        if tag == SEQUENCE_END:
            if length or not (delimited or position == end):  # also seen, superfluous, at the end of a known length
                raise damaged("sequence_end")
            return items, position
        if tag != ITEM:
            raise damaged("item")
        item, position = _item(data, position, end, length, encoding, depth)
        items.append(item)
    if delimited:
        raise damaged("sequence_end")
    return items, position


def read_items(value: bytes, encoding: Encoding) -> list[DataSet]:
    """The items in the value of a sequence.

    Raises:
        Unsafe: the bytes form no items.
    """
    return _items(value, 0, len(value), encoding, 1)[0]


def _item(data: bytes, position: int, end: int, length: int, encoding: Encoding, depth: int) -> tuple[DataSet, int]:
    """One item, of known or undefined length, and the offset after it."""
    known = length != UNDEFINED
    if known and length > end - position:
        raise damaged("item_length")
    stop = position + length if known else end
    item: DataSet = {}
    while position < stop:
        if stop - position < 8:
            raise damaged("element_head")
        if not known and _HEADERS[encoding.little].unpack_from(data, position) == (0xFFFE, 0xE00D):
            if data[position + 4 : position + 8] != b"\0\0\0\0":
                raise damaged("item_end")
            return item, position + 8
        element, position = _element(data, position, stop, encoding, depth)
        if element.tag in item:
            raise damaged("duplicate_element")
        item[element.tag] = element
    if not known:
        raise damaged("item_end")
    return item, position


def _fragments(data: bytes, position: int, end: int) -> tuple[list[bytes], int]:
    """Fragments of encapsulated pixel data, the basic offset table first (PS3.5 A.4)."""
    fragments: list[bytes] = []
    while position + 8 <= end:
        tag, _, length, position = _head(data, position, end, IMPLICIT)
        if tag == SEQUENCE_END and not length:
            return fragments, position
        if tag != ITEM or length > end - position:
            raise damaged("fragment")
        if len(fragments) > MOST_FRAGMENTS:
            raise too_many_fragments()
        fragments.append(data[position : position + length])
        position += length
    raise damaged("sequence_end")


def too_many_fragments() -> Unsafe:
    """Verdict on pixel data in more pieces than any real object has frames."""
    return Unsafe("too_many_fragments", "export the file again with a fragment for each frame")
