"""Identifiers typed into harmless attributes: codes, short texts, numbers, times, and values of another representation."""

from __future__ import annotations

from collections.abc import Callable

from radcurate.canary import objects
from radcurate.canary.build import specimen
from radcurate.canary.invent import Inventor, Secret
from radcurate.canary.sheet import Sheet
from radcurate.canary.specimen import Specimen

# attribute → text around the identifier
_CT_TEXTS = {
    "ConvolutionKernel": "{}", "FilterType": "{}", "ScanOptions": "HELICAL MODE\\{}", "ExposureModulationType": "{}",
    "ContrastBolusAgent": "OMNIPAQUE {}", "ContrastBolusRoute": "{}", "RescaleType": "{}", "PositionReferenceIndicator": "{}",
    "AcquisitionType": "{}", "FilterMaterial": "{}", "Laterality": "{}", "RotationDirection": "{}",
}  # fmt: skip
_MR_TEXTS = {
    "SequenceName": "*se2d1_{}", "PulseSequenceName": "{}", "ReceiveCoilName": "HEAD {}", "TransmitCoilName": "{}",
    "ScanningSequence": "SE\\{}", "SequenceVariant": "SK\\{}", "ImagedNucleus": "{}", "StackID": "{}", "ImageLaterality": "{}",
    "AcquisitionContrast": "{}", "VolumeBasedCalculationTechnique": "{}", "InPlanePhaseEncodingDirection": "{}",
    "ComplexImageComponent": "{}", "MRAcquisitionType": "{}", "AngioFlag": "{}",
}  # fmt: skip
_PT_TEXTS = {
    "Units": "{}", "DecayCorrection": "{}", "CorrectedImage": "DECY\\{}", "CountsSource": "{}", "SeriesType": "WHOLE BODY\\{}",
    "ReconstructionMethod": "OSEM {}", "AttenuationCorrectionMethod": "measured {}", "ScatterCorrectionMethod": "{}",
    "RandomsCorrectionMethod": "{}", "CollimatorType": "{}", "TypeOfDetectorMotion": "{}", "PatientOrientation": "{}\\L",
}  # fmt: skip
_EVERYWHERE = {
    "ImageType": "ORIGINAL\\PRIMARY\\{}", "BodyPartExamined": "{}", "Manufacturer": "SIEMENS {}",
    "ManufacturerModelName": "Sensation {}", "SoftwareVersions": "syngo {}", "SeriesDescription": "CHEST {} axial",
    "StudyDescription": "{}", "ProtocolName": "Thorax_{}", "PatientPosition": "{}", "PixelPresentation": "{}",
    "BurnedInAnnotation": "{}", "LossyImageCompressionMethod": "{}", "PresentationLUTShape": "{}", "SpatialLocationsPreserved": "{}",
    "PatientSex": "{}", "PatientAge": "{}", "LossyImageCompression": "{}", "QualityControlImage": "{}",
}  # fmt: skip


def specimens() -> list[Specimen]:
    """The specimens of this module."""
    return [
        _texts("harmless_ct", "ct", objects.ct, _CT_TEXTS), _texts("harmless_mr", "mr", objects.mr, _MR_TEXTS),
        _texts("harmless_pt", "pt", objects.pet, _PT_TEXTS), _numbers(), _moments(), _codes(), _representations(), _uids(), _charset(),
    ]  # fmt: skip


def _texts(name: str, family: str, make: Callable[[Inventor], Sheet], places: dict[str, str]) -> Specimen:
    """A surname in each code string and short text, in one as in another."""
    who = Inventor(name)
    sheet = make(who)
    for keyword, form in (_EVERYWHERE | places).items():
        vr = sheet.vr(keyword)
        secret = who.code_word() if vr in ("CS", "AS") else who.surname()
        sheet.plant(f"harmless {_KINDS.get(vr, 'text')}", keyword, secret, form)
    if family == "pt":
        tracer = sheet.item("RadiopharmaceuticalInformationSequence")
        tracer.plant("tracer", "Radiopharmaceutical", who.surname(), "FDG {}")
        tracer.plant("tracer", "RadiopharmaceuticalRoute", who.surname())
    return specimen(name, family, sheet)


_KINDS = {"CS": "code string", "AS": "age", "SH": "short text"}


def _numbers() -> Specimen:
    """The record number wherever a number fits."""
    who = Inventor("numbers")
    sheet = objects.mr(who)
    number = next(plant for plant in sheet.plants if plant.where == "PatientID")
    own = Secret(number.value, number.category, number.hipaa)
    whole = int(own.value)
    for kind, keyword, value in (
        ("integer string", "AcquisitionNumber", own.value), ("integer string", "SeriesNumber", own.value),
        ("integer string", "EchoNumbers", f"1\\{own.value}"), ("integer string", "TemporalPositionIdentifier", own.value),
        ("decimal string", "SliceThickness", own.value), ("decimal string", "RepetitionTime", f"{own.value}.0"),
        ("decimal string", "WindowCenter", f"40\\{own.value}"), ("decimal string", "PatientWeight", own.value),
        ("decimal string, decimals", "SAR", f"0.{own.value}"),
        ("decimal string, decimals", "dBdt", f"3.{own.value}e0"),
        ("decimal string", "ImagePositionPatient", f"1\\2\\{own.value}"),
        ("float", "DiffusionBValue", (whole,)), ("float", "RevolutionTime", (whole,)),
        ("float", "DiffusionGradientOrientation", (0, 1, whole)),
        ("unsigned long", "InStackPositionNumber", (whole,)), ("unsigned long", "SimpleFrameList", (1, whole)),
        ("unsigned long", "DimensionIndexValues", (1, whole)),
        ("attribute tag", "FrameIncrementPointer", (whole,)), ("attribute tag", "DimensionIndexPointer", (whole,)),
    ):  # fmt: skip
        sheet.plant(f"number: {kind}", keyword, own, value=value)
    sheet.plant("number: single precision", "TablePosition", own, value=(whole,), vr="FL")
    day = next(plant.value for plant in sheet.plants if plant.where == "PatientBirthDate")
    born = Secret(day, "date", "C")
    sheet.plant("number: day of birth", "EchoTime", born, "0.{}")
    sheet.plant("number: day of birth", "InStackPositionNumber", born, value=(int(day),))
    return specimen("numbers", "mr", sheet)


def _moments() -> Specimen:
    """Days as texts and numbers, digits in times, an old patient's age."""
    who = Inventor("moments")
    sheet = objects.pet(who)
    day = who.day()
    written = f"{day.value[:4]}-{day.value[4:6]}-{day.value[6:]}"
    german = who.day()
    for kind, keyword, secret, form in (
        ("day in a text", "SeriesDescription", day, f"chest {written}"),
        ("day in a text", "StudyDescription", german, f"{german.value[6:]}.{german.value[4:6]}.{german.value[:4]} chest"),
        ("day in a text", "ProtocolName", who.day(), "Thorax {}"),
        ("day in a text", "PatientComments", who.day(), "next visit {}"),
        ("day in a number", "AcquisitionNumber", who.day(), "{}"),
        ("day in a number", "SliceLocation", who.day(), "{}"),
        ("day of another event", "DateOfSecondaryCapture", who.day(), "{}"),
        ("day of another event", "LastMenstrualDate", who.day(), "{}"),
        ("day of another event", "DateOfLastCalibration", who.day(), "{}"),
        ("day of another event", "AdmittingDate", who.day(), "{}"),
        ("day of another event", "ScheduledProcedureStepStartDate", who.day(), "{}"),
        ("day of another event", "IssueDateOfImagingServiceRequest", who.day(), "{}"),
        ("day of another event", "PatientBirthDateInAlternativeCalendar", who.day(), "{}"),
        ("old form of a date", "CurveDate", german, f"{german.value[:4]}.{german.value[4:6]}.{german.value[6:]}"),
        ("moment", "AttributeModificationDateTime", who.day(), "{}101500.000000+0100"),
        ("moment", "InstanceCoercionDateTime", who.day(), "{}101500"),
        ("age over 89", "PatientAge", Secret("093Y", "text", "C"), "{}"),
    ):  # fmt: skip
        sheet.plant(kind, keyword, secret, form)
    for keyword in ("AcquisitionDateTime", "StartAcquisitionDateTime"):
        sheet.plant("date of the examination", keyword, who.visited(), "{}101500.00+0100")
    tracer = sheet.item("RadiopharmaceuticalInformationSequence")
    tracer.plant("date of the examination", "RadiopharmaceuticalStartDateTime", who.visited(), "{}091000.00")
    sheet.plant("digits in a time", "AcquisitionTime", who.record(), "{}")
    sheet.plant("digits in a time", "ContentTime", who.phone(), "{}")
    sheet.plant("digits in a time", "TimeOfLastCalibration", who.record(), "101500.{}")
    sheet.plant("time zone as a place", "TimezoneOffsetFromUTC", who.surname(), "{}")
    return specimen("moments", "pt", sheet)


def _codes() -> Specimen:
    """Codes that somebody made up, and identifiers as the meaning of real ones."""
    who = Inventor("codes")
    sheet = objects.ct(who)
    for keyword in (
        "AnatomicRegionSequence",
        "ProcedureCodeSequence",
        "PatientSpeciesCodeSequence",
        "InstitutionCodeSequence",
    ):
        item = sheet.item(keyword)
        item.plant("made-up code", "CodeValue", who.other("C"))
        item.put("CodingSchemeDesignator", "99HIS")
        item.plant("meaning of a made-up code", "CodeMeaning", who.spoken())
    region = sheet.item("AnatomicRegionSequence")
    for keyword, value in (("CodeValue", "51185008"), ("CodingSchemeDesignator", "SCT")):
        region.put(keyword, value)
    region.plant("meaning of a code", "CodeMeaning", who.spoken(), "Chest of {}")
    region.plant("version of a coding scheme", "CodingSchemeVersion", who.code_word())
    region.plant("context of a code", "ContextUID", who.uid())
    region.plant("context of a code", "MappingResourceName", who.surname())
    numbered = sheet.item("PrimaryAnatomicStructureSequence")
    numbered.plant("record number as a code", "CodeValue", who.record())
    numbered.put("CodingSchemeDesignator", "SCT")
    numbered.put("CodeMeaning", "Lung")
    long = sheet.item("AnatomicRegionModifierSequence")
    long.plant("long code", "LongCodeValue", who.account(), "{} of a scheme of this house")
    long.put("CodingSchemeDesignator", "UMLS")
    urn = sheet.item("ViewCodeSequence")
    urn.plant("URN as a code", "URNCodeValue", who.uid(), "urn:oid:{}")
    scheme = sheet.item("CodingSchemeIdentificationSequence")
    scheme.plant("description of a coding scheme", "CodingSchemeName", who.town(), "codes of {}")
    scheme.plant("description of a coding scheme", "CodingSchemeResponsibleOrganization", who.town())
    scheme.plant("description of a coding scheme", "CodingSchemeUID", who.uid())
    physician = sheet.item("ReferringPhysicianIdentificationSequence")
    person = physician.item("PersonIdentificationCodeSequence")
    person.plant("licence as a code", "CodeValue", who.licence())
    person.plant("licence as a code", "CodeMeaning", who.spoken())
    physician.plant("person's address", "PersonAddress", who.place())
    physician.plant("person's telephone", "PersonTelephoneNumbers", who.phone())
    physician.plant("institution of a person", "InstitutionName", who.town())
    return specimen("codes", "ct", sheet)


def _representations() -> Specimen:
    """Values written with a VR that isn't the attribute's, and names where a text belongs."""
    who = Inventor("representations")
    sheet = objects.ct(who)
    for kind, keyword, vr, secret in (
        ("name as a text", "SeriesDescription", "PN", who.name()), ("name as a text", "BodyPartExamined", "PN", who.name()),
        ("name as a text", "ConvolutionKernel", "LO", who.name()), ("text as a number", "SliceThickness", "LO", who.surname()),
        ("text as a number", "KVP", "LO", who.record()), ("text as a number", "InstanceNumber", "PN", who.name()),
        ("text as unknown", "PatientWeight", "UN", who.surname()), ("text as unknown", "StationName", "UN", who.town()),
        ("text as unknown", "ImageComments", "UN", who.spoken()), ("text as bytes", "ProtocolName", "OB", who.spoken()),
        ("text as bytes", "EchoTime", "OB", who.surname()), ("text as a date", "ContentDate", "LO", who.surname()),
        ("text as a date", "AcquisitionDate", "DA", Secret(who.word()[:8], "name", "A")),
        ("text as a time", "ContentTime", "TM", Secret(who.word()[:12], "name", "A")),
        ("text as a UID", "FrameOfReferenceUID", "UI", who.surname()), ("text as a UID", "IrradiationEventUID", "LO", who.spoken()),
        ("text as a decimal", "TableHeight", "DS", Secret(who.word()[:16], "name", "A")),
        ("text as an integer", "SeriesNumber", "IS", Secret(who.word()[:12], "name", "A")),
        ("application entity", "RetrieveAETitle", "AE", who.other("AE")), ("URL", "RetrieveURL", "UR", who.link()),
        ("unlimited text", "LongCodeValue", "UC", who.place()), ("unlimited text", "TextValue", "UT", who.spoken()),
    ):  # fmt: skip
        value = secret.value + " " * (len(secret.value) % 2)
        sheet.plant(f"wrong representation: {kind}", keyword, secret, value=value, vr=vr)
    floats = Secret(who.word()[:8].lower().ljust(8, "x"), "name", "A")
    sheet.plant("wrong representation: text as floats", "CTDIvol", floats, value=floats.value.encode(), vr="FD")
    shorts = Secret(who.word()[:8].lower().ljust(8, "x"), "name", "A")
    sheet.plant(
        "wrong representation: text as integers",
        "SmallestImagePixelValue",
        shorts,
        value=shorts.value.encode(),
        vr="US",
    )
    return specimen("representations", "ct", sheet)


def _charset() -> Specimen:
    """A name instead of a character set, and texts that need one to be read."""
    who = Inventor("character set")
    sheet = objects.ct(who)
    sheet.plant("name of a character set", "SpecificCharacterSet", who.surname(), "ISO_IR 100\\{}")
    odd = Secret("Müßigbrodtzv", "name", "A")
    sheet.plant(
        "text in an unknown character set", "SeriesDescription", odd, value="CHEST Müßigbrodtzv".encode("latin-1")
    )
    step = sheet.item("ReferencedImageSequence")
    step.plant("name of a character set", "SpecificCharacterSet", who.surname())
    step.plant("reference", "ReferencedSOPInstanceUID", who.uid())
    return specimen("character_set", "ct", sheet)


def _uids() -> Specimen:
    """UIDs of all kinds, some with a day or a record number in them."""
    who = Inventor("uids")
    sheet = objects.ct(who)
    number = next(plant.value for plant in sheet.plants if plant.where == "PatientID")
    sheet.plant("UID with a record number", "SeriesInstanceUID", who.telling_uid(number))
    sheet.plant("UID with a day", "StudyInstanceUID", who.telling_uid(who.visited().value))
    for keyword in (
        "SynchronizationFrameOfReferenceUID", "ConcatenationUID", "DimensionOrganizationUID", "TransactionUID", "DeviceUID",
        "InstanceCreatorUID", "StorageMediaFileSetUID", "PaletteColorLookupTableUID", "FailedSOPInstanceUIDList",
        "RelatedFrameOfReferenceUID", "UID", "DoseReferenceUID", "FiducialUID", "TrackingUID", "IrradiationEventUID",
        "AcquisitionUID", "TargetUID", "OriginalSpecializedSOPClassUID", "ManufacturerDeviceClassUID",
    ):  # fmt: skip
        sheet.plant("UID of another thing", keyword, who.uid())
    sheet.plant("UID in a text", "ImageComments", who.uid(), "see {}")
    sheet.plant("UID in a text", "SeriesDescription", who.uid(), "copy of {}")
    sheet.plant("UID in a text", "AccessionNumber", Secret(who.uid().value[-16:], "id", "R"))
    for keyword in ("ReferencedImageSequence", "SourceImageSequence", "ReferencedPerformedProcedureStepSequence"):
        item = sheet.item(keyword)
        item.put("ReferencedSOPClassUID", objects.CT)
        item.plant("reference", "ReferencedSOPInstanceUID", who.uid())
    for keyword in ("ReferencedSeriesSequence", "StudiesContainingOtherReferencedInstancesSequence"):
        item = sheet.item(keyword)
        item.plant("reference", "SeriesInstanceUID", who.uid())
        inner = item.item("ReferencedInstanceSequence")
        inner.plant("reference", "ReferencedSOPInstanceUID", who.uid())
    equivalent = sheet.item("SourceImageSequence")
    equivalent.plant(
        "several UIDs in one value", "ReferencedSOPInstanceUID", who.uid(), "{}\\" + (two := who.uid()).value
    )
    equivalent.note("several UIDs in one value", "ReferencedSOPInstanceUID", two)
    return specimen("uids", "ct", sheet)
