"""Pixel data: exactly what is declared."""

from __future__ import annotations

import io
import struct

import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from deidentify.deid_objects import ct, rewrite, seg, to_bytes
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


def test_whole_frames_that_nobody_declared_are_a_contradiction() -> None:
    with pytest.raises(Unsafe, match="pixel_data_long"):
        rewrite(ct(PixelData=bytes(96)))


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


def mask(frames: int = 3) -> pydicom.Dataset:
    """A binary segmentation whose frames don't end on a byte: 3 frames of 15 bits."""
    ds = seg()
    ds.SegmentationType, ds.Rows, ds.Columns, ds.NumberOfFrames = "BINARY", 3, 5, frames
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
    ds.PixelData = b"\xa5\x5a\xff\x01\x33\x1f"
    return ds


def test_packed_bits_and_their_padding() -> None:
    assert written(rewrite(mask()).data).PixelData == mask().PixelData
    longer = mask()
    longer.PixelData += b"Quxworth"
    assert written(rewrite(longer).data).PixelData == mask().PixelData
    with pytest.raises(Unsafe, match="pixel_data_short"):
        rewrite(mask(frames=4))


def test_an_odd_number_of_bytes_is_made_even_once() -> None:
    ds = ct(BitsAllocated=8, BitsStored=8, HighBit=7, Rows=3, Columns=5, PixelData=bytes(range(15)) + b"\0")
    assert written(rewrite(ds).data).PixelData == ds.PixelData
    data = to_bytes(ds)
    head = data.index(b"\xe0\x7f\x10\x00")
    odd = data[: head + 8] + struct.pack("<L", 15) + data[head + 12 : -1]
    assert written(rewrite(odd).data).PixelData == ds.PixelData


def test_halved_colours_have_two_samples_a_pixel() -> None:
    colours = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PhotometricInterpretation": "YBR_FULL_422"}
    ds = ct(BitsAllocated=8, BitsStored=8, HighBit=7, **colours, PixelData=bytes(range(48)))
    assert written(rewrite(ds).data).PixelData == bytes(range(48))
    ds.PixelData = bytes(72)  # written in full: cutting it would lose pixels
    with pytest.raises(Unsafe, match="pixel_data_long"):
        rewrite(ds)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_every_width_of_a_sample(bits: int, syntax: str) -> None:
    ds = ct(BitsAllocated=bits, BitsStored=bits, HighBit=bits - 1, PixelData=bytes(range(3 * bits)))
    assert written(rewrite(ds, syntax=syntax).data).PixelData == ds.PixelData


@pytest.mark.parametrize(
    "change",
    [
        {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11},
        {"BitsAllocated": 0},
        {"BitsStored": 17},
        {"HighBit": 16},
        {"BitsStored": 12, "HighBit": 10},
        {"NumberOfFrames": 0},
    ],
)
def test_layouts_that_contradict_themselves_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(Unsafe, match="pixel_layout"):
        rewrite(ct(**change))


NARROW = {"BitsStored": 12, "HighBit": 11}


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("bit", [12, 15])
def test_an_overlay_in_unused_bits_is_refused(syntax: str, bit: int) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    values = [100] * 24
    assert rewrite(ct(**NARROW, PixelData=struct.pack(f"{order}24H", *values)), syntax=syntax)
    values[-1] |= 1 << bit
    with pytest.raises(Unsafe, match="unused_bits"):
        rewrite(ct(**NARROW, PixelData=struct.pack(f"{order}24H", *values)), syntax=syntax)


def test_bits_below_the_value_are_unused_too() -> None:
    ds = ct(BitsStored=12, HighBit=15, PixelData=struct.pack("<24H", *[16] * 24))
    assert written(rewrite(ds).data).PixelData == ds.PixelData
    ds.PixelData = struct.pack("<24H", *[17] * 24)
    with pytest.raises(Unsafe, match="unused_bits"):
        rewrite(ds)


def test_signs_and_the_padding_value_may_fill_unused_bits() -> None:
    signed = ct(**NARROW, PixelRepresentation=1, PixelData=struct.pack("<24h", *range(-12, 12)))
    assert written(rewrite(signed).data).PixelData == signed.PixelData
    padded = ct(**NARROW, PixelData=struct.pack("<24H", *[100] * 23, 63536))
    with pytest.raises(Unsafe, match="unused_bits"):
        rewrite(padded)
    padded.PixelPaddingValue = 63536
    assert written(rewrite(padded).data).PixelData == padded.PixelData


def test_positive_values_with_signs_are_hidden_bits() -> None:
    signed = ct(**NARROW, PixelRepresentation=1, PixelData=struct.pack("<24H", *[0x1001] * 24))
    with pytest.raises(Unsafe, match="unused_bits"):
        rewrite(signed)
