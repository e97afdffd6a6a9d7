"""Small DICOM and NIfTI files for the tests of the inventory, made with pydicom and nibabel."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

CT, MR, PT = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "4", "128"))
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
RTSTRUCT, SEG, SR = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("481.3", "66.4", "88.11"))
CLASSES = {"CT": CT, "MR": MR, "PT": PT}
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SIZE = 8


def uid(*parts: object) -> str:
    """A UID that depends on the parts only."""
    return "2.25." + str(int(hashlib.sha256(repr(parts).encode()).hexdigest()[:30], 16))


@dataclass(frozen=True)
class Export:
    """Series of one patient, written into a folder."""

    folder: Path
    patient: str = "PAT-4711"
    study: str = "study"

    def header(self, sop_class: str, modality: str, series: str, sop: str, **more: Any) -> FileDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, sop
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = sop_class, sop, modality
        dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = self.patient, "Falke^Zita", "19610203"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid(self.patient, self.study), series
        dataset.FrameOfReferenceUID, dataset.StudyDate = uid(self.patient, "space"), "20230405"
        for keyword, value in more.items():
            setattr(dataset, keyword, value)
        return dataset

    def slice(self, series: str, z: float, name: str | None = None, modality: str = "CT", **more: Any) -> Path:
        """One slice at z mm; its pixels depend on series and z."""
        sop = more.pop("SOPInstanceUID", uid(series, z))
        dataset = self.header(CLASSES[modality], modality, series, sop)
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [-10.0, -20.0, z], list(AXIAL)
        dataset.PixelSpacing, dataset.SliceThickness = [2.0, 1.5], 3.0
        put_pixels(dataset, np.random.default_rng(abs(hash_of(series, z))).integers(0, 500, (SIZE, SIZE), np.int16))
        for keyword, value in more.items():
            setattr(dataset, keyword, value) if value is not None else delattr(dataset, keyword)
        return save(dataset, self.folder / (name or f"{series[-6:]}_{z}"))

    def image(self, series: str = "", count: int = 4, step: float = 3.0, **more: Any) -> tuple[str, list[Path]]:
        """A series of `count` slices; its UID and its files."""
        series = series or uid(self.patient, "image")
        return series, [self.slice(series, step * k, **more) for k in range(count)]

    def rtstruct(
        self,
        image: str = "",
        instances: Many[str] = (),
        heights: Many[float] = (3.0,),
        series: str = "",
        name: str = "rs.dcm",
        **more: Any,
    ) -> str:
        """An RTSTRUCT with one square contour per height; refers to what is given."""
        series = series or uid(self.patient, "rtstruct", image, name)
        dataset = self.header(RTSTRUCT, "RTSTRUCT", series, uid(series, "sop"))
        space = dataset.FrameOfReferenceUID
        del dataset.FrameOfReferenceUID
        named = item(SeriesInstanceUID=image, ContourImageSequence=[reference(sop) for sop in instances])
        study = item(ReferencedSOPInstanceUID=dataset.StudyInstanceUID)
        study.RTReferencedSeriesSequence = Sequence([named] if image else [])
        frame = item(FrameOfReferenceUID=space, RTReferencedStudySequence=[study])
        dataset.ReferencedFrameOfReferenceSequence = Sequence([frame])
        dataset.StructureSetROISequence = Sequence([item(ROINumber=1, ROIName="GTV Falke")])
        contours = [
            item(ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=4, ContourData=square(z)) for z in heights
        ]
        dataset.ROIContourSequence = Sequence([item(ReferencedROINumber=1, ContourSequence=contours)])
        for keyword, value in more.items():
            setattr(dataset, keyword, value)
        save(dataset, self.folder / name)
        return series

    def seg(
        self, image: str, instances: Many[str] = (), heights: Many[float] = (0.0, 3.0), name: str = "seg.dcm"
    ) -> str:
        """A binary SEG with one frame per height."""
        series = uid(self.patient, "seg", image, name)
        dataset = self.header(SEG, "SEG", series, uid(series, "sop"))
        put_pixels(dataset, np.ones((len(heights), SIZE, SIZE), np.uint8))
        measures = item(PixelSpacing=[2.0, 1.5], SliceThickness=3.0)
        plane = item(ImageOrientationPatient=list(AXIAL))
        dataset.SharedFunctionalGroupsSequence = Sequence(
            [item(PixelMeasuresSequence=[measures], PlaneOrientationSequence=[plane])]
        )
        dataset.PerFrameFunctionalGroupsSequence = Sequence(
            [item(PlanePositionSequence=[item(ImagePositionPatient=[-10.0, -20.0, z])]) for z in heights]
        )
        if image:
            named = item(SeriesInstanceUID=image, ReferencedInstanceSequence=[reference(sop) for sop in instances])
            dataset.ReferencedSeriesSequence = Sequence([named])
        save(dataset, self.folder / name)
        return series

    def enhanced(self, series: str, heights: Many[float], name: str = "enhanced.dcm") -> str:
        """An enhanced MR object with a frame per height, in the given order."""
        dataset = self.header(ENHANCED_MR, "MR", series, uid(series, "sop"))
        put_pixels(dataset, np.ones((len(heights), SIZE, SIZE), np.int16))
        measures = item(PixelSpacing=[2.0, 1.5], SliceThickness=3.0)
        shared = item(
            PixelMeasuresSequence=[measures], PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))]
        )
        dataset.SharedFunctionalGroupsSequence = Sequence([shared])
        dataset.PerFrameFunctionalGroupsSequence = Sequence(
            [item(PlanePositionSequence=[item(ImagePositionPatient=[-10.0, -20.0, z])]) for z in heights]
        )
        save(dataset, self.folder / name)
        return uid(series, "sop")

    def other(self, name: str = "report.dcm", **more: Any) -> str:
        """A structured report: an object that is neither image nor contour."""
        series = uid(self.patient, "sr", name)
        save(self.header(SR, "SR", series, uid(series, "sop"), **more), self.folder / name)
        return series


def put_pixels(dataset: Dataset, values: np.ndarray) -> None:
    *frames, dataset.Rows, dataset.Columns = values.shape
    if frames:
        dataset.NumberOfFrames = frames[0]
    bits = 8 * values.dtype.itemsize
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PixelData = values.tobytes()


def save(dataset: FileDataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def item(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def reference(sop: str) -> Dataset:
    return item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=sop)


def square(z: float) -> list[float]:
    """Four points well inside an image of Export.slice, at the height z."""
    return [-8.0, -16.0, z, -4.0, -16.0, z, -4.0, -10.0, z, -8.0, -10.0, z]


def mask(path: Path, count: int = 4, labels: int = 1, dtype: Any = np.uint8, affine: Any = None) -> Path:
    """A NIfTI mask on the grid of Export.image, axes column, row, plane."""
    values = np.zeros((SIZE, SIZE, count), dtype)
    values[2:5, 2:5, 1] = labels
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(values, mask_affine() if affine is None else affine).to_filename(path)
    return path


def mask_affine() -> np.ndarray:
    """RAS affine of Export.image: column 1.5 mm, row 2 mm, plane 3 mm."""
    affine = np.diag([-1.5, -2.0, 3.0, 1.0])
    affine[:3, 3] = 10.0, 20.0, 0.0
    return affine


def hash_of(*parts: object) -> int:
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:8], 16)


def tree_state(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and time of every file: equal before and after where nothing was written."""
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
