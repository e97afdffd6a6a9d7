"""The header of an ordinary file, cut into raw elements without interpreting any of them.

A reader for the common case only: preamble, file meta, little endian, ascending tags, pixel data at the very end. Slices of a
series share nearly all elements byte for byte, so whoever remembers what it did with an element pays for each once.
Whatever is out of the ordinary is left to `elements`, which is strict and complete: `split` then gives None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from radcurate.dicom.container import ENCAPSULATED
from radcurate.dicom.elements import (
    EXPLICIT_LITTLE,
    IMPLICIT,
    LONG_VRS,
    PIXEL_DATA,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
    read_element,
)
from radcurate.dicom.problems import Unsafe

EXPLICIT_LITTLE_UID, IMPLICIT_UID = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
_SHORT = frozenset(vr.encode() for vr in SHORT_VRS)
_LONG = frozenset(vr.encode() for vr in LONG_VRS)
_NEVER = -1  # size of an element whose head is in doubt
_ASK = 0  # size of an element that its first eight bytes don't tell


@dataclass(frozen=True, slots=True)
class Split:
    """A header in pieces. `raws[i]` are the bytes of the element `tags[i]`, head and value."""

    transfer_syntax: str
    encoding: Encoding
    tags: list[int]  # ascending, below the pixel data
    raws: list[bytes]
    pixel_head: int  # offset of the pixel data element; the file's size where there is none
    pixel_start: int  # offset of its value; 0 where there is none
    pixel_length: int  # UNDEFINED for encapsulated frames, whose end is not looked for


@dataclass(slots=True)
class Splitter:
    """Cuts headers, remembering sequences of the file before: finding the end of an equal one is then a comparison."""

    _last: Split | None = None
    _metas: dict[bytes, str] = field(default_factory=dict)
    _sequences: dict[bytes, bytes] = field(default_factory=dict)  # by the first eight bytes

    def split(self, data: bytes, size: int) -> Split | None:
        """The pieces of a file's header, or None where the file is out of the ordinary or `data` ends too early.

        Args:
            data: the file's first bytes, at least up to its pixel data.
            size: the length of the whole file.
        """
        syntax, start = self.begin(data)
        if not start:
            return None
        if self._last is not None and self._last.transfer_syntax == syntax:
            alike = _laid_out_like(self._last, data, size, start)
            if alike is not None:
                return alike
        encoding = IMPLICIT if syntax == IMPLICIT_UID else EXPLICIT_LITTLE
        self._last = self._elements(data, size, start, syntax, encoding)
        return self._last

    def begin(self, data: bytes) -> tuple[str, int]:
        """Transfer syntax of a file and the offset of its data set; 0 where the file is out of the ordinary."""
        if data[128:140] != b"DICM\2\0\0\0UL\4\0":
            return "", 0
        start = 144 + int.from_bytes(data[140:144], "little")
        syntax = self._syntax(data[144:start])
        return (syntax, start) if syntax is not None and start + 8 <= len(data) else ("", 0)

    def element_at(self, data: bytes, position: int, encoding: Encoding) -> tuple[int, int]:
        """Tag and size in bytes, head included, of an element; a size below 8 where there is doubt."""
        head = data[position : position + 8]
        tag, size = (_explicit_head if encoding.explicit else _implicit_head)(head)
        return tag, self._length(data, position, head, encoding) if size == _ASK else size

    def _syntax(self, meta: bytes) -> str | None:
        """Transfer syntax of a meta group, if it is one that is read here. Only the UIDs of instances differ in a series."""
        place = meta.find(b"\2\0\x10\0UI")
        if place < 0:
            return None
        length = int.from_bytes(meta[place + 6 : place + 8], "little")
        raw = meta[place : place + 8 + length]
        if raw not in self._metas:
            self._metas[raw] = raw[8:].strip(b" \0").decode("ascii", "replace")
        syntax = self._metas[raw]
        known = syntax in (EXPLICIT_LITTLE_UID, IMPLICIT_UID) or syntax in ENCAPSULATED
        return syntax if known and _is_meta(meta) else None

    def _elements(self, data: bytes, size: int, position: int, syntax: str, encoding: Encoding) -> Split | None:
        head_of = _explicit_head if encoding.explicit else _implicit_head
        tags: list[int] = []
        raws: list[bytes] = []
        previous, end = 0x0002FFFF, len(data)
        while position < end:
            head = data[position : position + 8]
            tag, length = head_of(head)
            if tag <= previous:
                return None
            if tag >= 0x7FE00000:
                return _pixels(data, size, position, Split(syntax, encoding, tags, raws, position, 0, 0))
            if length == _ASK:
                length = self._length(data, position, head, encoding)
            if length < 8 or position + length > end:
                return None
            tags.append(tag)
            raws.append(data[position : position + length])
            position += length
            previous = tag
        return Split(syntax, encoding, tags, raws, size, 0, 0) if position == end == size else None

    def _length(self, data: bytes, position: int, head: bytes, encoding: Encoding) -> int:
        """Bytes of an element whose length isn't in its first eight: the long form, or a sequence to be followed."""
        if encoding.explicit:
            length = int.from_bytes(data[position + 8 : position + 12], "little")
            if length != UNDEFINED:
                return 12 + length + length % 2 * (1 << 40)  # odd lengths are out of the ordinary
        known = self._sequences.get(head)
        if known is not None and data.startswith(known, position):  # it tells its own end, so equal bytes end alike
            return len(known)
        try:
            _, after = read_element(data, position, encoding)
        except Unsafe:
            return _NEVER
        self._sequences[head] = data[position:after]
        return after - position


def _laid_out_like(last: Split, data: bytes, size: int, position: int) -> Split | None:
    """The pieces of a file whose elements have the tags and lengths of the last one's, as slices of a series mostly have.

    An element whose bytes are others must tell its length in its first eight, and tell the same; else there is doubt.
    """
    head_of = _explicit_head if last.encoding.explicit else _implicit_head
    raws = []
    for raw in last.raws:
        length = len(raw)
        if not data.startswith(raw, position):
            head = data[position : position + 8]
            if head != raw[:8] or head_of(head)[1] != length or position + length > len(data):
                return None
            raw = data[position : position + length]
        raws.append(raw)
        position += length
    if not last.pixel_start:
        return None
    found = Split(last.transfer_syntax, last.encoding, last.tags, raws, position, 0, 0)
    return _pixels(data, size, position, found)


def _is_meta(meta: bytes) -> bool:
    """Whether a meta group consists of whole elements of group 2 and nothing else."""
    position, previous = 0, 0
    while position < len(meta):
        tag, length = _explicit_head(meta[position : position + 8])
        if length == _ASK:
            length = 12 + int.from_bytes(meta[position + 8 : position + 12], "little")
        if tag >> 16 != 2 or tag <= previous or length < 8:
            return False
        position, previous = position + length, tag
    return position == len(meta)


@lru_cache(maxsize=1 << 16)
def _explicit_head(head: bytes) -> tuple[int, int]:
    """Tag and size in bytes of an element with an explicit VR, from its first eight bytes."""
    tag = int.from_bytes(head[:2], "little") << 16 | int.from_bytes(head[2:4], "little")
    vr, length = head[4:6], int.from_bytes(head[6:8], "little")
    if len(head) < 8 or tag >> 16 == 0xFFFE or (vr not in _SHORT and vr not in _LONG):
        return tag, _NEVER
    if vr in _LONG:
        return tag, _ASK if length == 0 else _NEVER
    return tag, _NEVER if length % 2 else 8 + length


@lru_cache(maxsize=1 << 16)
def _implicit_head(head: bytes) -> tuple[int, int]:
    """Tag and size in bytes of an element without VR, from its first eight bytes."""
    tag = int.from_bytes(head[:2], "little") << 16 | int.from_bytes(head[2:4], "little")
    length = int.from_bytes(head[4:8], "little")
    if len(head) < 8 or tag >> 16 == 0xFFFE:
        return tag, _NEVER
    if length == UNDEFINED:
        return tag, _ASK
    return tag, _NEVER if length % 2 else 8 + length


def _pixels(data: bytes, size: int, position: int, found: Split) -> Split | None:
    """`found` with the place of its pixel data, which must be the last element."""
    raw = data[position : position + 12]
    explicit = found.encoding.explicit
    tag = int.from_bytes(raw[:2], "little") << 16 | int.from_bytes(raw[2:4], "little")
    if tag != PIXEL_DATA or len(raw) < 12 or (explicit and raw[4:8] not in (b"OW\0\0", b"OB\0\0")):
        return None
    start = position + (12 if explicit else 8)
    length = int.from_bytes(data[start - 4 : start], "little")
    encapsulated = found.transfer_syntax in ENCAPSULATED
    if (length == UNDEFINED) != encapsulated or (not encapsulated and start + length != size):
        return None
    return Split(found.transfer_syntax, found.encoding, found.tags, found.raws, position, start, length)


def value_of(raw: bytes, encoding: Encoding) -> tuple[str, bytes]:
    """VR ("" where it isn't written) and value of a raw element of known length."""
    if not encoding.explicit:
        return "", raw[8:]
    vr = raw[4:6]
    return vr.decode(), raw[8:] if vr in _SHORT else raw[12:]


def parse(raw: bytes, encoding: Encoding) -> Element:
    """A raw element as the strict reader sees it.

    Raises:
        Unsafe: its content is not sound.
    """
    element, after = read_element(raw, 0, encoding)
    if after != len(raw):
        raise Unsafe("unreadable_element_length", "export the series again from the archive")
    return element
