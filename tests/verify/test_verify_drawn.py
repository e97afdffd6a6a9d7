"""What names the patient in pixels is read, wherever it stands in a series; what doesn't, isn't a hit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from scipy import ndimage

from radcurate.verify.drawn import MARGIN, SHEET, Pages, sheets
from radcurate.verify.layout import read_layout
from radcurate.verify.lookalike import alike, own_words, tells
from radcurate.verify.outside import Allowed

IDENTITY = [
    {"category": "name", "keyword": "PatientName", "value": "Brüggenkamp^Lutz"},
    {"category": "id", "keyword": "PatientID", "value": "FK05199762"},
    {"category": "date", "keyword": "PatientBirthDate", "value": "19600317"},
    {"category": "text", "keyword": "InstitutionName", "value": "Klinikum Falkenried"},
    {"category": "text", "keyword": "StudyDescription", "value": "Chest staging"},
    {"category": "uid", "keyword": "StudyInstanceUID", "value": "1.2.3.4.5.6"},
]
OWN = own_words(IDENTITY, 4, frozenset())
NAME, ID, BIRTH = ("name", "PatientName"), ("id", "PatientID"), ("date", "PatientBirthDate")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("BRUEGGENKAMP", NAME),
        ("Lutz Brüggenkamp", NAME),
        ("BRUGGENKAMP", NAME),
        ("8RUEGGENKAMP", NAME),
        ("BRUEGGENKANP,", NAME),
        ("LUTZ", NAME),
        ("FKO5I99762", ID),
        ("ID: FK 0519 9762", ID),
        ("O5199762", ID),
        ("17.03.1960", BIRTH),
        ("03/17/1960", BIRTH),
        ("1960-03-17", BIRTH),
        ("17 MAR 1960", BIRTH),
        ("17.O3.l96O", BIRTH),
        ("17.03.N960", BIRTH),
        ("FALKENRIED", ("text", "InstitutionName")),
        ("11.12.2013", ("date", "pixels")),
    ],
)
def test_misread_letters_hide_nothing(text: str, told: tuple[str, str]) -> None:
    assert told in set(tells(text, OWN))


@pytest.mark.parametrize(
    "text",
    [
        *("L", "R", "12 cm", "CHEST", "Staging", "W 400 L 40", "kV 120 mAs 118", "T2 tse tra", "SLICE 17", "3.5/0.9"),
        *["6.0", "DLP 512 mGycm", "HFS", "STANDARD", "1.25", "BRUECKE", "HEINZ", "2023", "100 120 140"],
    ],
)
def test_other_words_are_no_hits(text: str) -> None:
    assert list(tells(text, OWN)) == []


def test_letters_that_look_alike() -> None:
    assert alike("O0 I1l S5 B8 Z2") == "0011155" + "8822"


Draw = Callable[[np.ndarray, int], None]


def anatomy(planes: int, size: int = 256) -> np.ndarray:
    """Something round with texture, that moves from plane to plane."""
    rng = np.random.default_rng(2)
    row, column = np.ogrid[:size, :size]
    found = rng.normal(200, 12, (planes, size, size))
    for plane in range(planes):
        middle = size / 2 + 6 * np.sin(plane / 3)
        inside = (row - middle) ** 2 + (column - size / 2) ** 2 < (size * 0.36) ** 2
        found[plane] += inside * (500 + 80 * ndimage.gaussian_filter(rng.standard_normal((size, size)), 3) * 8)
    return np.clip(found, 0, 4000)


def write(text: str, level: int = 1800, at: tuple[int, int] = (10, 24)) -> Draw:
    def draw(plane: np.ndarray, _: int) -> None:
        ink = np.zeros(plane.shape, np.uint8)
        cv2.putText(ink, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
        share = ink / 255
        plane[...] = plane * (1 - share) + level * share

    return draw


def said(folder: Path, planes: np.ndarray, changed: Allowed | None = None, **about: object) -> tuple[set[str], Pages]:
    """Keywords that are read in a series with these planes, a file each."""
    pages = Pages(OWN, len(planes), **about)  # type: ignore[arg-type]
    for number, plane in enumerate(planes):
        meta = pydicom.dataset.FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"2.25.{number}"
        content = pydicom.FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
        content.SOPClassUID, content.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        content.Rows, content.Columns = plane.shape
        content.SamplesPerPixel, content.PhotometricInterpretation = 1, "MONOCHROME2"
        content.BitsAllocated, content.BitsStored, content.HighBit, content.PixelRepresentation = 16, 12, 11, 0
        content.PixelData = plane.astype(np.uint16).tobytes()
        path = folder / f"{number:03d}.dcm"
        pydicom.dcmwrite(path, content, enforce_file_format=True)
        pages.take(
            path.name, path, read_layout(path.read_bytes()), (changed or Allowed()) if number == 3 else Allowed()
        )
    return {saying.keyword for saying in pages.done()}, pages


def test_clean_slices_are_quiet_and_cheap(tmp_path: Path) -> None:
    found, pages = said(tmp_path, anatomy(30), sample=frozenset({"004.dcm"}))
    assert found == set()
    assert pages.looked <= 8  # pictures that were read, of 30 slices


@pytest.mark.parametrize("level", [1800, 600])
def test_text_on_one_slice_of_many_is_read(tmp_path: Path, level: int) -> None:
    planes = anatomy(30)
    write("BRUEGGENKAMP LUTZ", level)(planes[17], 17)
    assert "PatientName" in said(tmp_path, planes)[0]


def test_faint_text_on_every_slice_is_read(tmp_path: Path) -> None:
    planes = anatomy(30)
    for number, plane in enumerate(planes):
        write("FK05199762", 240)(plane, number)  # noise has a standard deviation of 12
    assert "PatientID" in said(tmp_path, planes)[0]


def test_dark_text_on_bright_is_read(tmp_path: Path) -> None:
    planes = 2000 - anatomy(12)
    write("17.03.1960", 100)(planes[5], 5)
    assert "PatientBirthDate" in said(tmp_path, planes)[0]


def test_what_is_left_in_a_box_is_read_on_its_own_slice(tmp_path: Path) -> None:
    planes = anatomy(8)
    others = np.random.default_rng(3).integers(0, 4000, (8, 60, 256))  # nothing stands out of all slices there
    planes[:, :60] = np.where(np.arange(8)[:, None, None] == 3, planes[:, :60], others)
    write("BRUEGGENKAMP", 700)(planes[3], 3)
    assert said(tmp_path, planes)[0] == set()
    assert "PatientName" in said(tmp_path, planes, Allowed({0: ((8, 4, 34, 170),)}))[0]


def test_every_frame_of_a_picture_is_read(tmp_path: Path) -> None:
    planes = anatomy(2)
    write("Klinikum Falkenried", 900, (20, 250))(planes[1], 1)
    assert "InstitutionName" in said(tmp_path, planes, whole=True)[0]


def test_text_along_the_side_is_read(tmp_path: Path) -> None:
    planes = anatomy(3)
    turned = np.rot90(planes[1]).copy()
    write("BRUEGGENKAMP", 1900)(turned, 1)
    planes[1] = np.rot90(turned, -1)
    assert "PatientName" in said(tmp_path, planes)[0]


def test_cuttings_are_all_laid_out() -> None:
    rng = np.random.default_rng(1)
    strips = [(f"{n}", np.full((rng.integers(4, 90), rng.integers(4, 900)), 1 + n % 250, np.uint8)) for n in range(300)]
    found = [page for _, page in sheets(strips)]
    assert all(max(page.shape) <= SHEET for page in found)
    assert {int(v) for page in found for v in np.unique(page)} - {0} == {1 + n % 250 for n in range(300)}
    assert sum(int((page > 0).sum()) for page in found) >= sum(strip.size for _, strip in strips)
    assert MARGIN > 0
