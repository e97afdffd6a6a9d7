"""Pixel data: exactly as many bytes as the header declares, never re-encoded (PS3.3 C.7.6.3, PS3.5 section 8, annex A).

What lies behind the last pixel is no pixel and goes; fewer bytes than declared are a contradiction and never filled up.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from re import Pattern

from radcurate.deidentify.codestream import clean_fragment
from radcurate.dicom.container import JPEG, JPEG_2000, RLE
from radcurate.dicom.elements import PIXEL_DATA, DataSet, Element
from radcurate.dicom.problems import EXPORT_AGAIN, Unsafe, damaged

FLOAT, DOUBLE = 0x7FE00008, 0x7FE00009
OFFSETS, LENGTHS = 0x7FE00001, 0x7FE00002


@dataclass(frozen=True)
class Layout:
    """Declared shape of the pixel data."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits: int
    photometric: str

    @property
    def length(self) -> int:
        """Bytes of native pixel data without padding."""
        values = self.rows * self.columns * self.frames * (2 if self.photometric == "YBR_FULL_422" else self.samples)
        return -(-values * self.bits // 8)


def short(elements: DataSet, tag: int, little: bool, default: int = 0) -> int:
    """The value of a US element; `default` where it is absent or no single value."""
    element = elements.get(tag)
    return (
        int.from_bytes(element.value, "little" if little else "big") if element and len(element.value) == 2 else default
    )


def layout(elements: DataSet, little: bool) -> Layout:
    """The layout that a data set declares.

    Raises:
        Unsafe: it declares none.
    """
    frames = elements.get(0x00280008)
    photometric = elements.get(0x00280004)
    try:
        count = int(frames.value.strip(b" \0") or b"1") if frames else 1
    except ValueError:
        count = 0
    found = Layout(
        rows=short(elements, 0x00280010, little),
        columns=short(elements, 0x00280011, little),
        samples=short(elements, 0x00280002, little, 1),
        frames=count,
        bits=short(elements, 0x00280100, little),
        photometric=photometric.value.strip(b" \0").decode("ascii", "replace") if photometric else "",
    )
    if min(found.rows, found.columns, found.samples, found.frames, found.bits) < 1:
        raise Unsafe("pixel_layout", EXPORT_AGAIN)
    return found


def exact_native(element: Element, shape: Layout) -> tuple[Element, int]:
    """The element with exactly the declared bytes (and the byte that makes an odd number even), and how many were cut.

    Raises:
        Unsafe: the file holds fewer, or so many more that the declared shape can't be true.
    """
    wanted = shape.length + shape.length % 2
    found = len(element.value)
    if found < shape.length:
        raise Unsafe("pixel_data_short", EXPORT_AGAIN)
    if found <= wanted:
        return element, 0
    if found - wanted >= max(shape.length // shape.frames, 1024):
        raise Unsafe("pixel_data_long", EXPORT_AGAIN)
    return replace(element, value=element.value[:wanted]), found - wanted


def exact_encapsulated(elements: DataSet, syntax: str, frames: int, comments: Pattern[str]) -> tuple[DataSet, int]:
    """Pixel data elements with cleaned fragments and offset tables that fit them, and the number of bytes that were cut.

    Raises:
        Unsafe: fewer fragments than frames, a broken offset table, or a code stream that can't be judged.
    """
    pixels = elements[PIXEL_DATA]
    table, fragments = (pixels.fragments or [b""])[0], (pixels.fragments or [b""])[1:]
    if len(fragments) < frames:
        raise Unsafe("pixel_data_short", EXPORT_AGAIN)
    kind = "jpeg" if syntax in JPEG else "jpeg2000" if syntax in JPEG_2000 else "rle" if syntax in RLE else ""
    cleaned = [clean_fragment(fragment, kind, comments, len(fragments) == frames) for fragment in fragments]
    cleaned = [part + b"\0" * (len(part) % 2) for part in cleaned]
    cut = sum(map(len, fragments)) - sum(map(len, cleaned))
    moved = _moved_offsets(fragments, cleaned)
    result = {PIXEL_DATA: replace(pixels, fragments=[_shift_offsets(table, "L", moved), *cleaned])}
    if OFFSETS in elements and LENGTHS in elements:
        result[OFFSETS] = replace(elements[OFFSETS], value=_shift_offsets(elements[OFFSETS].value, "Q", moved))
        result[LENGTHS] = replace(elements[LENGTHS], value=_lengths(cleaned, len(elements[LENGTHS].value)))
    return result, cut


def _moved_offsets(old: list[bytes], new: list[bytes]) -> dict[int, int]:
    """Offset of each fragment before → after, counted from the first fragment's item tag."""
    moved, before, after = {}, 0, 0
    for first, second in zip(old, new, strict=True):
        moved[before] = after
        before += 8 + len(first)
        after += 8 + len(second)
    return moved


def _shift_offsets(table: bytes, kind: str, moved: dict[int, int]) -> bytes:
    size = 4 if kind == "L" else 8
    if len(table) % size:
        raise damaged("offset_table")
    old = struct.unpack(f"<{len(table) // size}{kind}", table)
    if any(offset not in moved for offset in old):
        raise damaged("offset_table")
    return struct.pack(f"<{len(old)}{kind}", *(moved[offset] for offset in old))


def _lengths(fragments: list[bytes], size: int) -> bytes:
    if size != 8 * len(fragments):  # the table describes one fragment a frame (PS3.3 C.7.6.3.1.8)
        raise damaged("offset_table")
    return struct.pack(f"<{len(fragments)}Q", *map(len, fragments))
