"""Identifiers where a hospital's systems put them: patient, visit, order, staff, institution, device; and scripts of many languages."""

from __future__ import annotations

from radcurate.canary import objects
from radcurate.canary.build import specimen
from radcurate.canary.invent import Inventor, Secret
from radcurate.canary.raw import even
from radcurate.canary.sheet import Sheet
from radcurate.canary.specimen import Specimen

# what the file says, codec of Python, name, what else stands in a comment; see `_japanese` and `_korean` for ISO 2022
_SCRIPTS = (
    ("latin_1", "ISO_IR 100", "latin-1", "Müßigbrodt^Ägidius", "Größlinghausen"),
    ("latin_2", "ISO_IR 101", "iso8859-2", "Dvořáčkovič^Květoslav", "Łęczyszczów"),
    ("latin_5", "ISO_IR 148", "iso8859-9", "Çağlayanoğlu^İşıkhan", "Gümüşçüoğlu"),
    ("cyrillic", "ISO_IR 144", "iso8859-5", "Щербаковцев^Эдуардин", "Жигулёвщина"),
    ("greek", "ISO_IR 126", "iso8859-7", "Ψαρροπουλάκης^Ξενοφωντίας", "Θεσσαλιώτιδα"),
    ("arabic", "ISO_IR 127", "iso8859-6", "قباصدير^لنزارين", "الظهرانية"),
    ("hebrew", "ISO_IR 138", "iso8859-8", "שרוןצבי^דבורהלה", "ירושלמינו"),
    ("thai", "ISO_IR 166", "tis-620", "สมศักดิ์ทอง^วรรณวิสา", "นครราชสีมา"),
    ("katakana", "ISO_IR 13", "shift_jis", "ﾔﾏﾀﾞﾓﾄ^ﾀﾛｳｻﾞ", "ｼﾝｼﾞｭｸｴｷ"),
    ("utf_8", "ISO_IR 192", "utf-8", "Wang^XiaoDongqiang=王暁東強^=", "Ωmégašćzñ"),
    ("gb18030", "GB18030", "gb18030", "Wangqx^XiaoDongzhen=王小东镇^=", "上海浦东新区"),
    ("gbk", "GBK", "gbk", "Liuqxian^Deweizhang=刘德伟张^=", "广州天河"),
)


def specimens() -> list[Specimen]:
    """The specimens of this module."""
    return [_patient(), _staff(), *(_script(*row) for row in _SCRIPTS), _japanese(), _korean()]


def _patient() -> Specimen:
    who = Inventor("records of a patient")
    sheet = objects.pet(who)
    for kind, keyword, secret, form in (
        ("other name", "OtherPatientNames", who.name(), "{}"), ("other name", "PatientBirthName", who.name(), "{}"),
        ("other name", "PatientMotherBirthName", who.name(), "{}"), ("other name", "ResponsiblePerson", who.name(), "{}"),
        ("other number", "OtherPatientIDs", who.record(), "{}"), ("other number", "IssuerOfPatientID", who.town(), "{}"),
        ("other number", "MedicalRecordLocator", who.record(), "shelf {}"), ("other number", "MilitaryRank", who.surname(), "{}"),
        ("insurance", "InsurancePlanIdentification", who.plan(), "{}"), ("address", "PatientAddress", who.place(), "{}"),
        ("address", "CountryOfResidence", who.town(), "{}"), ("address", "RegionOfResidence", who.town(), "{}"),
        ("telephone", "PatientTelephoneNumbers", who.phone(), "{}"), ("telephone", "PatientTelecomInformation", who.mail(), "{}"),
        ("visit", "AdmissionID", who.account(), "{}"), ("visit", "ServiceEpisodeID", who.account(), "{}"),
        ("visit", "CurrentPatientLocation", who.place(), "{}"), ("visit", "PatientInstitutionResidence", who.town(), "{}"),
        ("visit", "VisitComments", who.spoken(), "brought by {}"), ("visit", "AdmittingDiagnosesDescription", who.spoken(), "{}"),
        ("background", "Occupation", who.town(), "mayor of {}"), ("background", "EthnicGroup", who.surname(), "{}"),
        ("background", "PatientReligiousPreference", who.surname(), "{}"), ("background", "BranchOfService", who.town(), "{}"),
        ("background", "AdditionalPatientHistory", who.licence(), "pilot, {}"), ("background", "MedicalAlerts", who.spoken(), "ask {}"),
        ("background", "Allergies", who.surname(), "{}"), ("background", "PatientState", who.spoken(), "{}"),
        ("comment", "PatientComments", who.fax(), "fax {}"), ("comment", "SpecialNeeds", who.plate(), "car {}"),
        ("comment", "StudyComments", who.social(), "SSN {}"), ("comment", "RequestedProcedureComments", who.zip_code(), "zip {}"),
        ("comment", "CommentsOnThePerformedProcedureStep", who.mail(), "write to {}"), ("comment", "AcquisitionComments", who.address(), "{}"),
        ("comment", "ImagingServiceRequestComments", who.biometric(), "voice {}"), ("comment", "TextComments", who.photo(), "{}"),
        ("order", "AccessionNumber", who.other("A"), "{}"), ("order", "StudyID", who.other("S"), "{}"),
        ("order", "RequestedProcedureID", who.other("R"), "{}"), ("order", "PerformedProcedureStepID", who.other("P"), "{}"),
        ("order", "PlacerOrderNumberImagingServiceRequest", who.other("O"), "{}"),
        ("order", "FillerOrderNumberImagingServiceRequest", who.other("F"), "{}"), ("order", "OrderCallbackPhoneNumber", who.phone(), "{}"),
        ("order", "ReasonForTheRequestedProcedure", who.spoken(), "{}"),
        ("trial", "ClinicalTrialSubjectID", who.other("T"), "{}"), ("trial", "ClinicalTrialSiteName", who.town(), "{}"),
        ("trial", "ClinicalTrialSponsorName", who.town(), "{}"), ("trial", "ClinicalTrialProtocolEthicsCommitteeApprovalNumber", who.other("E"), "{}"),
    ):  # fmt: skip
        sheet.plant(f"records: {kind}", keyword, secret, form)
    other = sheet.item("OtherPatientIDsSequence")
    other.plant("records: other number", "PatientID", who.record())
    other.plant("records: other number", "IssuerOfPatientID", who.town())
    return specimen("patient_records", "pt", sheet)


def _staff() -> Specimen:
    who = Inventor("staff and devices")
    sheet = objects.mr(who)
    for kind, keyword, secret, form in (
        ("physician", "ReferringPhysicianName", who.name(), "{}"), ("physician", "PerformingPhysicianName", who.name(), "{}"),
        ("physician", "PhysiciansOfRecord", who.name(), "{}"), ("physician", "NameOfPhysiciansReadingStudy", who.name(), "{}"),
        ("physician", "RequestingPhysician", who.name(), "{}"), ("physician", "ConsultingPhysicianName", who.name(), "{}"),
        ("physician", "ReferringPhysicianAddress", who.place(), "{}"), ("physician", "ReferringPhysicianTelephoneNumbers", who.fax(), "fax {}"),
        ("operator", "OperatorsName", who.name(), "{}"), ("operator", "ScheduledPerformingPhysicianName", who.name(), "{}"),
        ("institution", "InstitutionName", who.town(), "Hospital of {}"), ("institution", "InstitutionAddress", who.place(), "{}"),
        ("institution", "InstitutionalDepartmentName", who.town(), "{}"), ("institution", "RequestingService", who.town(), "{}"),
        ("institution", "PerformedLocation", who.town(), "{}"), ("institution", "ScheduledStudyLocation", who.town(), "{}"),
        ("device", "StationName", who.serial(), "{}"), ("device", "DeviceSerialNumber", who.serial(), "{}"),
        ("device", "DetectorID", who.serial(), "{}"), ("device", "GantryID", who.serial(), "{}"), ("device", "PlateID", who.serial(), "{}"),
        ("device", "CassetteID", who.serial(), "{}"), ("device", "DeviceID", who.serial(), "{}"), ("device", "GeneratorID", who.serial(), "{}"),
        ("device", "UniqueDeviceIdentifier", who.serial(), "(01)0{}"), ("device", "PerformedStationAETitle", who.other("AE"), "{}"),
        ("device", "PerformedStationName", who.serial(), "{}"), ("device", "ScheduledStationName", who.serial(), "{}"),
        ("device", "NetworkID", who.address(), "{}"), ("address of a computer", "SoftwareVersions", who.address(), "{}"), ("device", "SourceSerialNumber", who.serial(), "{}"),
        ("device", "SecondaryCaptureDeviceID", who.serial(), "{}"), ("device", "DigitizingDeviceTransportDirection", who.code_word(), "{}"),
    ):  # fmt: skip
        sheet.plant(f"records: {kind}", keyword, secret, form)
    contributor = sheet.item("ContributingEquipmentSequence")
    contributor.plant("records: device", "DeviceSerialNumber", who.serial())
    contributor.plant("records: institution", "InstitutionName", who.town())
    contributor.plant("records: operator", "OperatorsName", who.name())
    contributor.plant("records: device", "ContributionDescription", who.link(), "sent by {}")
    step = sheet.item("RequestAttributesSequence")
    step.plant("records: order", "ScheduledProcedureStepID", who.other("S"))
    step.plant("records: order", "RequestedProcedureDescription", who.spoken())
    return specimen("staff_records", "mr", sheet)


def _script(name: str, charset: str, codec: str, person: str, place: str) -> Specimen:
    who = Inventor(f"script {name}")
    sheet = objects.ct(who)
    _speak(sheet, name, charset, person.encode(codec), person, place.encode(codec), place)
    return specimen(f"script_{name}", "ct", sheet, codec=codec)


def _speak(sheet: Sheet, name: str, charset: str, person: bytes, spoken: str, place: bytes, town: str) -> None:
    """A name and a place in a script, where they belong and where they don't."""
    sheet.put("SpecificCharacterSet", charset)
    kind, who = f"character set {charset.lstrip(chr(92))}", Secret(spoken.replace("=", "^"), "name", "A")
    home = Secret(town, "text", "B")
    sheet.plant("patient", "PatientName", who, value=person)
    sheet.plant(kind, "PatientComments", who, value=person)
    sheet.plant(kind, "InstitutionName", home, value=place)
    sheet.plant(kind, "SeriesDescription", home, value=b"CHEST " + place)
    sheet.plant(kind, "ConvolutionKernel", home, value=place)
    private = sheet.block(0x0033, "HIS EXPORT 1.0")
    sheet.plant(kind, private | 1, home, value=even(place), vr="UN")
    item = sheet.item("OtherPatientIDsSequence", open=True)
    item.plant(kind, "PatientID", home, value=place)


def _japanese() -> Specimen:
    """ISO 2022: kanji behind an escape sequence, beside Latin letters."""
    sheet = objects.ct(Inventor("script japanese"))
    spoken, town = "Yamadaqx^Tarouzev=山田本^太郎座", "新宿区西"
    raw = b"Yamadaqx^Tarouzev=" + "山田本".encode("iso2022_jp") + b"^" + "太郎座".encode("iso2022_jp")
    _speak(sheet, "japanese", "\\ISO 2022 IR 87", raw, spoken, town.encode("iso2022_jp"), town)
    return specimen("script_japanese", "ct", sheet)


def _korean() -> Specimen:
    """ISO 2022 with the escape sequence that names KS X 1001."""
    sheet = objects.mr(Inventor("script korean"))
    spoken, town = "Hongqx^Gildongzev=홍별빛^길동숲", "서울강남역"
    escape = b"\x1b$)C"
    raw = b"Hongqx^Gildongzev=" + escape + "홍별빛".encode("euc_kr") + b"^" + escape + "길동숲".encode("euc_kr")
    _speak(sheet, "korean", "\\ISO 2022 IR 149", raw, spoken, escape + town.encode("euc_kr"), town)
    return specimen("script_korean", "mr", sheet)
