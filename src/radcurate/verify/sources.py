"""A source file as it is: no preamble, no meta group, another encoding than it says, sequences as UN, tags out of order."""

from __future__ import annotations

import struct
import zlib

from radcurate.verify.layout import BIG, DEFLATED, IMPLICIT, Buffer, Layout, UnreadableError, inflated, vr_of, walk

EXPLICIT = "1.2.840.10008.1.2.1"
RAW_DEFLATE, ZLIB = -zlib.MAX_WBITS, zlib.MAX_WBITS


def read_source(data: Buffer, beyond: int = 0) -> Layout:
    """Follow a source file as far as it can be followed.

    Args:
        data: the file, or its first bytes.
        beyond: how many bytes follow; they must be pixels.

    Raises:
        UnreadableError: source_unreadable.
    """
    try:
        return _read(data, beyond)
    except (UnreadableError, struct.error, IndexError):
        raise UnreadableError("source_unreadable") from None


def _read(data: Buffer, beyond: int = 0) -> Layout:
    position = _begin(data)
    layout = Layout(data, rest=len(data), strict=False, beyond=beyond)
    if data[position : position + 2] == b"\x02\x00":
        layout.explicit = data[position + 4 : position + 6].isalpha()
        position = walk(layout, position, meta=True)
    syntax = (layout.value(0x00020010) or "").strip()
    if syntax == DEFLATED:
        layout.data = inflated(data, position)
    layout.explicit, layout.order = _encoding(layout.data, position, syntax)
    layout.transfer_syntax = syntax or (BIG if layout.order == ">" else EXPLICIT if layout.explicit else IMPLICIT)
    layout.rest = walk(layout, position)
    if not any(top.tag >> 16 != 2 for top in layout.tops):
        raise UnreadableError("source_unreadable")
    return layout


def _begin(data: Buffer) -> int:
    if data[128:132] == b"DICM":
        return 132
    return 4 if data[:4] == b"DICM" else 0


def _encoding(data: Buffer, position: int, syntax: str) -> tuple[bool, str]:
    """Whether VRs are written, and the byte order: what the first element shows goes before what the file says."""
    head = data[position : position + 6]
    if len(head) < 6:
        raise UnreadableError("source_unreadable")
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    little, big = (int.from_bytes(head[:2], order) for order in ("little", "big"))
    if syntax == BIG or (not syntax and big < little):
        return True, ">"
    if syntax == IMPLICIT and explicit:
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        explicit = length > len(data) or vr_of(_tag(head)) == head[4:6].decode()
    return explicit, "<"


def _tag(head: bytes) -> int:
    group, element = struct.unpack("<HH", head[:4])
    return int(group) << 16 | int(element)
