"""Contours, segmentations, doses, plans and multi-frame images: links that have to hold, and texts that people type into them."""

from __future__ import annotations

from radcurate.canary import objects
from radcurate.canary.build import specimen
from radcurate.canary.invent import Inventor
from radcurate.canary.sheet import Sheet
from radcurate.canary.specimen import Specimen


def specimens() -> list[Specimen]:
    """The specimens of this module."""
    return [_contours(), _segmentation(), _dose(), _plan(), _enhanced_mr(), _enhanced_ct()]


def _contours() -> Specimen:
    who = Inventor("contours")
    sheet = objects.common(who, objects.RTSTRUCT, "RTSTRUCT")
    for kind, keyword, secret, form in (
        ("label of contours", "StructureSetLabel", who.surname(), "GTV {}"), ("label of contours", "StructureSetName", who.surname(), "{}"),
        ("label of contours", "StructureSetDescription", who.spoken(), "drawn by {}"), ("approval", "ReviewerName", who.name(), "{}"),
        ("approval", "ReviewDate", who.day(), "{}"), ("approval", "ReviewTime", who.record(), "{}"),
    ):  # fmt: skip
        sheet.plant(kind, keyword, secret, form)
    sheet.plant("date of the examination", "StructureSetDate", who.visited())
    sheet.hold("StructureSetTime", "113000")
    sheet.plant("label of contours", "OperatorsName", who.name())
    frame = sheet.item("ReferencedFrameOfReferenceSequence", open=True)
    space, image = who.uid(), who.uid()
    frame.plant("reference of contours", "FrameOfReferenceUID", space)
    study = frame.item("RTReferencedStudySequence", open=True)
    study.hold("ReferencedSOPClassUID", "1.2.840.10008.3.1.2.3.1")
    study.plant("reference of contours", "ReferencedSOPInstanceUID", who.uid())
    series = study.item("RTReferencedSeriesSequence", open=True)
    series.plant("reference of contours", "SeriesInstanceUID", who.uid())
    picture = series.item("ContourImageSequence")
    picture.hold("ReferencedSOPClassUID", objects.CT)
    picture.plant("reference of contours", "ReferencedSOPInstanceUID", image)
    for number, form in enumerate(("GTV {}", "{}", "PTV_{}_50Gy"), 1):
        _region(sheet, who, number, form)
        contours = sheet.item("ROIContourSequence")
        contours.hold("ReferencedROINumber", str(number))
        contours.hold("ROIDisplayColor", "255\\0\\64")
        contour = contours.item("ContourSequence", open=number == 2)
        contour.hold("ContourGeometricType", "CLOSED_PLANAR")
        contour.hold("NumberOfContourPoints", "3")
        contour.hold("ContourData", "-10.25\\4.5\\-105.5\\-8.75\\4.5\\-105.5\\-8.75\\6.125\\-105.5")
        drawn = contour.item("ContourImageSequence")
        drawn.hold("ReferencedSOPClassUID", objects.CT)
        drawn.plant("reference of contours", "ReferencedSOPInstanceUID", image)
    return specimen("rtstruct", "rtstruct", sheet)


def _region(sheet: Sheet, who: Inventor, number: int, form: str) -> None:
    region = sheet.item("StructureSetROISequence")
    region.hold("ROINumber", str(number))
    region.plant("reference of contours", "ReferencedFrameOfReferenceUID", who.uid())
    region.plant("name of a region", "ROIName", who.surname(), form)
    region.plant("description of a region", "ROIDescription", who.spoken(), "as {} said")
    region.plant("description of a region", "ROIGenerationDescription", who.spoken())
    region.hold("ROIGenerationAlgorithm", "MANUAL")
    seen = sheet.item("RTROIObservationsSequence")
    seen.hold("ObservationNumber", str(number))
    seen.hold("ReferencedROINumber", str(number))
    seen.hold("RTROIInterpretedType", "GTV")
    seen.plant("observer of a region", "ROIInterpreter", who.name())
    seen.plant("observer of a region", "ROIObservationLabel", who.surname())
    seen.plant("observer of a region", "ROIObservationDescription", who.spoken())


def _segmentation() -> Specimen:
    who = Inventor("segmentation")
    sheet = objects.common(who, objects.SEG, "SEG")
    objects.pixels(sheet, 8, frames=2)
    sheet.hold("ImageType", "DERIVED\\PRIMARY")
    sheet.plant("frame of reference", "FrameOfReferenceUID", who.uid())
    sheet.plant("label of a segmentation", "ContentLabel", who.code_word())
    sheet.plant("label of a segmentation", "ContentDescription", who.spoken(), "tumour of {}")
    sheet.plant("author of a segmentation", "ContentCreatorName", who.name())
    author = sheet.item("ContentCreatorIdentificationCodeSequence")
    author.plant("author of a segmentation", "LongCodeValue", who.licence())
    for keyword, value in (("SegmentationType", "FRACTIONAL"), ("SegmentationFractionalType", "PROBABILITY")):
        sheet.hold(keyword, value)
    sheet.hold("MaximumFractionalValue", (255,))
    for number in (1, 2):
        segment = sheet.item("SegmentSequence")
        segment.hold("SegmentNumber", (number,))
        segment.plant("name of a segment", "SegmentLabel", who.surname(), "Tumor {}")
        segment.plant("name of a segment", "SegmentDescription", who.spoken())
        segment.hold("SegmentAlgorithmType", "SEMIAUTOMATIC")
        segment.plant("author of a segmentation", "SegmentAlgorithmName", who.surname(), "threshold of {}")
        segment.plant("tracking", "TrackingID", who.other("T"))
        segment.plant("tracking", "TrackingUID", who.uid())
        for keyword, code in (
            ("SegmentedPropertyCategoryCodeSequence", "49755003"),
            ("SegmentedPropertyTypeCodeSequence", "108369006"),
        ):
            item = segment.item(keyword)
            item.hold("CodeValue", code)
            item.hold("CodingSchemeDesignator", "SCT")
            item.plant("meaning of a code", "CodeMeaning", who.spoken())
    series = sheet.item("ReferencedSeriesSequence")
    series.plant("reference of a segmentation", "SeriesInstanceUID", who.uid())
    instance = series.item("ReferencedInstanceSequence")
    instance.hold("ReferencedSOPClassUID", objects.CT)
    instance.plant("reference of a segmentation", "ReferencedSOPInstanceUID", source := who.uid())
    shared = sheet.item("SharedFunctionalGroupsSequence")
    _measures(shared)
    for number in (1, 2):
        frame = sheet.item("PerFrameFunctionalGroupsSequence", open=True)
        frame.item("PlanePositionSequence").hold("ImagePositionPatient", f"-249.5\\-419.5\\{-105.5 + number}")
        frame.item("SegmentIdentificationSequence").hold("ReferencedSegmentNumber", (number,))
        derived = frame.item("DerivationImageSequence").item("SourceImageSequence")
        derived.hold("ReferencedSOPClassUID", objects.CT)
        derived.plant("reference of a frame", "ReferencedSOPInstanceUID", source)
    return specimen("seg", "seg", sheet)


def _measures(shared: Sheet) -> None:
    measures = shared.item("PixelMeasuresSequence")
    for keyword, value in (
        ("PixelSpacing", "0.9765625\\0.9765625"),
        ("SliceThickness", "1"),
        ("SpacingBetweenSlices", "1"),
    ):
        measures.hold(keyword, value)
    shared.item("PlaneOrientationSequence").hold("ImageOrientationPatient", "1\\0\\0\\0\\1\\0")


def _dose() -> Specimen:
    who = Inventor("dose")
    sheet = objects.common(who, objects.RTDOSE, "RTDOSE")
    objects.pixels(sheet, 16, frames=2)
    sheet.plant("frame of reference", "FrameOfReferenceUID", who.uid())
    for keyword, value in {
        "DoseUnits": "GY", "DoseType": "PHYSICAL", "DoseSummationType": "PLAN", "DoseGridScaling": "0.00012", "GridFrameOffsetVector": "0\\2.5",
        "PixelSpacing": "2.5\\2.5", "ImagePositionPatient": "-249.5\\-419.5\\-105.5", "ImageOrientationPatient": "1\\0\\0\\0\\1\\0",
        "TissueHeterogeneityCorrection": "IMAGE",
    }.items():  # fmt: skip
        sheet.hold(keyword, value)
    sheet.plant("comment on a dose", "DoseComment", who.spoken(), "as {} wished")
    plan = sheet.item("ReferencedRTPlanSequence")
    plan.hold("ReferencedSOPClassUID", objects.RTPLAN)
    plan.plant("reference of a dose", "ReferencedSOPInstanceUID", who.uid())
    structures = sheet.item("ReferencedStructureSetSequence")
    structures.put("ReferencedSOPClassUID", objects.RTSTRUCT)
    structures.plant("reference of a dose", "ReferencedSOPInstanceUID", who.uid())
    private = sheet.block(0x3249, "Varian Medical Systems VISION 3249")
    sheet.plant("private, text", private | 0x10, who.record(), vr="LO")
    return specimen("rtdose", "rtdose", sheet)


def _plan() -> Specimen:
    who = Inventor("plan")
    sheet = objects.common(who, objects.RTPLAN, "RTPLAN")
    for kind, keyword, secret, form in (
        ("label of a plan", "RTPlanLabel", who.surname(), "{}"), ("label of a plan", "RTPlanName", who.surname(), "{}"),
        ("label of a plan", "RTPlanDescription", who.spoken(), "for {}"), ("label of a plan", "PrescriptionDescription", who.spoken(), "{}"),
        ("label of a plan", "TreatmentProtocols", who.other("T"), "{}"), ("label of a plan", "TreatmentSites", who.spoken(), "{}"),
        ("approval", "ReviewerName", who.name(), "{}"), ("approval", "ReviewDate", who.day(), "{}"),
    ):  # fmt: skip
        sheet.plant(kind, keyword, secret, form)
    sheet.plant("date of the examination", "RTPlanDate", who.visited())
    sheet.plant("frame of reference", "FrameOfReferenceUID", who.uid())
    sheet.hold("RTPlanGeometry", "PATIENT")
    target = sheet.item("DoseReferenceSequence")
    target.hold("DoseReferenceNumber", "1")
    target.plant("text of a plan", "DoseReferenceDescription", who.surname(), "PTV {}")
    target.plant("text of a plan", "DoseReferenceUID", who.uid())
    setup = sheet.item("PatientSetupSequence")
    setup.hold("PatientSetupNumber", "1")
    setup.plant("text of a plan", "SetupTechniqueDescription", who.spoken())
    device = setup.item("FixationDeviceSequence")
    device.plant("text of a plan", "FixationDeviceLabel", who.surname(), "mask {}")
    group = sheet.item("FractionGroupSequence")
    group.hold("FractionGroupNumber", "1")
    group.hold("NumberOfFractionsPlanned", "30")
    group.plant("text of a plan", "FractionGroupDescription", who.spoken())
    beam = sheet.item("BeamSequence")
    beam.hold("BeamNumber", "1")
    beam.plant("text of a plan", "BeamName", who.surname())
    beam.plant("text of a plan", "BeamDescription", who.spoken())
    beam.plant("machine of a plan", "TreatmentMachineName", who.serial())
    beam.plant("machine of a plan", "DeviceSerialNumber", who.serial())
    beam.plant("machine of a plan", "InstitutionName", who.town())
    structures = sheet.item("ReferencedStructureSetSequence")
    structures.put("ReferencedSOPClassUID", objects.RTSTRUCT)
    structures.plant("reference of a plan", "ReferencedSOPInstanceUID", who.uid())
    return specimen("rtplan", "rtplan", sheet)


def _multiframe(who: Inventor, sop_class: str, modality: str) -> tuple[Sheet, Sheet]:
    """The object and the item of its shared functional groups."""
    sheet = objects.common(who, sop_class, modality)
    objects.pixels(sheet, 16, frames=2)
    sheet.hold("ImageType", "ORIGINAL\\PRIMARY\\VOLUME\\NONE")
    sheet.plant("frame of reference", "FrameOfReferenceUID", who.uid())
    for keyword in ("AcquisitionDateTime", "ContentDate"):
        sheet.plant("date of the examination", keyword, who.visited(), "{}" if keyword == "ContentDate" else "{}101500")
    organisation = sheet.item("DimensionOrganizationSequence")
    organisation.plant("dimension", "DimensionOrganizationUID", dimension := who.uid())
    index = sheet.item("DimensionIndexSequence")
    index.plant("dimension", "DimensionOrganizationUID", dimension)
    index.plant("dimension", "DimensionDescriptionLabel", who.surname())
    index.put("DimensionIndexPointer", (0x00209057,))
    shared = sheet.item("SharedFunctionalGroupsSequence")
    _measures(shared)
    anatomy = shared.item("FrameAnatomySequence")
    anatomy.hold("FrameLaterality", "U")
    region = anatomy.item("AnatomicRegionSequence")
    region.hold("CodeValue", "12738006" if modality == "MR" else "51185008")
    region.hold("CodingSchemeDesignator", "SCT")
    region.plant("meaning of a code", "CodeMeaning", who.spoken())
    private = shared.block(0x2005, "Philips MR Imaging DD 005")
    hidden = shared.item(private | 0x0E)
    hidden.plant("private in a functional group", "PatientName", who.name())
    for number in (1, 2):
        frame = sheet.item("PerFrameFunctionalGroupsSequence", open=True)
        frame.item("PlanePositionSequence").hold("ImagePositionPatient", f"-249.5\\-419.5\\{-105.5 + number}")
        content = frame.item("FrameContentSequence")
        content.hold("StackID", "1")
        content.hold("InStackPositionNumber", (number,))
        content.plant("text of a frame", "FrameComments", who.spoken())
        content.plant("text of a frame", "FrameLabel", who.surname())
        content.plant("date of a frame", "FrameReferenceDateTime", who.visited(), "{}101530.5")
        content.plant("date of a frame", "FrameAcquisitionDateTime", who.visited(), "{}101530.5")
        other = frame.item("ReferencedImageSequence")
        other.hold("ReferencedSOPClassUID", sop_class)
        other.plant("reference of a frame", "ReferencedSOPInstanceUID", who.uid())
        extra = frame.block(0x2005, "Philips MR Imaging DD 005")
        frame.plant("private in a functional group", extra | 0x10, who.spoken(), vr="LO")
        values = frame.item("PixelValueTransformationSequence")
        values.hold("RescaleIntercept", "0")
        values.hold("RescaleSlope", "1.25")
    return sheet, shared


def _enhanced_mr() -> Specimen:
    who = Inventor("enhanced mr")
    sheet, shared = _multiframe(who, objects.ENHANCED_MR, "MR")
    for keyword, value in (("ImagedNucleus", "1H"), ("PulseSequenceName", "T1TFE"), ("AcquisitionContrast", "T1")):
        sheet.hold(keyword, value)
    sheet.hold("MagneticFieldStrength", "3")
    coil = shared.item("MRReceiveCoilSequence")
    coil.plant("name of a coil", "ReceiveCoilName", who.surname())
    coil.plant("name of a coil", "ReceiveCoilManufacturerName", who.surname())
    part = coil.item("MultiCoilDefinitionSequence")
    part.plant("name of a coil", "MultiCoilElementName", who.surname())
    timing = shared.item("MRTimingAndRelatedParametersSequence")
    timing.hold("RepetitionTime", "7.5")
    timing.hold("FlipAngle", "8")
    return specimen("enhanced_mr", "enhanced_mr", sheet)


def _enhanced_ct() -> Specimen:
    who = Inventor("enhanced ct")
    sheet, shared = _multiframe(who, objects.ENHANCED_CT, "CT")
    rays = shared.item("CTXRayDetailsSequence")
    rays.hold("KVP", "120")
    rays.hold("FilterType", "WEDGE")
    kernel = shared.item("CTReconstructionSequence")
    kernel.hold("ReconstructionAlgorithm", "FILTER_BACK_PROJ")
    kernel.plant("kernel in a functional group", "ConvolutionKernel", who.surname())
    exposure = shared.item("CTExposureSequence")
    exposure.hold("XRayTubeCurrentInmA", (310,))
    exposure.hold("ExposureModulationType", "NONE")
    contrast = sheet.item("ContrastBolusAgentSequence")
    contrast.plant("contrast agent", "ContrastBolusAgent", who.surname())
    contrast.plant("contrast agent", "CodeMeaning", who.spoken())
    return specimen("enhanced_ct", "enhanced_ct", sheet)
