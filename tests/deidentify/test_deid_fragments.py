"""Encapsulated pixel data in all the shapes that writers give it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import UID, JPEGBaseline8Bit, RLELossless

from deidentify.deid_objects import ct, rewrite, to_bytes
from deidentify.test_deid_codestream import COMMENT, before, jpeg
from radcurate.dicom.problems import Unsafe

DEFLATED, WHOLE = "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.1.98"
CLEAN = jpeg() + b"\0" * (len(jpeg()) % 2)
DIRTY = before(jpeg(), b"\xff\xd9", COMMENT)
WIDE = {"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15}
ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0)[:4]


def items(*fragments: bytes, table: bytes = b"") -> bytes:
    return b"".join(ITEM + struct.pack("<L", len(part)) + part for part in (table, *fragments))


def compressed(pixels: bytes, frames: int, syntax: str = JPEGBaseline8Bit, **changes: object) -> bytes:
    shape = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "Rows": 64, "Columns": 64, "NumberOfFrames": frames}
    ds = ct(**(shape | changes))
    ds.PixelData = pixels
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    if UID(syntax).is_transfer_syntax and not UID(syntax).is_private:
        return to_bytes(ds, syntax)
    return renamed(to_bytes(ds, JPEGBaseline8Bit), syntax)


def renamed(data: bytes, syntax: str) -> bytes:
    """The file under a transfer syntax that pydicom doesn't write."""
    old = str(JPEGBaseline8Bit)
    place = data.index(old.encode())
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    return data[: place - 2] + struct.pack("<H", len(uid)) + uid + data[place + len(old) + len(old) % 2 :]


def new_frames(data: bytes, frames: int) -> list[bytes]:
    ds = pydicom.dcmread(io.BytesIO(rewrite(data).data))
    return list(generate_frames(ds.PixelData, number_of_frames=frames))


def cut(data: bytes, *places: int) -> list[bytes]:
    return [data[start:stop] for start, stop in zip((0, *places), (*places, len(data)), strict=True)]


def test_frames_of_several_fragments_stay_as_they_are() -> None:
    parts = cut(CLEAN, 100, 400)
    table = struct.pack("<2L", 0, len(CLEAN) + 24)
    data = compressed(items(*parts, *parts, table=table), 2)
    new = pydicom.dcmread(io.BytesIO(rewrite(data).data))
    assert new.PixelData == items(*parts, *parts, table=table)


@pytest.mark.parametrize("with_table", [True, False])
def test_text_across_fragments_goes(with_table: bool) -> None:
    place = DIRTY.index(b"Quxworth") + 4
    parts = cut(DIRTY + b"\0" * (len(DIRTY) % 2), place - place % 2)
    table = struct.pack("<2L", 0, sum(map(len, parts)) + 16) if with_table else b""
    new = rewrite(compressed(items(*parts, *parts, table=table), 2)).data
    assert b"worth" not in new
    assert [frame.rstrip(b"\0") for frame in new_frames(new, 2)] == [jpeg().rstrip(b"\0")] * 2


def test_an_odd_fragment_inside_a_frame_is_not_padded_into_the_samples() -> None:
    parts = cut(CLEAN, 101)
    new = new_frames(compressed(items(*parts), 1), 1)
    assert new == [CLEAN]


@pytest.mark.parametrize(
    ("pixels", "frames"),
    [
        (items(CLEAN, CLEAN, table=struct.pack("<2L", 0, 4)), 2),  # a table that points nowhere
        (items(CLEAN, CLEAN, table=struct.pack("<L", 0)), 2),  # one that is too short
        (items(CLEAN, CLEAN), 1),  # an undeclared frame
        (items(CLEAN, CLEAN, CLEAN), 2),
        (items(CLEAN), 2),
        (items(), 1),
        (items(b""), 1),
    ],
)
def test_frames_that_cannot_be_told_apart_are_refused(pixels: bytes, frames: int) -> None:
    with pytest.raises(Unsafe):
        rewrite(compressed(pixels, frames))


def test_extended_tables_tell_the_new_places() -> None:
    ds = ct(BitsAllocated=8, BitsStored=8, HighBit=7, Rows=64, Columns=64, NumberOfFrames=2)
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended([DIRTY, jpeg()])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    new = pydicom.dcmread(io.BytesIO(rewrite(to_bytes(ds, JPEGBaseline8Bit)).data))
    assert struct.unpack("<2Q", new.ExtendedOffsetTable) == (0, 8 + len(CLEAN))
    assert new.pixel_array.shape == (2, 64, 64) and b"Quxworth" not in new.PixelData


def test_another_size_than_the_header_says_is_refused() -> None:
    for change in ({"Rows": 32}, {"Columns": 65}, {"SamplesPerPixel": 3, "PlanarConfiguration": 0}):
        with pytest.raises(Unsafe, match="pixel_layout"):
            rewrite(compressed(items(CLEAN), 1, **change))


PLANE = np.random.default_rng(2).integers(0, 40, (64, 64), dtype=np.uint16).repeat(3, axis=0)[:64]


def run_length(array: np.ndarray = PLANE) -> bytes:
    return next(
        iter([RLELosslessEncoder.encode(array, rows=64, columns=64, bits_allocated=16, bits_stored=16,
              number_of_frames=1, samples_per_pixel=1, photometric_interpretation="MONOCHROME2", pixel_representation=0)])
    )  # fmt: skip


def rle_file(frame: bytes, **changes: object) -> bytes:
    return compressed(encapsulate([frame]), 1, RLELossless, **(WIDE | changes))


def test_run_lengths_lose_what_follows_and_what_lies_between() -> None:
    frame = run_length()
    assert new_frames(rle_file(frame), 1) == [frame]
    assert new_frames(rle_file(frame + b"Quxworth"), 1)[0].rstrip(b"\0") == frame.rstrip(b"\0")
    second = struct.unpack_from("<L", frame, 8)[0]
    gap = frame[:8] + struct.pack("<L", second + 8) + frame[12:second] + b"Quxworth" + frame[second:]
    new = rewrite(rle_file(gap)).data
    assert b"Quxworth" not in new and np.array_equal(pydicom.dcmread(io.BytesIO(new)).pixel_array, PLANE)


def test_frames_that_nobody_declared_are_not_cut_off() -> None:
    frame = run_length()
    packed = deflated(np.random.default_rng(3).bytes(4096))
    even = packed + b"\0" * (len(packed) % 2)
    for pixels, syntax, change in (
        (encapsulate([frame, frame]), RLELossless, WIDE),
        (items(frame + frame), RLELossless, WIDE),
        (items(even, even), DEFLATED, {}),
        (items(packed + packed), DEFLATED, {}),
        (items(bytes(4096), bytes(4096)), WHOLE, {}),
    ):
        with pytest.raises(Unsafe):
            rewrite(compressed(pixels, 1, syntax, **change))


@pytest.mark.parametrize("change", ["count", "unused", "order", "short", "empty"])
def test_run_lengths_that_contradict_the_header_are_refused(change: str) -> None:
    frame = run_length()
    broken = {
        "count": b"\1" + frame[1:],
        "unused": frame[:60] + b"Quxw" + frame[64:],
        "order": frame[:4] + frame[8:12] + frame[4:8] + frame[12:],
        "short": frame[:-200],
        "empty": b"\0" * 64,
    }[change]
    with pytest.raises(Unsafe):
        rewrite(rle_file(broken))


def test_bits_hidden_in_a_compressed_frame_are_found() -> None:
    overlay = PLANE.copy()
    overlay[3, 5:20] |= 1 << 12
    narrow = {"BitsStored": 12, "HighBit": 11}
    assert rewrite(rle_file(run_length(), **narrow))
    with pytest.raises(Unsafe, match="unused_bits"):
        rewrite(rle_file(run_length(overlay), **narrow))


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def test_deflated_frames() -> None:
    frame = deflated(bytes(4096))
    clean = frame + b"\0" * (len(frame) % 2)
    assert new_frames(compressed(items(clean), 1, DEFLATED), 1) == [clean]
    assert b"Quxworth" not in rewrite(compressed(items(clean + b"Quxworth"), 1, DEFLATED)).data
    for wrong in (deflated(bytes(4000)), deflated(bytes(9000)), frame[:-6], b"Quxworth" * 4):
        with pytest.raises(Unsafe):
            rewrite(compressed(items(wrong + b"\0" * (len(wrong) % 2)), 1, DEFLATED))


def test_uncompressed_frames_in_fragments() -> None:
    assert new_frames(compressed(items(bytes(4096), bytes(4096)), 2, WHOLE), 2) == [bytes(4096)] * 2
    with pytest.raises(Unsafe):
        rewrite(compressed(items(bytes(4096) + b"Quxworth"), 1, WHOLE))


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.4.100", "video"),
        ("1.2.840.10008.1.2.4.102.1", "video"),
        ("1.2.840.10008.1.2.4.107", "video"),
        ("1.2.840.10008.1.2.7.1", "video"),
        ("1.2.840.10008.1.2.4.94", "pixels_elsewhere"),
        ("1.2.840.10008.1.2.4.205", "pixels_elsewhere"),
        ("1.2.840.10008.1.2.4.110", "jpeg_xl"),
        ("1.2.840.113619.5.2", "transfer_syntax"),
    ],
)
def test_transfer_syntaxes_that_nobody_can_judge_are_refused(syntax: str, reason: str) -> None:
    with pytest.raises(Unsafe, match=reason):
        rewrite(compressed(items(CLEAN), 1, syntax))
