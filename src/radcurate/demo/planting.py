"""Identifiers planted into headers, each noted so that a test can look for it.

The places follow what de-identification tools were seen to miss: nested and private sequences, private elements
of unknown representation, file meta information, the preamble, free text, and harmless attributes with a name in them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydicom import DataElement, Dataset, Sequence

from radcurate.demo.hospitals import Hospital
from radcurate.demo.people import Person, Series, Study, uid


@dataclass(frozen=True)
class Plant:
    """An identifier and where it is: a keyword path such as RequestAttributesSequence>ScheduledProcedureStepID."""

    value: str
    kind: str  # name | id | uid | date | text | address | phone | institution | device
    place: str


@dataclass(frozen=True)
class Subject:
    """A patient with what else is known about them in the hospital."""

    person: Person
    hospital: Hospital
    number: int
    phone: str
    address: str
    insurance: str
    relative: str


@dataclass
class Planted:
    """A header under work, and what was planted."""

    header: Dataset
    plants: list[Plant] = field(default_factory=list)

    def put(self, keyword: str, value: str, kind: str) -> None:
        """Set a top-level attribute to an identifier."""
        setattr(self.header, keyword, value)
        self.note(value, kind, keyword)

    def say(self, keyword: str, text: str, said: Iterable[tuple[str, str]]) -> None:
        """Set a free text that holds identifiers, given as (value, kind)."""
        setattr(self.header, keyword, text)
        for value, kind in said:
            if value not in text:
                raise ValueError(f"the text of {keyword} lacks what it is said to hold")
            self.note(value, kind, keyword)

    def note(self, value: str, kind: str, place: str) -> None:
        """Note an identifier that is there already."""
        self.plants.append(Plant(value, kind, place))


def plant(header: Dataset, subject: Subject, study: Study, series: Series) -> list[Plant]:
    """Fill a series' header with identifiers, in place."""
    work = Planted(header)
    _patient(work, subject)
    _staff(work, subject)
    _place(work, subject.hospital)
    _texts(work, subject, series)
    _dates_and_uids(work, study, series)
    _nested(work, subject, study)
    _private(work, subject)
    return work.plants


def spoken(person: Person) -> str:
    """Forename and surname as people write them."""
    return f"{person.forename} {person.surname}"


def plain(text: str) -> str:
    """Upper case ASCII, as fits a code string."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c for c in ascii_text.upper() if c.isalnum() or c == " ")[:16].strip()


def _patient(work: Planted, s: Subject) -> None:
    p = s.person
    work.note(p.name, "name", "PatientName")
    work.note(p.patient_id, "id", "PatientID")
    work.note(f"{p.birth_date:%Y%m%d}", "date", "PatientBirthDate")
    if s.hospital.issuer:
        work.put("IssuerOfPatientID", s.hospital.issuer, "institution")
    work.put("OtherPatientIDs", f"ALT{s.number * 7919 + 40013}", "id")
    work.put("OtherPatientNames", f"{p.surname}-Vormals^{p.forename}", "name")
    work.put("PatientBirthName", s.relative, "name")
    work.put("PatientAddress", s.address, "address")
    work.put("PatientTelephoneNumbers", s.phone, "phone")
    work.put("MedicalRecordLocator", f"ROOM-{s.number * 131 + 5003}-ARCHIVE", "id")


def _staff(work: Planted, s: Subject) -> None:
    doctors, operators = s.hospital.physicians, s.hospital.operators
    work.put("ReferringPhysicianName", doctors[s.number % 3], "name")
    work.put("PerformingPhysicianName", doctors[(s.number + 1) % 3], "name")
    work.put("NameOfPhysiciansReadingStudy", doctors[(s.number + 2) % 3], "name")
    work.put("RequestingPhysician", doctors[s.number % 3], "name")
    work.put("OperatorsName", operators[s.number % 2], "name")


def _place(work: Planted, hospital: Hospital) -> None:
    work.put("InstitutionName", hospital.name, "institution")
    work.put("InstitutionAddress", hospital.address, "address")
    work.put("InstitutionalDepartmentName", hospital.department, "institution")
    work.note(str(work.header.StationName), "device", "StationName")
    work.note(str(work.header.DeviceSerialNumber), "device", "DeviceSerialNumber")


def _texts(work: Planted, s: Subject, series: Series) -> None:
    name, surname = spoken(s.person), s.person.surname
    comment = f"{name} rang, call back {s.phone}; lives with {s.relative.split('^')[0]}"
    work.say("PatientComments", comment, [(name, "name"), (s.phone, "phone")])
    work.say("ImageComments", f"{surname} moved, repeated", [(surname, "name")])
    work.say("StudyDescription", f"{series.body_part.title()} {s.person.patient_id}", [(s.person.patient_id, "id")])
    work.say("SeriesDescription", f"{series.description} f. {surname}", [(surname, "name")])
    work.say(
        "ProtocolName",
        f"{series.protocol} {s.hospital.operators[0].split('^')[0]}",
        [(s.hospital.operators[0].split("^")[0], "name")],
    )
    work.say(
        "AdditionalPatientHistory", f"Insured as {s.insurance}, known to {name}", [(s.insurance, "id"), (name, "name")]
    )


def _dates_and_uids(work: Planted, study: Study, series: Series) -> None:
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        work.note(str(work.header[keyword].value), "date", keyword)
    work.note(study.accession, "id", "AccessionNumber")
    work.note(study.study_id, "id", "StudyID")
    work.note(study.study_uid, "uid", "StudyInstanceUID")
    work.note(series.series_uid, "uid", "SeriesInstanceUID")
    work.note(study.frame_uid, "uid", "FrameOfReferenceUID")
    work.put("PerformedProcedureStepID", f"PPS{study.accession}", "id")
    work.put("PerformedProcedureStepStartDate", f"{study.day:%Y%m%d}", "date")


def _item(**elements: Any) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _nested(work: Planted, s: Subject, study: Study) -> None:
    header, name = work.header, s.person.name
    step, other, earlier = f"SPS{study.accession}", f"OLD{s.number * 6007 + 20011}", uid(study.study_uid, "earlier")
    header.RequestAttributesSequence = Sequence(
        [_item(ScheduledProcedureStepID=step, RequestedProcedureDescription=f"as agreed with {spoken(s.person)}")]
    )
    work.note(step, "id", "RequestAttributesSequence>ScheduledProcedureStepID")
    work.note(spoken(s.person), "name", "RequestAttributesSequence>RequestedProcedureDescription")
    header.OtherPatientIDsSequence = Sequence([_item(PatientID=other, TypeOfPatientID="TEXT")])
    work.note(other, "id", "OtherPatientIDsSequence>PatientID")
    header.ReferencedStudySequence = Sequence(
        [_item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=earlier)]
    )
    work.note(earlier, "uid", "ReferencedStudySequence>ReferencedSOPInstanceUID")
    before = _item(PatientName=name, PatientID=other)
    header.OriginalAttributesSequence = Sequence(
        [
            _item(
                ModifiedAttributesSequence=Sequence([before]),
                AttributeModificationDateTime=f"{study.day:%Y%m%d}120000",
                ModifyingSystem=s.hospital.ae_title,
                SourceOfPreviousValues="",
                ReasonForTheAttributeModification="CORRECT",
            )
        ]
    )
    work.note(name, "name", "OriginalAttributesSequence>ModifiedAttributesSequence>PatientName")
    work.note(s.hospital.ae_title, "institution", "OriginalAttributesSequence>ModifyingSystem")


def _private(work: Planted, s: Subject) -> None:
    """A maker's block and a hospital's own, with a sequence in it and an element of unknown representation."""
    name, codec = spoken(s.person), s.hospital.codec
    makers = {
        "A": (0x0029, "SIEMENS CSA HEADER", 0x10, "OB"),
        "B": (0x0009, "GEMS_IDEN_01", 0x02, "SH"),
        "C": (0x2001, "Philips Imaging DD 001", 0x63, "CS"),
    }
    group, creator, offset, vr = makers[s.hospital.code]
    block = work.header.private_block(group, creator, create=True)
    value: Any = {
        "OB": _even(f"\x01CSA {name}".encode(codec)),
        "SH": s.person.surname[:16],
        "CS": plain(s.person.surname),
    }[vr]
    block.add_new(offset, vr, value)
    said = {"OB": name, "SH": s.person.surname[:16], "CS": plain(s.person.surname)}[vr]
    work.note(said, "name", f"({group:04X},10{offset:02X})")
    own = work.header.private_block(0x0033, "HIS EXPORT 1.0", create=True)
    own.add_new(0x01, "LO", s.insurance)
    work.note(s.insurance, "id", "(0033,1001)")
    own.add_new(0x02, "UN", _even(f"{name}|{s.phone}".encode(codec)))
    work.note(name, "name", "(0033,1002)")
    work.note(s.phone, "phone", "(0033,1002)")
    inner = _item(PatientName=s.person.name)
    inner.private_block(0x0033, "HIS EXPORT 1.0", create=True).add_new(0x05, "ST", s.address)
    own.add_new(0x03, "SQ", Sequence([inner]))
    work.note(s.person.name, "name", "(0033,1003)>PatientName")
    work.note(s.address, "address", "(0033,1003)>(0033,1005)")


def _even(raw: bytes) -> bytes:
    return raw + b"\x00" * (len(raw) % 2)


def type_into(header: Dataset, keyword: str, subject: Subject) -> list[Plant]:
    """Type an identifier into a harmless attribute, in place."""
    value = plain(subject.person.surname)
    if keyword == "AcquisitionNumber":
        value = subject.person.patient_id.lstrip("FK0")
    if keyword == "ImageType":
        header.ImageType = [*header.ImageType, value]
    elif keyword == "Radiopharmaceutical":
        if "RadiopharmaceuticalInformationSequence" not in header:
            return []
        header.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = value
        return [Plant(value, "name", "RadiopharmaceuticalInformationSequence>Radiopharmaceutical")]
    else:
        setattr(header, keyword, value)
    return [Plant(value, "id" if keyword == "AcquisitionNumber" else "name", keyword)]


def file_meta(subject: Subject, thorough: bool) -> tuple[dict[str, Any], bytes, list[Plant]]:
    """Elements of the file meta information and a preamble, with what they tell.

    Args:
        subject: the patient.
        thorough: also private information and a preamble that name the patient.
    """
    s, name = subject, spoken(subject.person)
    version = f"EXP_{s.number * 271 + 10007}"
    meta: dict[str, Any] = {
        "SourceApplicationEntityTitle": s.hospital.ae_title,
        "ImplementationVersionName": version,
    }
    plants = [
        Plant(s.hospital.ae_title, "institution", "file_meta>SourceApplicationEntityTitle"),
        Plant(version, "id", "file_meta>ImplementationVersionName"),
    ]
    if not thorough:
        return meta, bytes(128), plants
    meta["PrivateInformationCreatorUID"] = uid("private information", s.hospital.code)
    meta["PrivateInformation"] = _even(f"for {name} ({s.person.patient_id})".encode(s.hospital.codec))
    plants.append(Plant(name, "name", "file_meta>PrivateInformation"))
    plants.append(Plant(s.person.patient_id, "id", "file_meta>PrivateInformation"))
    preamble = f"{s.person.patient_id} {name}".encode(s.hospital.codec)[:128].ljust(128, b"\x00")
    plants.append(Plant(s.person.patient_id, "id", "preamble"))
    return meta, preamble, plants


def hide_at_the_end(dataset: Dataset, subject: Subject) -> list[Plant]:
    """Put a name behind the pixels: in trailing padding and in the excess bytes of the pixel data, in place."""
    raw = _even(f"  {spoken(subject.person)}".encode(subject.hospital.codec))
    pixels = dataset["PixelData"]
    dataset["PixelData"] = DataElement(pixels.tag, pixels.VR, pixels.value + raw)
    dataset.add_new(0xFFFCFFFC, "OB", raw)
    name = spoken(subject.person)
    return [Plant(name, "name", "PixelData"), Plant(name, "name", "DataSetTrailingPadding")]
