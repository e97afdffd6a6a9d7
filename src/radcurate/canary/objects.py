"""An ordinary object of each family: the technical values that a curated file has to keep, and the identifiers every file has."""

from __future__ import annotations

from radcurate.canary.invent import Inventor
from radcurate.canary.sheet import Sheet

CT, MR, PET = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128"
ENHANCED_CT, ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"
RTDOSE, RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.481.3"
RTPLAN, SEG = "1.2.840.10008.5.1.4.1.1.481.5", "1.2.840.10008.5.1.4.1.1.66.4"
SIDE = 16  # rows and columns


def image(who: Inventor, sop_class: str, modality: str) -> Sheet:
    """What CT, MR and PET slices share."""
    sheet = common(who, sop_class, modality)
    sheet.plant("frame of reference", "FrameOfReferenceUID", who.uid())
    sheet.hold("ImageType", "ORIGINAL\\PRIMARY\\AXIAL")
    sheet.hold("BodyPartExamined", "CHEST")
    sheet.hold("PatientPosition", "HFS")
    sheet.hold("SliceThickness", "2.5")
    sheet.hold("SpacingBetweenSlices", "2.5")
    for keyword, value in (("AcquisitionNumber", "1"), ("InstanceNumber", "17")):
        sheet.hold(keyword, value)
    sheet.hold("ImagePositionPatient", "-249.51171875\\-419.51171875\\-105.5")
    sheet.hold("ImageOrientationPatient", "1\\0\\0\\0\\1\\0")
    sheet.hold("SliceLocation", "-105.5")
    sheet.hold("PixelSpacing", "0.9765625\\0.9765625")
    for keyword in ("AcquisitionDate", "ContentDate"):
        sheet.plant("date of the examination", keyword, who.visited())
    for keyword, value in (("AcquisitionTime", "101530.25"), ("ContentTime", "101533")):
        sheet.hold(keyword, value)
    pixels(sheet, 16)
    sheet.hold("RescaleIntercept", "-1024")
    sheet.hold("RescaleSlope", "1")
    return sheet


def common(who: Inventor, sop_class: str, modality: str) -> Sheet:
    """What every object has."""
    sheet = Sheet()
    sheet.put("SpecificCharacterSet", "ISO_IR 100")
    sheet.hold("SOPClassUID", sop_class)
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        sheet.plant("identity of objects", keyword, who.uid())
    for keyword in ("StudyDate", "SeriesDate"):
        sheet.plant("date of the examination", keyword, who.visited())
    sheet.hold("StudyTime", "101500")
    sheet.hold("SeriesTime", "101512")
    sheet.plant("patient", "PatientName", who.name())
    sheet.plant("patient", "PatientID", who.record())
    sheet.plant("patient", "PatientBirthDate", who.day())
    sheet.hold("PatientSex", "F")
    sheet.hold("Modality", modality)
    sheet.hold("Manufacturer", "SIEMENS")
    sheet.hold("ManufacturerModelName", "Sensation 64")
    sheet.hold("SeriesNumber", "4")
    sheet.put("AccessionNumber", "")
    sheet.put("ReferringPhysicianName", "")
    sheet.put("StudyID", "")
    return sheet


def pixels(sheet: Sheet, bits: int, frames: int = 1) -> None:
    """The pixel module, which has to survive: a ramp in grey."""
    for keyword, number in (
        ("SamplesPerPixel", 1), ("Rows", SIDE), ("Columns", SIDE), ("BitsAllocated", bits), ("BitsStored", bits),
        ("HighBit", bits - 1), ("PixelRepresentation", 0),
    ):  # fmt: skip
        sheet.hold(keyword, (number,))
    sheet.hold("PhotometricInterpretation", "MONOCHROME2")
    if frames > 1:
        sheet.hold("NumberOfFrames", str(frames))
    ramp = [(7 * number) % 251 for number in range(SIDE * SIDE * frames)]
    sheet.put(
        "PixelData", bytes(ramp) if bits == 8 else tuple(1000 + number for number in ramp), "OB" if bits == 8 else "OW"
    )


def ct(who: Inventor) -> Sheet:
    """A CT slice."""
    sheet = image(who, CT, "CT")
    for keyword, value in {
        "KVP": "120", "DataCollectionDiameter": "500", "ReconstructionDiameter": "500", "DistanceSourceToDetector": "1040",
        "DistanceSourceToPatient": "570", "GantryDetectorTilt": "0", "TableHeight": "157.5", "RotationDirection": "CW",
        "ExposureTime": "500", "XRayTubeCurrent": "310", "Exposure": "155", "FilterType": "WEDGE_2", "GeneratorPower": "42",
        "FocalSpots": "1.2", "ConvolutionKernel": "B30f", "RescaleType": "HU", "WindowCenter": "40", "WindowWidth": "400",
    }.items():  # fmt: skip
        sheet.hold(keyword, value)
    sheet.hold("RevolutionTime", (0.5,))
    sheet.hold("SpiralPitchFactor", (0.9,))
    sheet.hold("CTDIvol", (7.25,))
    return sheet


def mr(who: Inventor) -> Sheet:
    """An MR slice."""
    sheet = image(who, MR, "MR")
    for keyword, value in {
        "ImageType": "ORIGINAL\\PRIMARY\\M\\ND", "ManufacturerModelName": "Avanto", "BodyPartExamined": "BRAIN",
        "ScanningSequence": "SE", "SequenceVariant": "SK\\SP", "ScanOptions": "FS", "MRAcquisitionType": "2D", "SequenceName": "*se2d1",
        "RepetitionTime": "610", "EchoTime": "12", "NumberOfAverages": "2", "ImagingFrequency": "63.683", "ImagedNucleus": "1H",
        "EchoNumbers": "1", "MagneticFieldStrength": "1.5", "EchoTrainLength": "1", "PercentSampling": "80",
        "PercentPhaseFieldOfView": "100", "PixelBandwidth": "130", "TransmitCoilName": "Body", "InPlanePhaseEncodingDirection": "ROW",
        "FlipAngle": "90", "VariableFlipAngleFlag": "N", "SAR": "0.41", "dBdt": "0", "AngioFlag": "N",
    }.items():  # fmt: skip
        sheet.hold(keyword, value)
    sheet.hold("AcquisitionMatrix", (0, 256, 205, 0))
    return sheet


def pet(who: Inventor) -> Sheet:
    """A PET slice with the tracer's injection."""
    sheet = image(who, PET, "PT")
    for keyword, value in {
        "ManufacturerModelName": "Biograph 64", "Units": "BQML", "DecayCorrection": "START", "CorrectedImage": "DECY\\ATTN\\SCAT",
        "CountsSource": "EMISSION", "SeriesType": "WHOLE BODY\\IMAGE", "ReconstructionMethod": "OSEM 3D", "RescaleIntercept": "0",
        "RescaleSlope": "0.5731", "PatientSize": "1.71", "PatientWeight": "68.5", "FrameReferenceTime": "31000", "DecayFactor": "1.0417",
        "ActualFrameDuration": "180000", "ScatterFractionFactor": "0.36", "AttenuationCorrectionMethod": "measured",
    }.items():  # fmt: skip
        sheet.hold(keyword, value)
    sheet.hold("NumberOfSlices", (87,))
    sheet.hold("ImageIndex", (17,))
    tracer = sheet.item("RadiopharmaceuticalInformationSequence")
    for keyword, value in {
        "Radiopharmaceutical": "FDG", "RadiopharmaceuticalStartTime": "091000", "RadionuclideTotalDose": "312000000",
        "RadionuclideHalfLife": "6586.2", "RadionuclidePositronFraction": "0.9673",
    }.items():  # fmt: skip
        tracer.hold(keyword, value)
    return sheet
