"""Whole objects: identifiers gone, references whole, technical values as they were."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from deidentify.deid_objects import (
    POLICY,
    SHIFT,
    SPARE,
    SUBJECT,
    TEST_KEY,
    YEAR,
    ct,
    planted_texts,
    rewrite,
    rtstruct,
    seg,
    to_bytes,
)
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.people import numbers_of_ids
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.container import read_file, write_file
from radcurate.dicom.elements import Element, Encoding
from radcurate.dicom.problems import Unsafe
from radcurate.keys import Key

PLANTED = planted_texts()


def written(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def planted() -> Dataset:
    """A PET image with identifiers wherever a hospital or a hostile writer puts them."""
    ds = ct(SOPClassUID=pydicom.uid.PositronEmissionTomographyImageStorage)
    for keyword in [
        "InstitutionName",
        "InstitutionAddress",
        "StationName",
        "ReferringPhysicianName",
        "OperatorsName",
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "PatientComments",
        "ImageComments",
        "OtherPatientIDs",
        "StudyID",
        "DeviceSerialNumber",
        "PatientAddress",
        "MedicalAlerts",
        "ContrastBolusAgent",
        "SoftwareVersions",
        "ReceiveCoilName",
        "SequenceName",
        "Radiopharmaceutical",
        "ConvolutionKernel",
        "Manufacturer",
        "ManufacturerModelName",
        "PositionReferenceIndicator",
        "StackID",
        "ScatterCorrectionMethod",
    ]:
        setattr(ds, keyword, "Quxworth")
    ds.BodyPartExamined, ds.ImageType, ds.FilterType = "QUXWORTH", ["ORIGINAL", "PRIMARY", "QUXWORTH"], "QUXWORTH"
    ds.add_new(0x00090010, "LO", "Quxworth")
    ds.add_new(0x00091001, "PN", "Quxworth^Zebulon")
    ds.add_new(0x50000022, "LO", "Quxworth")
    ds.add_new(0x60003000, "OW", b"Quxworth")
    ds.add_new(0x60004000, "LT", "Quxworth")
    icon, nested, tracer, drug = ct(), Dataset(), Dataset(), Dataset()
    nested.PatientName, nested.PersonName = "Quxworth^Zebulon", "Quxworth^Zebulon"
    drug.CodeValue, drug.CodingSchemeDesignator, drug.CodeMeaning = "C-B1031", "SRT", "Quxworth"
    tracer.Radiopharmaceutical, tracer.RadionuclideCodeSequence, tracer.RadionuclideTotalDose = (
        "Quxworth",
        [drug],
        "3.7e8",
    )
    tracer.add_new(0x00091001, "LO", "Quxworth")
    ds.IconImageSequence, ds.OtherPatientIDsSequence, ds.RadiopharmaceuticalInformationSequence = (
        [icon],
        [nested],
        [tracer],
    )
    ds.OriginalAttributesSequence = [nested]
    ds.ICCProfile = b"Quxworth"
    return ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_no_identifier_survives_anywhere(syntax: str) -> None:
    result = rewrite(to_bytes(planted(), syntax) + b"Quxworth")
    for identifier in PLANTED:
        assert identifier not in result.data
    new = written(result.data)
    assert new.PatientID == new.PatientName == SUBJECT
    assert new.ImageType == ["ORIGINAL", "PRIMARY", ""] and new.ConvolutionKernel == ""
    assert not any(element.tag.is_private for element in new.iterall())
    code = new.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence[0]
    assert "Fluorine" in code.CodeMeaning or "18" in code.CodeMeaning


def test_notes_tell_what_was_done_without_values() -> None:
    result = rewrite(planted())
    told = {(note.path, note.action) for note in result.notes}
    assert {
        ("(0010,0010)", "pseudonym"),
        ("(0009,1001)", "remove"),
        ("(0018,1210)", "blank"),
        ("(0018,0050)", "keep"),
    } <= told
    assert ("(0054,0016)>(0018,1074)", "keep") in told
    text = repr(sorted(map(repr, result.notes)))
    assert not [identifier for identifier in PLANTED if identifier.decode() in text]


def test_technical_values_stay() -> None:
    old, new = ct(), written(rewrite(ct()).data)
    for keyword in [
        "Modality",
        "SliceThickness",
        "KVP",
        "PixelSpacing",
        "ImagePositionPatient",
        "RescaleSlope",
        "RescaleIntercept",
        "Rows",
        "ConvolutionKernel",
    ]:
        assert new[keyword].value == old[keyword].value, keyword
    assert new.PixelRepresentation == 0 and new.PatientSex == "M" and new.PatientAge == "069Y"
    assert new.PatientBirthDate == "" and new.AccessionNumber == ""


def test_missing_technical_values_are_no_error() -> None:
    ds = ct()
    del ds.SliceThickness, ds.ConvolutionKernel, ds.StudyInstanceUID
    assert written(rewrite(ds).data).StudyInstanceUID == SPARE[0x0020000D]


@pytest.mark.parametrize(
    ("keyword", "vr", "raw"),
    [
        ("SliceThickness", "DS", b"Quxworth"), ("InstanceNumber", "IS", b"1Quxworth "), ("PatientAge", "AS", b"Quxw"),
        ("StudyDate", "DA", b"Quxworth"), ("StudyTime", "TM", b"Quxworth"), ("FrameOfReferenceUID", "UI", b"1.2.Quxworth"),
        ("BodyPartExamined", "CS", "Qüxworth".encode()), ("ConvolutionKernel", "SH", b"Quxworth" * 9),
        ("KVP", "LO", b"Quxworth"), ("SOPClassUID", "UI", b"1.2.3.4.99"), ("Rows", "LO", b"Quxworth"),
        ("PatientWeight", "UN", b"Quxworth"), ("SeriesInstanceUID", "PN", b"Quxworth"), ("EchoTime", "OB", b"Quxworth"),
    ],
)  # fmt: skip
def test_what_is_typed_into_the_wrong_place_goes(keyword: str, vr: str, raw: bytes) -> None:
    source = read_file(to_bytes(ct()))
    tag = int(pydicom.datadict.tag_for_keyword(keyword) or 0)
    source.elements[tag] = Element(tag, vr, raw)
    data = write_file(source.elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    try:
        result = rewrite(data)
    except Unsafe as verdict:
        assert keyword in ("SOPClassUID", "Rows") and "ux" not in verdict.reason
        return
    assert b"uxw" not in result.data
    for element in written(result.data).iterall():
        assert element.VR  # reading converts each value; a wrong one would raise


def test_long_contours_survive_in_both_encodings() -> None:
    for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian):
        new = written(rewrite(rtstruct(), syntax=syntax).data)
        raw = read_file(rewrite(rtstruct(), syntax=syntax).data).elements[0x30060039].items
        assert raw is not None and raw[0][0x30060040].items is not None
        assert raw[0][0x30060040].items[0][0x30060050].value.strip() == b"0\\0.50\\10\\1\\0\\1e1\\1\\1\\10.000"
        assert new.StructureSetROISequence[0].ROIName == "GTV-1"


def test_a_contour_too_long_for_a_short_length_makes_the_file_implicit() -> None:
    ds = rtstruct()
    points = "\\".join(["123.456"] * 30000)
    elements = read_file(to_bytes(ds)).elements
    contour = (elements[0x30060039].items or [{}])[0][0x30060040].items or [{}]
    contour[0][0x30060050] = Element(0x30060050, "DS", points.encode())
    data = write_file(elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    new = written(rewrite(data).data)
    assert len(new.ROIContourSequence[0].ContourSequence[0].ContourData) == 30000


def test_region_and_segment_names() -> None:
    result = rewrite(rtstruct("GTV Quxworth", "Lung L", "4711"))
    new = written(result.data)
    assert [roi.ROIName for roi in new.StructureSetROISequence] == ["ROI 1", "Lung L", "ROI 3"]
    assert new.RTROIObservationsSequence[0].ROIInterpreter == "" and b"Foobarov" not in result.data
    assert new.StructureSetLabel == "Plan"
    segments = written(rewrite(seg()).data).SegmentSequence
    assert segments[0].SegmentLabel == "Segment 1"
    assert segments[0].SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Morphologically Abnormal Structure"


def uid_graph(ds: Dataset) -> list[tuple[str, str]]:
    """(place, UID) of every UID in the object."""

    def walk(part: Dataset, path: str) -> Iterator[tuple[str, str]]:
        for element in part:
            if element.VR == "SQ":
                for item in element.value:
                    yield from walk(item, f"{path}/{element.keyword}")
            elif element.VR == "UI":
                yield f"{path}/{element.keyword}", str(element.value)

    return list(walk(ds, ""))


def test_the_reference_graph_is_the_same_under_new_names() -> None:
    renamed: dict[str, str] = {}
    for ds in (ct(), rtstruct("GTV", "PTV"), seg()):
        old, new = uid_graph(ds), uid_graph(written(rewrite(ds).data))
        assert [place for place, _ in old] == [place for place, _ in new]
        for (_, before), (_, after) in zip(old, new, strict=True):
            assert renamed.setdefault(before, after) == after
            assert (before == after) == before.startswith("1.2.840.10008.")
            assert UID(after).is_valid
    assert len(set(renamed.values())) == len(renamed)


def test_the_same_key_gives_the_same_bytes_another_key_other_codes() -> None:
    assert rewrite(ct()).data == rewrite(ct()).data
    other = rewrite(ct(), key=Key(bytes(32)))
    assert other.facts.sop_instance != rewrite(ct()).facts.sop_instance


def test_without_the_key_no_enumeration_finds_a_pseudonym() -> None:
    ids = [f"MRN{number:05d}" for number in range(2000)]
    real = {TEST_KEY.subject(patient) for patient in ids}
    for guess in (Key(b""), Key(bytes(32)), Key(b"radcurate".ljust(32, b"\0"))):
        assert not real & {guess.subject(patient) for patient in ids}


def pet(start: str, scan_date: str, scan_time: str) -> Dataset:
    ds = ct(
        Modality="PT", SeriesDate=scan_date, SeriesTime=scan_time, AcquisitionDate=scan_date, AcquisitionTime=scan_time
    )
    ds.SOPClassUID = pydicom.uid.PositronEmissionTomographyImageStorage
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartDateTime, tracer.RadionuclideHalfLife = start, "6586.2"
    ds.RadiopharmaceuticalInformationSequence = [tracer]
    return ds


def test_the_decay_interval_survives_midnight() -> None:
    new = written(rewrite(pet("20200310234500", "20200311", "004500")).data)
    start = new.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime
    assert (start, new.AcquisitionDate, new.AcquisitionTime) == ("20200519234500", "20200520", "004500")


def test_with_years_only_times_are_left_for_the_decay() -> None:
    new = written(rewrite(pet("20200310234500", "20200311", "004500"), YEAR).data)
    tracer = new.RadiopharmaceuticalInformationSequence[0]
    assert "RadiopharmaceuticalStartDateTime" not in tracer and tracer.RadiopharmaceuticalStartTime == "234500"
    assert new.AcquisitionDate == new.StudyDate == "20200101" and new.AcquisitionTime == "004500"


def test_markers_say_what_is_true() -> None:
    shifted, yearly = (written(rewrite(ct(), dates).data) for dates in (SHIFT, YEAR))
    codes = [{code.CodeValue for code in ds.DeidentificationMethodCodeSequence} for ds in (shifted, yearly)]
    assert codes == [{"113100", "113105", "113107", "113108"}, {"113100", "113105", "113108"}]
    assert shifted.PatientIdentityRemoved == "YES" and POLICY.digest in shifted.DeidentificationMethod
    assert shifted.LongitudinalTemporalInformationModified == "MODIFIED"
    assert "BurnedInAnnotation" not in shifted and "70" not in shifted.DeidentificationMethod.split()


def test_the_container_is_new() -> None:
    data = rewrite(planted()).data
    assert data[:128] == bytes(128)
    meta = written(data).file_meta
    assert {element.keyword for element in meta} == {
        "FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID",
        "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName",
    }  # fmt: skip
    assert meta.MediaStorageSOPInstanceUID == written(data).SOPInstanceUID


def test_objects_that_nobody_has_checked_are_refused() -> None:
    with pytest.raises(Unsafe, match="encapsulated_document"):
        rewrite(ct(SOPClassUID=pydicom.uid.EncapsulatedPDFStorage))


def test_what_tells_of_text_in_the_pixels_is_kept_for_redact() -> None:
    kinds = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    new = written(rewrite(ct(BurnedInAnnotation="YES", ImageType=kinds)).data)
    assert new.BurnedInAnnotation == "YES" and list(new.ImageType) == kinds


def test_contours_without_contours_are_refused() -> None:
    ds = rtstruct()
    del ds.ROIContourSequence
    with pytest.raises(Unsafe, match="no_contours"):
        rewrite(ds)


@pytest.mark.parametrize(
    ("keyword", "number", "stays"),
    [
        ("AcquisitionNumber", "12", True), ("AcquisitionNumber", "7734219", False), ("SliceLocation", "77342190", False),
        ("InstanceNumber", "20450", False), ("WindowCenter", "20450", False), ("WindowCenter", "2045", True),
        ("RadionuclideTotalDose", "3.7e8", True),
    ],
)  # fmt: skip
def test_numbers_that_are_too_large_or_the_patients_own_go(keyword: str, number: str, stays: bool) -> None:
    own = numbers_of_ids(["FK020450", "MRN-1234"])
    assert own == {20450.0}
    shift = Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT, own_numbers=own))
    ds = ct(SOPClassUID=pydicom.uid.PositronEmissionTomographyImageStorage, **{keyword: number})
    new = written(rewrite_instance(to_bytes(ds), shift, SPARE).data)
    assert (new[keyword].value not in (None, "")) is stays
