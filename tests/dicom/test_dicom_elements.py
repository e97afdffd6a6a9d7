"""The strict reader: what is not a data set is refused, never guessed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from deidentify.deid_objects import ct, rewrite, seg, to_bytes
from radcurate.dicom.container import read_file
from radcurate.dicom.elements import DEPTH, Element, Encoding, read_data_set
from radcurate.dicom.encode import encode
from radcurate.dicom.problems import Unsafe

LITTLE = Encoding(explicit=True)


def explicit(tag: int, vr: str, value: bytes) -> bytes:
    return encode({tag: Element(tag, vr, value)}, LITTLE)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_all_encodings_give_the_same_elements(syntax: str) -> None:
    ds = seg()
    found = read_file(to_bytes(ds, syntax)).elements
    assert set(found) == {int(element.tag) for element in ds}
    assert (
        found[0x00620002].items is not None
        and found[0x00620002].items[0][0x00620005].value.strip() == b"Quxworth tumor"
    )


def test_without_preamble_and_meta_group_the_encoding_is_found() -> None:
    data = to_bytes(ct())
    start = data.index(b"\x08\x00\x08\x00CS")
    assert read_file(data[start:]).elements.keys() == read_file(data).elements.keys()


def test_a_sequence_under_un_is_read_as_implicit() -> None:
    inner = struct.pack("<HHL", 0xFFFE, 0xE000, 16) + struct.pack("<HHL", 0x0008, 0x1155, 8) + b"1.2.3.4\0"
    reading = read_data_set(explicit(0x00081140, "UN", inner), 0, LITTLE)
    items = reading.elements[0x00081140].items
    assert items is not None and items[0][0x00081155].value == b"1.2.3.4\0"


def test_a_tag_twice_is_refused() -> None:
    twice = explicit(0x00100020, "LO", b"one ") + explicit(0x00100020, "LO", b"two ")
    with pytest.raises(Unsafe, match="duplicate_element"):
        read_data_set(twice + explicit(0x00280010, "US", b"\1\0"), 0, LITTLE)


def test_bytes_after_pixels_and_zero_padding_are_no_elements() -> None:
    pixels = explicit(0x7FE00010, "OB", b"\1\2")
    reading = read_data_set(pixels + b"JOHN^DOE was here", 0, LITTLE)
    assert (list(reading.elements), reading.trailing) == ([0x7FE00010], 17)
    assert read_data_set(explicit(0x00280010, "US", b"\1\0") + b"\0" * 30, 0, LITTLE).trailing == 30


def test_an_unknown_vr_in_the_middle_is_refused() -> None:
    data = explicit(0x00280010, "US", b"\1\0").replace(b"US", b"??") + explicit(0x00280011, "US", b"\1\0")
    with pytest.raises(Unsafe, match="vr"):
        read_data_set(data, 0, LITTLE)


def test_endless_nesting_is_refused() -> None:
    data = b""
    for _ in range(DEPTH + 2):
        data = explicit(0x00081140, "SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(data)) + data)
    with pytest.raises(Unsafe, match="nesting"):
        read_data_set(data, 0, LITTLE)


@settings(max_examples=150, deadline=None)
@given(st.integers(132, 1200), st.integers(0, 255), st.integers(0, 1500))
def test_a_damaged_file_is_rewritten_or_refused_but_never_crashes(position: int, byte: int, length: int) -> None:
    data = bytearray(to_bytes(seg()))
    data[position % len(data)] = byte
    for damaged in (bytes(data), bytes(data[: max(length, 140)])):
        try:
            rewrite(damaged)
        except Unsafe as verdict:
            assert verdict.reason and verdict.remedy
