"""One compressed frame without free text: the coded samples stay as they are, everything that isn't needed to read them goes.

What each format allows is in `jpeg`, `jpeg2000` and `rle`; a code stream that can't be followed to its end is refused.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from re import Pattern

from radcurate.deidentify import jpeg, jpeg2000, rle
from radcurate.deidentify.layout import Layout
from radcurate.dicom.container import DEFLATED_FRAMES, JPEG, JPEG_2000, RLE, WHOLE_FRAMES
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe, damaged


@dataclass(frozen=True)
class Frame:
    """A cleaned frame and the bits a sample that its code stream can hold."""

    data: bytes
    precision: int


def clean_frame(data: bytes, syntax: str, shape: Layout, comments: Pattern[str]) -> Frame:
    """A frame without comments, application data and anything behind its end.

    Args:
        data: the frame's fragments, joined.
        syntax: UID of the transfer syntax.
        shape: what the header declares; the code stream must agree.
        comments: pattern of comments that only name an encoder.

    Raises:
        Unsafe: the code stream can't be read to its end, or isn't the image that the header declares.
    """
    if syntax in RLE:
        return Frame(rle.clean(data, shape), shape.bits)
    if syntax in DEFLATED_FRAMES:
        return Frame(_inflated(data, shape.frame_length), shape.bits)
    if syntax in WHOLE_FRAMES:
        return Frame(_whole(data, shape.frame_length), shape.bits)
    if syntax not in JPEG | JPEG_2000:
        raise damaged("fragments")
    clean, coded = (jpeg if syntax in JPEG else jpeg2000).clean(data, comments)
    if (coded.rows, coded.columns, coded.samples) != (shape.rows, shape.columns, shape.samples):
        raise Unsafe("pixel_layout", EXPORT_AGAIN)
    if coded.precision > shape.bits:
        raise Unsafe("pixel_layout", EXPORT_AGAIN)
    return Frame(clean, coded.precision)


def _inflated(data: bytes, wanted: int) -> bytes:
    """A deflated frame without what follows its end; it must hold one frame."""
    try:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        found = len(stream.decompress(data, wanted + 2))
    except zlib.error:
        raise damaged("deflate") from None
    if not stream.eof or not wanted <= found <= wanted + wanted % 2:
        raise damaged("deflate")
    behind = stream.unused_data
    if len(behind) >= rle.LONGEST_REST:
        raise Unsafe("pixel_data_long", EXPORT_AGAIN)
    return data if behind in (b"", b"\0") else data[: len(data) - len(behind)]


def _whole(data: bytes, wanted: int) -> bytes:
    if not wanted <= len(data) <= wanted + wanted % 2:
        raise damaged("fragments")
    return data
