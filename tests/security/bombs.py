"""Files that ask for far more than they are: small on disk, without end when read."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from inventory_files import CT, RTSTRUCT, uid
from radcurate.dicom import container, elements, limits
from radcurate.dicom.container import DEFLATED_UID, EXPLICIT_UID, file_head
from radcurate.dicom.elements import EXPLICIT_LITTLE, IMPLICIT, Element
from radcurate.dicom.encode import encode

RLE_UID, JPEG_UID, J2K_UID = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
SEQUENCE = b"\x09\x00\x01\x10"  # a private element
ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HH", 0xFFFE, n) for n in (0xE000, 0xE00D, 0xE0DD))
DEFLATED_TEXT = 1_000_000_000  # bytes
ENDLESS = struct.pack("<L", 0xFFFFFFFF)


def head(name: str, syntax: str = EXPLICIT_UID, sop_class: str = CT) -> bytes:
    return file_head(syntax, sop_class, uid(name, "sop"))


def identity(name: str, sop_class: str = CT, **more: tuple[str, bytes]) -> elements.DataSet:
    """A header that says whose it is, and the elements given as x00080060=(VR, value)."""
    values = {
        0x00080016: ("UI", sop_class.encode()),
        0x00080018: ("UI", uid(name, "sop").encode()),
        0x00080060: ("CS", b"CT" if sop_class == CT else b"RTSTRUCT"),
        0x00100010: ("PN", b"Falke^Zita"),
        0x00100020: ("LO", b"PAT-BOMB"),
        0x0020000D: ("UI", uid("study").encode()),
        0x0020000E: ("UI", uid(name, "series").encode()),
    }
    values |= {int(tag[1:], 16): value for tag, value in more.items()}
    return {tag: Element(tag, vr, value) for tag, (vr, value) in sorted(values.items())}


def header(name: str, sop_class: str = CT, **more: tuple[str, bytes]) -> bytes:
    return encode(identity(name, sop_class, **more), EXPLICIT_LITTLE)


def us(number: int) -> tuple[str, bytes]:
    return "US", struct.pack("<H", number)


def image(name: str, rows: int, columns: int, frames: bytes = b"1", bits: int = 16, **more: tuple[str, bytes]) -> bytes:
    return header(
        name, x00280002=us(1), x00280004=("CS", b"MONOCHROME2"), x00280008=("IS", frames), x00280010=us(rows),
        x00280011=us(columns), x00280100=us(bits), x00280101=us(bits), x00280102=us(bits - 1), x00280103=us(0), **more,
    )  # fmt: skip


def private(first_group: int, count: int) -> bytes:
    """Empty private elements, eight bytes each."""
    numbers = np.arange(count)
    words = np.zeros((count, 4), "<u2")
    words[:, 0], words[:, 1] = first_group + 2 * (numbers >> 15), 0x1000 + (numbers & 0x7FFF)
    words[:, 2] = int.from_bytes(b"LO", "little")
    return words.tobytes()


def encapsulated(*fragments: bytes) -> bytes:
    parts = [struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)]
    parts += [ITEM + struct.pack("<L", len(fragment)) + fragment for fragment in (b"", *fragments)]
    return b"".join(parts) + SEQUENCE_END + b"\0\0\0\0"


def native(length: int) -> bytes:
    return struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, length)


def sparse(path: Path, start: bytes, size: int) -> None:
    """A file whose end takes no room on the disk."""
    with path.open("wb") as stream:
        stream.write(start)
        stream.truncate(size)


def deflate(path: Path) -> None:
    """A text of a gigabyte in a megabyte."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size, block = DEFLATED_TEXT, b"x" * (DEFLATED_TEXT // 100)
    start = packer.compress(header("deflate") + struct.pack("<HH2sHL", 0x0040, 0xA160, b"UT", 0, size))
    start += packer.flush(zlib.Z_FULL_FLUSH)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # stands alone, so it can be repeated
    path.write_bytes(head("deflate", DEFLATED_UID) + start + packed * 100 + packer.flush())


def tiny_elements(path: Path) -> None:
    count = limits.MOST_ELEMENTS + 1000
    path.write_bytes(head("tiny") + header("tiny") + private(0x4011, count))


def tiny_items(path: Path) -> None:
    count = limits.MOST_ELEMENTS + 1000
    sequence = struct.pack("<HH2sHL", 0x3006, 0x0020, b"SQ", 0, 8 * count) + (ITEM + b"\0\0\0\0") * count
    path.write_bytes(head("items", sop_class=RTSTRUCT) + header("items", RTSTRUCT) + sequence)


def tiny_behind_the_pixels(path: Path) -> None:
    count = limits.MOST_ELEMENTS + 1000
    behind = private(0x8001, count)
    path.write_bytes(head("behind") + image("behind", 2, 2) + native(8) + b"\0" * 8 + behind)


def deep_known(path: Path) -> None:
    """Sequences of known length, sixty thousand deep: each level would be a copy of all below it."""
    parts, length = [b"\0" * 64], 64
    for _ in range(60_000):
        parts.append(struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, length + 8) + ITEM + struct.pack("<L", length))
        length += 20
    path.write_bytes(head("deep", sop_class=RTSTRUCT) + header("deep", RTSTRUCT) + b"".join(reversed(parts)))


def deep_endless(path: Path) -> None:
    start = struct.pack("<HH2sH", 0x0040, 0xA730, b"SQ", 0) + ENDLESS + ITEM + ENDLESS
    path.write_bytes(head("endless", sop_class=RTSTRUCT) + header("endless", RTSTRUCT) + start * 100_000)


def endless_private(path: Path) -> None:
    """A private element of undefined length that nothing ends."""
    start = b"\x09\x00\x10\x00LO\x04\x00ACME" + SEQUENCE + b"UN\0\0" + ENDLESS + ITEM + ENDLESS
    path.write_bytes(head("private", sop_class=RTSTRUCT) + header("private", RTSTRUCT) + start)


def long_nested(path: Path) -> None:
    """A value of 1.5 gigabytes in a sequence, on a sparse file."""
    length = 1_500_000_000
    start = struct.pack("<HH2sH", 0x0040, 0xA730, b"SQ", 0) + ENDLESS + ITEM + ENDLESS
    start += struct.pack("<HH2sHL", 0x0040, 0xA160, b"UT", 0, length)
    begin = head("nested", sop_class=RTSTRUCT) + header("nested", RTSTRUCT) + start
    sparse(path, begin, len(begin) + length)


def long_declared(path: Path) -> None:
    """Four gigabytes are announced, and nothing comes."""
    path.write_bytes(
        head("declared") + header("declared") + struct.pack("<HH2sHL", 0x0040, 0xA160, b"UT", 0, 0xFFFFFFF0)
    )


def long_meta(path: Path) -> None:
    """Private information of 1.5 gigabytes in the file meta information."""
    length = 1_500_000_000
    start = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHL", 2, 0x0102, b"OB", 0, length)
    sparse(path, start, len(start) + length)


def long_patient(path: Path) -> None:
    values = identity("patient") | {0x00100020: Element(0x00100020, "LO", b"A" * 3_000_000)}
    path.write_bytes(head("patient", container.IMPLICIT_UID) + encode(values, IMPLICIT))


def fragments(path: Path) -> None:
    body = image("fragments", 64, 64) + struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    path.write_bytes(head("fragments", RLE_UID) + body + (ITEM + b"\0\0\0\0") * (elements.MOST_FRAGMENTS + 10))


def wide_rle(path: Path) -> None:
    path.write_bytes(
        head("wide", RLE_UID) + image("wide", 65535, 65535) + encapsulated(b"\2" + b"\0" * 63 + b"\x81\0" * 9)
    )


def wide_jpeg(path: Path) -> None:
    start = b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00" + b"\xff\xd9"
    path.write_bytes(head("jpeg", JPEG_UID) + image("jpeg", 65535, 65535, bits=8) + encapsulated(start))


def wide_jpeg_2000(path: Path) -> None:
    size = struct.pack(">HHLLLLLLLLHBBB", 41, 0, 60000, 60000, 0, 0, 60000, 60000, 0, 0, 1, 7, 1, 1)
    path.write_bytes(
        head("j2k", J2K_UID)
        + image("j2k", 60000, 60000, bits=8)
        + encapsulated(b"\xff\x4f\xff\x51" + size + b"\xff\xd9")
    )


def many_frames(path: Path) -> None:
    path.write_bytes(head("frames", RLE_UID) + image("frames", 512, 512, b"2147483647") + encapsulated(b"\0" * 64))


def frames_beyond_numbers(path: Path) -> None:
    path.write_bytes(head("count", RLE_UID) + image("count", 8, 8, b"9" * 40) + encapsulated(b"\0" * 64))


def huge_file(path: Path) -> None:
    start = head("huge") + image("huge", 65535, 65535) + native(0xFFFFFFF0)
    sparse(path, start, 5_000_000_000)


def wide_mask(path: Path) -> None:
    """A NIfTI file of a few bytes that declares 35 million million voxels."""
    path.write_bytes(gzip.compress(nifti_head((32767, 32767, 32767)) + b"\0" * 1000, mtime=0))


def nifti_head(shape: tuple[int, int, int]) -> bytes:
    raw = bytearray(352)
    struct.pack_into("<i", raw, 0, 348)
    struct.pack_into("<8h", raw, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<hh", raw, 70, 2, 8)
    struct.pack_into("<8f", raw, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", raw, 108, 352)
    raw[344:348] = b"n+1\0"
    return bytes(raw)


# what each is, how it is made, and the reason that inventory gives
BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "deflated.dcm": (deflate, "inflates"),
    "tiny_elements.dcm": (tiny_elements, "too_many_elements"),
    "tiny_items.dcm": (tiny_items, "too_many_elements"),
    "tiny_behind_the_pixels.dcm": (tiny_behind_the_pixels, "too_many_elements"),
    "deep_known.dcm": (deep_known, "nesting"),
    "deep_endless.dcm": (deep_endless, "nesting"),
    "endless_private.dcm": (endless_private, "damaged"),
    "long_nested.dcm": (long_nested, "too_large"),
    "long_declared.dcm": (long_declared, "truncated"),
    "long_meta.dcm": (long_meta, "damaged"),
    "long_patient.dcm": (long_patient, "damaged"),
    "fragments.dcm": (fragments, "too_many_fragments"),
    "wide_rle.dcm": (wide_rle, "too_large"),
    "wide_jpeg.dcm": (wide_jpeg, "too_large"),
    "wide_jpeg_2000.dcm": (wide_jpeg_2000, "too_large"),
    "many_frames.dcm": (many_frames, "too_large"),
    "frames_beyond_numbers.dcm": (frames_beyond_numbers, "too_large"),
    "huge_file.dcm": (huge_file, "too_large"),
    "wide_mask.nii.gz": (wide_mask, "too_large"),
}
