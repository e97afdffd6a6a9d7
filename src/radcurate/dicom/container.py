"""The file around the data set: preamble, file meta information, transfer syntax (PS3.10 section 7).

A new file gets zeros for a preamble and a meta group that this package writes; nothing of the old ones is copied but the
transfer syntax.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from radcurate.dicom.dictionary import attribute
from radcurate.dicom.elements import (
    EXPLICIT_LITTLE,
    IMPLICIT,
    LONG_VRS,
    PIXEL_DATA,
    SHORT_VRS,
    DataSet,
    Element,
    Encoding,
    Reading,
    dictionary_vr,
    read_data_set,
)
from radcurate.dicom.encode import encode, too_long
from radcurate.dicom.limits import LARGEST_META, SMALL, LostError, check_elements, inflate
from radcurate.dicom.problems import Unsafe, damaged

IMPLEMENTATION_UID = "2.25.192364721548603412976058732117403245681"  # a UUID made for this package
IMPLEMENTATION_NAME = b"RADCURATE_0_1"
DIRECTORY = 0x00041220  # DirectoryRecordSequence
IMPLICIT_UID, EXPLICIT_UID = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN_UID, DEFLATED_UID = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
NATIVE = {
    IMPLICIT_UID: IMPLICIT,
    EXPLICIT_UID: EXPLICIT_LITTLE,
    BIG_ENDIAN_UID: Encoding(explicit=True, little=False),
    DEFLATED_UID: EXPLICIT_LITTLE,
}
_COMPRESSED = "1.2.840.10008.1.2.4."
JPEG = frozenset(_COMPRESSED + str(number) for number in (*range(50, 67), 70, 80, 81))
JPEG_2000 = frozenset(_COMPRESSED + str(number) for number in (90, 91, 92, 93, 201, 202, 203))
RLE = frozenset({"1.2.840.10008.1.2.5"})
WHOLE_FRAMES = frozenset({"1.2.840.10008.1.2.1.98"})  # uncompressed frames, each in a fragment
DEFLATED_FRAMES = frozenset({"1.2.840.10008.1.2.8.1"})
ENCAPSULATED = JPEG | JPEG_2000 | RLE | WHOLE_FRAMES | DEFLATED_FRAMES
_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.(4\.10[0-8](\.1)?|7\..*)")
_REFERENCED = frozenset(_COMPRESSED + str(number) for number in (94, 95, 204, 205))  # JPIP: the pixels are on a server
_JPEG_XL = frozenset(_COMPRESSED + str(number) for number in (110, 111, 112))


@dataclass
class Source:
    """A file as read: its data set and how it was written."""

    elements: DataSet
    transfer_syntax: str
    encoding: Encoding  # for the new file
    trailing: int  # bytes after the data set, not taken over
    pixel_start: int  # offset of the value of the pixel data; 0 where there is none or the file is deflated


def read_file(data: bytes) -> Source:
    """Read a whole DICOM file, with or without preamble and meta group.

    Raises:
        Unsafe: not DICOM, damaged, or in a transfer syntax whose content can't be judged.
    """
    start = _meta_start(data)
    syntax, position = _meta(data, start) if start is not None else (None, 0)
    if syntax is None:
        syntax = _guess(data, position)
    _check_syntax(syntax)
    content, behind = data, 0
    if syntax == DEFLATED_UID:
        content, behind = _inflate(data, position)
        position = 0
    encoding = _encoding(syntax, content, position)
    _check_elements(content, position, encoding)
    reading = read_data_set(content, position, encoding)
    if not reading.elements:
        raise damaged("empty")
    if DIRECTORY in reading.elements:
        raise Unsafe("dicomdir", "nothing to do: it is an index, the files it lists are read themselves")
    written = _written_as(syntax, encoding, reading)
    written_in = encoding if written in NATIVE else EXPLICIT_LITTLE
    pixel_start = reading.pixel_start if content is data else 0
    return Source(reading.elements, written, written_in, reading.trailing + behind, pixel_start)


def check_file(stream: BinaryIO, size: int) -> None:
    """Insist that a file asks for no more than `limits` allow, reading as little of it as can be.

    Raises:
        Unsafe: it does.
        LostError: it can't be followed.
        zlib.error: it is deflated and cut off.
    """
    stream.seek(0)
    head = stream.read(LARGEST_META)
    try:
        start = _meta_start(head)
        syntax, position = _meta(head, start) if start is not None else (None, 0)
        syntax = syntax or _guess(head, position)
    except Unsafe:
        if size > SMALL:
            raise LostError from None
        return
    if syntax == DEFLATED_UID:
        stream.seek(position)
        content, _ = inflate(stream.read())
        check_elements(BytesIO(content), 0, len(content), _encoding(syntax, content, 0))
    else:
        check_elements(stream, position, size, _encoding(syntax, head, position))


def _meta_start(data: bytes) -> int | None:
    if data[128:132] == b"DICM":
        return 132
    if data[:4] == b"DICM":
        return 4
    if data[:2] == b"\0\2" and data[4:6] == b"UL":
        raise damaged("file_meta")  # big endian, which no edition allowed
    return 0 if data[:2] == b"\x02\x00" else None


def _meta(data: bytes, position: int) -> tuple[str | None, int]:
    """Transfer syntax and end of the meta group, which is explicit little endian whatever follows."""
    syntax = None
    while data[position : position + 2] == b"\x02\x00":
        if position + 12 > len(data):
            raise damaged("file_meta")
        number, code = struct.unpack_from("<H2s", data, position + 2)
        vr = code.decode("latin-1")
        if vr not in SHORT_VRS and vr not in LONG_VRS:
            raise damaged("file_meta")
        long = vr in LONG_VRS
        length = struct.unpack_from("<L" if long else "<H", data, position + (8 if long else 6))[0]
        position += 12 if long else 8
        if number == 0x0010:
            if syntax is not None:
                raise damaged("file_meta")
            syntax = data[position : position + length].strip(b" \0").decode("ascii", "replace")
        position += length
    if position > len(data):
        raise damaged("file_meta")
    return syntax or None, position


def _guess(data: bytes, position: int) -> str:
    """Transfer syntax of a data set without meta information, from its first element."""
    head = data[position : position + 6]
    if len(head) < 6:
        raise _not_dicom()
    for order, explicit in (("<", EXPLICIT_UID), (">", BIG_ENDIAN_UID)):
        group, number = struct.unpack(order + "HH", head[:4])
        if attribute(group << 16 | number) or (number == 0 and 0 < group <= 0x20):
            written = _has_vr(head) or order == ">"
            return str(explicit if written else IMPLICIT_UID)
    raise _not_dicom()


def _not_dicom() -> Unsafe:
    return Unsafe("not_dicom", "remove the file from the input folder or convert it to DICOM")


def _has_vr(head: bytes) -> bool:
    vr = head[4:6].decode("latin-1")
    return vr in SHORT_VRS or vr in LONG_VRS


def _check_syntax(syntax: str) -> None:
    """Refuse what can't be judged: films, pixels kept elsewhere, and JPEG XL, whose names and profiles are coded bits."""
    if syntax in NATIVE or syntax in ENCAPSULATED:
        return
    if _VIDEO.fullmatch(syntax):
        raise Unsafe("video", "leave the video out; its frames can't be checked for text and faces")
    if syntax in _REFERENCED:
        raise Unsafe(
            "pixels_elsewhere", "export the series with its pixels; the file only names a server that has them"
        )
    if syntax in _JPEG_XL:
        raise Unsafe("jpeg_xl", "decompress the series, or convert it to JPEG 2000, before it is put in")
    raise Unsafe("transfer_syntax", "convert the series to a transfer syntax for still images; others can't be judged")


def _check_elements(data: bytes, position: int, encoding: Encoding) -> None:
    try:
        check_elements(BytesIO(data), position, len(data), encoding)
    except LostError:
        raise damaged("element_length") from None


def _inflate(data: bytes, position: int) -> tuple[bytes, int]:
    """The data set of a deflated file, and the number of bytes that follow it (an odd stream is padded)."""
    try:
        content, behind = inflate(data[position:])
    except zlib.error:
        raise damaged("deflate") from None
    return content, 0 if behind in (b"", b"\0") else len(behind)


def _encoding(syntax: str, data: bytes, position: int) -> Encoding:
    """How the data set is written; some writers declare explicit VRs and write implicit ones, some the reverse."""
    encoding = NATIVE.get(syntax, EXPLICIT_LITTLE)
    head = data[position : position + 6]
    if encoding == EXPLICIT_LITTLE and not _has_vr(head):
        return IMPLICIT
    if encoding == IMPLICIT and _has_vr(head):
        group, number = struct.unpack("<HH", head[:4])
        return EXPLICIT_LITTLE if head[4:6].decode() in dictionary_vr(group << 16 | number).split(" or ") else IMPLICIT
    return encoding


def _written_as(syntax: str, encoding: Encoding, reading: Reading) -> str:
    """The transfer syntax of the new file. Deflated is written plainly; native pixels under a compressed name are not."""
    pixels = reading.elements.get(PIXEL_DATA)
    if syntax in NATIVE:
        if pixels is not None and pixels.fragments is not None:
            raise damaged("fragments")
        return next(uid for uid, known_encoding in NATIVE.items() if known_encoding == encoding)
    if pixels is not None and pixels.fragments is None:
        raise damaged("fragments")
    return syntax


def write_file(elements: DataSet, transfer_syntax: str, encoding: Encoding, sop_class: str, sop_instance: str) -> bytes:
    """The bytes of a new file: zeroed preamble, own meta group, the data set, nothing after it."""
    if transfer_syntax == EXPLICIT_UID and too_long(elements):  # many readers don't look behind a UN
        transfer_syntax, encoding = IMPLICIT_UID, IMPLICIT
    return file_head(transfer_syntax, sop_class, sop_instance) + encode(elements, encoding)


def file_head(transfer_syntax: str, sop_class: str, sop_instance: str) -> bytes:
    """What comes before the data set in a new file: zeros, the magic word and the meta group (PS3.10 table 7.1-1)."""
    values = {
        0x00020001: ("OB", b"\0\1"),
        0x00020002: ("UI", sop_class.encode()),
        0x00020003: ("UI", sop_instance.encode()),
        0x00020010: ("UI", transfer_syntax.encode()),
        0x00020012: ("UI", IMPLEMENTATION_UID.encode()),
        0x00020013: ("SH", IMPLEMENTATION_NAME),
    }
    body = encode({tag: Element(tag, vr, value) for tag, (vr, value) in values.items()}, EXPLICIT_LITTLE)
    length = Element(0x00020000, "UL", struct.pack("<L", len(body)))
    return b"\0" * 128 + b"DICM" + encode({length.tag: length}, EXPLICIT_LITTLE) + body
