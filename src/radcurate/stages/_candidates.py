"""Image and contour series in a folder of any form, by what the files say; nothing is told by names."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import nibabel
import pydicom
from nibabel.filebasedimages import ImageFileError

from radcurate.stages._pool import map_items

NIFTI = (".nii", ".nii.gz")
KINDS = {"RTSTRUCT": "rtstruct", "SEG": "seg"}
TAGS = [
    "SOPClassUID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID", "Rows",
    "ReferencedFrameOfReferenceSequence",
]  # fmt: skip


@dataclass(frozen=True)
class Series:
    """Files that belong together.

    Attributes:
        kind: image, rtstruct, seg or nifti.
        modality: of an image, else empty.
        spaces: frames of reference.
        patient: PatientID; empty for NIfTI.
        shape: of a NIfTI file, sorted; else empty.
    """

    kind: str
    files: tuple[Path, ...]
    modality: str = ""
    spaces: frozenset[str] = frozenset()
    patient: str = ""
    shape: tuple[int, ...] = ()


def find_series(folder: Path, threads: int) -> tuple[list[Series], list[Series]]:
    """Images, and contours, below a folder. Files that are neither are passed over."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            by_folder[path.parent].append(path)
    parts = map_items(_series_of, [by_folder[name] for name in sorted(by_folder)], threads, "reading headers")
    found = [series for part in parts for series in part]
    return [one for one in found if one.kind == "image"], [one for one in found if one.kind != "image"]


def likely(contours: list[Series], image: Series, shape: tuple[int, ...]) -> list[Series]:
    """Contours that may have been drawn on an image of that shape, likely ones first."""
    wanted = tuple(sorted(shape))

    def rank(contour: Series) -> int | None:
        if contour.kind == "nifti":
            return 0 if contour.shape == wanted else 2
        if contour.spaces & image.spaces:
            return 0
        return 1 if contour.patient == image.patient else None

    ranked = [(place, number) for number, one in enumerate(contours) if (place := rank(one)) is not None]
    return [contours[number] for _, number in sorted(ranked)]


def _series_of(paths: list[Path]) -> list[Series]:
    """The series of one folder: NIfTI files one by one, DICOM files by their series."""
    found = [series for path in paths if path.name.endswith(NIFTI) and (series := _nifti(path))]
    groups: dict[tuple[str, str, str], list[tuple[Path, frozenset[str], str]]] = defaultdict(list)
    for path in paths:
        header = None if path.name.endswith(NIFTI) else _header(path)
        if header is not None:
            key = (str(header.get("SeriesInstanceUID", "")), str(header.Modality), _kind(header))
            groups[key].append((path, _spaces(header), str(header.get("PatientID", ""))))
    for (_, modality, kind), members in sorted(groups.items()):
        files = tuple(path for path, _, _ in members)
        spaces = frozenset().union(*(space for _, space, _ in members))
        found.append(Series(kind, files, modality if kind == "image" else "", spaces, members[0][2]))
    return found


def _nifti(path: Path) -> Series | None:
    try:
        return Series("nifti", (path,), shape=tuple(sorted(nibabel.load(path).shape[:3])))
    except (OSError, ValueError, EOFError, ImageFileError):
        return None


def _header(path: Path) -> pydicom.Dataset | None:
    """What tells which series a file belongs to; None where it is no DICOM image or contour."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(TAGS))
        return header if header.get("Modality") and _kind(header) else None
    except Exception:  # a damaged file is nobody's image; reextract says which regions it didn't find
        return None


def _kind(header: pydicom.Dataset) -> str:
    return KINDS.get(str(header.Modality), "image" if "Rows" in header else "")


def _spaces(header: pydicom.Dataset) -> frozenset[str]:
    named = [header, *(header.get("ReferencedFrameOfReferenceSequence") or [])]
    return frozenset(str(item.FrameOfReferenceUID) for item in named if item.get("FrameOfReferenceUID"))
