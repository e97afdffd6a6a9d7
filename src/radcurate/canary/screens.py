"""Ultrasound, secondary captures and radiographs: their headers hold identifiers like others; their pixels may hold text."""

from __future__ import annotations

from radcurate.canary import objects
from radcurate.canary.build import specimen
from radcurate.canary.invent import Inventor
from radcurate.canary.specimen import Specimen

ULTRASOUND, CAPTURE = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.7"
RADIOGRAPH, DIGITAL, MAMMOGRAM = (
    "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.2",
)  # fmt: skip


def specimens() -> list[Specimen]:
    """The specimens of this module."""
    return [
        _screen("ultrasound", "us", ULTRASOUND, "US"), _screen("capture", "sc", CAPTURE, "OT"), _screen("radiograph", "xray", RADIOGRAPH, "CR"),
        _screen("digital_radiograph", "xray", DIGITAL, "DX"), _screen("mammogram", "xray", MAMMOGRAM, "MG"),
    ]  # fmt: skip


def _screen(name: str, family: str, sop_class: str, modality: str) -> Specimen:
    who = Inventor(name)
    sheet = objects.common(who, sop_class, modality)
    objects.pixels(sheet, 8)
    sheet.hold("InstanceNumber", "3")
    for kind, keyword, secret, form in (
        ("text of a screen", "SeriesDescription", who.surname(), "{}"), ("text of a screen", "ImageComments", who.spoken(), "{}"),
        ("text of a screen", "AcquisitionDeviceProcessingDescription", who.surname(), "{}"), ("text of a screen", "ProtocolName", who.surname(), "{}"),
        ("device of a screen", "SecondaryCaptureDeviceID", who.serial(), "{}"), ("device of a screen", "PlateID", who.serial(), "{}"),
        ("device of a screen", "DetectorID", who.serial(), "{}"), ("device of a screen", "TransducerData", who.serial(), "{}"),
        ("device of a screen", "SecondaryCaptureDeviceManufacturer", who.surname(), "{}"), ("day of a screen", "DateOfSecondaryCapture", who.day(), "{}"),
        ("day of a screen", "DateOfLastDetectorCalibration", who.day(), "{}"), ("code string of a screen", "ViewPosition", who.code_word(), "{}"),
        ("code string of a screen", "BodyPartExamined", who.code_word(), "{}"), ("code string of a screen", "PresentationIntentType", who.code_word(), "{}"),
        ("number on a screen", "AcquisitionNumber", who.record(), "{}"), ("operator of a screen", "OperatorsName", who.name(), "{}"),
    ):  # fmt: skip
        sheet.plant(kind, keyword, secret, form)
    sheet.plant("overlay bits", 0x60003000, who.spoken(), vr="OW")
    sheet.plant("private, text", sheet.block(0x0019, "SCREEN 1.0") | 1, who.spoken(), vr="LO")
    return specimen(name, family, sheet)
