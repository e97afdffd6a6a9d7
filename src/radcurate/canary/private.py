"""Identifiers in private elements, unknown elements, and sequences to any depth, however they are written."""

from __future__ import annotations

from radcurate.canary import objects
from radcurate.canary.build import specimen
from radcurate.canary.invent import Inventor
from radcurate.canary.raw import even
from radcurate.canary.sheet import Sheet
from radcurate.canary.specimen import Specimen


def specimens() -> list[Specimen]:
    """The specimens of this module."""
    return [_private(), _nested(), _unknown()]


def _private() -> Specimen:
    who = Inventor("private")
    sheet = objects.ct(who)
    siemens = sheet.block(0x0029, "SIEMENS CSA HEADER")
    sheet.plant(
        "private, bytes",
        siemens | 0x10,
        name := who.spoken(),
        value=even(b"SV10\4\3\2\1" + name.value.encode()),
        vr="OB",
    )
    sheet.plant(
        "private, bytes",
        siemens | 0x20,
        number := who.record(),
        value=even(f"tPatID = {number.value}".encode()),
        vr="UN",
    )
    ge = sheet.block(0x0009, "GEMS_IDEN_01")
    sheet.plant("private, text", ge | 0x02, who.surname(), vr="SH")
    sheet.plant("private, text", ge | 0xE3, who.uid(), vr="UI")
    sheet.plant("private, text", ge | 0xE8, who.social(), vr="LO")
    philips = sheet.block(0x2001, "Philips Imaging DD 001")
    sheet.plant("private, text", philips | 0x63, who.code_word(), vr="CS")
    sheet.plant("private, text", philips | 0x7B, who.record(), vr="IS")
    stentor = sheet.block(0x0009, "STENTOR")
    sheet.plant("private, text", stentor | 0x11, who.address(), vr="LO")
    own = sheet.block(0x0033, "HIS EXPORT 1.0")
    for offset, secret in enumerate(
        (who.plan(), who.account(), who.licence(), who.plate(), who.biometric(), who.link(), who.mail(), who.fax()), 1
    ):
        sheet.plant("private, text", own | offset, secret, vr="LO")
    sheet.plant("private, number", own | 0x20, number := who.record(), value=(int(number.value),), vr="UL")
    sheet.plant("private, number", own | 0x21, number := who.record(), value=(float(number.value),), vr="FD")
    sheet.plant("private, date", own | 0x22, who.day(), vr="DA")
    sheet.plant("private, date", own | 0x23, who.day(), "{}123000", vr="DT")
    inner = sheet.item(own | 0x30)
    inner.plant("private sequence", "PatientName", who.name())
    inner.plant("private sequence", "PatientBirthDate", who.day())
    block = inner.block(0x0033, "HIS EXPORT 1.0")
    inner.plant("private sequence", block | 0x05, who.place(), vr="ST")
    unknown = sheet.item(own | 0x31, un=True, open=True)
    unknown.plant("private sequence, as UN", "PatientName", who.name())
    unknown.plant("private sequence, as UN", "PatientID", who.record())
    closed = sheet.item(own | 0x32, un=True)
    closed.plant("private sequence, as UN", "OtherPatientIDs", who.record())
    sheet.plant("private creator", 0x00450010, who.spoken(), vr="LO")
    sheet.plant("private without a creator", 0x00471001, who.spoken(), vr="LO")
    sheet.plant("private, low group", 0x00091199, who.spoken(), vr="UN")
    public = sheet.item("ReferencedImageSequence")
    public.hold("ReferencedSOPClassUID", objects.CT)
    public.plant("reference", "ReferencedSOPInstanceUID", who.uid())
    block = public.block(0x0033, "HIS EXPORT 1.0")
    public.plant("private inside a kept sequence", block | 0x01, who.spoken(), vr="LO")
    public.plant(
        "private inside a kept sequence",
        block | 0x02,
        number := who.record(),
        value=even(number.value.encode()),
        vr="UN",
    )
    return specimen("private", "ct", sheet)


def _nested() -> Specimen:
    """Sequences with defined and undefined lengths and as UN, and nine levels of them."""
    who = Inventor("nested")
    sheet = objects.mr(who)
    for kind, open_, un in (
        ("sequence of known length", False, False), ("sequence of undefined length", True, False),
        ("sequence as UN", False, True), ("sequence as UN of undefined length", True, True),
    ):  # fmt: skip
        place = {
            (False, False): "RequestAttributesSequence", (True, False): "OriginalAttributesSequence",
            (False, True): "OtherPatientIDsSequence", (True, True): "ReferencedPatientSequence",
        }[open_, un]  # fmt: skip
        item = sheet.item(place, open_, un)
        item.plant(kind, "PatientName", who.name())
        item.plant(kind, "PatientID", who.record())
        item.plant(kind, "RequestedProcedureDescription", who.spoken(), "as agreed with {}")
        second = sheet.item(place)
        second.plant(kind, "AccessionNumber", who.other("A"))
        second.plant(kind, "ReferencedSOPInstanceUID", who.uid())
    _kept_sequences(sheet, who)
    deep = sheet
    for level in range(1, 10):
        deep = deep.item("ReferencedSeriesSequence" if level % 2 else "ReferencedInstanceSequence", open=level % 3 == 0)
        deep.plant(f"depth {level}", "PatientComments", who.spoken(), "told {}")
        deep.plant(f"depth {level}", "ReferencedSOPInstanceUID", who.uid())
    return specimen("nested", "mr", sheet)


def _kept_sequences(sheet: Sheet, who: Inventor) -> None:
    """References and codes that have to survive, written as UN or with undefined lengths."""
    source = sheet.item("SourceImageSequence", open=True)
    source.hold("ReferencedSOPClassUID", objects.MR)
    source.plant("reference", "ReferencedSOPInstanceUID", who.uid())
    region = sheet.item("AnatomicRegionSequence", un=True)
    for keyword, value in (("CodeValue", "12738006"), ("CodingSchemeDesignator", "SCT")):
        region.hold(keyword, value)
    region.plant("meaning of a code", "CodeMeaning", who.spoken())
    study = sheet.item("ReferencedStudySequence", un=True, open=True)
    study.put("ReferencedSOPClassUID", "1.2.840.10008.3.1.2.3.1")
    study.plant("reference", "ReferencedSOPInstanceUID", who.uid())
    study.plant("unlisted attribute of a kept sequence", "StudyDescription", who.spoken())


def _unknown() -> Specimen:
    """Elements that no dictionary knows, retired ones, group lengths."""
    who = Inventor("unknown")
    sheet = objects.pet(who)
    sheet.plant("unknown standard element", 0x00089FFE, who.spoken(), vr="LO")
    sheet.plant("unknown standard element", 0x00109FFE, who.record(), vr="UN")
    sheet.plant("unknown standard element", 0x0062FFF0, who.surname(), vr="CS")
    sheet.plant("unknown group", 0x7FDE0010, who.spoken(), vr="LO")
    sheet.plant("unknown group", 0x00060010, who.spoken(), vr="LO")
    inner = sheet.item(0x00409FFE)
    inner.plant("unknown standard sequence", "PatientName", who.name())
    sheet.plant("retired element", 0x00080010, who.surname(), vr="SH")
    sheet.plant("retired element", 0x00084000, who.spoken(), "said {}", vr="LT")
    sheet.plant("retired element", 0x40084000, who.spoken(), vr="LT")
    sheet.plant("retired element", 0x40000010, who.spoken(), vr="LT")
    for group in (0x0008, 0x0010, 0x0018, 0x0020, 0x0028, 0x0054):
        number = who.record()
        sheet.plant("group length", group << 16, number, value=(int(number.value),), vr="UL")
    return specimen("unknown", "pt", sheet)
