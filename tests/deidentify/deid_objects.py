"""Small objects for the de-identification tests, made with pydicom so that reader and writer under test are not trusted."""

from __future__ import annotations

import io
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, SegmentationStorage

from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.instance import Rewritten, rewrite_instance
from radcurate.deidentify.policy import load_policy
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.keys import Key
from radcurate.settings import Deidentify

ROOT = Path(__file__).resolve().parents[2]
ALLOWLIST, VOCABULARY = ROOT / "config/allowlist", ROOT / "config/vocabulary.yaml"
POLICY = load_policy(ALLOWLIST, VOCABULARY, Deidentify())
YEAR_POLICY = load_policy(ALLOWLIST, VOCABULARY, Deidentify(dates="year"))
RULES = {rule.tag: rule for family in POLICY.families.values() for rule in family.rules.values()}
SPARE = {0x0020000D: "2.25.1", 0x0020000E: "2.25.2", 0x00080018: "2.25.3"}
SUBJECT = "P-00112233445566aa"
SHIFT = DateRule("shift", 70)
YEAR = DateRule("year")
TEST_KEY = Key(bytes(range(32)))


def ct(**changes: object) -> Dataset:
    """A CT slice of 4 by 6 pixels with identifiers in the usual places."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3.4.5.1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.3"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Quxworth^Zebulon", "MRN7734219", "19500612", "M"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20200310", "101500", "ACC998877"
    ds.Modality, ds.ImageType, ds.BodyPartExamined = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], "CHEST"
    ds.Manufacturer, ds.ConvolutionKernel, ds.KVP, ds.SliceThickness = "SIEMENS", "B30f", "120", "1.5"
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 4, 6, 16, 16, 15
    ds.PixelRepresentation, ds.SamplesPerPixel, ds.PhotometricInterpretation = 0, 1, "MONOCHROME2"
    ds.PixelSpacing, ds.ImagePositionPatient = ["0.5", "0.5"], ["0", "0", "10"]
    ds.ImageOrientationPatient, ds.RescaleSlope, ds.RescaleIntercept = [1, 0, 0, 0, 1, 0], "1", "-1024"
    ds.PixelData = bytes(range(48))
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def seg() -> Dataset:
    """A segmentation of one segment with references to the CT."""
    ds = ct(
        Modality="SEG", SOPClassUID=SegmentationStorage, SOPInstanceUID="1.2.3.4.5.9", BitsAllocated=8, BitsStored=8
    )
    ds.HighBit, ds.PixelData, ds.SegmentationType = 7, bytes(24), "FRACTIONAL"
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel, segment.SegmentAlgorithmType = 1, "Quxworth tumor", "MANUAL"
    category = Dataset()
    category.CodeValue, category.CodingSchemeDesignator, category.CodeMeaning = "49755003", "SCT", "Quxworth"
    segment.SegmentedPropertyCategoryCodeSequence = [category]
    ds.SegmentSequence = [segment]
    reference, instance = Dataset(), Dataset()
    instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = CTImageStorage, "1.2.3.4.5.1"
    reference.SeriesInstanceUID, reference.ReferencedInstanceSequence = "1.2.3.4.2", [instance]
    ds.ReferencedSeriesSequence = [reference]
    return ds


def rtstruct(*names: str) -> Dataset:
    """Contours named `names`, one each, that refer to the CT by study, series, frame of reference and instance."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = RTStructureSetStorage, "1.2.3.4.5.8", "RTSTRUCT"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3.4.1", "1.2.3.4.7", "1.2.3.4.3"
    ds.PatientName, ds.PatientID, ds.StructureSetLabel = "Quxworth^Zebulon", "MRN7734219", "Plan Dr Foobarov"
    image, series, study, frame = Dataset(), Dataset(), Dataset(), Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = CTImageStorage, "1.2.3.4.5.1"
    series.SeriesInstanceUID, series.ContourImageSequence = "1.2.3.4.2", [image]
    study.ReferencedSOPInstanceUID, study.RTReferencedSeriesSequence = "1.2.3.4.1", [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = "1.2.3.4.3", [study]
    ds.ReferencedFrameOfReferenceSequence = [frame]
    ds.StructureSetROISequence, ds.ROIContourSequence, ds.RTROIObservationsSequence = [], [], []
    for number, name in enumerate(names or ("GTV-1",), start=1):
        roi, contours, contour, observation = Dataset(), Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, "1.2.3.4.3"
        contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 3
        contour.ContourData, contour.ContourImageSequence = (
            ["0", "0.50", "10", "1", "0", "1e1", "1", "1", "10.000"],
            [image],
        )
        contours.ReferencedROINumber, contours.ContourSequence = number, [contour]
        observation.ObservationNumber, observation.ReferencedROINumber = number, number
        observation.RTROIInterpretedType, observation.ROIInterpreter = "GTV", "Foobarov^Anna"
        ds.StructureSetROISequence.append(roi)
        ds.ROIContourSequence.append(contours)
        ds.RTROIObservationsSequence.append(observation)
    return ds


def to_bytes(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The file's bytes, with identifiers in preamble and meta group too."""
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.SourceApplicationEntityTitle = "QUXWORTH_WS"
    ds.preamble = b"Quxworth".ljust(128, b"\0")
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def rewriter(dates: DateRule = SHIFT, key: Key = TEST_KEY, own_words: frozenset[str] = frozenset()) -> Rewriter:
    return Rewriter(POLICY if dates.mode == "shift" else YEAR_POLICY, key, Patient(SUBJECT, dates, own_words))


def rewrite(
    ds: Dataset | bytes, dates: DateRule = SHIFT, syntax: str = ExplicitVRLittleEndian, key: Key = TEST_KEY
) -> Rewritten:
    data = ds if isinstance(ds, bytes) else to_bytes(ds, syntax)
    return rewrite_instance(data, rewriter(dates, key), SPARE)


def planted_texts() -> tuple[bytes, ...]:
    """The identifiers of the objects above."""
    return (
        b"Quxworth",
        b"QUXWORTH",
        b"Zebulon",
        b"MRN7734219",
        b"ACC998877",
        b"19500612",
        b"20200310",
        b"Foobarov",
        b"1.2.3.4",
    )
