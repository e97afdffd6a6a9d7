"""Identifiers where nobody looks for them: in codes, numbers, times, labels, tables, and as words that are technical too."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    PositronEmissionTomographyImageStorage,
    RTDoseStorage,
    RTPlanStorage,
    SecondaryCaptureImageStorage,
)

from deidentify.deid_objects import (
    POLICY,
    SHIFT,
    SPARE,
    SUBJECT,
    TEST_KEY,
    YEAR,
    YEAR_POLICY,
    ct,
    rewrite,
    rtstruct,
    seg,
    to_bytes,
)
from radcurate.deidentify.dates import DateRule
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.people import (
    is_number,
    numbers_of_dates,
    numbers_of_ids,
    says_number,
    says_word,
    words_of_names,
)
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.dicom.container import read_file, write_file
from radcurate.dicom.elements import Element, Encoding

WORDS = words_of_names(["Brain^Lung", "Siemens^Norm"])
NUMBERS = numbers_of_ids(["MRN7734219", "20450"]) | numbers_of_dates(["20190304", "19500612"])


def clean(ds: Dataset | bytes, dates: DateRule = SHIFT, plain: bool = False) -> Dataset:
    data = ds if isinstance(ds, bytes) else to_bytes(ds)
    person = Patient(SUBJECT, dates) if plain else Patient(SUBJECT, dates, WORDS, NUMBERS)
    policy = POLICY if dates.mode == "shift" else YEAR_POLICY
    rewriter = Rewriter(policy, TEST_KEY, person)
    return pydicom.dcmread(io.BytesIO(rewrite_instance(data, rewriter, SPARE).data))


def with_bytes(tag: int, vr: str, raw: bytes, sop_class: str = PositronEmissionTomographyImageStorage) -> bytes:
    elements = read_file(to_bytes(ct(SOPClassUID=sop_class))).elements
    elements[tag] = Element(tag, vr, raw)
    return write_file(elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BodyPartExamined", "BRAIN"), ("BodyPartExamined", "LUNG"), ("Manufacturer", "SIEMENS"), ("ConvolutionKernel", "LUNG"),
        ("ConvolutionKernel", "BRAIN"), ("Manufacturer", "Siemens Healthineers"), ("ReceiveCoilName", "BRAIN"),
        ("SeriesDescription", "Brain Lung"), ("StudyDescription", "LUNG"), ("ProtocolName", "lung^brain"),
    ],
)  # fmt: skip
def test_a_patients_name_goes_even_if_it_is_a_technical_word(keyword: str, value: str) -> None:
    ds = ct(**{keyword: value})
    assert not clean(ds).get(keyword)
    kept = clean(ds, plain=True).get(keyword)
    assert kept or keyword == "ReceiveCoilName"  # not listed for CT


def test_the_own_word_alone_goes_from_image_types_and_essential_codes_stay() -> None:
    new = clean(ct(ImageType=["ORIGINAL", "PRIMARY", "AXIAL", "NORM"]))
    assert new.ImageType == ["ORIGINAL", "PRIMARY", "AXIAL", ""]
    assert new.Modality == "CT" and new.PhotometricInterpretation == "MONOCHROME2"


def test_region_names_with_own_words_become_numbers() -> None:
    names = [roi.ROIName for roi in clean(rtstruct("Lung L", "Brainstem", "GTV Norm")).StructureSetROISequence]
    assert names == ["ROI 1", "Brainstem", "ROI 3"]


@pytest.mark.parametrize(
    ("tag", "vr", "raw"),
    [
        (0x00181074, "DS", b"7734219"), (0x00181074, "DS", b"20190304"), (0x00181074, "DS", b"04032019"), (0x00181074, "DS", b"20210506"),
        (0x00180050, "DS", b"0.7734219"), (0x00180050, "DS", b"1.7734219"), (0x00180050, "DS", b"1950.0612"), (0x00180050, "DS", b"007734219"),
        (0x00200013, "IS", b"20450"), (0x00200013, "IS", b"0000020450"), (0x00200012, "IS", b"123456789"), (0x00280106, "US", struct.pack("<H", 20450)),
        (0x00189074, "DT", b"20190304"), (0x00180088, "DS", b"7734219"), (0x00181074, "DS", b"1" * 33), (0x00541300, "DS", b"19500612"),
    ],
)  # fmt: skip
def test_numbers_that_are_identifiers_or_days_go(tag: int, vr: str, raw: bytes) -> None:
    new = clean(with_bytes(tag, vr, raw))
    left = b"" if tag not in new or new[tag].value in (None, "") else str(new[tag].value).encode()
    assert raw.strip(b"0") not in left
    assert not left or vr == "DT"


@pytest.mark.parametrize(
    ("raw", "vr", "tag"),
    [
        (struct.pack("<f", 7734219.0), "FL", 0x00189093 + 0), (struct.pack("<d", 20190304.0), "FD", 0x00189082),
        (struct.pack("<d", 7734219.0), "FD", 0x00189087), (b"QUXWORTH", "FD", 0x00189087), (struct.pack("<d", 1e9), "FD", 0x00189082),
    ],
)  # fmt: skip
def test_binary_numbers_have_limits_too(raw: bytes, vr: str, tag: int) -> None:
    new = clean(with_bytes(tag, vr, raw, pydicom.uid.EnhancedMRImageStorage))
    assert tag not in new or new[tag].value in (None, "")


def test_technical_numbers_stay() -> None:
    ds = ct(SOPClassUID=PositronEmissionTomographyImageStorage)
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife, tracer.RadiopharmaceuticalStartTime = (
        "370012345",
        "6586.2",
        "101530.250000",
    )
    ds.RadiopharmaceuticalInformationSequence, ds.FrameReferenceTime = [tracer], "1795000.5"
    ds.ImagePositionPatient = ["-249.51171875", "-402.51171875", "-1234.5678901"]
    new = clean(ds)
    assert new.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose == 370012345
    assert new.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime == "101530.250000"
    assert new.FrameReferenceTime == 1795000.5 and new.ImagePositionPatient == ds.ImagePositionPatient


@pytest.mark.parametrize("value", ["773421", "7734219", "10\\19\\20", "101530\\195006", "250000", "Doe", "10:99"])
def test_times_hold_nothing_else(value: str) -> None:
    data = with_bytes(0x00080031, "TM", value.encode())
    assert not clean(data).get("SeriesTime")


def test_a_time_that_is_the_patients_number_goes() -> None:
    own = Patient(SUBJECT, SHIFT, own_numbers=numbers_of_ids(["101530"]))
    rewriter = Rewriter(POLICY, TEST_KEY, own)
    data = rewrite_instance(with_bytes(0x00080031, "TM", b"101530"), rewriter, SPARE).data
    assert not pydicom.dcmread(io.BytesIO(data)).SeriesTime


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CT Chest 04.03.2019", "CT Chest"), ("CT 04.03 2019 Chest", "CT Chest"), ("Chest 20190304", "Chest"), ("Chest 4711", "Chest"),
        ("Chest March 4", "Chest"), ("Chest MRN7734219", "Chest"), ("Chest 3mm B30f", "Chest 3mm B30f"), ("Kopf nativ 5mm", "Kopf nativ 5mm"),
        ("Chest Dr. Ｑｕｘ", "Chest"), ("胸部 CT", "CT"), ("t1w 2019-03-04", "t1w"), ("CHEST_QUXWORTH_ZEBULON", "CHEST"),
    ],
)  # fmt: skip
def test_descriptions(text: str, kept: str) -> None:
    ds = ct(SeriesDescription=text)
    ds.SpecificCharacterSet = "ISO_IR 192"
    assert clean(ds, plain=True).SeriesDescription == kept


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        ("PTV 60", True), ("GTV 04.03", False), ("GTV 12 03 50", False), ("GTV 04-03", False), ("GTV 1950", False), ("PTV 54.5", True),
        ("Lung_L", True), ("SpinalCord", True), ("Rib 11", True), ("GTV Smith", False), ("vertebrae_L5", True), ("CTV 45/20", True),
    ],
)  # fmt: skip
def test_region_names_hold_no_day(name: str, stays: bool) -> None:
    assert (POLICY.vocabulary.region(name) == name) is stays


@pytest.mark.parametrize(
    ("scheme", "value", "stays"),
    [
        ("SCT", "49755003", True), ("DCM", "7734219", False), ("DCM", "113100", True), ("SCT", "7734219", False), ("99HOSPITAL", "7734219", False),
        ("SCT", "77342190", False), ("SRT", "M-77342", False), ("SRT", "T-28000", True), ("UCUM", "Quxworth", False), ("UCUM", "mm", True),
        ("LN", "77342-9", False), ("Quxworth", "1", False), ("FMA", "77342", False), ("SCT", "112233445566778007", False),
    ],
)  # fmt: skip
def test_invented_codes_go(scheme: str, value: str, stays: bool) -> None:
    ds = seg()
    code = ds.SegmentSequence[0].SegmentedPropertyCategoryCodeSequence[0]
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, "Quxworth"
    code.CodingSchemeVersion, code.LongCodeValue = "Quxworth", "Quxworth"
    person = Patient(SUBJECT, SHIFT, own_numbers=numbers_of_ids(["7734219", "77342"]))
    data = rewrite_instance(to_bytes(ds), Rewriter(POLICY, TEST_KEY, person), SPARE).data
    items = pydicom.dcmread(io.BytesIO(data)).SegmentSequence[0].SegmentedPropertyCategoryCodeSequence
    assert b"Quxworth" not in data
    assert [item.CodeValue for item in items] == ([value] if stays else [])


def test_pointers_name_attributes_of_the_standard_only() -> None:
    assert not clean(with_bytes(0x00280009, "AT", b"\x34\x12\x78\x56")).get("FrameIncrementPointer")
    assert clean(with_bytes(0x00280009, "AT", b"\x18\x00\x63\x10")).FrameIncrementPointer == 0x00181063


@pytest.mark.parametrize("text", [b"QUXWORTH^ZEBULON", b"Q\0U\0X\0W\0O\0R\0T\0H\0"])
def test_colour_tables_hold_no_text(text: bytes) -> None:
    elements = read_file(to_bytes(ct(SOPClassUID=SecondaryCaptureImageStorage))).elements
    elements[0x00281101] = Element(0x00281101, "US", struct.pack("<3H", 8, 0, 16))
    elements[0x00281201] = Element(0x00281201, "OW", text)
    data = write_file(elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    person = Patient(SUBJECT, SHIFT, own_words=frozenset({"quxworth"}))
    rewriter = Rewriter(POLICY, TEST_KEY, person)
    new = pydicom.dcmread(io.BytesIO(rewrite_instance(data, rewriter, SPARE).data))
    assert not new.get("RedPaletteColorLookupTableData")


def test_a_colour_table_stays() -> None:
    elements = read_file(to_bytes(ct(SOPClassUID=SecondaryCaptureImageStorage))).elements
    table = struct.pack("<256H", *range(0, 65536, 256))
    elements[0x00281101] = Element(0x00281101, "US", struct.pack("<3H", 256, 0, 16))
    elements[0x00281201] = Element(0x00281201, "OW", table)
    data = write_file(elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    assert clean(data).RedPaletteColorLookupTableData == table


def dose() -> Dataset:
    ds = ct(SOPClassUID=RTDoseStorage, Modality="RTDOSE", DoseUnits="GY", DoseType="PHYSICAL", DoseSummationType="PLAN")
    ds.DoseGridScaling, ds.GridFrameOffsetVector, ds.DoseComment = "4.2e-5", ["0", "2.5"], "Quxworth"
    histogram, roi, plan = Dataset(), Dataset(), Dataset()
    roi.ReferencedROINumber, roi.DVHROIContributionType = 3, "INCLUDED"
    histogram.DVHData, histogram.DVHDoseScaling, histogram.DVHType = ["0.1", "100", "0.2", "90"], "1", "CUMULATIVE"
    histogram.DVHReferencedROISequence = [roi]
    plan.ReferencedSOPClassUID, plan.ReferencedSOPInstanceUID = RTPlanStorage, "1.2.3.4.5.11"
    ds.DVHSequence, ds.ReferencedRTPlanSequence = [histogram], [plan]
    return ds


def test_doses_keep_their_grid_and_their_plan() -> None:
    new = clean(dose(), plain=True)
    assert (new.DoseGridScaling, list(new.GridFrameOffsetVector), new.DoseUnits) == (4.2e-5, [0, 2.5], "GY")
    assert list(new.DVHSequence[0].DVHData) == [0.1, 100, 0.2, 90] and "DoseComment" not in new
    assert new.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == TEST_KEY.uid("1.2.3.4.5.11")


def test_plans_keep_numbers_and_lose_texts() -> None:
    ds = rtstruct()
    del ds.ROIContourSequence, ds.StructureSetROISequence, ds.RTROIObservationsSequence
    ds.SOPClassUID, ds.Modality, ds.RTPlanLabel, ds.RTPlanName = RTPlanStorage, "RTPLAN", "Plan1 Quxworth", "Quxworth"
    beam, point = Dataset(), Dataset()
    point.GantryAngle, point.CumulativeMetersetWeight, point.ControlPointIndex = "180", "0", 0
    beam.BeamName, beam.BeamDescription, beam.TreatmentMachineName = "Quxworth", "Quxworth", "QUXWORTH-LINAC"
    beam.BeamNumber, beam.RadiationType, beam.ControlPointSequence = 1, "PHOTON", [point]
    ds.BeamSequence, ds.PrescriptionDescription, ds.RTPlanDescription = [beam], "Quxworth", "Quxworth"
    new = clean(ds, plain=True)
    assert "uxworth" not in str(new) and "QUXWORTH" not in str(new)
    assert new.RTPlanLabel == "Plan1" and new.BeamSequence[0].ControlPointSequence[0].GantryAngle == 180
    assert new.BeamSequence[0].TreatmentMachineName == ""


def test_with_years_no_day_is_left_anywhere() -> None:
    ds = ct(
        SOPClassUID=PositronEmissionTomographyImageStorage,
        SeriesDescription="Chest 2019-03-04",
        InstanceCreationTime="1015",
    )
    ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = ds.InstanceCreationDate = "20200311"
    ds.AcquisitionDateTime, ds.DecayCorrectionDateTime, ds.SeriesTime = "20200311101500", "20200311101500.5", "101500"
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartDateTime, tracer.RadiopharmaceuticalStopDateTime = "20200310233000", "20200310233100"
    ds.RadiopharmaceuticalInformationSequence = [tracer]
    new = clean(ds, YEAR)
    for element in new.iterall():
        if element.VR in ("DA", "DT") and element.value:
            assert str(element.value)[4:8] == "0101", element.keyword
    assert "0311" not in str(new) and "0310" not in str(new)
    assert new.StudyTime == "" and new.SeriesTime == "101500"
    assert new.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime == "233000"
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"


def test_own_words_and_numbers() -> None:
    assert says_word("syngo Brain", frozenset({"brain"})) and not says_word("Brainstem", frozenset({"brain"}))
    assert not says_word("CT of Li", frozenset({"li"})), "words of two letters are everywhere"
    assert says_number("V7-73 42.19", frozenset({"7734219"})) and not says_number("V7", frozenset({"7"}))
    assert is_number("-007734219.0", frozenset({"7734219"})) and is_number("1.7734219e3", frozenset({"7734219"}))
    assert is_number("1950.0612", frozenset({"19500612"})) and not is_number("17734219", frozenset({"7734219"}))
    assert numbers_of_dates(["2019-03-04", "", "2019"]) == {20190304.0, 4032019.0, 3042019.0}


def test_what_was_blanked_is_told_to_the_review_only() -> None:
    told: list[tuple[str, str, str]] = []
    rewriter = Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT), on_blank=lambda *one: told.append(one))
    ds = ct(BodyPartExamined="QUXWORTH", SeriesDescription="Chest Quxworth")
    for _ in range(2):  # what is remembered is told again
        result = rewrite_instance(to_bytes(ds), rewriter, SPARE)
    assert told.count(("(0018,0015)", "BodyPartExamined", "QUXWORTH")) == 2
    assert ("(0008,103E)", "SeriesDescription", "Chest Quxworth") in told
    assert not [note for note in result.notes if "uxw" in repr(note).lower()]


def test_what_is_remembered_is_what_would_be_decided() -> None:
    fresh = [
        rewrite_instance(to_bytes(ct(InstanceNumber=n)), Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT)), SPARE)
        for n in range(4)
    ]
    again = Rewriter(POLICY, TEST_KEY, Patient(SUBJECT, SHIFT))
    for number, one in enumerate(fresh):
        result = rewrite_instance(to_bytes(ct(InstanceNumber=number)), again, SPARE)
        assert result.data == one.data and result.notes == one.notes
    assert replace(again.patient, subject="P-1").subject == "P-1"


def test_words_in_lists_of_small_binary_numbers_go() -> None:
    """Four letters in Latin-1 are two numbers of 16 bits; found by the generated files."""
    image = ct()
    image.ReferencedSegmentNumber = [0xE4E4, 0xE4E4]
    assert "ää".encode("latin-1") not in rewrite(image).data
    image.ReferencedSegmentNumber = [1, 2]
    kept = pydicom.dcmread(io.BytesIO(rewrite(image).data))
    assert list(kept.ReferencedSegmentNumber) == [1, 2]
