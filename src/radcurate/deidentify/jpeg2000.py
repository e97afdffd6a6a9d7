"""JPEG 2000 and HTJ2K (ISO 15444-1 annexes A and I): comments go from the main header and from every tile-part header.

JP2 boxes, which DICOM forbids but some writers leave, lose everything that isn't needed to read the samples.
"""

from __future__ import annotations

import re
from re import Pattern

from radcurate.deidentify.segments import END, Coded, is_encoder, refused, segment_at, tail
from radcurate.dicom.problems import damaged

START = b"\xff\x4f\xff\x51"
BOXES = b"\0\0\0\x0cjP  "
TILE_PART, DATA, SIZE, LENGTHS, COMMENT = 0x90, 0x93, 0x51, 0x55, 0x64
STYLE, QUANTISATION = 0x52, 0x5C
PACKETS = 0x58
# lengths that the content of the other coding parameters can have: 0x50, 0x56 and 0x59 are of part 15 (HT)
LENGTHS_OF = {
    0x50: range(4, 70, 2), 0x53: range(7, 43), 0x55: range(4, 65534), 0x56: range(2, 66, 2), 0x58: range(1, 65534),
    0x59: range(2, 66, 2), 0x5D: range(3, 200), 0x5E: range(3, 5), 0x5F: range(7, 900),
}  # fmt: skip
_DATA_END = re.compile(rb"\xff\xd9")
_FILE_TYPE = b"jp2 \0\0\0\0jp2 "
_KEPT_BOXES = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c"})
_KEPT_HEADERS = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})


def clean(data: bytes, comments: Pattern[str]) -> tuple[bytes, Coded]:
    """The code stream without free text, and its shape.

    Raises:
        Unsafe: the stream can't be followed to its end.
    """
    if data.startswith(BOXES):
        return _unboxed(data, comments)
    if not data.startswith(START):
        raise refused()
    header, position = _headers(data, 2, TILE_PART, comments)
    if any(segment[1] == PACKETS for segment in header):
        raise refused()
    coded = _shape(header[0])
    tiles: list[bytes] = []
    while data[position : position + 2] == b"\xff\x90":
        tile, position = _tile_part(data, position, comments)
        tiles.append(tile)
    if data[position : position + 2] == END:
        rest = END + tail(data[position + 2 :], START)
    elif not data[position:].strip(b"\0"):
        rest = data[position:]  # some encoders leave the end marker out
    else:
        raise damaged("code_stream")
    header = _new_lengths(header, [len(tile) for tile in tiles])
    return b"".join([data[:2], *header, *tiles, rest]), coded


def _headers(data: bytes, position: int, end: int, comments: Pattern[str]) -> tuple[list[bytes], int]:
    """The segments that may stay up to the marker `end`, and its place."""
    kept: list[bytes] = []
    while data[position : position + 2] != bytes((0xFF, end)):
        marker, segment = segment_at(data, position)
        if marker == COMMENT:
            if is_encoder(segment[6:], comments):
                kept.append(segment)
        elif not _has_its_form(marker, segment[4:]):
            raise refused()
        else:
            kept.append(segment)
        position += len(segment)
    return kept, position


def _has_its_form(marker: int, content: bytes) -> bool:
    """Whether the segments that every image has are as long as what they say."""
    if marker == SIZE:
        return len(content) >= 36 and len(content) == 36 + 3 * int.from_bytes(content[34:36], "big")
    if marker == STYLE:
        return len(content) >= 10 and len(content) == 10 + (content[5] + 1 if content[0] & 1 else 0)
    if marker == QUANTISATION:
        style = content[0] & 31 if content else 3
        length = len(content) - 1
        return (style == 0 and length % 3 == 1) or (style == 1 and length == 2) or (style == 2 and length % 6 == 2)
    return len(content) in LENGTHS_OF.get(marker, ())


def _shape(segment: bytes) -> Coded:
    x, y, left, top = (int.from_bytes(segment[start : start + 4], "big") for start in (6, 10, 14, 18))
    samples = int.from_bytes(segment[38:40], "big")
    return Coded(
        rows=y - top,
        columns=x - left,
        samples=samples,
        precision=max((segment[40 + 3 * index] & 0x7F) + 1 for index in range(samples)) if samples else 0,
    )


def _tile_part(data: bytes, position: int, comments: Pattern[str]) -> tuple[bytes, int]:
    """A tile part without comments, and the offset after it."""
    _, start = segment_at(data, position)
    if len(start) != 12:
        raise damaged("code_stream")
    length = int.from_bytes(start[6:10], "big")
    header, body = _headers(data, position + 12, DATA, comments)
    if length == 0:  # the last one, up to the end marker
        found = _DATA_END.search(data, body)
        end = found.start() if found else len(data)
    else:
        end = position + length
    if not body + 2 <= end <= len(data):
        raise damaged("code_stream")
    content = b"".join([*header, data[body:end]])
    if length and length != 12 + len(content):
        start = start[:6] + (12 + len(content)).to_bytes(4, "big") + start[10:]
    _check_packets(header, end - body - 2)
    return start + content, end


def _check_packets(header: list[bytes], length: int) -> None:
    """Packet lengths (PLT, A.7.3) must be those of this tile part: decoders don't need them, so they could be anything."""
    coded = b"".join(segment[5:] for segment in header if segment[1] == PACKETS)
    total = value = 0
    for byte in coded:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            total, value = total + value, 0
    if coded and (value or total != length):
        raise refused()


def _new_lengths(header: list[bytes], lengths: list[int]) -> list[bytes]:
    """The main header with its tile-part lengths (TLM, A.7.1) as they are now, whatever was there."""
    result, left = [], iter(lengths)
    for segment in header:
        if segment[1] != LENGTHS:
            result.append(segment)
            continue
        if len(segment) < 6:
            raise damaged("code_stream")
        number, size = segment[5] >> 4 & 3, 4 if segment[5] & 0x40 else 2
        if number == 3 or (len(segment) - 6) % (number + size):
            raise damaged("code_stream")
        parts = [segment[:6]]
        for place in range(6, len(segment), number + size):
            new = next(left, None)
            if new is None or new >= 1 << 8 * size:
                raise damaged("code_stream")
            parts += [segment[place : place + number], new.to_bytes(size, "big")]
        result.append(b"".join(parts))
    return result


def _unboxed(data: bytes, comments: Pattern[str]) -> tuple[bytes, Coded]:
    """A JP2 file with the boxes that decide about the samples, and no others (ISO 15444-1 annex I)."""
    parts, coded = [], None
    for kind, content in _boxes(data):
        if kind == b"jp2c":
            if coded is not None:
                raise refused()
            content, coded = clean(content, comments) if content.startswith(START) else (b"", None)
        elif kind == b"jp2h":
            content = _image_header(content)
        elif kind == b"ftyp":
            if b"jp2 " not in (content[place : place + 4] for place in range(8, len(content), 4)):
                raise refused()
            content = _FILE_TYPE
        if kind in _KEPT_BOXES:
            parts.append((len(content) + 8).to_bytes(4, "big") + kind + content)
    if coded is None:
        raise refused()
    return b"".join(parts), coded


def _image_header(content: bytes) -> bytes:
    parts = []
    for kind, inner in _boxes(content):
        if kind == b"colr" and (inner[:1] != b"\1" or len(inner) != 7):
            raise refused()  # an ICC profile: it has texts, and colours need it
        if kind in _KEPT_HEADERS:
            parts.append((len(inner) + 8).to_bytes(4, "big") + kind + inner)
    return b"".join(parts)


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and content of each box; a last one of length 0 goes to the end."""
    found, position = [], 0
    while position + 8 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        head = 8
        if length == 1:
            length, head = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        end = position + length if length else len(data)
        if end < position + head or end > len(data):
            raise damaged("code_stream")
        found.append((kind, data[position + head : end]))
        position = end
    if data[position:].strip(b"\0"):
        raise damaged("code_stream")
    return found
