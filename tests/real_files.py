"""Every real file that is at hand, de-identified, and an examination of what came out that trusts nobody but pydicom.

`python -m real_files` (in tests/) writes the table in docs/reference/test-files.md from the folder RADCURATE_TEST_DATA.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from deidentify.deid_objects import POLICY, SPARE, SUBJECT, TEST_KEY
from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.problems import Unsafe

PAGE = Path(__file__).resolve().parents[1] / "docs/reference/test-files.md"
DAYS = 70
FOLDERS = {
    "pydicom_testfiles": "pydicom's own test files: transfer syntaxes, character sets, DICOMDIR, damaged files",
    "pydicom_data": "pydicom's larger test files: compression, colour, overlays, maps",
    "dcm_qa_agfa": "MR by Agfa",
    "dcm_qa_ct": "CT by GE, Philips and others; scanner screens",
    "dcm_qa_enh": "enhanced multi-frame MR",
    "dcm_qa_toshiba": "MR by Toshiba",
    "nibabel": "Siemens mosaics, damaged headers",
    "seg3ddata": "MR with private blocks",
    "fnndsc_data": "head MR by Siemens with CSA headers",
    "jsl_visual_nlp": "X-ray, mammography, documents with identifiers",
    "presidio": "images with burned-in identifiers",
    "dcmqi": "segmentations, CT",
    "highdicom": "segmentations, microscopy, reports",
    "rt_utils": "RTSTRUCT, CT",
    "pypi": "deid-data: secondary captures, ultrasound",
    "ibsi": "IBSI phantoms; soft-tissue sarcoma cohort (CT, PET, MR, RTSTRUCT)",
}
_NAMED = (
    "AccessionNumber InstitutionName InstitutionAddress StationName InstitutionalDepartmentName PatientAddress "
    "PatientID OtherPatientIDs OtherPatientNames ReferringPhysicianName PatientComments AdditionalPatientHistory"
)
_SHAPE = (
    "Rows Columns SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames BitsAllocated BitsStored "
    "HighBit PixelRepresentation RescaleSlope RescaleIntercept"
)
NAMED, SHAPE = _NAMED.split(), _SHAPE.split()
GEOMETRY = ("ContourData", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "ReferencedROINumber")
BULK = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its new bytes, or why it was refused."""

    data: bytes | None
    reason: str = ""


def files(root: Path, folder: str) -> list[Path]:
    return [path for path in sorted((root / folder).rglob("*")) if path.is_file()]


def own_words(data: bytes) -> frozenset[str]:
    """The words of the file's names and identifiers, as the pipeline knows them of a patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return frozenset(word.casefold() for word in _words(_identities(_header_of(data))))


def outcome(data: bytes, words: frozenset[str] = frozenset()) -> Outcome:
    """The file through the rewriter; any exception but a verdict is a failure of the caller's test."""
    rewriter = Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, DateRule("shift", DAYS), words))
    try:
        return Outcome(rewrite_instance(data, rewriter, SPARE).data)
    except Unsafe as verdict:
        assert verdict.reason and verdict.remedy
        return Outcome(None, verdict.reason)


def complaints(data: bytes, new: bytes) -> list[str]:
    """What is wrong with a cleaned file: where, never a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, after = pydicom.dcmread(io.BytesIO(data), force=True), pydicom.dcmread(io.BytesIO(new))
        found = [f"{name} changed" for name in SHAPE if not _same(before.get(name), after.get(name))]
        found += [f"{name}: {why}" for name in BULK for why in _pixels(before, after, name)]
        found += [f"{name} at some depth changed" for name in GEOMETRY if _all_of(before, name) != _all_of(after, name)]
        found += list(_left(before, after, new))
        if after.file_meta.TransferSyntaxUID.is_transfer_syntax:  # pydicom doesn't write those that it doesn't know
            after.save_as(io.BytesIO())
    return found


def _all_of(ds: Dataset, name: str) -> list[object]:
    """The values of an attribute at every depth, in order, but for those of private sequences."""
    return [values for keyword, _, values in _elements(ds, private=False) if keyword == name and values != [None]]


def _same(old: object, new: object) -> bool:
    return old == new or (old in (None, "") and new in (None, ""))


def _pixels(before: Dataset, after: Dataset, name: str) -> Iterator[str]:
    """Pixel values: all of them, byte for byte; compressed ones also as decoded."""
    old, new = before.get(name), after.get(name)
    if old is None and new is None:
        return
    if old is None or new is None:
        yield "lost"
        return
    if not after[name].is_undefined_length:
        size = -(-_values(after) * after.BitsAllocated // 8)
        if new[:size] != old[:size] or len(old) < size or len(new) != size + size % 2:
            yield "values differ"
        return
    if after.file_meta.TransferSyntaxUID != before.file_meta.TransferSyntaxUID:
        yield "another transfer syntax"
    if old != new and not np.array_equal(before.pixel_array, after.pixel_array):
        yield "decoded values differ"


def _values(ds: Dataset) -> int:
    samples = 2 if ds.PhotometricInterpretation == "YBR_FULL_422" else ds.SamplesPerPixel
    return int(ds.Rows) * int(ds.Columns) * int(ds.get("NumberOfFrames") or 1) * int(samples)


def _left(before: Dataset, after: Dataset, new: bytes) -> Iterator[str]:
    """Original identifiers in the new file, outside of its pixel values."""
    pixels = next((bytes(after[name].value) for name in BULK if name in after), b"")
    place = new.find(pixels[:4096]) if pixels else len(new)
    header = new[: place if place > 0 else len(new)]
    text = header.lower()
    for uid in sorted(_uids(before)):
        if re.search(rb"(?<![\d.])" + re.escape(uid.encode()) + rb"(?![\d.])", header):
            yield "UID left"
    for word in sorted(_words(_identities(before)) - _excused(before)):
        if re.search(rb"(?<![a-z0-9])" + re.escape(word.encode().lower()) + rb"(?![a-z0-9])", text):
            yield f"word left: {word}"
    dates = _dates(before)
    moved = {day + timedelta(DAYS) for day in dates}
    for day in sorted(dates - moved):
        if re.search(rb"(?<!\d)" + day.strftime("%Y%m%d").encode() + rb"(?!\d{6})", header):
            yield "date left"
    if not _dates(after) <= moved:
        yield "date that is no shifted one"


def _header_of(data: bytes) -> Dataset:
    try:
        return pydicom.dcmread(io.BytesIO(data), force=True, stop_before_pixels=True)
    except Exception:
        return Dataset()


def _elements(ds: Dataset, private: bool = True) -> Iterator[tuple[str, str, list[object]]]:
    """Keyword, VR and values of all elements at any depth; those that pydicom can't read are left out."""
    for tag in list(ds.keys()):
        try:
            element = ds[tag]
        except Exception:
            continue
        if element.tag.is_private and not private:
            continue
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item, private)
        else:
            many = element.VM > 1 and not isinstance(element.value, bytes | str)
            yield element.keyword, element.VR, list(element.value) if many else [element.value]


def _identities(ds: Dataset) -> set[str]:
    return {
        str(value)
        for keyword, vr, values in _elements(ds)
        if vr == "PN" or keyword in NAMED
        for value in values
        if value not in (None, "")
    }


def _words(texts: set[str]) -> set[str]:
    """Parts of names and identifiers that are long enough to mean somebody."""
    return {part for text in texts for part in re.split(r"[\s^=,.;:/\\()\[\]_-]+", text) if len(part) >= 4}


def _excused(ds: Dataset) -> set[str]:
    """Words of the scanner's name, which hospitals give to stations, and of the markers that are written; times of day."""
    scanner = {str(ds.get(name, "")) for name in ("Manufacturer", "ManufacturerModelName")}
    times = {str(value).partition(".")[0] for _, vr, values in _elements(ds) if vr == "TM" for value in values}
    harmless = {"patient", "none", *times, *_lower(_words(scanner))}
    return {word for word in _words(_identities(ds)) if word.lower() in harmless}


def _lower(words: set[str]) -> set[str]:
    return {word.lower() for word in words}


def _uids(ds: Dataset) -> set[str]:
    found = {str(value) for _, vr, values in _elements(ds) if vr == "UI" for value in values if value}
    return {uid for uid in found if len(uid) > 8 and not uid.startswith("1.2.840.10008.")}


def _dates(ds: Dataset) -> set[date]:
    found = set()
    for _, vr, values in _elements(ds):
        for value in values if vr in ("DA", "DT") else ():
            try:
                text = str(value).replace(".", "") if vr == "DA" else str(value)  # 1994.11.05 was right before 1993
                found.add(date(int(text[:4]), int(text[4:6]), int(text[6:8])))
            except ValueError:
                continue
    return found


def table(root: Path) -> str:
    """The page: per folder, how many files were cleaned and how many were refused, and why."""
    lines = [
        "# Real files that de-identification is tried on",
        "",
        "Public test data, none of it in this repository. Each file of a folder goes through `deidentify`'s rewriter as it is,",
        "also those that are no DICOM. A file is cleaned, or refused with a reason (its series is then quarantined). Pixel",
        "values, references and what is left of the original identifiers are examined by `tests/real_files.py`, which reads",
        "with pydicom only. Written by `python -m real_files` in `tests/`.",
        "",
        "| folder | what | files | cleaned | refused, by reason |",
        "|---|---|---:|---:|---|",
    ]
    total, reasons = Counter[str](), Counter[str]()
    for folder, what in FOLDERS.items():
        verdicts = [outcome(path.read_bytes()) for path in files(root, folder)]
        refused = Counter(verdict.reason for verdict in verdicts if verdict.data is None)
        cleaned = len(verdicts) - refused.total()
        lines.append(f"| {folder} | {what} | {len(verdicts)} | {cleaned} | {_listed(refused)} |")
        total.update(files=len(verdicts), cleaned=cleaned)
        reasons.update(refused)
    lines.append(f"| all | | {total['files']} | {total['cleaned']} | {_listed(reasons)} |")
    return "\n".join(lines) + "\n"


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(
        f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    )


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(table(Path(os.environ["RADCURATE_TEST_DATA"]).resolve()))
