"""JPEG and JPEG-LS (ISO 10918-1 annex B, ISO 14495-1 annex C): comments and application data go, wherever they stand.

Segments that decide how samples are read (JFIF, Adobe, SPIFF, JPEG-LS colour transform) are kept in their fixed form, without
thumbnails; comments that only name the encoder are kept so that the bytes stay identical in ordinary files.
"""

from __future__ import annotations

import re
from re import Pattern

from radcurate.deidentify.segments import END, Coded, is_encoder, refused, segment_at, tail
from radcurate.dicom.problems import damaged

START = b"\xff\xd8\xff"
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, 0xCB, 0xF7})  # one image; no hierarchies
LS_FRAME, HUFFMAN, ARITHMETIC, SCAN, QUANTISATION = 0xF7, 0xC4, 0xCC, 0xDA, 0xDB
LINES, RESTART, LS_PRESET, COMMENT = 0xDC, 0xDD, 0xF8, 0xFE
_SCAN_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither a stuffed byte nor a restart
_LS_SCAN_END = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")  # a stuffed bit: the byte after FF is below 80
_TEXT = re.compile(rb"[ -~]{4}")  # no version, flag or density looks like this
_SPIFF_END = b"\0\0\0\1\xff\xd8"  # end of a SPIFF directory (ISO 14495-1 annex F.1.4)


def clean(data: bytes, comments: Pattern[str]) -> tuple[bytes, Coded]:
    """The image without free text, and its shape.

    Raises:
        Unsafe: the stream can't be followed to its end marker.
    """
    if not data.startswith(START):
        raise refused()
    parts, position, coded, lines, scans, ls = [data[:2]], 2, None, 0, 0, False
    while True:
        fill = position
        while data[position : position + 2] == b"\xff\xff":
            position += 1
        if data[position : position + 2] == END:
            parts += [data[fill : position + 2], tail(data[position + 2 :], START)]
            break
        marker, segment = segment_at(data, position)
        kept = _kept(marker, segment, comments)
        if kept:
            parts += [data[fill:position], kept]
        position += len(segment)
        if marker in FRAMES:
            if coded is not None:
                raise refused()
            coded, ls = _shape(segment), marker == LS_FRAME
        elif marker == LINES:
            lines = int.from_bytes(segment[4:6], "big")
        elif marker == SCAN:
            if coded is None:
                raise damaged("code_stream")
            end = (_LS_SCAN_END if ls else _SCAN_END).search(data, position)
            if end is None:
                raise damaged("code_stream")
            parts.append(data[position : end.start()])
            position, scans = end.start(), scans + 1
    if coded is None or not scans:
        raise damaged("code_stream")
    return b"".join(parts), coded if coded.rows else Coded(lines, coded.columns, coded.samples, coded.precision)


def _shape(segment: bytes) -> Coded:
    return Coded(
        rows=int.from_bytes(segment[5:7], "big"),
        columns=int.from_bytes(segment[7:9], "big"),
        samples=segment[9],
        precision=segment[4],
    )


def _kept(marker: int, segment: bytes, comments: Pattern[str]) -> bytes:
    """The segment as it may stay; empty where it goes."""
    content = segment[4:]
    if marker == COMMENT:
        return segment if is_encoder(content, comments) else b""
    if 0xE0 <= marker <= 0xEF:
        return _application(marker, content)
    if not _has_its_form(marker, content):
        raise refused()
    return segment


def _application(marker: int, content: bytes) -> bytes:
    """Application segments that decide about colours, in their fixed form."""
    if marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) >= 14:
        content = content[:12] + b"\0\0"  # no thumbnail
    elif marker == 0xEE and content[:5] == b"Adobe" and len(content) >= 10:  # some writers leave two bytes out
        content = content[:12]
    elif marker != 0xE8 or not (
        (content[:4] == b"mrfx" and len(content) == 5)
        or (content[:6] == b"SPIFF\0" and len(content) == 30)
        or content == _SPIFF_END
    ):
        return b""
    if _TEXT.search(content[5:]):
        raise refused()
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def _has_its_form(marker: int, content: bytes) -> bool:
    """Whether a coding segment is one of those that still images have, and as long as its tables."""
    if marker in FRAMES:
        return len(content) >= 6 and len(content) == 6 + 3 * content[5]
    if marker == SCAN:
        return len(content) >= 1 and len(content) == 4 + 2 * content[0]
    if marker == HUFFMAN:
        return _huffman(content)
    if marker == QUANTISATION:
        return _quantisation(content)
    if marker == LS_PRESET:
        return len(content) == 11 and content[0] == 1
    lengths = {RESTART: (2, 3, 4), LINES: (2,), ARITHMETIC: range(2, 66, 2)}
    return len(content) in lengths.get(marker, ())


def _huffman(content: bytes) -> bool:
    position = 0
    while position + 17 <= len(content):
        position += 17 + sum(content[position + 1 : position + 17])
    return bool(content) and position == len(content)


def _quantisation(content: bytes) -> bool:
    position = 0
    while position < len(content):
        position += 1 + 64 * (2 if content[position] >> 4 else 1)
    return bool(content) and position == len(content)
