"""Ordinary files read without pydicom's data sets, many times faster; the others are left to `header.read_header`.

Ordinary is what `split` cuts and whose sequences nobody asks for: single-frame images above all. The answer is the one that
`read_header` gives, or none.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from io import FileIO
from typing import Any, BinaryIO, cast

from radcurate.dicom import judged, values
from radcurate.dicom.elements import EXPLICIT_LITTLE, LONG_VRS, Encoding
from radcurate.dicom.frames import single_plane
from radcurate.dicom.header import MOST_TEXT, Header, Parsed, Unusable, reduce, value_digest, with_tail
from radcurate.dicom.lazy import CHARSET, UNDEFINED, Decoder, Doubt, Lazy
from radcurate.dicom.split import Splitter
from radcurate.dicom.tree import Found, is_same, opened

LEAST, MOST = 1 << 14, 1 << 20  # bytes read of a file; a longer header isn't ordinary
META_START, META_END, META_UID = 144, 0x0002FFFF, 0x00020003  # after the length of the group, which is left out
META_HEAD = b"DICM\2\0\0\0UL\4\0"
SYNTAX, RESCALE_SLOPE = 0x00020010, 0x00281053
OWN = {0x00080018, 0x00200032, RESCALE_SLOPE}  # of a slice alone: SOPInstanceUID, ImagePositionPatient
OWN_FIELDS = {"file", "sop_instance", "planes", "values", "data_start", "pixel_start", "tail", "digest"}
SHARED = tuple(name for name in Header._fields if name not in OWN_FIELDS)
MOST_CHARSET = 128  # bytes; a longer element holds no character set
RECENT = 3  # series whose slices may take turns in a folder
LONG = frozenset(vr.encode() for vr in LONG_VRS)
_HEAD = struct.Struct("<HH2sH").unpack_from

Answer = tuple[Header | Unusable, Parsed]


@dataclass(slots=True)
class _Series:
    """What the slices of a series have in common: the bytes of most elements, and so most of a header.

    `stretches` are bytes of whole elements, those between the elements of `varying`; the last one ends with the head of the
    pixel data. To find them again in another file takes a tenth of the time that cutting it takes.
    """

    header: Header
    lazy: Lazy
    pixel_head: bytes
    pixel_length: int
    shared: dict[str, Any]  # fields of the header
    fixed: set[int]  # what the header was made from; where it differs begins another series
    first: int  # tag of the first element behind the meta group
    values: dict[str, str] = field(default_factory=dict)  # for `value_digest`
    varying: set[int] = field(default_factory=set)
    stretches: tuple[bytes, ...] = ()
    tags: tuple[int, ...] = ()  # of the elements between, ascending
    meta_length: int = 0  # bytes of the meta elements in the stretches

    def learn(self, other: Lazy, pixel_head: bytes) -> bool:
        """Note what differs in another slice; False where that is more than in slices of a series."""
        mine, theirs = self.lazy.raws, other.raws
        if list(mine) != list(theirs) or pixel_head != self.pixel_head or other.decoder is not self.lazy.decoder:
            return False
        found = {tag for tag, raw in mine.items() if theirs[tag] != raw}
        if any(tag <= META_END and tag != META_UID for tag in found) or found & self.fixed:
            return False
        self.varying |= found
        self._cut()
        return True

    def _cut(self) -> None:
        parts: list[list[bytes]] = [[]]
        for tag, raw in self.lazy.raws.items():
            if tag in self.varying:
                parts.append([])
            else:
                parts[-1].append(raw)
        parts[-1].append(self.pixel_head)
        self.stretches = tuple(b"".join(part) for part in parts)
        self.tags = tuple(tag for tag in self.lazy.raws if tag in self.varying)
        meta = (raw for tag, raw in self.lazy.raws.items() if tag <= META_END and tag not in self.varying)
        self.meta_length = sum(map(len, meta))

    def digest(self, lazy: Lazy) -> str:
        """`value_digest` of a slice, of whose values only the slope may differ."""
        self.values.pop("RescaleSlope", None)
        return value_digest(lazy, self.values)

    def find(self, data: bytes, splitter: Splitter) -> tuple[dict[int, bytes], int] | None:
        """The elements of its own that a slice has, and the offset of its pixel values; None for another file."""
        if not self.stretches:
            return None
        found: dict[int, bytes] = {}
        position = META_START
        for stretch, tag in zip(self.stretches, self.tags, strict=False):
            if not data.startswith(stretch, position):
                return None
            position += len(stretch)
            encoding = self.lazy.decoder.encoding if tag > META_END else EXPLICIT_LITTLE
            here, length = splitter.element_at(data, position, encoding)
            if here != tag or length < 8:
                return None
            found[tag] = data[position : position + length]
            position += length
        if not data.startswith(self.stretches[-1], position):
            return None
        return found, position + len(self.stretches[-1])


@dataclass(slots=True)
class Reader:
    """Reads one file after the other; what it remembers of them changes no answer."""

    source: str  # the input folder
    splitter: Splitter = field(default_factory=Splitter)
    meta: Decoder = field(default_factory=lambda: Decoder(EXPLICIT_LITTLE))
    decoders: dict[tuple[bool, bytes], Decoder] = field(default_factory=dict)
    series: dict[str, _Series] = field(default_factory=dict)
    recent: list[_Series] = field(default_factory=list)
    length: int = LEAST  # enough for the headers of late

    def read(self, found: Found) -> Answer | None:
        """What `read_header` would say of a file; None where it is to be asked."""
        if found.problem:
            return None
        try:
            with open(f"{self.source}/{found.path}", "rb", buffering=0) as stream:  # noqa: PTH123 - a Path costs 5 µs
                before = os.fstat(stream.fileno())
                there = opened(found, before)
                if there is None:
                    return None
                found, data = there, stream.read(self.length)
                answer = self._like(found, data, stream) or self._split(found, data, stream)
                several = answer is not None and answer[1].tail_length  # reads, between which somebody may write
                return answer if not several or is_same(before, os.fstat(stream.fileno())) else None
        except MemoryError:
            raise
        except Exception:  # whatever it is, the other way will tell
            return None

    def _like(self, found: Found, data: bytes, stream: FileIO) -> Answer | None:
        """Of a slice like those before: what it has of its own is read, the rest compared."""
        for series in self.recent:
            own = series.find(data, self.splitter)
            if own is not None:
                return self._sibling(found, data, stream, series, *own)
        return None

    def _sibling(
        self, found: Found, data: bytes, stream: FileIO, series: _Series, own: dict[int, bytes], pixel_start: int
    ) -> Answer | None:
        start = META_START + series.meta_length + len(own.get(META_UID, b""))
        if data[128:140] != META_HEAD or int.from_bytes(data[140:144], "little") != start - META_START:
            return None
        lazy = series.lazy.sibling(own, series.stretches)
        first = lazy.raws[series.first]
        parsed = _parsed(lazy, first, start, pixel_start, series.pixel_length, found.size, stream)
        instance, like = values.text(lazy, "SOPInstanceUID"), series.header
        if parsed is None or not parsed.complete or not 0 < len(instance) <= MOST_TEXT:
            return None
        position = values.numbers(lazy, "ImagePositionPatient", 3)
        header = Header(
            file=found,
            sop_instance=instance,
            planes=((*position, *like.planes[0][3:]),) if position and like.planes else single_plane(lazy, like.frames),
            values=series.digest(lazy) if RESCALE_SLOPE in own else like.values,
            data_start=parsed.data_start,
            pixel_start=pixel_start,
            tail=parsed.tail_length,
            digest=_digest(data, cast(BinaryIO, stream), found.size, pixel_start, parsed.tail_length),
            **series.shared,
        )
        return header, parsed

    def _split(self, found: Found, data: bytes, stream: FileIO) -> Answer | None:
        """Of any other file, whose elements are cut apart."""
        split = self.splitter.split(data, found.size)
        if split is None and len(data) < min(found.size, MOST):
            data += stream.read(MOST - len(data))
            split = self.splitter.split(data, found.size)
            self.length = LEAST if split is None else min(MOST, split.pixel_head + LEAST)
        if split is None or not split.raws:
            return None
        start = split.pixel_head - sum(map(len, split.raws))
        raws = _meta_elements(data[META_START:start]) | dict(zip(split.tags, split.raws, strict=True))
        decoder = self._decoder(split.encoding, raws.get(CHARSET, b""))
        lazy = Lazy(raws, decoder, self.meta)
        if lazy.value(SYNTAX) != [split.transfer_syntax]:
            return None
        first = split.raws[0]
        parsed = _parsed(lazy, first, start, split.pixel_start, split.pixel_length, found.size, stream)
        if parsed is None:
            return None
        header = reduce(found, parsed)
        if isinstance(header, Header) and header.kind != "other":
            header = header._replace(digest=_digest(data, cast(BinaryIO, stream), found.size, header.head, header.tail))
        if isinstance(header, Header) and header.kind == "image" and parsed.complete and split.pixel_start:
            self._remember(header, parsed, data[split.pixel_head : split.pixel_start])
        return header, parsed

    def _decoder(self, encoding: Encoding, charset: bytes) -> Decoder:
        if len(charset) > MOST_CHARSET:
            raise Doubt
        key = encoding.explicit, charset
        if key not in self.decoders:
            self.decoders[key] = Decoder(encoding, charset)
        return self.decoders[key]

    def _remember(self, header: Header, parsed: Parsed, pixel_head: bytes) -> None:
        """Find out what slices of a series have in common: what this one has with one of its series before."""
        lazy: Lazy = parsed.dataset
        known = self.series.get(header.series)
        if known is None or not known.learn(lazy, pixel_head):
            shared = {name: getattr(header, name) for name in SHARED}
            fixed, first = lazy.asked - OWN | {CHARSET}, min(tag for tag in lazy.raws if tag > META_END)
            known = _Series(header, lazy, pixel_head, parsed.pixel_length, shared, fixed, first)
            self.series[header.series] = known
        self.recent = [known, *[one for one in self.recent if one.header.series != header.series]][:RECENT]


def _digest(data: bytes, stream: BinaryIO, size: int, head: int, tail: int) -> str:
    """`judged` of a file whose header is in memory."""
    return judged.of_file(stream, size, head, tail) if tail or head > len(data) else judged.of_bytes(data, head, 0)


def _parsed(
    lazy: Lazy, first: bytes, start: int, pixel_start: int, pixel_length: int, size: int, stream: FileIO
) -> Parsed | None:
    """A header with what is known of its pixels; None where pydicom might find other VRs in it than were declared."""
    for tag in lazy.own or lazy.raws:
        if UNDEFINED in lazy.raws[tag][4:12]:
            lazy.decoder_of(tag).check(tag, lazy.raws[tag])
    explicit = lazy.decoder.encoding.explicit
    if explicit != (first[4:6].isalpha() and first[4:6].isupper()):
        return None
    data_start = start + (12 if explicit and first[4:6] in LONG else 8)
    parsed = Parsed(lazy, None, True, data_start, pixel_start, pixel_length)
    if not pixel_start or pixel_start + pixel_length == size:
        return parsed
    return with_tail(stream, size, parsed, implicit=not explicit, little=True)


def _meta_elements(meta: bytes) -> dict[int, bytes]:
    """Raw elements of a meta group that `split` found sound."""
    found, position = {}, 0
    while position < len(meta):
        group, element, vr, length = _HEAD(meta, position)
        end = position + 8 + length
        if vr in LONG:
            end = position + 12 + int.from_bytes(meta[position + 8 : position + 12], "little")
        found[group << 16 | element] = meta[position:end]
        position = end
    return found
