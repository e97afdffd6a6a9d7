"""Values by VR: what isn't one is nothing."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.deidentify import values


@pytest.mark.parametrize("text", [b"1.5", b" -2e3 ", b"1\\2\\3", b"", b".5", b"3.", b"0.97656250000000000000"])
def test_decimal_strings_stay_as_they_are(text: bytes) -> None:
    assert values.number("DS", text, True) == text


@pytest.mark.parametrize(
    "text", [b"Doe", b"1.5 Doe", b"1\\Doe", b"0x10", b"nan", b"inf", "１".encode(), b"1,5", b"1 2"]
)
def test_what_is_no_decimal_goes(text: bytes) -> None:
    assert values.number("DS", text, True) is None


def test_integers() -> None:
    assert values.number("IS", b"12 ", True) == b"12 "
    assert values.number("IS", b"3.0", True) == b"3"
    assert values.number("IS", b"3.5", True) is None
    assert values.number("IS", b"99999999999", True) is None


def test_binary_numbers() -> None:
    assert values.number("US", b"\0\0", True) == b"\0\0"
    assert values.number("US", b"\0", True) is None
    assert values.number("UL", b"DOEJ", True) is None, "letters in a number"
    assert values.number("FD", b"DOE^JOHN", True) is None
    assert values.number("FD", struct.pack("<d", float("nan")), True) is None
    assert values.number("FD", struct.pack("<d", -12.25), True) is not None
    assert values.number("AT", struct.pack("<HH", 0x0018, 0x1063), True) is not None
    assert values.number("AT", b"JOHN", True) is None


@given(st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-20), st.integers(1, 6))
def test_measured_numbers_are_kept(number: float, count: int) -> None:
    raw = struct.pack("<d", number) * count
    assert values.number("FD", raw, True) == raw or abs(number) >= 2**17
    assert values.number("FL", struct.pack("<f", number), True) is not None


@given(st.lists(st.integers(0, 2**21), min_size=1, max_size=8))
def test_small_integers_are_kept(numbers: list[int]) -> None:
    raw = struct.pack(f"<{len(numbers)}L", *numbers)
    assert values.number("UL", raw, True) == raw


def test_more_values_than_the_attribute_has_go() -> None:
    assert values.number("US", bytes(4), True, values.largest_count(0x00280010)) is None
    assert values.number("US", bytes(8), True, values.largest_count(0x00181310)) == bytes(8)
    assert values.largest_count(0x00209157) is None


def test_uids_and_times() -> None:
    assert values.uids(b"1.2.840\\1.3\0") == ["1.2.840", "1.3"]
    assert values.uids(b"1.2.DOE") is None
    assert values.uids(b"12345678") is None, "a number alone is no UID"
    assert [values.time(text) for text in ("10", "1015", "101530.25", "10:15:30", "2515", "Doe")] == [
        "10", "1015", "101530.25", "101530", None, None,
    ]  # fmt: skip


def test_text_in_other_character_sets() -> None:
    assert values.decode_text("Läsion".encode("latin-1"), ("ISO_IR 100",)) == "Läsion"
    assert values.decode_text("腫瘍".encode("gb18030"), ("GB18030",)) == "腫瘍"
    assert values.decode_text(b"\xff\xfe", ("ISO_IR 192",)) in (None, "��")


def test_the_dictionary_decides_the_vr() -> None:
    assert values.resolve_vr(0x00180050, "UN", False, 16) == "DS"
    assert values.resolve_vr(0x00180050, "LO", False, 16) == "DS"
    assert values.resolve_vr(0x00280010, "LO", False, 16) is None
    assert values.resolve_vr(0x00280106, "", True, 16) == "SS"
