"""CT, MR and PET series as DICOM, written by pydicom alone.

header = image_header(person, study, scanner, series)
for number, dataset in enumerate(slices(header, values, geometry)):
    write(dataset, folder / f"{number}.dcm")
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, Sequence
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.pixels import compress
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    RLELossless,
)

from radcurate.demo.contours import decimals, rtstruct, seg
from radcurate.demo.geometry import Floats, Geometry
from radcurate.demo.people import Person, Scanner, Series, Study, uid

__all__ = ["common_header", "image_header", "image_series", "rtstruct", "seg", "slices", "write", "write_series"]

IMPLEMENTATION = uid("radcurate demo writer")
_CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}
_COMPRESSED = {RLELossless, JPEG2000Lossless}


def started(study: Study, series: Series) -> datetime:
    """When a series began."""
    begun = datetime.strptime(f"{study.day:%Y%m%d}{study.time}", "%Y%m%d%H%M%S")
    return begun + timedelta(seconds=series.time_offset)


def common_header(
    person: Person, study: Study, scanner: Scanner, series: Series, charset: str = "ISO_IR 192"
) -> Dataset:
    """Patient, study, series and equipment modules, shared by images and contours."""
    begun = started(study, series)
    header = Dataset()
    header.SpecificCharacterSet = charset
    header.StudyDate = f"{study.day:%Y%m%d}"
    header.SeriesDate = header.AcquisitionDate = header.ContentDate = f"{begun:%Y%m%d}"
    header.StudyTime = study.time
    header.SeriesTime = header.AcquisitionTime = header.ContentTime = f"{begun:%H%M%S}"
    header.AccessionNumber = study.accession
    header.Modality = series.modality
    header.Manufacturer = scanner.manufacturer
    header.ManufacturerModelName = scanner.model
    header.StationName = scanner.station
    header.DeviceSerialNumber = scanner.serial
    header.SoftwareVersions = scanner.software
    header.StudyDescription = study.description
    header.SeriesDescription = series.description
    header.PatientName = person.name
    header.PatientID = person.patient_id
    header.PatientBirthDate = f"{person.birth_date:%Y%m%d}"
    header.PatientSex = person.sex
    header.PatientAge = f"{person.age:03d}Y"
    header.PatientSize = f"{person.size:.2f}"
    header.PatientWeight = f"{person.weight:.1f}"
    header.StudyInstanceUID = study.study_uid
    header.SeriesInstanceUID = series.series_uid
    header.StudyID = study.study_id
    header.SeriesNumber = series.number
    header.FrameOfReferenceUID = study.frame_uid
    header.PositionReferenceIndicator = ""
    return header


def image_header(
    person: Person | None = None,
    study: Study | None = None,
    scanner: Scanner | None = None,
    series: Series | None = None,
    charset: str = "ISO_IR 192",
) -> Dataset:
    """Everything in an image's header that all slices of a series share."""
    person, study = person or Person(), study or Study()
    scanner, series = scanner or Scanner(), series or Series()
    header = common_header(person, study, scanner, series, charset)
    header.SOPClassUID = _CLASSES[series.modality]
    header.PatientPosition = "HFS"
    header.BodyPartExamined = series.body_part
    header.ProtocolName = series.protocol
    header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"] if series.modality == "CT" else ["ORIGINAL", "PRIMARY"]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    {"CT": _ct, "MR": _mr, "PT": _pt}[series.modality](header, person, study, scanner, series)
    return header


def _ct(header: Dataset, person: Person, study: Study, scanner: Scanner, series: Series) -> None:
    header.KVP = scanner.kvp
    header.XRayTubeCurrent = 180
    header.ExposureTime = 500
    header.ConvolutionKernel = scanner.kernel
    header.GantryDetectorTilt = 0
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = "-1024", "1", "HU"
    header.PixelRepresentation = 0


def _mr(header: Dataset, person: Person, study: Study, scanner: Scanner, series: Series) -> None:
    t1 = series.weighting == "T1"
    header.ScanningSequence = "GR" if t1 else "SE"
    header.SequenceVariant = "SP" if t1 else "SK"
    header.ScanOptions = ""
    header.MRAcquisitionType = "3D" if t1 else "2D"
    header.SequenceName = "tfl3d" if t1 else "tse2d"
    header.RepetitionTime, header.EchoTime = ("8.2", "3.7") if t1 else ("4500", "98")
    header.FlipAngle = 8 if t1 else 90
    header.EchoTrainLength = 1 if t1 else 15
    header.MagneticFieldStrength = scanner.field_strength
    header.PixelRepresentation = 0


def _pt(header: Dataset, person: Person, study: Study, scanner: Scanner, series: Series) -> None:
    header.Units = "BQML"
    header.DecayCorrection = "START"
    header.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY"]
    header.CountsSource = "EMISSION"
    header.SeriesType = ["WHOLE BODY", "IMAGE"]
    header.AttenuationCorrectionMethod = "measured, CT"
    header.ReconstructionMethod = "OSEM3D 3i24s"
    header.ConvolutionKernel = scanner.kernel
    header.ActualFrameDuration = 120000
    header.FrameReferenceTime = 60000
    header.RescaleIntercept = "0"
    header.PixelRepresentation = 0
    injected = started(study, series) - timedelta(seconds=series.pet.uptake)
    drug = Dataset()
    drug.Radiopharmaceutical = "Fluorodeoxyglucose"
    drug.RadiopharmaceuticalStartTime = f"{injected:%H%M%S}.00"
    if series.pet.with_date:
        drug.RadiopharmaceuticalStartDateTime = f"{injected:%Y%m%d%H%M%S}.00"
    drug.RadionuclideTotalDose = f"{series.pet.dose:.0f}"
    drug.RadionuclideHalfLife = f"{series.pet.half_life:.1f}"
    drug.RadionuclidePositronFraction = "0.97"
    drug.RadionuclideCodeSequence = Sequence([_code("C-111A1", "SRT", "^18^Fluorine")])
    header.RadiopharmaceuticalInformationSequence = Sequence([drug])


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def slices(header: Dataset, values: Floats, geometry: Geometry, last_first: bool = False) -> Iterator[Dataset]:
    """One data set per plane, in plane order.

    Args:
        header: from `image_header`; shared elements are not copied.
        values: shape (plane, row, column); HU, MR signal, or for PET activity in Bq/ml.
        geometry: where they lie.
        last_first: number the instances downwards, as some scanners do.
    """
    _, row, column = (np.asarray(axis) for axis in geometry.axes)
    normal = np.cross(column, row)
    for index in range(geometry.shape[0]):
        dataset = Dataset()
        dataset.update(header)
        position = geometry.to_patient((index, 0, 0))
        dataset.SOPInstanceUID = uid(header.SeriesInstanceUID, index)
        dataset.InstanceNumber = geometry.shape[0] - index if last_first else index + 1
        dataset.SliceThickness = f"{geometry.spacing[0]:g}"
        dataset.ImagePositionPatient = decimals(position)
        dataset.ImageOrientationPatient = [f"{v:.8g}" for v in (*column, *row)]
        dataset.SliceLocation = decimals([float(position @ normal)])[0]
        dataset.PixelSpacing = [f"{s:g}" for s in geometry.spacing[1:]]
        dataset.Rows, dataset.Columns = geometry.shape[1:]
        if header.Modality == "MR":
            dataset.SpacingBetweenSlices = f"{geometry.spacing[0]:g}"
        if header.Modality == "PT":
            dataset.ImageIndex = index + 1
        _store(dataset, values[index])
        yield dataset


def _store(dataset: Dataset, plane: Floats) -> None:
    """Stored values of a plane; PET planes have their own rescale slope, as scanners write it."""
    if dataset.Modality == "PT":
        top = max(float(plane.max()), 1.0)
        dataset.RescaleSlope = f"{top / 32767:.8g}"[:16]
    slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
    stored = (plane - intercept) / slope
    kind = np.int16 if dataset.PixelRepresentation else np.uint16
    limits = np.iinfo(kind)
    whole: npt.NDArray[Any] = np.clip(np.rint(stored), limits.min, limits.max).astype(kind)
    dataset.add_new(0x7FE00010, "OW", whole.tobytes())


def write(
    dataset: Dataset,
    path: Path,
    syntax: UID = ExplicitVRLittleEndian,
    preamble: bytes = bytes(128),
    meta: dict[str, Any] | None = None,
) -> None:
    """Write a data set with file meta information.

    Args:
        dataset: from `slices`, `rtstruct` or `seg`; not changed.
        path: its folder is made.
        syntax: transfer syntax; RLE and JPEG 2000 lossless compress, big endian swaps the pixels.
        preamble: the 128 bytes in front.
        meta: further file meta elements by keyword.
    """
    dataset = _encoded(dataset, syntax)
    info = FileMetaDataset()
    info.FileMetaInformationVersion = b"\x00\x01"
    info.MediaStorageSOPClassUID = dataset.SOPClassUID
    info.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    info.TransferSyntaxUID = syntax
    info.ImplementationClassUID = IMPLEMENTATION
    for keyword, value in (meta or {}).items():
        setattr(info, keyword, value)
    dataset.file_meta = info
    dataset.preamble = preamble
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, dataset, enforce_file_format=True)


def _encoded(dataset: Dataset, syntax: UID) -> Dataset:
    copy = Dataset()
    copy.update(dataset)
    if syntax in _COMPRESSED:
        copy.file_meta = FileMetaDataset()
        copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        array = np.frombuffer(copy.PixelData, np.uint16 if not copy.PixelRepresentation else np.int16)
        compress(copy, syntax, array.reshape(copy.Rows, copy.Columns), generate_instance_uid=False)
    elif syntax == ExplicitVRBigEndian and "PixelData" in copy and copy.BitsAllocated == 16:
        copy.add_new(0x7FE00010, "OW", np.frombuffer(copy.PixelData, "<u2").astype(">u2").tobytes())
    return copy


def image_series(
    values: Floats,
    geometry: Geometry,
    person: Person | None = None,
    study: Study | None = None,
    scanner: Scanner | None = None,
    series: Series | None = None,
) -> list[Dataset]:
    """The data sets of a whole series; values in HU, MR signal or Bq/ml, shape (plane, row, column)."""
    return list(slices(image_header(person, study, scanner, series), values, geometry))


def write_series(datasets: list[Dataset], folder: Path, syntax: UID = ExplicitVRLittleEndian) -> list[Path]:
    """Write data sets as 0000.dcm, 0001.dcm, … and return the paths."""
    paths = [folder / f"{number:04d}.dcm" for number in range(len(datasets))]
    for dataset, path in zip(datasets, paths, strict=True):
        write(dataset, path, syntax)
    return paths
