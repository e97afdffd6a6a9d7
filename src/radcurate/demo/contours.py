"""Contours as RTSTRUCT and masks as DICOM Segmentation, written by pydicom alone (PS3.3 A.19 and A.51)."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, Sequence
from pydicom.pixels import pack_bits
from pydicom.uid import RTStructureSetStorage, SegmentationStorage

from radcurate.demo.geometry import Floats, Geometry
from radcurate.demo.people import uid
from radcurate.demo.tracing import outlines

Mask = npt.NDArray[np.bool_]


def decimals(values: Many[float] | npt.NDArray[np.float64]) -> list[str]:
    """Lengths in mm as decimal strings of at most 16 characters, to 0.0001 mm."""
    return [f"{value:.4f}".rstrip("0").rstrip(".") for value in values]


@dataclass(frozen=True)
class Region:
    """A region of interest: its name, and a field in mm that is negative inside, shape (plane, row, column)."""

    name: str
    field: Floats

    @property
    def mask(self) -> Mask:
        """Voxels inside, shape (plane, row, column)."""
        return self.field < 0


@dataclass(frozen=True)
class Target:
    """The image that contours belong to. instances: (SOP class, SOP instance) by plane."""

    study_uid: str
    series_uid: str
    frame_uid: str
    instances: list[tuple[str, str]]

    @classmethod
    def of(cls, datasets: Many[Dataset]) -> Target:
        """From a series' data sets in plane order."""
        first = datasets[0]
        pairs = [(str(d.SOPClassUID), str(d.SOPInstanceUID)) for d in datasets]
        return cls(str(first.StudyInstanceUID), str(first.SeriesInstanceUID), str(first.FrameOfReferenceUID), pairs)


def rtstruct(
    header: Dataset,
    geometry: Geometry,
    target: Target,
    regions: Many[Region],
    kind: str = "CLOSED_PLANAR",
) -> Dataset:
    """A structure set. A hole is a second contour in the same plane, to be combined by exclusive or.

    Args:
        header: from `dicom_writer.common_header`, with modality RTSTRUCT; not changed.
        geometry: grid of the image.
        target: the image; what it names is referenced, whether it exists or not.
        regions: fields on that grid.
        kind: ContourGeometricType: CLOSED_PLANAR or CLOSEDPLANAR_XOR.
    """
    dataset = Dataset()
    dataset.update(header)
    dataset.Modality = "RTSTRUCT"
    dataset.SOPClassUID = RTStructureSetStorage
    dataset.SOPInstanceUID = uid(header.SeriesInstanceUID, "instance")
    dataset.InstanceNumber = 1
    dataset.setdefault("StructureSetLabel", "GTV")
    dataset.StructureSetDate, dataset.StructureSetTime = header.SeriesDate, header.SeriesTime
    dataset.ReferencedFrameOfReferenceSequence = Sequence([_frame_reference(target)])
    dataset.StructureSetROISequence = Sequence(_roi(n, region, target) for n, region in enumerate(regions, 1))
    dataset.ROIContourSequence = Sequence(
        _roi_contour(n, region, geometry, target, kind) for n, region in enumerate(regions, 1)
    )
    dataset.RTROIObservationsSequence = Sequence(_observation(n) for n, _ in enumerate(regions, 1))
    dataset.ApprovalStatus = "UNAPPROVED"
    return dataset


def _reference(pair: tuple[str, str]) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = pair
    return item


def _frame_reference(target: Target) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = target.series_uid
    series.ContourImageSequence = Sequence(_reference(pair) for pair in target.instances)
    study = _reference(("1.2.840.10008.3.1.2.3.1", target.study_uid))
    study.RTReferencedSeriesSequence = Sequence([series])
    frame = Dataset()
    frame.FrameOfReferenceUID = target.frame_uid
    frame.RTReferencedStudySequence = Sequence([study])
    return frame


def _roi(number: int, region: Region, target: Target) -> Dataset:
    item = Dataset()
    item.ROINumber = number
    item.ReferencedFrameOfReferenceUID = target.frame_uid
    item.ROIName = region.name
    item.ROIGenerationAlgorithm = "MANUAL"
    return item


def _roi_contour(number: int, region: Region, geometry: Geometry, target: Target, kind: str) -> Dataset:
    item = Dataset()
    item.ROIDisplayColor = [255, 40 * number % 256, 0]
    item.ReferencedROINumber = number
    item.ContourSequence = Sequence()
    for plane in np.flatnonzero(region.mask.any(axis=(1, 2))):
        for outline in outlines(region.field[plane]):
            points = geometry.to_patient(np.column_stack([np.full(len(outline), plane), outline]))
            contour = Dataset()
            contour.ContourImageSequence = Sequence([_reference(target.instances[int(plane)])])
            contour.ContourGeometricType = kind
            contour.NumberOfContourPoints = len(points)
            contour.ContourData = [f"{v:.3f}" for v in points.ravel()]
            item.ContourSequence.append(contour)
    return item


def _observation(number: int) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.RTROIInterpretedType = "GTV"
    item.ROIInterpreter = ""
    return item


def seg(header: Dataset, geometry: Geometry, target: Target, regions: Many[Region]) -> Dataset:
    """A binary segmentation, one segment per region, one frame per segment and plane that holds some of it.

    Args:
        header: from `dicom_writer.common_header`, with modality SEG; not changed.
        geometry: grid of the image.
        target: the image that is referenced.
        regions: fields on that grid.
    """
    dataset = Dataset()
    dataset.update(header)
    dataset.Modality = "SEG"
    dataset.SOPClassUID = SegmentationStorage
    dataset.SOPInstanceUID = uid(header.SeriesInstanceUID, "instance")
    frames = [(n, int(p)) for n, r in enumerate(regions, 1) for p in np.flatnonzero(r.mask.any(axis=(1, 2)))]
    _seg_pixels(dataset, geometry, regions, frames)
    _dimensions(dataset)
    dataset.SegmentSequence = Sequence(_segment(n, region.name) for n, region in enumerate(regions, 1))
    dataset.SharedFunctionalGroupsSequence = Sequence([_shared_groups(geometry)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(_frame_groups(geometry, target, n, p) for n, p in frames)
    series = Dataset()
    series.SeriesInstanceUID = target.series_uid
    used = sorted({plane for _, plane in frames})
    series.ReferencedInstanceSequence = Sequence(_reference(target.instances[plane]) for plane in used)
    dataset.ReferencedSeriesSequence = Sequence([series])
    return dataset


def _seg_pixels(dataset: Dataset, geometry: Geometry, regions: Many[Region], frames: list[tuple[int, int]]) -> None:
    dataset.InstanceNumber = 1
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.setdefault("ContentLabel", "TUMOUR")
    dataset.setdefault("ContentDescription", "")
    dataset.setdefault("ContentCreatorName", "")
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.LossyImageCompression = "00"
    dataset.SegmentationType = "BINARY"
    dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = geometry.shape[1:]
    stack = np.stack([regions[n - 1].mask[plane] for n, plane in frames]).astype(np.uint8)
    dataset.add_new(0x7FE00010, "OB", pack_bits(stack, pad=True))


def _dimensions(dataset: Dataset) -> None:
    organisation = Dataset()
    organisation.DimensionOrganizationUID = uid(dataset.SOPInstanceUID, "dimensions")
    dataset.DimensionOrganizationSequence = Sequence([organisation])
    dataset.DimensionIndexSequence = Sequence()
    for pointer, group in ((0x0062000B, 0x0062000A), (0x00200032, 0x00209113)):
        item = Dataset()
        item.DimensionOrganizationUID = organisation.DimensionOrganizationUID
        item.DimensionIndexPointer = pointer
        item.FunctionalGroupPointer = group
        dataset.DimensionIndexSequence.append(item)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _segment(number: int, label: str) -> Dataset:
    item = Dataset()
    item.SegmentNumber = number
    item.SegmentLabel = label
    item.SegmentAlgorithmType = "MANUAL"
    item.SegmentedPropertyCategoryCodeSequence = Sequence([_code("49755003", "Morphologically abnormal structure")])
    item.SegmentedPropertyTypeCodeSequence = Sequence([_code("108369006", "Neoplasm")])
    return item


def _shared_groups(geometry: Geometry) -> Dataset:
    orientation = Dataset()
    orientation.ImageOrientationPatient = [f"{v:.8g}" for v in (*geometry.axes[2], *geometry.axes[1])]
    measures = Dataset()
    measures.SliceThickness = measures.SpacingBetweenSlices = f"{geometry.spacing[0]:g}"
    measures.PixelSpacing = [f"{s:g}" for s in geometry.spacing[1:]]
    groups = Dataset()
    groups.PlaneOrientationSequence = Sequence([orientation])
    groups.PixelMeasuresSequence = Sequence([measures])
    return groups


def _frame_groups(geometry: Geometry, target: Target, segment: int, plane: int) -> Dataset:
    content = Dataset()
    content.DimensionIndexValues = [segment, plane + 1]
    position = Dataset()
    position.ImagePositionPatient = decimals(geometry.to_patient((plane, 0, 0)))
    identification = Dataset()
    identification.ReferencedSegmentNumber = segment
    source = _reference(target.instances[plane])
    source.PurposeOfReferenceCodeSequence = Sequence([_code("121322", "Source image for image processing operation")])
    source.PurposeOfReferenceCodeSequence[0].CodingSchemeDesignator = "DCM"
    derivation = Dataset()
    derivation.SourceImageSequence = Sequence([source])
    derivation.DerivationCodeSequence = Sequence([_code("113076", "Segmentation")])
    derivation.DerivationCodeSequence[0].CodingSchemeDesignator = "DCM"
    groups = Dataset()
    groups.FrameContentSequence = Sequence([content])
    groups.PlanePositionSequence = Sequence([position])
    groups.SegmentIdentificationSequence = Sequence([identification])
    groups.DerivationImageSequence = Sequence([derivation])
    return groups
