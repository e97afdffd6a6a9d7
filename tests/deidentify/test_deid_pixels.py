"""Pixel data: exactly what is declared."""

from __future__ import annotations

import io
import struct

import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from deidentify.deid_objects import ct, rewrite, to_bytes
from deidentify.test_deid_codestream import jpeg
from radcurate.dicom.problems import Unsafe


def written(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_pixels_are_identical(syntax: str) -> None:
    new = written(rewrite(ct(), syntax=syntax).data)
    assert new.PixelData == ct().PixelData and new.file_meta.TransferSyntaxUID == syntax and new.Rows == 4


def test_excess_bytes_are_cut_and_told() -> None:
    result = rewrite(ct(PixelData=bytes(range(48)) + b"Quxworth^Zebulon"))
    assert written(result.data).PixelData == bytes(range(48))
    assert any(note.action == "cut" for note in result.notes)


def test_fewer_bytes_than_declared_are_refused_never_filled() -> None:
    with pytest.raises(Unsafe, match="pixel_data_short"):
        rewrite(ct(PixelData=bytes(46)))


def test_far_more_bytes_than_declared_are_a_contradiction() -> None:
    with pytest.raises(Unsafe, match="pixel_data_long"):
        rewrite(ct(PixelData=bytes(4800)))


@pytest.mark.parametrize("missing", ["PixelData", "Rows", "Columns"])
def test_images_without_pixels_or_layout_are_refused(missing: str) -> None:
    ds = ct()
    delattr(ds, missing)
    with pytest.raises(Unsafe):
        rewrite(ds)


def compressed(extended: bool) -> pydicom.Dataset:
    ds = ct(BitsAllocated=8, BitsStored=8, HighBit=7, Rows=64, Columns=64, NumberOfFrames=2)
    frames = [jpeg(b"Quxworth one") + b"\0" * (len(jpeg(b"Quxworth one")) % 2), jpeg(b"Quxworth two!")]
    if extended:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    else:
        ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return ds


@pytest.mark.parametrize("extended", [False, True])
def test_offset_tables_fit_the_cleaned_fragments(extended: bool) -> None:
    new = written(rewrite(to_bytes(compressed(extended), JPEGBaseline8Bit)).data)
    assert b"Quxworth" not in new.PixelData
    assert new.pixel_array.shape == (2, 64, 64)
    if extended:
        offsets = struct.unpack("<2Q", new.ExtendedOffsetTable)
        assert new.PixelData[8 + offsets[1] : 12 + offsets[1]] == b"\xfe\xff\x00\xe0"


def test_fewer_fragments_than_frames_are_refused() -> None:
    ds = compressed(False)
    ds.NumberOfFrames = 3
    with pytest.raises(Unsafe, match="pixel_data_short"):
        rewrite(to_bytes(ds, JPEGBaseline8Bit))
