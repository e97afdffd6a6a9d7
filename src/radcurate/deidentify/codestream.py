"""Comments and application data in compressed pixel data: the samples stay as they are, other segments go.

JPEG and JPEG-LS (ISO 10918-1 B.1, ISO 14495-1): APPn and COM before the scan. JPEG 2000 (ISO 15444-1 A.9): COM in the main
header. Segments that decide how samples are read (JFIF, Adobe, SPIFF, JPEG-LS colour transform) are kept in their fixed form;
comments that only name the encoder are kept so that the bytes stay identical in ordinary files.
"""

from __future__ import annotations

from re import Pattern

from radcurate.dicom.problems import Unsafe, damaged

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SPIFF_END = b"\0\0\0\1\xff\xd8"  # end of a SPIFF directory (ISO 14495-1 annex F.1.4)
END = b"\xff\xd9"  # end of image and of code stream; bit stuffing keeps it out of the coded samples


def clean_fragment(fragment: bytes, kind: str, comments: Pattern[str], whole: bool) -> bytes:
    """A fragment without free text, and nothing behind its end marker.

    Args:
        fragment: bytes of one item of encapsulated pixel data.
        kind: jpeg (also JPEG-LS), jpeg2000 or rle.
        comments: pattern of comments that only name an encoder.
        whole: each fragment is a frame, so it has to begin as one; otherwise it may continue the one before.

    Raises:
        Unsafe: the header of the code stream can't be read.
    """
    if kind == "rle":
        return fragment
    start = b"\xff\xd8" if kind == "jpeg" else b"\xff\x4f"
    if fragment[:2] == start:
        head = _jpeg(fragment, comments) if kind == "jpeg" else _jpeg2000(fragment, comments)
    elif whole or fragment[:4] == b"\0\0\0\x0c":
        raise Unsafe("code_stream", "decompress the series (for example with dcmdjpeg) before it is put in")
    else:
        head = fragment  # the continuation of a frame
    return _cut_end(head)


def _cut_end(fragment: bytes) -> bytes:
    """Nothing but padding behind the last end marker."""
    end = fragment.rfind(END)
    if end < 0 or not fragment[end + 2 :].strip(b"\0\xff"):
        return fragment
    return fragment[: end + 2]


def _jpeg(data: bytes, comments: Pattern[str]) -> bytes:
    parts, position = [data[:2]], 2
    while True:
        while data[position : position + 2] == b"\xff\xff":
            position += 1  # fill bytes
        if data[position : position + 1] != b"\xff" or position + 4 > len(data):
            raise damaged("code_stream")
        marker = data[position + 1]
        if marker in _STANDALONE:
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position : position + 2 + length]
        if length < 2 or len(segment) < 2 + length:
            raise damaged("code_stream")
        if marker == 0xDA:
            return b"".join([*parts, data[position:]])
        if _keeps(marker, segment[4:], comments):
            parts.append(segment)
        position += 2 + length


def _keeps(marker: int, content: bytes, comments: Pattern[str]) -> bool:
    if marker == 0xFE:
        return bool(comments.fullmatch(content.rstrip(b"\0").decode("latin-1")))
    if 0xE0 <= marker <= 0xEF:
        return (
            (marker == 0xE0 and content[:5] == b"JFIF\0" and len(content) == 14 and content[12:14] == b"\0\0")
            or (marker == 0xEE and content[:5] == b"Adobe" and len(content) == 12)
            or (marker == 0xE8 and content[:4] == b"mrfx" and len(content) == 5)
            or (marker == 0xE8 and content[:6] == b"SPIFF\0" and len(content) == 30)
            or (marker == 0xE8 and content == _SPIFF_END)
        )
    return True


def _jpeg2000(data: bytes, comments: Pattern[str]) -> bytes:
    parts, position = [data[:2]], 2
    while True:
        if data[position : position + 1] != b"\xff" or position + 4 > len(data):
            raise damaged("code_stream")
        marker = data[position + 1]
        if marker == 0x90:  # first tile part
            return b"".join([*parts, data[position:]])
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        segment = data[position : position + 2 + length]
        if length < 2 or len(segment) < 2 + length:
            raise damaged("code_stream")
        if marker != 0x64 or comments.fullmatch(segment[6:].rstrip(b"\0").decode("latin-1")):
            parts.append(segment)
        position += 2 + length
