"""What the JPEG families share: marker segments, padding, and the verdict on what follows the end of an image."""

from __future__ import annotations

from dataclasses import dataclass
from re import Pattern

from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe, damaged

END = b"\xff\xd9"  # end of image and of code stream
DECOMPRESS = "decompress the series (for example with dcmdjpeg) before it is put in"


@dataclass(frozen=True)
class Coded:
    """What a code stream says about its image."""

    rows: int
    columns: int
    samples: int
    precision: int  # bits a sample


def refused() -> Unsafe:
    """The verdict on a code stream with something in it that nobody here can judge."""
    return Unsafe("code_stream", DECOMPRESS)


def segment_at(data: bytes, position: int) -> tuple[int, bytes]:
    """Marker code and bytes (marker, length and content) of the segment at `position`."""
    if data[position : position + 1] != b"\xff" or position + 4 > len(data):
        raise damaged("code_stream")
    length = int.from_bytes(data[position + 2 : position + 4], "big")
    segment = data[position : position + 2 + length]
    if length < 2 or len(segment) < 2 + length:
        raise damaged("code_stream")
    return data[position + 1], segment


def is_encoder(comment: bytes, comments: Pattern[str]) -> bool:
    """Whether a comment only names the encoder."""
    return bool(comments.fullmatch(comment.rstrip(b"\0").decode("latin-1")))


def tail(rest: bytes, start: bytes) -> bytes:
    """What may follow the end marker: padding. Text goes; another image is one that the header doesn't declare."""
    if start in rest:
        raise Unsafe("pixel_data_long", EXPORT_AGAIN)
    return b"" if rest.strip(b"\0\xff") else rest
