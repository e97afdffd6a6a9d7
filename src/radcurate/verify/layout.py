"""Where everything lies in a DICOM file: a reader of its own, which only finds places and never interprets values.

It is strict: what it can't follow is a reason to fail the file, since bytes that nobody understands can't be vouched for.
It knows pixel values from other bytes, so that random pixels aren't taken for identifiers, and nothing else is skipped.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom.datadict import dictionary_VR, keyword_for_tag

Buffer = bytes
LONG_FORM = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
SHORT_FORM = frozenset(
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
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS = {0x7FE00008: 32, 0x7FE00009: 64, 0x7FE00010: 0}  # bits of a value; 0: BitsAllocated
IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
DEEPEST = 64
BEHIND_PIXELS = "after the pixels"


class UnreadableError(Exception):
    """The file can't be followed; `reason` is a short code. Never holds a value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Element:
    """A value and where it lies: data[start:end]."""

    tag: int
    vr: str
    start: int
    end: int
    path: str  # such as (3006,0020)>(3006,0026)


@dataclass(slots=True)
class Layout:
    """A file's bytes (inflated where it was deflated) and what they are.

    elements: every value that isn't pixels, by position; sequences are given by what is in them.
    pixels: stretches that hold pixel values, which aren't searched.
    fragments: compressed frames, of which only the headers are searched.
    rest: where bytes begin that belong to no data set (len(data) when there are none).
    """

    data: Buffer
    transfer_syntax: str = ""
    elements: list[Element] = field(default_factory=list)
    pixels: list[tuple[int, int]] = field(default_factory=list)
    fragments: list[tuple[int, int]] = field(default_factory=list)
    rest: int = 0

    def value(self, tag: int) -> str | None:
        """Text of a top-level element, without padding; None when absent."""
        for element in self.elements:
            if element.tag == tag and ">" not in element.path:
                return self.data[element.start : element.end].decode("latin-1").strip(" \0")
        return None

    def number(self, tag: int) -> int | None:
        """A top-level US value, or a number written as text."""
        for element in self.elements:
            if element.tag == tag and ">" not in element.path:
                raw = self.data[element.start : element.end]
                if element.vr == "US" and len(raw) >= 2:
                    return int(struct.unpack(("> " if self.transfer_syntax == BIG else "<").strip() + "H", raw[:2])[0])
                text = raw.decode("latin-1").strip(" \0")
                return int(text) if text.isdigit() else None
        return None


@lru_cache(maxsize=8192)
def name_of(tag: int) -> str:
    """DICOM keyword, or the tag where it has none."""
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=8192)
def _vr_of(tag: int) -> str:
    try:
        return str(dictionary_VR(tag))[:2]
    except KeyError:
        return "UL" if not tag & 0xFFFF else "UN"


def read_layout(data: Buffer) -> Layout:
    """Follow a whole DICOM file (PS3.10).

    Raises:
        UnreadableError: no_dicom, or unreadable where a length, tag or VR can't be right.
    """
    if data[128:132] != b"DICM":
        raise UnreadableError("no_dicom")
    meta = _Walker(Layout(data), explicit=True, order="<")
    position = meta.data_set(132, len(data), "", meta_group=True)
    syntax = meta.layout.value(0x00020010)
    if not syntax:
        raise UnreadableError("unreadable")
    layout = Layout(data, syntax, meta.layout.elements, rest=len(data))
    if syntax == DEFLATED:
        layout.data = _inflated(data, position)
    walker = _Walker(layout, explicit=syntax != IMPLICIT, order=">" if syntax == BIG else "<")
    layout.rest = walker.data_set(position, len(layout.data), "")
    return layout


def _inflated(data: Buffer, position: int) -> Buffer:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(data[position:])
    except zlib.error:
        raise UnreadableError("unreadable") from None
    if not stream.eof:
        raise UnreadableError("unreadable")
    tail = stream.unused_data
    return data[:position] + inflated + (b"" if tail in (b"", b"\0") else tail)


@dataclass(slots=True)
class _Walker:
    """Goes through one encoding; only positions are kept."""

    layout: Layout
    explicit: bool
    order: str
    depth: int = 0

    def data_set(self, position: int, end: int, path: str, open_end: bool = False, meta_group: bool = False) -> int:
        """Elements from `position`; where the data set ends. At the top level what follows may be no element."""
        previous = -1
        top = not path
        while position < end:
            if end - position < 8:
                return self._stop(position, top)
            tag = self._tag(position)
            if tag == ITEM_END and open_end:
                return position + 8
            if meta_group and tag >> 16 != 2:
                return position
            if tag <= previous or tag >> 16 == 0xFFFE:
                return self._stop(position, top)
            step = self._element(position, end, tag, path)
            if step is None:
                return self._stop(position, top)
            previous, position = tag, step
        if open_end:
            raise UnreadableError("unreadable")
        return position

    def _stop(self, position: int, top: bool) -> int:
        if not top:
            raise UnreadableError("unreadable")
        return position

    def _tag(self, position: int) -> int:
        group, element = struct.unpack_from(self.order + "HH", self.layout.data, position)
        return int(group) << 16 | int(element)

    def _element(self, position: int, end: int, tag: int, path: str) -> int | None:
        """Take in one element; where the next begins, or None where this can't be one."""
        vr, start, length = self._head(position, end, tag)
        if vr is None:
            return None
        here = f"{path}({tag >> 16:04X},{tag & 0xFFFF:04X})"
        if length == UNDEFINED:
            if tag == 0x7FE00010 and not path:
                return self._fragments(start, end)
            if vr not in ("SQ", "UN"):
                raise UnreadableError("unreadable")
            inner = self if vr == "SQ" else _Walker(self.layout, explicit=False, order="<", depth=self.depth)
            return inner._items(start, end, here, open_end=True, tag=tag)
        stop = start + length
        if stop > end:
            raise UnreadableError("truncated")
        if vr == "SQ":
            return self._items(start, stop, here, open_end=False, tag=tag)
        if tag in PIXELS and not path:
            self._pixels(tag, start, stop)
        else:
            self.layout.elements.append(Element(tag, vr, start, stop, here))
        return stop

    def _head(self, position: int, end: int, tag: int) -> tuple[str | None, int, int]:
        data = self.layout.data
        if not self.explicit:
            return _vr_of(tag), position + 8, int(struct.unpack_from(self.order + "L", data, position + 4)[0])
        vr = data[position + 4 : position + 6].decode("latin-1")
        if vr in SHORT_FORM:
            return vr, position + 8, int(struct.unpack_from(self.order + "H", data, position + 6)[0])
        if vr not in LONG_FORM or end - position < 12:
            return None, position, 0
        return vr, position + 12, int(struct.unpack_from(self.order + "L", data, position + 8)[0])

    def _items(self, position: int, end: int, path: str, open_end: bool, tag: int) -> int:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableError("unreadable")
        # an empty mark, so that a sequence without elements is still seen by the checks on groups
        self.layout.elements.append(Element(tag, "SQ", position, position, path))
        while position < end:
            if end - position < 8:
                raise UnreadableError("unreadable")
            mark, length = (
                self._tag(position),
                int(struct.unpack_from(self.order + "L", self.layout.data, position + 4)[0]),
            )
            position += 8
            if mark == SEQUENCE_END and open_end:
                self.depth -= 1
                return position
            if mark != ITEM:
                raise UnreadableError("unreadable")
            if length == UNDEFINED:
                position = self.data_set(position, end, path + ">", open_end=True)
            elif position + length > end:
                raise UnreadableError("truncated")
            else:
                position = self.data_set(position, position + length, path + ">")
        if open_end:
            raise UnreadableError("truncated")
        self.depth -= 1
        return position

    def _pixels(self, tag: int, start: int, stop: int) -> None:
        """Native pixels: as many bytes as the image needs; what exceeds them is searched like any text."""
        get = self.layout.number
        bits = PIXELS[tag] or get(0x00280100) or 0
        size = (get(0x00280010) or 0) * (get(0x00280011) or 0) * (get(0x00280002) or 1) * (get(0x00280008) or 1) * bits
        if size and self.layout.value(0x00280004) == "YBR_FULL_422":
            size = size * 2 // 3
        if not size:
            raise UnreadableError("unreadable")
        behind = min(start + -(-size // 8), stop)
        self.layout.pixels.append((start, behind))
        self.layout.elements.append(Element(tag, "OB", behind, stop, BEHIND_PIXELS))

    def _fragments(self, position: int, end: int) -> int:
        first = True
        while position + 8 <= end:
            mark, length = (
                self._tag(position),
                int(struct.unpack_from(self.order + "L", self.layout.data, position + 4)[0]),
            )
            position += 8
            if mark == SEQUENCE_END:
                return position
            if mark != ITEM or position + length > end:
                raise UnreadableError("truncated")
            if not first:  # the first item is the table of offsets
                self.layout.fragments.append((position, position + length))
            first = False
            position += length
        raise UnreadableError("truncated")
