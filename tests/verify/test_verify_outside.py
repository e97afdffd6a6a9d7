"""One pixel outside of what was allowed is seen, however the pixels are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.pixels import compress
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from radcurate.verify.layout import UnreadableError
from radcurate.verify.outside import Allowed, Difference, difference

ROWS, COLUMNS = 40, 48
BOX = Allowed({1: ((2, 4, 8, 10),)})  # of the second frame


def file_of(path: Path, values: np.ndarray, syntax: str, photometric: str = "MONOCHROME2", planar: int = 0) -> Path:
    """values: (frame, row, column) or (frame, row, column, sample)."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7.2", "2.25.9"
    content = pydicom.FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    content.SOPClassUID, content.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    content.NumberOfFrames, content.Rows, content.Columns = values.shape[:3]
    content.SamplesPerPixel, content.PhotometricInterpretation = values.shape[3] if values.ndim == 4 else 1, photometric
    if values.ndim == 4:
        content.PlanarConfiguration = planar
    bits = values.dtype.itemsize * 8
    content.BitsAllocated, content.BitsStored, content.HighBit, content.PixelRepresentation = bits, bits, bits - 1, 0
    stored = np.moveaxis(values, 3, 1) if planar and syntax == ExplicitVRLittleEndian else values
    content.PixelData = np.ascontiguousarray(stored).tobytes()
    content["PixelData"].VR = "OB" if bits == 8 else "OW"
    if syntax == ExplicitVRBigEndian:
        content.add_new(0x7FE00010, "OW", values.astype(">u2").tobytes())
        meta.TransferSyntaxUID = syntax
    elif syntax != ExplicitVRLittleEndian:
        compress(content, syntax, np.ascontiguousarray(values), generate_instance_uid=False)
    pydicom.dcmwrite(path, content, enforce_file_format=True)
    return path


def noise(kind: type, *shape: int) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 200, shape).astype(kind)


CASES = {
    "16 bits": (np.uint16, (), ExplicitVRLittleEndian, ExplicitVRLittleEndian, "MONOCHROME2", 0),
    "big endian": (np.uint16, (), ExplicitVRBigEndian, ExplicitVRBigEndian, "MONOCHROME2", 0),
    "big to little": (np.uint16, (), ExplicitVRBigEndian, ExplicitVRLittleEndian, "MONOCHROME2", 0),
    "RLE": (np.uint16, (), RLELossless, RLELossless, "MONOCHROME2", 0),
    "JPEG 2000 unpacked": (np.uint16, (), JPEG2000Lossless, ExplicitVRLittleEndian, "MONOCHROME2", 0),
    "colour": (np.uint8, (3,), ExplicitVRLittleEndian, ExplicitVRLittleEndian, "RGB", 0),
    "planes of colour": (np.uint8, (3,), ExplicitVRLittleEndian, ExplicitVRLittleEndian, "RGB", 1),
    "colour, RLE unpacked": (np.uint8, (3,), RLELossless, ExplicitVRLittleEndian, "RGB", 0),
}


@pytest.mark.parametrize("name", CASES)
def test_one_pixel_outside_is_seen(tmp_path: Path, name: str) -> None:
    kind, samples, before, after, photometric, planar = CASES[name]
    old = noise(kind, 3, ROWS, COLUMNS, *samples)
    one = file_of(tmp_path / "one.dcm", old, before, photometric, planar)
    new = old.copy()
    new[1, 2:8, 4:10] += 17
    inside = file_of(tmp_path / "inside.dcm", new, after, photometric, planar)
    assert difference(one, inside, BOX) == Difference(36, 0)
    for place in ((1, 1, 4), (1, 8, 9), (1, 2, 3), (1, 7, 10), (0, 3, 5), (2, 3, 5)):
        there = (*place, 1) if samples else place
        further = new.copy()
        further[there] += 1
        two = file_of(tmp_path / "two.dcm", further, after, photometric, planar)
        assert difference(one, two, BOX) == Difference(36, 1)


def test_colour_that_two_pixels_share_may_change_beside_the_box(tmp_path: Path) -> None:
    old = noise(np.uint8, 1, ROWS, COLUMNS, 2)
    one = file_of(tmp_path / "one.dcm", old, ExplicitVRLittleEndian)

    def with_header(values: np.ndarray) -> Path:
        path = file_of(tmp_path / "two.dcm", values, ExplicitVRLittleEndian)
        for each in (one, path):
            content = pydicom.dcmread(each)
            content.SamplesPerPixel, content.PhotometricInterpretation = 3, "YBR_FULL_422"
            pydicom.dcmwrite(each, content, enforce_file_format=True)
        return path

    flat = old.reshape(ROWS, COLUMNS // 2, 4)
    allowed = Allowed({0: ((3, 5, 4, 6),)})  # one pixel: the second of the third pair
    for part, expected in ((0, Difference(0, 1)), (1, Difference(1, 0)), (2, Difference(0, 0)), (3, Difference(0, 0))):
        changed = flat.copy()
        changed[3, 2, part] ^= 1
        assert difference(one, with_header(changed.reshape(old.shape)), allowed) == expected
    elsewhere = flat.copy()
    elsewhere[3, 3, 2] ^= 1
    assert difference(one, with_header(elsewhere.reshape(old.shape)), allowed).outside == 1


def test_single_bits(tmp_path: Path) -> None:
    old = noise(np.uint8, 1, ROWS, COLUMNS // 8)
    paths = []
    for number, values in enumerate(
        (old, old ^ np.uint8([[[0, 4, *[0] * (COLUMNS // 8 - 2)], *[[0] * (COLUMNS // 8)] * (ROWS - 1)]]))
    ):
        path = file_of(tmp_path / f"{number}.dcm", values, ExplicitVRLittleEndian)
        content = pydicom.dcmread(path)
        content.Columns, content.BitsAllocated, content.BitsStored, content.HighBit = COLUMNS, 1, 1, 0
        pydicom.dcmwrite(path, content, enforce_file_format=True)
        paths.append(path)
    assert difference(*paths, Allowed()) == Difference(0, 1)
    assert difference(*paths, Allowed({0: ((0, 10, 1, 11),)})) == Difference(1, 0)
    assert difference(*paths, Allowed({0: ((0, 11, 1, 16),)})) == Difference(0, 1)


@pytest.mark.parametrize("change", ["Rows", "NumberOfFrames"])
def test_another_size_is_never_compared(tmp_path: Path, change: str) -> None:
    one = file_of(tmp_path / "one.dcm", noise(np.uint16, 2, ROWS, COLUMNS), ExplicitVRLittleEndian)
    shape = (2, ROWS + 1, COLUMNS) if change == "Rows" else (1, ROWS, COLUMNS)
    two = file_of(tmp_path / "two.dcm", noise(np.uint16, *shape), ExplicitVRLittleEndian)
    with pytest.raises(UnreadableError):
        difference(one, two, BOX)


def test_a_frame_that_can_not_be_decoded_is_told(tmp_path: Path) -> None:
    one = file_of(tmp_path / "one.dcm", noise(np.uint16, 2, ROWS, COLUMNS), JPEG2000Lossless)
    raw = one.read_bytes()
    at = raw.index(b"\xff\x4f\xff\x51") + 60
    two = tmp_path / "two.dcm"
    two.write_bytes(raw[:at] + bytes(40) + raw[at + 40 :])
    with pytest.raises(UnreadableError):
        difference(one, two, BOX)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_runs_say_what_they_were_made_of(rows: int, columns: int, seed: int) -> None:
    wanted = np.random.default_rng(seed).random((rows, columns)) < 0.4
    flat = wanted.ravel()
    edges = np.flatnonzero(np.diff(flat.astype(int))) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    runs = [0, *runs] if flat[0] else runs
    assert (Allowed(runs={0: tuple(runs)}).flags(0, rows, columns) == wanted).all()
    assert not Allowed(runs={0: tuple(runs)}).flags(1, rows, columns).any()
