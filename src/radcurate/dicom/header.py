"""One file's header: read without pixels, checked for completeness, reduced to what grouping and linking need."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_partial

from radcurate.dicom import judged, kinds, pixels, values
from radcurate.dicom.container import check_file
from radcurate.dicom.elements import Encoding
from radcurate.dicom.frames import Plane, frame_planes, single_plane
from radcurate.dicom.limits import LARGEST_FRAME, check_elements
from radcurate.dicom.problems import Unsafe
from radcurate.dicom.reasons import FILE_REMEDIES
from radcurate.dicom.references import References, read_references
from radcurate.dicom.tree import Found, is_same, opened
from radcurate.dicom.values import Elements

MOST = (1 << 31) - 1  # largest integer of an IS (PS3.5 6.2)
MOST_TEXT = 1024  # characters; no identifier of DICOM has more than 64
DEFER = 1 << 22  # bytes; larger elements (documents, wave forms) are passed over
DICOMDIR = "1.2.840.10008.1.3.10"
# What turns stored values into intensities, and what tells one volume of a series from another.
VALUE_KEYWORDS = (
    "RescaleSlope",
    "RescaleIntercept",
    "BitsStored",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "ImageOrientationPatient",
    "PixelSpacing",
)


class Header(NamedTuple):
    """What is remembered of a DICOM file. Texts are "" and numbers None when absent.

    A tuple, for there is one for every file: making it takes a third of the time of a frozen dataclass, pickling a tenth.
    """

    file: Found
    reason: str | None  # truncated, too_large; None when complete and of a size that can be worked with
    patient_id: str
    issuer: str
    birth_date: str
    study: str
    series: str
    sop_instance: str
    sop_class: str
    transfer_syntax: str
    modality: str
    kind: str  # image | rtstruct | seg | picture | other
    frame_of_reference: str
    institution: str
    rows: int
    columns: int
    frames: int
    samples: int
    mosaic: bool
    lossy: bool
    thickness: float | None  # mm
    planes: tuple[Plane, ...]  # images and SEG: one per frame; empty when a frame has no geometry
    values: str  # digest of VALUE_KEYWORDS
    data_start: int  # offset of the data set after the file meta
    pixel_start: int  # offset of the pixel values; 0 when there are none
    references: References | None  # contours only
    tail: int = 0  # bytes behind the pixel values
    digest: str = ""  # see `judged`; of objects that are worked on

    @property
    def head(self) -> int:
        """Bytes before the pixel values; all where there are none, or where the data set is deflated."""
        return self.pixel_start or self.file.size


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that is no DICOM object of a series."""

    file: Found
    reason: str


@dataclass(slots=True)
class _Stop:
    """Where reading stopped: at the pixel data element, if there is one."""

    tag: int = 0
    vr: str | None = None
    length: int = 0

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        if tag in pixels.PIXEL_TAGS:
            self.tag, self.vr, self.length = int(tag), vr, length
            return True
        return False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A header as pydicom sees it or in pieces, the elements after the pixels, and whether the file is whole."""

    dataset: Elements
    tail: Dataset | None
    complete: bool
    data_start: int
    pixel_start: int
    pixel_length: int
    tail_length: int = 0


def read_header(source: Path, found: Found) -> tuple[Header | Unusable, Parsed | None]:
    """Read one file; every problem is a reason code, never an exception.

    Reasons: vanished, changed, unreadable, archive, not_dicom, dicomdir, damaged, truncated, missing_patient_id,
    missing_series_uid, missing_sop_uid and the problems of `tree.find_files`.
    """
    if found.problem:
        return Unusable(found, found.problem), None
    try:
        with (source / found.path).open("rb") as stream:
            before = os.fstat(stream.fileno())
            there = opened(found, before)
            if there is None:
                return Unusable(found, "changed"), None
            found = there
            reason = sniff(stream.read(1024))
            if reason:
                return Unusable(found, reason), None
            check_file(stream, found.size)
            stream.seek(0)
            parsed = parse(stream, found.size)
            if parsed is None:
                return Unusable(found, "truncated"), None
            header = _identified(reduce(found, parsed), stream)
            same = is_same(before, os.fstat(stream.fileno()))
            return (header, parsed) if same else (Unusable(found, "changed"), None)
    except FileNotFoundError:
        return Unusable(found, "vanished"), None
    except OSError as error:  # pydicom's own have no number
        return Unusable(found, "unreadable" if error.errno else "damaged"), None
    except zlib.error:
        return Unusable(found, "truncated"), None
    except InvalidDicomError:
        return Unusable(found, "not_dicom"), None
    except Unsafe as verdict:
        return Unusable(found, verdict.reason if verdict.reason in FILE_REMEDIES else "damaged"), None
    except MemoryError:  # of the machine, not of the file, which `limits` let pass
        raise
    except Exception:  # pydicom raises many kinds on malformed headers
        return Unusable(found, "damaged"), None


def _identified(header: Header | Unusable, stream: BinaryIO) -> Header | Unusable:
    """With the digest of what was read."""
    if isinstance(header, Unusable) or header.kind == "other":
        return header
    return header._replace(digest=judged.of_file(stream, header.file.size, header.head, header.tail))


def sniff(start: bytes) -> str | None:
    """Reason why these first bytes can't be DICOM; None where they may be (with or without preamble)."""
    if start[128:132] == b"DICM":
        return None
    if start[:4] == b"PK\3\4" or start[:2] == b"\x1f\x8b" or start[257:262] == b"ustar" or start[:6] in _ARCHIVES:
        return "archive"
    return None if _looks_like_elements(start) else "not_dicom"


_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")


def _looks_like_elements(start: bytes) -> bool:
    """A data set without preamble begins with a short element of group 2 or 8 (PS3.10 7.1), either byte order."""
    if len(start) < 16:
        return False
    for order in "<>":
        group, element, length = struct.unpack(f"{order}HHL", start[:8])
        short = struct.unpack(f"{order}H", start[6:8])[0]
        if group in (2, 8) and element <= 0x1200:
            explicit = start[4:6].isalpha() and start[4:6].isupper() and short <= 1024
            if explicit or (order == "<" and length <= 1024):
                return True
    return False


def parse(stream: BinaryIO, size: int) -> Parsed | None:
    """The header and the elements behind the pixels; None where the file ends inside the header."""
    stop = _Stop()
    dataset = read_partial(stream, stop_when=stop, defer_size=DEFER, force=True)
    if not len(dataset):
        if len(dataset.file_meta):
            return None
        raise InvalidDicomError
    start = _data_start(dataset)
    deflated = dataset.file_meta.get("TransferSyntaxUID") == uid.DeflatedExplicitVRLittleEndian
    if not _elements_complete(dataset, size, deflated):
        return Parsed(dataset, None, False, start, 0, 0)
    if not stop.tag or deflated:
        return Parsed(dataset, None, True, start, 0, stop.length if stop.tag else 0)
    implicit, little = dataset.original_encoding
    values_at = stream.tell() + (8 if implicit or stop.vr not in _LONG_VRS else 12)
    parsed = Parsed(dataset, None, True, start, values_at, stop.length)
    return with_tail(stream, size, parsed, bool(implicit), bool(little))


def with_tail(stream: BinaryIO, size: int, parsed: Parsed, implicit: bool, little: bool) -> Parsed:
    """A header with the elements behind its pixels, or as incomplete where the file ends before those do."""
    end = pixels.end_of_pixels(stream, parsed.pixel_start, parsed.pixel_length, size)
    if end is None:
        return replace(parsed, complete=False)
    tail = _read_tail(stream, end, size, implicit, little) if end + 8 <= size else None
    return replace(parsed, tail=tail, tail_length=size - end)


_LONG_VRS = ("OB", "OW", "OF", "OD", "OL", "OV", "UN")


def _read_tail(stream: BinaryIO, end: int, size: int, implicit: bool, little: bool) -> Dataset | None:
    """Elements after the pixel data; bytes that are none are left to the writer, which copies no tail."""
    try:
        check_elements(stream, end, size, Encoding(not implicit, little))
        stream.seek(end)
        return read_dataset(stream, implicit, little, defer_size=DEFER)
    except (Unsafe, MemoryError):
        raise
    except Exception:
        return None


def _data_start(dataset: Dataset) -> int:
    """Offset of the first element after the file meta."""
    tells = [getattr(e, "value_tell", None) or getattr(e, "file_tell", None) for e in dataset.values()]
    return min((int(t) for t in tells if t), default=0)


def _elements_complete(dataset: Dataset, size: int, deflated: bool) -> bool:
    for element in dataset.values():
        length, value = getattr(element, "length", None), getattr(element, "value", None)
        if length is None or length == pixels.UNDEFINED:
            continue
        if isinstance(value, bytes) and len(value) < length:
            return False
        if value is None and length and not deflated and element.value_tell + length > size:
            return False
    return True


def reduce(found: Found, parsed: Parsed) -> Header | Unusable:
    """What is remembered of a header, or why it is none of a series.

    Raises:
        Doubt: of a header in pieces, where sequences are asked for.
    """
    dataset, meta = parsed.dataset, parsed.dataset.file_meta
    sop_class = values.text(dataset, "SOPClassUID") or values.text(meta, "MediaStorageSOPClassUID")
    if sop_class == DICOMDIR or values.present(dataset, "DirectoryRecordSequence"):
        return Unusable(found, "dicomdir")
    if not sop_class and not any(values.present(dataset, keyword) for keyword in ("Modality", "SOPInstanceUID")):
        return Unusable(found, "not_dicom" if parsed.complete else "truncated")
    header = _header(found, parsed, sop_class)
    if any(len(value) > MOST_TEXT for value in header if isinstance(value, str)):
        return Unusable(found, "damaged")
    for missing, value in (
        ("missing_patient_id", header.patient_id),
        ("missing_series_uid", header.series),
        ("missing_sop_uid", header.sop_instance),
    ):
        if not value:
            return Unusable(found, header.reason or missing)
    return header


def _header(found: Found, parsed: Parsed, sop_class: str) -> Header:
    dataset = parsed.dataset
    modality = values.text(dataset, "Modality").upper()
    kind = kinds.kind_of(sop_class, modality)
    multi = kind == "seg" or values.present(dataset, "PerFrameFunctionalGroupsSequence")
    usable = kind in ("image", "seg")
    frames = max(_count(dataset, "NumberOfFrames"), 1)
    planes = (frame_planes(dataset, frames) if multi else single_plane(dataset, frames)) if usable else ()
    rows, columns, samples = (_count(dataset, keyword) for keyword in ("Rows", "Columns", "SamplesPerPixel"))
    samples = samples or 1
    return Header(
        file=found,
        reason=_reason(parsed, kind, rows, columns, frames, samples),
        patient_id=values.text(dataset, "PatientID"),
        issuer=values.text(dataset, "IssuerOfPatientID"),
        birth_date=values.text(dataset, "PatientBirthDate"),
        study=values.text(dataset, "StudyInstanceUID"),
        series=values.text(dataset, "SeriesInstanceUID"),
        sop_instance=values.text(dataset, "SOPInstanceUID"),
        sop_class=sop_class,
        transfer_syntax=values.text(dataset.file_meta, "TransferSyntaxUID") or _syntax(dataset),
        modality=modality,
        kind=kind,
        frame_of_reference=values.text(dataset, "FrameOfReferenceUID"),
        institution=values.text(dataset, "InstitutionName"),
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        mosaic="MOSAIC" in values.texts(dataset, "ImageType"),
        lossy=values.text(dataset, "LossyImageCompression") == "01",
        thickness=_thickness(dataset),
        planes=planes,
        values=value_digest(dataset),
        data_start=parsed.data_start,
        pixel_start=parsed.pixel_start,
        tail=parsed.tail_length,
        references=read_references(dataset, kind, planes) if kind in ("rtstruct", "seg") else None,
    )


def _thickness(dataset: Elements) -> float | None:
    """Distance that a single plane stands for, in mm: SpacingBetweenSlices, or else SliceThickness."""
    measures = [item for group in _shared_groups(dataset) for item in values.items(group, "PixelMeasuresSequence")]
    for place in (dataset, *measures):
        for keyword in ("SpacingBetweenSlices", "SliceThickness"):
            found = values.number(place, keyword)
            if found:
                return abs(found)
    return None


def _shared_groups(dataset: Elements) -> list[Dataset]:
    return (
        values.items(dataset, "SharedFunctionalGroupsSequence")
        + values.items(dataset, "PerFrameFunctionalGroupsSequence")[:1]
    )


def _reason(parsed: Parsed, kind: str, rows: int, columns: int, frames: int, samples: int) -> str | None:
    """Why a file can't be part of its series, though it says which one that is."""
    if rows * columns * samples > LARGEST_FRAME or frames == MOST:
        return "too_large"
    return None if parsed.complete and _enough_pixels(parsed, kind, rows, columns, frames, samples) else "truncated"


def _count(dataset: Elements, keyword: str) -> int:
    """A number that counts something; 0 when absent."""
    return min(max(values.whole(dataset, keyword) or 0, 0), MOST)


def _enough_pixels(parsed: Parsed, kind: str, rows: int, columns: int, frames: int, samples: int) -> bool:
    """An image, picture or SEG without pixels, or with fewer than its header promises, was cut off."""
    if kind not in ("image", "seg", "picture"):
        return True
    if not parsed.pixel_length:
        return False
    if parsed.pixel_length == pixels.UNDEFINED:
        return True
    bits = values.whole(parsed.dataset, "BitsAllocated") or 8
    needed = pixels.native_length(rows, columns, frames, samples, bits)
    if values.text(parsed.dataset, "PhotometricInterpretation") == "YBR_FULL_422":
        needed = needed * 2 // 3  # two pixels share their colour
    return parsed.pixel_length >= needed


def _syntax(dataset: Dataset) -> str:
    """What a file without file meta turned out to be written in."""
    implicit, little = dataset.original_encoding
    if implicit:
        return str(uid.ImplicitVRLittleEndian)
    return str(uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian)


def value_digest(dataset: Elements, like: dict[str, str] | None = None) -> str:
    """A short name for what turns stored values into intensities: equal for equal values of VALUE_KEYWORDS.

    Args:
        dataset: the header.
        like: values that are known already, by keyword; those found are added.
    """
    known = {} if like is None else like
    for keyword in VALUE_KEYWORDS:
        if keyword not in known:
            known[keyword] = "\\".join(values.texts(dataset, keyword))
    parts = "\0".join(known[keyword] for keyword in VALUE_KEYWORDS)
    return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:16]
