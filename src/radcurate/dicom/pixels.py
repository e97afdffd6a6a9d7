"""Is the pixel data complete? Told from lengths alone; no pixel is read."""

from __future__ import annotations

import struct
from typing import BinaryIO

from radcurate.dicom.elements import MOST_FRAGMENTS, too_many_fragments

UNDEFINED = 0xFFFFFFFF
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # float, double, integer (PS3.3 C.7.6.3, C.7.6.24)
ITEM, DELIMITER = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)


def end_of_pixels(stream: BinaryIO, start: int, length: int, size: int) -> int | None:
    """Offset after the pixel data, or None where the file ends before them.

    Args:
        stream: the file; only fragment headers are read.
        start: offset of the first value byte.
        length: declared length in bytes; 0xFFFFFFFF when encapsulated (PS3.5 A.4).
        size: bytes in the file.

    Raises:
        Unsafe: too_many_fragments.
    """
    if length != UNDEFINED:
        return start + length if start + length <= size else None
    position, count = start, 0
    while position + 8 <= size:
        count += 1
        if count > MOST_FRAGMENTS:
            raise too_many_fragments()
        stream.seek(position)
        group, element, fragment = struct.unpack("<HHL", stream.read(8))
        position += 8
        if (group, element) == DELIMITER:
            return position
        if (group, element) != ITEM or fragment == UNDEFINED:
            return None
        position += fragment
    return None


def native_length(rows: int, columns: int, frames: int, samples: int, bits: int) -> int:
    """Bytes that uncompressed pixel data need (PS3.5 8.1.1), packed where bits is 1."""
    return (rows * columns * frames * samples * bits + 7) // 8
