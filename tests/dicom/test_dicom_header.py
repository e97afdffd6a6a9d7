"""One file: whole, cut off, or no DICOM at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from inventory_files import SIZE, Export, put_pixels, save, uid
from radcurate.dicom.header import Header, Unusable, read_header
from radcurate.dicom.tree import Found, find_files

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value")


def read(path: Path) -> Header | Unusable:
    return read_header(path.parent, Found(path.name, 0, 0))[0]


def reason(path: Path) -> str | None:
    return read(path).reason


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return Export(tmp_path).slice(uid("a"), 6.0, "plain.dcm")


def test_a_whole_file_is_reduced_to_what_grouping_needs(plain: Path) -> None:
    header = read(plain)
    assert isinstance(header, Header)
    assert (header.reason, header.kind, header.rows, header.columns) == (None, "image", SIZE, SIZE)
    assert header.planes == ((-10.0, -20.0, 6.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 2.0, 1.5),)
    assert header.file.size == plain.stat().st_size


@pytest.mark.parametrize("lost", [1, 2, 2 * SIZE * SIZE, 2 * SIZE * SIZE + 6])
def test_missing_pixel_bytes_are_noticed_without_reading_pixels(plain: Path, lost: int) -> None:
    plain.write_bytes(plain.read_bytes()[:-lost])
    header = read(plain)
    assert header.reason == "truncated"
    assert isinstance(header, Header), "its series must hear of it"


def test_a_file_that_ends_anywhere_is_never_taken_for_whole(plain: Path) -> None:
    whole = plain.read_bytes()
    for end in range(140, len(whole), 7):
        plain.write_bytes(whole[:end])
        assert reason(plain) in ("truncated", "damaged", "not_dicom"), end


def test_a_contour_that_ends_anywhere_is_never_taken_for_whole(tmp_path: Path) -> None:
    Export(tmp_path).rtstruct(uid("image"), [uid("i")], heights=[0.0, 3.0], name="rs")
    whole = (tmp_path / "rs").read_bytes()
    for end in range(140, len(whole), 3):
        (tmp_path / "rs").write_bytes(whole[:end])
        header = read(tmp_path / "rs")
        regions = isinstance(header, Header) and header.references is not None and header.references.regions
        assert header.reason or not regions, end


def test_fewer_pixels_than_the_header_promises_are_noticed(plain: Path) -> None:
    dataset = dcmread(plain)
    dataset.Rows = SIZE + 1
    assert reason(save(dataset, plain)) == "truncated"


def test_an_image_without_pixels_is_noticed(plain: Path) -> None:
    dataset = dcmread(plain)
    del dataset.PixelData
    assert reason(save(dataset, plain)) == "truncated"


def test_compressed_pixels_are_followed_to_their_end(plain: Path) -> None:
    dataset = dcmread(plain)
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = encapsulate([bytes(101), bytes(50)])
    dataset["PixelData"].is_undefined_length = True
    save(dataset, plain)
    assert reason(plain) is None
    whole = plain.read_bytes()
    for lost in (1, 8, 9, 40):
        plain.write_bytes(whole[:-lost])
        assert reason(plain) == "truncated"


def test_bytes_after_the_pixels_are_no_fault(plain: Path) -> None:
    plain.write_bytes(plain.read_bytes() + b"\0" * 5)
    assert reason(plain) is None


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("meta", [True, False])
def test_every_encoding_is_read_with_and_without_preamble(plain: Path, syntax: str, meta: bool) -> None:
    read_before = dcmread(plain)
    dataset = Dataset()  # a new one, because pydicom converts no byte order
    dataset.update({e.tag: e for e in read_before if e.keyword != "PixelData"})
    put_pixels(dataset, np.zeros((SIZE, SIZE), np.int16))
    if meta:
        dataset.file_meta, dataset.preamble = read_before.file_meta, bytes(128)
        dataset.file_meta.TransferSyntaxUID = syntax
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dataset.save_as(plain, implicit_vr=implicit, little_endian=little, enforce_file_format=meta)
    header = read(plain)
    assert isinstance(header, Header)
    assert (header.reason, header.kind, header.patient_id) == (None, "image", "PAT-4711")


def test_a_deflated_file_is_read_and_a_cut_one_is_noticed(plain: Path) -> None:
    dataset = dcmread(plain)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    save(dataset, plain)
    assert reason(plain) is None
    plain.write_bytes(plain.read_bytes()[:-20])
    assert reason(plain) == "truncated"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not_dicom"),
        (b"a note of some length, with words in it", "not_dicom"),
        (bytes(4096), "not_dicom"),
        (b"PK\3\4" + bytes(400), "archive"),
        (gzip.compress(b"anything", mtime=0), "archive"),
        (bytes(128) + b"DICM", "not_dicom"),
        (bytes(128) + b"DICM" + b"\x02\0\0\0UL\4\0\xff\0\0\0", "truncated"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "not_dicom"),
        (bytes(128) + b"DICM" + bytes(range(256)) * 4, "damaged"),
    ],
)
def test_other_files_are_named(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(content)
    found = reason(path)
    assert found == expected or {found, expected} <= {"damaged", "truncated", "not_dicom"}


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("PatientID", "missing_patient_id"),
        ("SeriesInstanceUID", "missing_series_uid"),
        ("SOPInstanceUID", "missing_sop_uid"),
    ],
)
def test_a_missing_number_is_named(plain: Path, keyword: str, expected: str) -> None:
    dataset = dcmread(plain)
    setattr(dataset, keyword, "")
    assert reason(save(dataset, plain)) == expected


def test_a_vanished_and_an_unreadable_file_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Export(tmp_path).slice(uid("a"), 0.0, "x")
    found = next(iter(find_files(tmp_path)))
    path.unlink()
    assert read_header(tmp_path, found)[0].reason == "vanished"
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert read_header(tmp_path, found)[0].reason == "unreadable"


def test_frames_of_an_enhanced_object_have_planes(tmp_path: Path) -> None:
    Export(tmp_path).enhanced(uid("e"), (6.0, 0.0, 3.0), "e")
    header = read(tmp_path / "e")
    assert isinstance(header, Header)
    assert [plane[2] for plane in header.planes] == [6.0, 0.0, 3.0]
    assert header.thickness == 3.0
