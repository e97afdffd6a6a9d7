"""The quick cutter of headers against the strict reader: equal where it answers, silent where there is doubt."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import ImplicitVRLittleEndian

from deidentify.deid_objects import ct, rtstruct, to_bytes
from radcurate.dicom.container import EXPLICIT_LITTLE, read_file
from radcurate.dicom.elements import IMPLICIT, PIXEL_DATA, UNDEFINED
from radcurate.dicom.problems import Unsafe
from radcurate.dicom.split import Splitter, parse, value_of


def agrees(data: bytes, splitter: Splitter | None = None) -> bool:
    """Whether the file is split; if so, the pieces are what the strict reader reads."""
    found = (splitter or Splitter()).split(data, len(data))
    if found is None:
        return False
    source = read_file(data)
    pieces = {tag: parse(raw, found.encoding) for tag, raw in zip(found.tags, found.raws, strict=True)}
    rest = dict(source.elements)
    pixels = rest.pop(PIXEL_DATA, None)
    assert pieces == rest
    assert source.trailing == 0
    assert source.transfer_syntax == found.transfer_syntax
    assert (pixels is None) == (found.pixel_start == 0)
    if pixels is not None and found.pixel_length != UNDEFINED:
        assert pixels.value == data[found.pixel_start :]
    return True


def test_an_ordinary_slice_is_split() -> None:
    assert agrees(to_bytes(ct()))
    assert agrees(to_bytes(ct(), ImplicitVRLittleEndian))


def test_a_file_without_pixels_is_split() -> None:
    assert agrees(to_bytes(rtstruct()))


def test_what_is_remembered_of_another_file_changes_nothing() -> None:
    splitter = Splitter()
    first, second = ct(), rtstruct()
    for data in (to_bytes(first), to_bytes(second), to_bytes(first)):
        assert agrees(data, splitter)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:128] + b"DICX" + data[132:],
        lambda data: data + b"\0\0",
        lambda data: data[:-2],
        lambda data: data.replace(b"\x08\x00\x60\x00CS", b"\x08\x00\x60\x00ZZ"),
        lambda data: data.replace(b"\x08\x00\x60\x00CS", b"\xfe\xff\x60\x00CS"),
        lambda data: data.replace(b"\x28\x00\x10\x00US", b"\x27\x00\x10\x00US"),
    ],
    ids=["no_magic", "trailing", "short", "vr", "delimiter", "order"],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_strict_reader(spoil) -> None:  # type: ignore[no-untyped-def]
    data = spoil(to_bytes(ct()))
    assert Splitter().split(data, len(data)) is None


def test_value_of_gives_vr_and_value() -> None:
    assert value_of(b"\x08\x00\x60\x00CS\x02\x00CT", EXPLICIT_LITTLE) == ("CS", b"CT")
    assert value_of(b"\x08\x00\x60\x00\x02\x00\x00\x00CT", IMPLICIT) == ("", b"CT")


@given(st.data())
def test_a_flipped_byte_is_read_alike_or_not_at_all(data: st.DataObject) -> None:
    whole = bytearray(to_bytes(ct()))
    splitter = Splitter()
    splitter.split(bytes(whole), len(whole))
    header = len(whole) - 8
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, header))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Unsafe):  # the strict reader refuses what is refused again when the pieces are parsed
        agrees(bytes(whole), splitter)


@given(st.data())
def test_a_file_laid_out_like_the_last_one_is_split_as_if_it_were_the_first(data: st.DataObject) -> None:
    whole = bytearray(to_bytes(ct()))
    splitter = Splitter()
    assert splitter.split(bytes(whole), len(whole)) is not None
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(128, len(whole) - 8))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))
    spoilt = bytes(whole[: len(whole) - cut])
    assert splitter.split(spoilt, len(spoilt)) == Splitter().split(spoilt, len(spoilt))


def test_real_files_are_split_as_the_strict_reader_reads_them(real_data: Path) -> None:
    splitter, split, seen = Splitter(), 0, 0
    for path in sorted(real_data.rglob("*.dcm"))[::5]:
        data = path.read_bytes()
        seen += 1
        try:
            split += agrees(data, splitter)
        except Unsafe:
            continue
    assert split > seen / 2
