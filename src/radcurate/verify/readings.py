"""Bytes read otherwise: as binary numbers, and unpacked where they are compressed."""

from __future__ import annotations

import bz2
import lzma
import re
import struct
import zlib
from collections.abc import Iterator

FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}
MOST_UNPACKED = 1 << 20  # bytes
MOST_STREAMS = 64
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY|\xfd7zXZ\0")


def numbers_in(raw: bytes, vr: str, order: str) -> Iterator[int]:
    """Whole numbers in a value of a numeric VR."""
    if vr in FORMATS:
        size = struct.calcsize("=" + FORMATS[vr])
        count = len(raw) // size
        values = struct.unpack(f"{order}{count}{FORMATS[vr]}", raw[: count * size])
        yield from (int(value) for value in values if abs(value) < 1e18 and value == int(value))
        return
    for part in raw.split(b"\\"):
        try:
            value = float(part.strip(b" \0") or 0)
        except ValueError:
            continue
        if abs(value) < 1e15 and value == int(value):
            yield int(value)


def packed(raw: bytes) -> Iterator[bytes]:
    """What is compressed inside of other bytes: gzip, zlib, bzip2, xz."""
    for count, match in enumerate(_PACKED.finditer(raw)):
        if count == MOST_STREAMS:
            return
        found = _unpacked(raw[match.start() :], match.group())
        if found:
            yield found


def _unpacked(data: bytes, mark: bytes) -> bytes:
    """The beginning of the content; nothing where it is no stream."""
    try:
        if mark[:1] == b"B":
            return bz2.BZ2Decompressor().decompress(data, MOST_UNPACKED)
        if mark[:1] == b"\xfd":
            return lzma.LZMADecompressor(memlimit=1 << 26).decompress(data, MOST_UNPACKED)
        return zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(data, MOST_UNPACKED)
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        return b""
