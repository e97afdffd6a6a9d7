"""Pixel data: exactly as many bytes as the header declares, never re-encoded (PS3.3 C.7.6.3, PS3.5 section 8, annex A).

What lies behind the last pixel is no pixel and goes; fewer bytes than declared are a contradiction and never filled up; bits
of a sample that are no part of its value must be empty, or the file is refused.
"""

from __future__ import annotations

from dataclasses import replace
from re import Pattern

from radcurate.deidentify.codestream import clean_frame
from radcurate.deidentify.fragments import Tables, frames_of, new_fragments, new_tables
from radcurate.deidentify.hidden import judge_bits, judge_coded
from radcurate.deidentify.layout import Layout, layout
from radcurate.dicom.elements import PIXEL_DATA, DataSet, Element
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe

FLOAT, DOUBLE = 0x7FE00008, 0x7FE00009
OFFSETS, LENGTHS = 0x7FE00001, 0x7FE00002
BULK = (PIXEL_DATA, FLOAT, DOUBLE)
_FLOAT_BITS = {FLOAT: 32, DOUBLE: 64}


def fit(elements: DataSet, syntax: str, little: bool, comments: Pattern[str]) -> int:
    """Make the pixel data of a data set exact, in place.

    Args:
        elements: a rewritten data set with at most one kind of pixel data.
        syntax: UID of the transfer syntax.
        little: byte order.
        comments: pattern of comments in code streams that only name an encoder.

    Returns:
        The number of bytes that were no pixels and were cut.

    Raises:
        Unsafe: the pixel data isn't what the header declares, or can't be judged.
    """
    tables = [elements.pop(tag, None) for tag in (OFFSETS, LENGTHS)]
    tag = next((tag for tag in BULK if tag in elements), None)
    if tag is None:
        return 0
    shape = layout(elements, little)
    if tag in _FLOAT_BITS and (shape.bits, shape.samples) != (_FLOAT_BITS[tag], 1):
        raise Unsafe("pixel_layout", EXPORT_AGAIN)
    if elements[tag].fragments is None:
        elements[tag], cut = exact_native(elements[tag], shape, little)
        return cut
    offsets, lengths = (table.value if table else None for table in tables)
    fitted, cut = exact_encapsulated(elements[tag], (offsets, lengths), syntax, shape, comments)
    elements.update(fitted)
    return cut


def exact_native(element: Element, shape: Layout, little: bool) -> tuple[Element, int]:
    """The element with exactly the declared bytes (and the byte that makes an odd number even), and how many were cut.

    Raises:
        Unsafe: the file holds fewer, or so many more that the declared shape can't be true, or bits that aren't values.
    """
    wanted = shape.length + shape.length % 2
    found = len(element.value)
    if found < shape.length:
        raise Unsafe("pixel_data_short", EXPORT_AGAIN)
    if found > wanted and _may_be_pixels(found, shape):
        raise Unsafe("pixel_data_long", EXPORT_AGAIN)
    if element.tag == PIXEL_DATA:
        judge_bits(memoryview(element.value)[: shape.length], shape, little)
    if found <= wanted:
        return element, 0
    return replace(element, value=element.value[:wanted]), found - wanted


def _may_be_pixels(found: int, shape: Layout) -> bool:
    """Whether a surplus can be frames that the header doesn't declare, or colours written in full."""
    frame = max(shape.length // shape.frames, 1)
    full = shape.frame_length * shape.frames
    surplus = found - shape.length
    return surplus >= max(frame, 1024) or (frame >= 32 and surplus % frame == 0) or full <= found <= full + full % 2


def exact_encapsulated(
    pixels: Element, extended: tuple[bytes | None, bytes | None], syntax: str, shape: Layout, comments: Pattern[str]
) -> tuple[DataSet, int]:
    """Pixel data elements with cleaned frames and offset tables that fit them, and the number of bytes that were cut.

    Args:
        pixels: the pixel data, offset table first.
        extended: the extended offset table and its lengths.
        syntax: UID of the transfer syntax.
        shape: what the header declares.
        comments: pattern of comments that only name an encoder.

    Raises:
        Unsafe: fewer frames than declared, a broken offset table, or a code stream that can't be judged.
    """
    table, *fragments = pixels.fragments or [b""]
    tables = Tables(table, *(extended if all(extended) else (None, None)))
    frames = []
    for old in frames_of(fragments, tables, shape.frames, syntax):
        frame = clean_frame(b"".join(old), syntax, shape, comments)
        judge_coded(frame.data, syntax, shape, frame.precision)
        frames.append(new_fragments(old, frame.data, bool(tables.offsets)))
    new = new_tables(frames, tables)
    kept = [part for frame in frames for part in frame]
    result = {PIXEL_DATA: replace(pixels, fragments=[new.basic, *kept])}
    if new.offsets and new.lengths:
        result[OFFSETS] = Element(OFFSETS, "OV", new.offsets)
        result[LENGTHS] = Element(LENGTHS, "OV", new.lengths)
    return result, sum(map(len, fragments)) - sum(map(len, kept))
