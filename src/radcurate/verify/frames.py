"""Which bytes of a compressed frame are headers, comments or left-overs rather than picture.

JPEG and JPEG-LS (ITU-T T.81, T.87), JPEG 2000 codestreams with or without JP2 boxes (T.800), DICOM RLE (PS3.5 annex G).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence

from radcurate.verify.layout import UnreadableError

Span = tuple[int, int]
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
TAIL = 256  # bytes
RLE = "1.2.840.10008.1.2.5"


def frame_texts(data: bytes, fragments: Sequence[Span], syntax: str) -> Iterator[bytes]:
    """Of each compressed frame the stretches that hold no picture; a frame may be cut into several fragments.

    Raises:
        UnreadableError: unreadable, where a frame is none of the known kinds.
    """
    for parts in whole_frames(data, fragments, syntax):
        (start, end), frame = parts[0], data
        if len(parts) > 1:  # put together what was cut
            frame = b"".join(data[first:last] for first, last in parts)
            start, end = 0, len(frame)
        for first, last in header_spans(frame, start, end, syntax):
            yield frame[first:last]


def run_ends(data: bytes, fragments: Sequence[Span], syntax: str) -> Iterator[bytes]:
    """The ends of the segments of RLE frames, where bytes may follow the last run."""
    if syntax != RLE:
        return
    for start, end in fragments:
        if end - start < 64:
            continue
        count, *offsets = struct.unpack_from("<16L", data, start)
        for stop in [start + offset for offset in offsets[1 : min(count, 15)]] + [end]:
            yield data[max(start, stop - TAIL) : stop]


def whole_frames(data: bytes, fragments: Sequence[Span], syntax: str) -> Iterator[list[Span]]:
    """Fragments that belong together: within coded data no frame can seem to begin."""
    parts: list[Span] = []
    for start, end in fragments:
        if parts and (syntax in (RLE, DEFLATED_FRAMES) or _begins(data[start : start + 12])):
            yield parts
            parts = []
        parts.append((start, end))
    if parts:
        yield parts


def _begins(head: bytes) -> bool:
    return head[:3] == b"\xff\xd8\xff" or head[:4] == b"\xff\x4f\xff\x51" or head[4:8] == b"jP  "


def header_spans(data: bytes, start: int, end: int, syntax: str) -> list[Span]:
    """Stretches of a frame, data[start:end], that hold no picture.

    Raises:
        UnreadableError: unreadable, where it is none of the known kinds.
    """
    if syntax == RLE:
        return [(start, min(start + 64, end))]
    if syntax == DEFLATED_FRAMES:
        return [(end - len(inflated_frame(data[start:end])[1]), end)]
    head = data[start : start + 12]
    if not _begins(head):
        raise UnreadableError("unreadable")
    if head[:2] == b"\xff\xd8":
        return _jpeg(data, start, end)
    return _codestream(data, start, end) if head[:2] == b"\xff\x4f" else _boxes(data, start, end)


def inflated_frame(frame: bytes) -> tuple[bytes, bytes]:
    """The pixels of a deflated frame, and what follows them.

    Raises:
        UnreadableError: unreadable.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        pixels = stream.decompress(frame)
    except zlib.error:
        raise UnreadableError("unreadable") from None
    if not stream.eof:
        raise UnreadableError("unreadable")
    return pixels, stream.unused_data


def _jpeg(data: bytes, start: int, end: int) -> list[Span]:
    """All segments with a length; entropy-coded data are between a start of scan and the next marker."""
    spans, position = [], start + 2
    while position + 2 <= end:
        if data[position] != 0xFF:
            raise UnreadableError("unreadable")
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker == 0xD9:
            spans.append((position + 2, end))
            return spans
        elif marker in ALONE:
            position += 2
        else:
            length = int(struct.unpack_from(">H", data, position + 2)[0])
            spans.append((position, min(position + 2 + length, end)))
            position += 2 + length
            if marker == 0xDA:
                position = next_marker(data, position, end)
    return spans


def next_marker(data: bytes, position: int, end: int) -> int:
    """In coded data FF is followed by 00 (JPEG), a bit that is 0 (JPEG-LS) or a restart marker."""
    found = _MARKER.search(data, position, end)
    return found.start() if found else end


def _codestream(data: bytes, start: int, end: int) -> list[Span]:
    """Main header, tile-part headers, and what follows the last tile-part."""
    spans: list[Span] = []
    position, header = start + 2, start
    while position + 2 <= end:
        marker = int(struct.unpack_from(">H", data, position)[0])
        if marker == 0xFFD9:
            return [*spans, (header, end)]
        if marker < 0xFF00 or position + 4 > end:
            raise UnreadableError("unreadable")
        length = int(struct.unpack_from(">H", data, position + 2)[0])
        if marker != 0xFF90:  # not a tile-part
            position += 2 + length
            continue
        size = int(struct.unpack_from(">L", data, position + 6)[0])
        stop = min(position + size, end) if size else max(end - 2, position)
        coded = _start_of_data(data, position + 2 + length, stop)
        spans.append((header, coded))
        header = position = stop
    return [*spans, (header, end)]


def _start_of_data(data: bytes, position: int, stop: int) -> int:
    while position + 4 <= stop:
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == 0xFF93:
            return position + 2
        position += 2 + int(length)
    raise UnreadableError("unreadable")


def _boxes(data: bytes, start: int, end: int) -> list[Span]:
    spans, position = [], start
    while position + 8 <= end:
        size, kind = struct.unpack_from(">L4s", data, position)
        stop = position + size if size >= 8 else end
        if size == 1 or stop > end:
            raise UnreadableError("unreadable")
        if kind == b"jp2c":
            spans += [(position, position + 8), *_codestream(data, position + 8, stop)]
        else:
            spans.append((position, stop))
        position = stop
    return [*spans, (position, end)]
