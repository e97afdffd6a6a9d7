"""Pictures without planes in space, as they come with an export: an ultrasound, a scanner's dose screen, a chest X-ray."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, Sequence

from radcurate.demo.geometry import Floats
from radcurate.demo.lettering import Box, about, burn, burn_lines, capitals
from radcurate.demo.noise import grain
from radcurate.demo.people import Person, Study

Line = tuple[str, Box]
ULTRASOUND, SECONDARY_CAPTURE, X_RAY = (f"1.2.840.10008.5.1.4.1.1.{place}" for place in ("6.1", "7", "1"))
SECTOR: Box = (56, 24, 352, 424)  # where the ultrasound shows the image


def ultrasound(header: Dataset, person: Person, study: Study, hospital: str, seed: int) -> list[Line]:
    """A sector of speckle below a strip with name, number, date and hospital; header is filled in place, colour by pixel."""
    rng = np.random.default_rng([seed, 61])
    picture = np.zeros((368, 448, 3), np.float32)
    top, left, bottom, right = SECTOR
    picture[top:bottom, left:right] = (_sector(rng, bottom - top, right - left) * 255)[..., None]
    white, yellow = (230, 230, 230), (230, 220, 90)
    surname, number, born = about(person)
    lines = burn_lines(picture, [f"{surname}, {capitals(person.forename)}", f"{number}  {born}"], 6, 8, white, 0.5)
    lines += [(text, burn(picture, text, *place)) for text, place in (
        (f"{study.day:%d.%m.%Y}", (6, 340, white, 0.5)),
        (capitals(hospital)[:14], (22, 300, white, 0.4)),
        ("12 cm", (356, 380, yellow, 0.4)),
    )]  # fmt: skip
    _stored(header, picture, ULTRASOUND, "RGB", bits=8)
    header.ImageType = ["ORIGINAL", "PRIMARY"]
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = left, top
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = right - 1, bottom - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.04
    header.SequenceOfUltrasoundRegions = Sequence([region])
    return lines


def _sector(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Speckle with a dark vessel, 0 … 1, within a fan from the middle of the upper edge."""
    row, column = np.ogrid[:rows, :columns]
    angle = np.arctan2(column - columns / 2, row + 40.0)
    depth = np.hypot(column - columns / 2, row + 40.0)
    tissue = 0.45 - 0.0006 * depth + 0.12 * np.sin(depth / 23) * np.cos(4 * angle)
    tissue = np.where(np.hypot(row - rows * 0.6, (column - columns * 0.45) * 0.6) < 34, 0.06, tissue)
    speckle = np.abs(1 + 0.45 * grain(rng, (1, rows, columns), 1.2)[0])
    fan = (np.abs(angle) < 0.72) & (depth > 52) & (depth < rows + 30)
    return np.asarray(np.clip(tissue * speckle, 0, 1) * fan, np.float32)


def dose_screen(header: Dataset, person: Person, study: Study, hospital: str) -> list[Line]:
    """A scanner's page about patient and dose: nothing but text; header is filled in place."""
    surname, number, born = about(person)
    page = np.zeros((204, 400), np.float32)
    lines = [
        capitals(hospital),
        f"Patient: {surname}, {capitals(person.forename)}",
        f"ID: {number}",
        f"Born: {born}   Sex: {person.sex}",
        f"Exam: {study.day:%d.%m.%Y}  {study.accession}",
        "Total mAs 3412    Total DLP 512 mGycm",
        "Scan    kV   mAs   CTDIvol   DLP",
        "Topo    120   35     0.13      5",
        "Chest   120  118     7.92    507",
    ]
    found = burn_lines(page, lines, 16, 10, 255, 0.55)
    _stored(header, page, SECONDARY_CAPTURE, "MONOCHROME2", bits=8)
    header.ImageType, header.ConversionType = ["DERIVED", "SECONDARY"], "WSD"
    return found


def chest_x_ray(header: Dataset, body: Floats) -> list[Line]:
    """The sum of a CT seen from the front, stored as film (MONOCHROME1), with the marker of the left side alone.

    Args:
        header: filled in place.
        body: CT numbers in HU, shape (plane, row, column), from below to above.
    """
    path = np.clip(body[::-1] + 1000, 0, None).sum(axis=1)
    film = 1 - np.exp(-path / np.percentile(path, 90))
    film = np.repeat(np.repeat(film, 8, axis=0), 3, axis=1)[:, : 3 * body.shape[2]].astype(np.float32)
    film = 4095 * film / film.max()
    lines = [("L", burn(film, "L", 14, film.shape[1] - 40, 4095, 1.0))]
    _stored(header, 4095 - film, X_RAY, "MONOCHROME1", bits=12)
    header.ImageType, header.ViewPosition, header.KVP = ["ORIGINAL", "PRIMARY"], "PA", 125
    return lines


def _stored(header: Dataset, values: npt.NDArray[Any], sop_class: str, photometric: str, bits: int) -> None:
    header.SOPClassUID = sop_class
    header.Rows, header.Columns = values.shape[:2]
    header.SamplesPerPixel = values.shape[2] if values.ndim == 3 else 1
    if values.ndim == 3:
        header.PlanarConfiguration = 0
    header.PhotometricInterpretation = photometric
    header.BitsAllocated, header.BitsStored, header.HighBit = 8 if bits == 8 else 16, bits, bits - 1
    header.PixelRepresentation = 0
    whole = np.clip(np.rint(values), 0, 2**bits - 1).astype(np.uint8 if bits == 8 else np.uint16)
    raw = whole.tobytes()
    header.add_new(0x7FE00010, "OB" if bits == 8 else "OW", raw + b"\0" * (len(raw) % 2))
