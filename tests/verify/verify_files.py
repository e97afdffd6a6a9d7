"""A clean de-identified file, an identity, and twenty kinds of places to hide something in the file."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from radcurate.verify import marks
from radcurate.verify.needles import Needles, make_needles

IDENTITY = [
    ("name", "PatientName", "Müller-Lüdenscheidt^Änne Maria"),
    ("name", "ReferringPhysicianName", "Li^Ng"),
    ("name", "OperatorsName", "YAMADA^Tarou=山田^太郎=やまだ^たろう"),
    ("id", "PatientID", "MRN-77-4711"),
    ("id", "AccessionNumber", "20945566"),
    ("id", "StationName", "CT04"),
    ("id", "InstitutionName", "Klinikum Nordheide"),
    ("id", "StudyID", "A7"),
    ("id", "file_name", "scan_of_Mme_X"),
    ("uid", "StudyInstanceUID", "1.3.6.1.4.1.99999.4.20200310.1"),
    ("uid", "SOPInstanceUID", "1.3.6.1.4.1.99999.4.20200310.1.17.3"),
    ("date", "StudyDate", "20200310"),
    ("date", "PatientBirthDate", "19510809"),
    ("text", "PatientComments", "Works at the brewery"),
]
ROWS = [{"category": category, "keyword": keyword, "value": value} for category, keyword, value in IDENTITY]
NEEDLES: Needles = make_needles(ROWS, 4)

# writings of each category that must be found wherever they stand
WRITINGS = {
    "name": ["Müller-Lüdenscheidt", "MUELLER", "muller", "Maria Änne", "maria", "Li^Ng", "Ng, Li", "山田", "yamada"],
    "id": ["MRN-77-4711", "xMRN-77-4711x", "20945566", "klinikum nordheide", "ct04", "scan_of_mme_x"],
    "uid": ["1.3.6.1.4.1.99999.4.20200310.1", "id=1.3.6.1.4.1.99999.4.20200310.1.17.3;"],
    "date": ["20200310", "2020-03-10", "10.03.2020", "03/10/2020", "10-MAR-2020", "March 10, 2020", "10 mar 20", "9.8.1951", "10/03/20", "20200310 101500", "2020.03.10", "09-08-51"],
    "text": ["works at the BREWERY"],
}  # fmt: skip


CLAIMS = ("113100", "113104", "113105", "113107", "113108")


def claim(code: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", marks.CODES[code]
    return item


def clean(pixels: bool = True) -> FileDataset:
    """As a de-identified slice looks."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.2",
        "2.25.329800735698586629295641978511506172918",
    )
    meta.TransferSyntaxUID, meta.ImplementationVersionName = ExplicitVRLittleEndian, "RADCURATE"
    result = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    result.SpecificCharacterSet = "ISO_IR 192"
    result.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    result.SOPClassUID, result.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    result.StudyDate, result.StudyTime, result.Modality = "20211102", "101500", "CT"
    result.SeriesDescription, result.PatientName, result.PatientID = (
        "CT HEAD AXIAL 3 mm",
        "P-0123456789abcdef",
        "P-0123456789abcdef",
    )
    result.PatientIdentityRemoved, result.DeidentificationMethod = "YES", "radcurate: basic profile"
    result.LongitudinalTemporalInformationModified = "MODIFIED"
    result.DeidentificationMethodCodeSequence = Sequence([claim(code) for code in CLAIMS])
    result.SliceThickness, result.BodyPartExamined = 3, "HEAD"
    result.StudyInstanceUID, result.SeriesInstanceUID = "2.25.11223344556677", "2.25.99887766554433"
    result.ImagePositionPatient, result.ImageOrientationPatient = [-100.25, 33.5, 1020], [1, 0, 0, 0, 1, 0]
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "2.25.4242424242"
    result.ReferencedImageSequence = Sequence([inner])
    if pixels:
        result.Rows, result.Columns, result.SamplesPerPixel = 16, 16, 1
        result.BitsAllocated, result.BitsStored, result.HighBit, result.PixelRepresentation = 16, 16, 15, 0
        result.PhotometricInterpretation = "MONOCHROME2"
        result.PixelData = np.random.default_rng(0).integers(0, 65536, 256, dtype=np.uint16).tobytes()
    return result


def written(content: FileDataset) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, content, enforce_file_format=True)
    return stream.getvalue()


def nested(text: str, depth: int, undefined: bool = False) -> bytes:
    content, item = clean(), Dataset()
    item.add_new(0x00081050, "LO", text)
    for _ in range(depth):
        outer = Dataset()
        outer.RequestAttributesSequence = Sequence([item])
        outer["RequestAttributesSequence"].is_undefined_length = undefined
        item = outer
    content.update(item)
    return written(content)


def element(tag: int, vr: str) -> Callable[[str], bytes]:
    def build(text: str) -> bytes:
        content = clean()
        content.add_new(tag, vr, text.encode() + b" " * (len(text.encode()) % 2) if vr in ("OB", "OW", "UN") else text)
        return written(content)

    return build


def preamble(text: str) -> bytes:
    return text.encode()[:128].ljust(128, b"\0") + written(clean())[128:]


def after(text: str) -> bytes:
    return written(clean()) + text.encode()


def excess(text: str) -> bytes:
    content = clean()
    content.PixelData += text.encode() + b" " * (len(text.encode()) % 2)
    return written(content)


def meta(text: str) -> bytes:
    content = clean()
    content.file_meta.SourceApplicationEntityTitle = text
    return written(content)


def wide(order: str) -> Callable[[str], bytes]:
    def build(text: str) -> bytes:
        content = clean()
        content.add_new(0x00282000, "OB", b"\0\0prof" + text.encode(f"utf-16-{order}") + b"\0\0")
        return written(content)

    return build


def encoded(charset: str, vr: str = "LO") -> Callable[[str], bytes]:
    def build(text: str) -> bytes:
        data = text.encode(charset)
        content = clean()
        content.add_new(0x00081030, vr, "@" * (len(data) + len(data) % 2))
        return written(content).replace(b"@" * (len(data) + len(data) % 2), data + b" " * (len(data) % 2))

    return build


def syntax(uid: str) -> Callable[[str], bytes]:
    def build(text: str) -> bytes:
        content = clean()
        content.add_new(0x00204000, "LT", text)
        content.file_meta.TransferSyntaxUID = uid
        stream = io.BytesIO()
        pydicom.dcmwrite(
            stream,
            content,
            implicit_vr=uid == ImplicitVRLittleEndian,
            little_endian=uid != ExplicitVRBigEndian,
            force_encoding=True,
        )
        return stream.getvalue()

    return build


def compressed(uid: str, frame: bytes, cut: int = 0) -> bytes:
    content = clean()
    frame += b"\0" * (len(frame) % 2)
    content.PixelData = encapsulate([part for part in (frame[:cut], frame[cut:]) if part], has_bot=not cut)
    content["PixelData"].VR = "OB"
    content.file_meta.TransferSyntaxUID = uid
    return written(content)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


NOISE = bytes(byte for byte in np.random.default_rng(4).integers(0, 255, 300, dtype=np.uint8).tobytes() if byte != 0xFF)
JPEG_HEAD = b"\xff\xd8" + segment(0xDB, bytes(65)) + segment(0xC0, bytes(9))
JPEG_TAIL = segment(0xDA, bytes(8)) + NOISE + b"\xff\x00" + NOISE + b"\xff\xd9"


def jpeg_segment(marker: int) -> Callable[[str], bytes]:
    return lambda text: compressed(JPEGBaseline8Bit, JPEG_HEAD + segment(marker, text.encode()) + JPEG_TAIL)


def jpeg_tail(text: str) -> bytes:
    return compressed(JPEGBaseline8Bit, JPEG_HEAD + JPEG_TAIL + text.encode())


def codestream(comment: str = "", tile_comment: str = "") -> bytes:
    main = b"\xff\x4f" + segment(0x51, bytes(38)) + segment(0x64, b"\0\1" + comment.encode())
    part = segment(0x64, b"\0\1" + tile_comment.encode()) + b"\xff\x93" + NOISE
    return main + b"\xff\x90" + struct.pack(">HHLBB", 10, 0, 12 + len(part), 0, 1) + part + b"\xff\xd9"


def rle_header(text: str) -> bytes:
    raw = text.encode()[:56]
    return compressed(RLELossless, struct.pack("<LL", 1, 64) + raw.ljust(56, b"\0") + NOISE)


def jp2_box(text: str) -> bytes:
    xml = text.encode()
    box = struct.pack(">L4s", 12, b"jP  ") + b"\r\n\x87\n" + struct.pack(">L4s", 8 + len(xml), b"xml ") + xml
    inner = codestream()
    return compressed(JPEG2000Lossless, box + struct.pack(">L4s", 8 + len(inner), b"jp2c") + inner)


PLACES: dict[str, Callable[[str], bytes]] = {
    "study description": element(0x00081030, "LO"),
    "comment": element(0x00204000, "LT"),
    "unlimited text": element(0x0040A160, "UT"),
    "description of a series": element(0x0008103E, "LO"),
    "unknown bytes": element(0x00189999, "UN"),
    "colour profile": element(0x00282000, "OB"),
    "nested once": lambda text: nested(text, 1),
    "nested five times": lambda text: nested(text, 5),
    "nested, undefined length": lambda text: nested(text, 3, undefined=True),
    "preamble": preamble,
    "after the data set": after,
    "excess pixel bytes": excess,
    "file meta": meta,
    "UTF-16, little": wide("le"),
    "UTF-16, big": wide("be"),
    "UTF-8": encoded("utf-8"),
    "implicit VR": syntax(ImplicitVRLittleEndian),
    "big endian": syntax(ExplicitVRBigEndian),
    "deflated": syntax(DeflatedExplicitVRLittleEndian),
    "JPEG comment": jpeg_segment(0xFE),
    "JPEG application segment": jpeg_segment(0xE1),
    "after the end of a JPEG": jpeg_tail,
    "JPEG 2000 comment": lambda text: compressed(JPEG2000Lossless, codestream(text)),
    "JPEG 2000 tile comment": lambda text: compressed(JPEG2000Lossless, codestream("", text)),
    "JP2 box": jp2_box,
    "RLE header": rle_header,
    "cut in two fragments": lambda text: compressed(JPEG2000Lossless, codestream("", text), cut=60),
}


def nifti(text: str = "", place: str = "") -> bytes:
    """A gzipped NIfTI-1 mask, with `text` as its description, extension, behind the voxels, in gzip's name or behind it."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 4, 4, 4, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 2, 8)
    raw = text.encode()
    extension = b""
    if place == "extension":
        extension = struct.pack("<ii", 16 * (len(raw) // 16 + 2), 6) + raw.ljust(16 * (len(raw) // 16 + 2) - 8, b"\0")
        header[348] = 1
    struct.pack_into("<f", header, 108, 352.0 + len(extension))
    header[344:348] = b"n+1\0"
    if place == "description":
        header[148 : 148 + len(raw[:80])] = raw[:80]
    inner = bytes(header) + extension + b"\1" * 64 + (raw if place == "behind the voxels" else b"")
    stream = io.BytesIO()
    with gzip.GzipFile(text if place == "gzip name" else "", "wb", fileobj=stream, mtime=0) as file:
        file.write(inner)
    data = stream.getvalue()
    return data + (raw if place == "behind gzip" else b"")


NIFTI_PLACES = ("description", "extension", "behind the voxels", "gzip name", "behind gzip")


def save(folder: Path, data: bytes, name: str = "0123456789abcdef.dcm") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
