"""Pixel values before and after: every byte of a native image, every byte of picture in a compressed one."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from radcurate.verify.frames import ALONE, DEFLATED_FRAMES, RLE, inflated_frame, next_marker, whole_frames
from radcurate.verify.layout import PIXEL_DATA, Buffer, Layout, Span, UnreadableError, pixel_bytes

STEP = 1 << 16  # bytes compared at a time: they stay in the cache
_COMMENTS = frozenset({0xFE, *range(0xE0, 0xF0)})  # COM and APPn
_POINTERS = frozenset({0xFF64, 0xFF55, 0xFF57, 0xFF58})  # COM, and lengths of tile-parts: TLM, PLM, PLT
_END = re.compile(rb"[\0\xff]*\Z")


def same_pixels(old: Layout, new: Layout) -> bool:
    """Whether all pixel values are what they were. Headers, comments and padding of compressed frames may differ."""
    if bool(old.fragments) != bool(new.fragments) or len(old.pixels) != len(new.pixels):
        return False
    if new.fragments:
        return old.transfer_syntax == new.transfer_syntax and _same_frames(old, new)
    return all(_same_native(old, new, *pair) for pair in zip(old.pixels, new.pixels, strict=True))


def _same_native(old: Layout, new: Layout, before: Span, after: Span) -> bool:
    length = after[1] - after[0]
    if before[1] - before[0] != length:
        return False
    return all(
        old.data[before[0] + step : min(before[0] + step + STEP, before[1])]
        == new.data[after[0] + step : min(after[0] + step + STEP, after[1])]
        for step in range(0, length, STEP)
    )


def exact_length(layout: Layout) -> bool:
    """Whether native pixels are as long as the header says, but for the byte that makes an odd number even."""
    if not layout.pixels:
        return True
    (start, end), (excess,) = layout.pixels[0], layout.excess[:1] or ((None),)
    needed = pixel_bytes(layout, excess.tag if excess else PIXEL_DATA)
    return end - start == needed and (excess is None or excess.end - excess.start <= needed % 2)


def true_offsets(layout: Layout) -> bool:
    """Whether the table of offsets says where fragments begin, and nothing else (PS3.5 A.4)."""
    start, end = layout.table
    if start == end or not layout.fragments:
        return True
    first = layout.fragments[0][0] - 8
    begins = {fragment[0] - 8 - first for fragment in layout.fragments}
    if (end - start) % 4:
        return False
    offsets = struct.unpack(f"<{(end - start) // 4}L", layout.data[start:end])
    return offsets[0] == 0 and set(offsets) <= begins and list(offsets) == sorted(set(offsets))


def _same_frames(old: Layout, new: Layout) -> bool:
    if len(old.fragments) == len(new.fragments) and all(
        old.data[slice(*before)] == new.data[slice(*after)]
        for before, after in zip(old.fragments, new.fragments, strict=True)
    ):
        return True
    before, after = (list(_pictures(layout.data, layout.fragments, layout.transfer_syntax)) for layout in (old, new))
    return before == after


def _pictures(data: Buffer, fragments: Sequence[Span], syntax: str) -> Iterator[bytes]:
    for parts in whole_frames(data, fragments, syntax):
        yield picture(b"".join(data[start:end] for start, end in parts), syntax)


def picture(frame: bytes, syntax: str) -> bytes:
    """A compressed frame without what is no picture: comments, application segments, what follows its end.

    Raises:
        UnreadableError: unreadable, where it is none of the known kinds.
    """
    if syntax == RLE:
        segments = struct.unpack_from("<L", frame)[0]
        return frame[: 4 + 4 * min(segments, 15)] + _END.sub(b"", frame[64:])
    if syntax == DEFLATED_FRAMES:
        return inflated_frame(frame)[0]
    try:
        if frame[:2] == b"\xff\xd8":
            return b"".join(_jpeg(frame))
        if frame[:2] == b"\xff\x4f":
            return b"".join(_codestream(frame))
        if frame[4:8] == b"jP  ":
            return b"".join(part for stream in _streams(frame) for part in _codestream(stream))
    except struct.error:
        pass
    raise UnreadableError("unreadable")


def _jpeg(frame: bytes) -> Iterator[bytes]:
    position = 2
    while position + 2 <= len(frame):
        marker = frame[position + 1]
        if frame[position] != 0xFF:
            raise UnreadableError("unreadable")
        if marker == 0xFF:
            position += 1
            continue
        if marker == 0xD9:
            return
        stop = position + 2
        if marker not in ALONE:
            stop += struct.unpack_from(">H", frame, position + 2)[0]
            if marker == 0xDA:
                stop = next_marker(frame, stop, len(frame))
        if marker not in _COMMENTS:
            yield frame[position:stop]
        position = stop


def _codestream(frame: bytes) -> Iterator[bytes]:
    """Marker segments of JPEG 2000 and the data of its tile-parts; their lengths change with a comment among them."""
    position, end = 2, len(frame)
    while position + 4 <= end:
        marker, length = struct.unpack_from(">HH", frame, position)
        if marker == 0xFFD9:
            return
        if marker < 0xFF00:
            raise UnreadableError("unreadable")
        if marker != 0xFF90:
            if marker not in _POINTERS:
                yield frame[position : position + 2 + length]
            position += 2 + length
            continue
        size = struct.unpack_from(">L", frame, position + 6)[0]
        stop = min(position + size, end) if size else _last_end(frame)
        yield frame[position : position + 6] + frame[position + 10 : position + 12]
        position += 12
        while (marker := struct.unpack_from(">H", frame, position)[0]) != 0xFF93:
            length = struct.unpack_from(">H", frame, position + 2)[0]
            if marker not in _POINTERS:
                yield frame[position : position + 2 + length]
            position += 2 + length
        yield frame[position:stop]
        position = stop


def _last_end(frame: bytes) -> int:
    found = frame.rfind(b"\xff\xd9")
    return found if found >= 0 else len(frame)


def _streams(frame: bytes) -> Iterator[bytes]:
    position = 0
    while position + 8 <= len(frame):
        size, kind = struct.unpack_from(">L4s", frame, position)
        stop = position + size if size >= 8 else len(frame)
        if kind == b"jp2c":
            yield frame[position + 8 : stop]
        position = stop
