"""Where everything lies in a DICOM file: a reader of its own, which only finds places and never interprets values.

For what was written it is strict: what it can't follow is a reason to fail the file, since bytes that nobody understands
can't be vouched for. For sources it forgives what real ones do (see `sources`). It knows pixel values from other bytes, so
that random pixels aren't taken for identifiers, and nothing else is skipped.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pydicom.datadict import dictionary_VR, keyword_for_tag

Buffer = bytes
Span = tuple[int, int]
_LONG_TEXT, _SHORT_TEXT = (
    "OB OD OF OL OV OW SQ SV UC UN UR UT UV",
    "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US",
)
LONG_FORM, SHORT_FORM = frozenset(_LONG_TEXT.split()), frozenset(_SHORT_TEXT.split())
_LONG, _SHORT = frozenset(vr.encode() for vr in LONG_FORM), frozenset(vr.encode() for vr in SHORT_FORM)
_NAMES = {vr.encode(): vr for vr in LONG_FORM | SHORT_FORM}
_LITTLE, _BIG = struct.Struct("<HH2sH"), struct.Struct(">HH2sH")
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
PIXELS = {0x7FE00008: 32, 0x7FE00009: 64, PIXEL_DATA: 0}  # bits of a value; 0: BitsAllocated
IMPLICIT, BIG, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
DEEPEST = 64
BEHIND_PIXELS = "after the pixels"


class UnreadableError(Exception):
    """The file can't be followed; `reason` is a short code. Never holds a value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Element(NamedTuple):
    """A value and where it lies: data[start:end]."""

    tag: int
    vr: str
    start: int
    end: int
    path: str  # such as (3006,0020)>(3006,0026)


class Top(NamedTuple):
    """An element at the top level, head and all: data[begin:end]; its value is data[start:end]."""

    tag: int
    vr: str
    begin: int
    start: int
    end: int


LARGEST_INFLATED = 1 << 28  # bytes of a deflated data set


@dataclass(slots=True)
class Layout:
    """A file's bytes (inflated where it was deflated) and what they are.

    tops: file meta and data set at the top level, without pixels.
    pixels: stretches that hold pixel values, which aren't searched; `excess` is what follows them in their element.
    table, fragments: of compressed pixels the table of offsets, and the frames, of which only the headers are searched.
    rest: where bytes begin that belong to no data set (len(data) when there are none).
    """

    data: Buffer
    transfer_syntax: str = ""
    explicit: bool = True
    order: str = "<"
    tops: list[Top] = field(default_factory=list)
    at: dict[int, Top] = field(default_factory=dict)
    pixels: list[Span] = field(default_factory=list)
    excess: list[Element] = field(default_factory=list)
    table: Span = (0, 0)
    fragments: list[Span] = field(default_factory=list)
    rest: int = 0
    strict: bool = True
    beyond: int = 0  # bytes of the file that follow `data`: only pixels may reach into them

    def raw(self, tag: int) -> bytes:
        """The value's bytes of a top-level element; none where it is absent."""
        top = self.at.get(tag)
        return self.data[top.start : top.end] if top else b""

    def value(self, tag: int) -> str | None:
        """Text of a top-level element, without padding; None when absent."""
        return self.raw(tag).decode("latin-1").strip(" \0") if tag in self.at else None

    def number(self, tag: int) -> int | None:
        """A top-level US value, or a number written as text."""
        top, raw = self.at.get(tag), self.raw(tag)
        if top is None:
            return None
        if len(raw) == 2 and (top.vr == "US" or not raw.strip(b" \0").isdigit()):
            return int(struct.unpack(self.order + "H", raw)[0])
        text = raw.decode("latin-1").strip(" \0")
        return int(text) if text.isdigit() else None

    def leaves(self, top: Top) -> list[Element]:
        """The values in a top-level element: its own, or those of all its items at any depth."""
        if top.vr != "SQ":
            return [Element(top.tag, top.vr, top.start, top.end, path_of(top.tag))]
        found: list[Element] = []
        _Walker(self, self.explicit or top.tag >> 16 == 2, self.order, found).element(top.begin, top.end, "")
        return found

    @property
    def elements(self) -> list[Element]:
        """Every value that isn't pixels, by position; of a sequence an empty mark and what is in it."""
        return [leaf for top in self.tops for leaf in self.leaves(top)] + self.excess


def path_of(tag: int) -> str:
    """(GGGG,EEEE)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def leaves_of(raw: bytes, explicit: bool, order: str, strict: bool) -> list[Element]:
    """The values in the bytes of one element, head and all."""
    layout = Layout(raw, explicit=explicit, order=order, strict=strict)
    found: list[Element] = []
    _Walker(layout, explicit, order, found).element(0, len(raw), "")
    return found


@lru_cache(maxsize=8192)
def name_of(tag: int) -> str:
    """DICOM keyword, or the tag where it has none."""
    return keyword_for_tag(tag) or path_of(tag)


@lru_cache(maxsize=8192)
def vr_of(tag: int) -> str:
    """The dictionary's VR, the first of several; UN where there is none."""
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
    layout = Layout(data, rest=len(data))
    position = walk(layout, 132, meta=True)
    syntax = layout.value(0x00020010)
    if not syntax:
        raise UnreadableError("unreadable")
    layout.transfer_syntax = syntax
    layout.explicit, layout.order = syntax != IMPLICIT, ">" if syntax == BIG else "<"
    if syntax == DEFLATED:
        layout.data = inflated(data, position)
    layout.rest = walk(layout, position)
    return layout


def walk(layout: Layout, position: int, meta: bool = False) -> int:
    """Take in a top-level data set, or the meta group before it; where it ends."""
    return _Walker(layout, layout.explicit, layout.order).top_level(position, meta)


def inflated(data: Buffer, position: int) -> Buffer:
    """The file with its data set inflated.

    Raises:
        UnreadableError: unreadable.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(data[position:], LARGEST_INFLATED)
    except zlib.error:
        raise UnreadableError("unreadable") from None
    if not stream.eof:  # cut off, or a thousand times its size
        raise UnreadableError("unreadable")
    tail = stream.unused_data
    return data[:position] + content + (b"" if tail in (b"", b"\0") else tail)


@dataclass(slots=True)
class _Walker:
    """Goes through one encoding; only positions are kept: the leaves of one element, or the top level of a file."""

    layout: Layout
    explicit: bool
    order: str
    found: list[Element] = field(default_factory=list)
    depth: int = 0

    def top_level(self, position: int, meta: bool) -> int:
        """Elements from `position`; what follows them may be no element, and ends the data set."""
        layout, previous, end = self.layout, -1, len(self.layout.data)
        strict, quick = layout.strict, self.explicit
        heads = (_LITTLE if self.order == "<" else _BIG).unpack_from
        while end - position >= 8:
            group, number, code, size = heads(layout.data, position)
            tag = group << 16 | number
            if group == 0xFFFE or (meta and group != 2) or (strict and tag <= previous):
                break
            known = quick and code in _SHORT
            vr, start, length = (_NAMES[code], position + 8, size) if known else self._head(position, end, tag)
            if vr is None:
                break
            if tag in PIXELS and not (length == UNDEFINED and tag != PIXEL_DATA):
                stop = self._pixels(tag, start, length, end)
            elif length == UNDEFINED:
                vr, stop = "SQ", self.element(position, end, "")
            else:
                stop = start + length
            if stop > end and not (tag in PIXELS and stop == end + layout.beyond):
                if not strict:
                    break
                raise UnreadableError("truncated")
            if tag not in PIXELS:
                top = Top(tag, vr, position, start, stop)
                layout.tops.append(top)
                layout.at[tag] = top
            previous, position = tag, stop
        return position

    def data_set(self, position: int, end: int, path: str, open_end: bool) -> int:
        """Elements of an item; where it ends."""
        previous = -1
        while position < end:
            if end - position < 8:
                raise UnreadableError("unreadable")
            tag = self._tag(position)
            if tag == ITEM_END and open_end:
                return position + 8
            if tag >> 16 == 0xFFFE or (self.layout.strict and tag <= previous):
                raise UnreadableError("unreadable")
            previous, position = tag, self.element(position, end, path)
        if open_end:
            raise UnreadableError("unreadable")
        return position

    def element(self, position: int, end: int, path: str) -> int:
        """Take in one element with everything in it; where the next begins."""
        tag = self._tag(position)
        vr, start, length = self._head(position, end, tag)
        if vr is None:
            raise UnreadableError("unreadable")
        here = path + path_of(tag)
        if length == UNDEFINED:
            if vr not in ("SQ", "UN"):
                return self._nested_fragments(start, end)
            return self._inner(vr, start).items(start, end, here, open_end=True, tag=tag)
        stop = start + length
        if stop > end:
            raise UnreadableError("truncated")
        if vr == "SQ":
            return self._inner(vr, start).items(start, stop, here, open_end=False, tag=tag)
        self.found.append(Element(tag, vr, start, stop, here))
        return stop

    def _inner(self, vr: str, start: int) -> _Walker:
        """Who reads the items: a sequence in UN is implicit (PS3.5 6.2.2), though some sources keep their own encoding."""
        if vr == "SQ" or (not self.layout.strict and self.layout.data[start + 12 : start + 14].isalpha()):
            return self
        return _Walker(self.layout, False, "<", self.found, self.depth)

    def _tag(self, position: int) -> int:
        group, element = struct.unpack_from(self.order + "HH", self.layout.data, position)
        return int(group) << 16 | int(element)

    def _head(self, position: int, end: int, tag: int) -> tuple[str | None, int, int]:
        data = self.layout.data
        code = data[position + 4 : position + 6]
        if not self.explicit or (not self.layout.strict and code not in _NAMES and not _may_be_vr(code)):
            return vr_of(tag), position + 8, int(struct.unpack_from(self.order + "L", data, position + 4)[0])
        if code in _SHORT:
            return _NAMES[code], position + 8, int(struct.unpack_from(self.order + "H", data, position + 6)[0])
        if end - position < 12 or (code not in _LONG and self.layout.strict):
            return None, position, 0
        length = int(struct.unpack_from(self.order + "L", data, position + 8)[0])
        if not self.layout.strict:
            return self._forgiven(_NAMES.get(code, "UN"), tag, position + 12, length)
        if data[position + 6 : position + 8] != b"\0\0":
            return None, position, 0  # nothing may be hidden there
        return _NAMES[code], position + 12, length

    def _forgiven(self, vr: str, tag: int, start: int, length: int) -> tuple[str, int, int]:
        """A sequence that somebody who didn't know it wrote as UN, of known length."""
        mark = self.layout.data[start : start + 4]
        if vr == "UN" and length != UNDEFINED and mark in (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"):
            vr = "SQ" if vr_of(tag) == "SQ" else vr
        return vr, start, length

    def items(self, position: int, end: int, path: str, open_end: bool, tag: int) -> int:
        """Items of a sequence; where the next element begins."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableError("unreadable")
        # an empty mark, so that a sequence without elements is still seen by the checks on groups
        self.found.append(Element(tag, "SQ", position, position, path))
        while position < end:
            if end - position < 8:
                raise UnreadableError("unreadable")
            mark, length = self._mark(position)
            position += 8
            if mark == SEQUENCE_END and open_end:
                self.depth -= 1
                return position
            if mark != ITEM:
                raise UnreadableError("unreadable")
            if length != UNDEFINED and position + length > end:
                raise UnreadableError("truncated")
            stop = end if length == UNDEFINED else position + length
            position = self.data_set(position, stop, path + ">", open_end=length == UNDEFINED)
        if open_end:
            raise UnreadableError("truncated")
        self.depth -= 1
        return position

    def _mark(self, position: int) -> tuple[int, int]:
        return self._tag(position), int(struct.unpack_from(self.order + "L", self.layout.data, position + 4)[0])

    def _pixels(self, tag: int, start: int, length: int, end: int) -> int:
        """Native pixels: as many bytes as the image needs; what exceeds them is searched like any text."""
        if length == UNDEFINED:
            return self._fragments(start, end)
        stop = start + length
        if stop > end + self.layout.beyond:
            raise UnreadableError("truncated")
        size = pixel_bytes(self.layout, tag)
        if not size:
            if self.layout.strict:
                raise UnreadableError("unreadable")
            size = length
        behind = min(start + size, stop)
        self.layout.pixels.append((start, behind))
        self.layout.excess.append(Element(tag, "OB", behind, stop, BEHIND_PIXELS))
        return stop

    def _fragments(self, position: int, end: int) -> int:
        first = True
        while position + 8 <= end:
            mark, length = self._mark(position)
            position += 8
            if mark == SEQUENCE_END:
                return position
            if mark != ITEM or position + length > end:
                raise UnreadableError("truncated")
            if first:  # the first item is the table of offsets
                self.layout.table = (position, position + length)
            else:
                self.layout.fragments.append((position, position + length))
            first = False
            position += length
        raise UnreadableError("truncated")

    def _nested_fragments(self, position: int, end: int) -> int:
        """Compressed pixels of an icon, which sources have; in what was written they have no place."""
        while not self.layout.strict and position + 8 <= end:
            mark, length = self._mark(position)
            position += 8 + (length if mark == ITEM else 0)
            if mark == SEQUENCE_END:
                return position
        raise UnreadableError("unreadable")


def _may_be_vr(code: bytes) -> bool:
    return code.isalpha() and code.isupper()


def pixel_bytes(layout: Layout, tag: int = PIXEL_DATA) -> int:
    """How many bytes the declared image needs in native form; 0 where it is not declared."""
    get = layout.number
    bits = PIXELS[tag] or get(0x00280100) or 0
    size = (get(0x00280010) or 0) * (get(0x00280011) or 0) * (get(0x00280002) or 1) * (get(0x00280008) or 1) * bits
    if size and layout.value(0x00280004) == "YBR_FULL_422":
        size = size * 2 // 3
    return -(-size // 8)
