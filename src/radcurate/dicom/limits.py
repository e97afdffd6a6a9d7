"""How much a file may ask for: its elements are counted, and their nesting and sizes added up, before anybody makes objects of them.

Without it a file of a hundred megabytes can hold ten million elements, which take gigabytes once they are objects, or inflate
to a thousand times its size. The counting takes a microsecond an element and no memory. What a file may be is generous: the
largest segmentations that hospitals have (a hundred structures on five hundred slices) hold one and a half million elements.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from radcurate.dicom.elements import (
    DEPTH,
    ITEM,
    ITEM_END,
    LONG_VRS,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
    Encoding,
)
from radcurate.dicom.problems import Unsafe

MOST_ELEMENTS = 2_000_000  # elements and items of a data set, at any depth
LARGEST_NESTED = 1 << 30  # bytes of values in sequences, counted once for each level above them
LARGEST_META = 1 << 20  # bytes of file meta information
LARGEST_INFLATED = 1 << 28  # bytes of a deflated data set
LARGEST_FRAME = 1 << 27  # samples of one frame, 11,585 x 11,585
SMALL = 1 << 23  # bytes; so little can't hold much, whatever it is
STEP = 1 << 18  # bytes read, or inflated, at once
PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
SPLIT = "split the object, or leave it out: it holds more than any that scanners and planning systems write"
_DONE = -1  # a position
_SHORT = frozenset(vr.encode() for vr in SHORT_VRS)
_LONG = frozenset(vr.encode() for vr in LONG_VRS)
_BYTES = frozenset(
    (b"", b"UN", b"OB", b"OW", b"OF", b"OD", b"OL", b"OV")
)  # readers look into what looks like items there
_ITEM_LITTLE, _ITEM_BIG = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"


class LostError(Exception):
    """The bytes can't be followed, and there are too many of them to be handed on like that."""


@dataclass(slots=True)
class _Level:
    """A data set (elements), a sequence (items) or compressed pixel data (fragments) that is being walked through."""

    kind: str
    stop: int
    delimited: bool
    explicit: bool
    guessed: bool = False  # it only looks like a sequence: if it is none, it is a value


@dataclass(slots=True)
class _Walk:
    stream: BinaryIO
    end: int
    little: bool
    data: bytes = b""
    base: int = 0
    elements: int = 0
    nested: int = 0
    levels: list[_Level] = field(default_factory=list)

    def head(self, position: int) -> bytes:
        """The next bytes, as many as an element's head and the start of its value may have."""
        place = position - self.base
        if place < 0 or place + 24 > len(self.data):
            self.stream.seek(position)
            self.data, self.base, place = self.stream.read(STEP), position, 0
        return self.data[place : place + 24]

    def enter(self, kind: str, stop: int, delimited: bool, explicit: bool, guessed: bool = False) -> None:
        self.levels.append(_Level(kind, stop, delimited, explicit, guessed))
        if len(self.levels) > 2 * DEPTH + 1:
            raise Unsafe("nesting", SPLIT)

    def count(self, length: int) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise Unsafe("too_many_elements", SPLIT)
        if len(self.levels) > 1:
            self.nested += length
            if self.nested > LARGEST_NESTED:
                raise Unsafe("too_large", SPLIT)


def check_elements(stream: BinaryIO, start: int, end: int, encoding: Encoding) -> None:
    """Walk through a data set up to its pixel data without keeping anything of it.

    Args:
        stream: the file, or what was inflated; left somewhere.
        start: offset of the first element.
        end: offset after the last byte.
        encoding: how the data set is written.

    Raises:
        Unsafe: too_many_elements, nesting, too_large.
        LostError: it can't be followed to its pixel data or its end, with more than `SMALL` bytes to come.
    """
    walk = _Walk(stream, end, encoding.little)
    walk.enter("elements", end, False, encoding.explicit)
    position = start
    while walk.levels and position != _DONE:
        try:
            position = _step(walk, walk.levels[-1], position)
        except LostError:
            position = _find_again(walk, position)


def _step(walk: _Walk, level: _Level, position: int) -> int:
    if position < level.stop:
        return _STEPS[level.kind](walk, level, position)
    if len(walk.levels) > 1 and (position > level.stop or level.delimited):
        raise LostError
    walk.levels.pop()
    return position


def _find_again(walk: _Walk, position: int) -> int:
    """The end of a value that is no sequence after all; `_DONE` where what is left is small."""
    while walk.levels:
        level = walk.levels.pop()
        if level.guessed and level.stop - position <= SMALL:
            return level.stop
    if walk.end - position > SMALL:
        raise LostError
    return _DONE


def _element(walk: _Walk, level: _Level, position: int) -> int:
    """Step over an element, or into it; `_DONE` at the end: at the pixel data, or where the file is cut off."""
    head = walk.head(position)
    top = len(walk.levels) == 1
    if len(head) < 8:
        return _DONE if top else _lost()
    tag = _tag(head, walk.little)
    if tag == ITEM_END and level.delimited:
        walk.levels.pop()
        return position + 8
    if tag >> 16 == 0xFFFE:
        return _lost()
    if tag in PIXELS and top:
        return _DONE
    vr, length, start = _length(head, level.explicit, walk.little)
    if length == UNDEFINED:
        walk.count(0)
        kind = "fragments" if tag in PIXELS else "items"
        walk.enter(kind, level.stop, True, _explicit_inside(vr, head[start:], level.explicit))
        return position + start
    walk.count(length)
    after = position + start + length
    if after > level.stop:
        return _DONE if top else _lost()
    guessed = vr in _BYTES and _is_item(head[start:])
    if length >= 8 and (vr == b"SQ" or guessed):
        walk.nested += length if top else 0
        walk.enter("items", after, False, _explicit_inside(vr, head[start:], level.explicit), guessed)
        return position + start
    return after


def _item(walk: _Walk, level: _Level, position: int) -> int:
    head = walk.head(position)
    if len(head) < 8:
        return _lost()
    tag, length = _tag(head, walk.little), _number(head[4:8], walk.little)
    if tag == SEQUENCE_END:
        walk.levels.pop()
        return position + 8 if level.delimited else level.stop
    if tag != ITEM:
        return _lost()
    walk.count(0)
    known = length != UNDEFINED
    walk.enter("elements", position + 8 + length if known else level.stop, not known, level.explicit)
    return position + 8


def _fragment(walk: _Walk, level: _Level, position: int) -> int:
    """Fragments of a small picture within a sequence."""
    head = walk.head(position)
    if len(head) < 8:
        return _lost()
    tag, length = _tag(head, walk.little), _number(head[4:8], walk.little)
    if tag == SEQUENCE_END:
        walk.levels.pop()
        return position + 8
    if tag != ITEM or length == UNDEFINED:
        return _lost()
    walk.count(length)
    return position + 8 + length


_STEPS: dict[str, Callable[[_Walk, _Level, int], int]] = {
    "elements": _element,
    "items": _item,
    "fragments": _fragment,
}


def _lost() -> int:
    raise LostError


def _tag(head: bytes, little: bool) -> int:
    group, number = struct.unpack_from("<HH" if little else ">HH", head)
    return int(group) << 16 | int(number)


def _number(raw: bytes, little: bool) -> int:
    return int.from_bytes(raw, "little" if little else "big")


def _length(head: bytes, explicit: bool, little: bool) -> tuple[bytes, int, int]:
    """VR (empty where none is written), length, and where the value begins."""
    if not explicit:
        return b"", _number(head[4:8], little), 8
    vr = head[4:6]
    if vr in _SHORT:
        return vr, _number(head[6:8], little), 8
    if vr not in _LONG or len(head) < 12:
        raise LostError
    return vr, _number(head[8:12], little), 12


def _is_item(value: bytes) -> bool:
    """Whether a value begins like a sequence, as one kept under UN or OB does."""
    return value[:4] in (_ITEM_LITTLE, _ITEM_BIG)


def _explicit_inside(vr: bytes, value: bytes, explicit: bool) -> bool:
    """Under UN items are implicit (PS3.5 6.2.2), unless the first element shows its VR."""
    return explicit if vr in (b"SQ", b"") else value[12:14] in _SHORT or value[12:14] in _LONG


def inflate(data: bytes) -> tuple[bytes, bytes]:
    """A deflated data set (PS3.5 A.5), and the bytes behind it.

    Raises:
        Unsafe: it inflates to more than LARGEST_INFLATED.
        zlib.error: it isn't deflated, or cut off.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    content = stream.decompress(data, LARGEST_INFLATED + 1)
    if len(content) > LARGEST_INFLATED:
        raise Unsafe("inflates", "inflate the file with a DICOM toolkit, such as dcmconv of DCMTK, before it is put in")
    if not stream.eof:
        raise zlib.error
    return content, stream.unused_data
