"""Places where a device always draws something: a hospital's logo, a name plate, a strip of data. Named by a steward.

One line of `config/redact_regions.csv` is one box in all frames of the images that it fits: of a modality, and where they
are given, of a manufacturer, a model, a size. What lies in it is filled like text that was found, whatever it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from radcurate.dicom import values
from radcurate.errors import CurationError
from radcurate.redact.found import Box, Hit, Place

COLUMNS = ("modality", "manufacturer", "model", "rows", "columns", "top", "left", "bottom", "right", "reason")
ASKED = ["Modality", "Manufacturer", "ManufacturerModelName", "Rows", "Columns", "NumberOfFrames"]


@dataclass(frozen=True)
class Region:
    """A box in the images that it fits. manufacturer, model: in lower case, "" for any; rows, columns: 0 for any."""

    modality: str
    manufacturer: str
    model: str
    rows: int
    columns: int
    box: Box

    def fits(self, header: Dataset) -> bool:
        """Whether the box is one of this image's, and lies in it."""
        rows, columns = values.whole(header, "Rows") or 0, values.whole(header, "Columns") or 0
        asked = (
            (self.modality, values.text(header, "Modality").lower()),
            (self.manufacturer, values.text(header, "Manufacturer").lower()),
            (self.model, values.text(header, "ManufacturerModelName").lower()),
            (self.rows, rows),
            (self.columns, columns),
        )
        inside = self.box.top < rows and self.box.left < columns
        return inside and all(not wanted or wanted == found for wanted, found in asked)


def regions_of(text: str) -> tuple[Region, ...]:
    """The regions of a table; an empty one has none.

    Args:
        text: of `config/redact_regions.csv`.

    Raises:
        CurationError: columns are not the known ones, or a line has no modality, no box, or no reason.
    """
    lines = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines]
    rows = [(number, row) for number, row in rows if any(row) and not row[0].startswith("#")]
    if not rows:
        return ()
    if tuple(rows[0][1]) != COLUMNS:
        raise _wrong(rows[0][0], "the columns " + ", ".join(COLUMNS), "others")
    return tuple(_region(number, row) for number, row in rows[1:])


def _region(number: int, row: list[str]) -> Region:
    if len(row) != len(COLUMNS):
        raise _wrong(number, f"{len(COLUMNS)} columns", f"{len(row)}")
    told = dict(zip(COLUMNS, row, strict=True))
    if not told["modality"] or not told["reason"]:
        raise _wrong(number, "a modality, and a reason why the box is there", "one of them is empty")
    for name in ("rows", "columns", "top", "left", "bottom", "right"):
        if not (told[name].isdecimal() or (not told[name] and name in ("rows", "columns"))):
            raise _wrong(number, "whole numbers of pixels", f"something else under {name}")
    box = Box(*(int(told[name]) for name in ("top", "left", "bottom", "right")))
    if box.top >= box.bottom or box.left >= box.right:
        raise _wrong(number, "top before bottom and left before right", "an empty box")
    return Region(
        told["modality"].lower(),
        told["manufacturer"].lower(),
        told["model"].lower(),
        int(told["rows"] or 0),
        int(told["columns"] or 0),
        box,
    )


def region_hits(regions: Sequence[Region], paths: Sequence[Path]) -> tuple[Hit, ...]:
    """The boxes of a series, in every frame of the files that they fit, cut to the image.

    Args:
        regions: of `regions_of`.
        paths: the files of a series; counted in sorted order, as `pictures.open_series` does.
    """
    hits: list[Hit] = []
    for file, path in enumerate(sorted(paths)) if regions else ():
        header = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=list(ASKED))
        for region in regions:
            if region.fits(header):
                bottom = min(region.box.bottom, values.whole(header, "Rows") or 0)
                right = min(region.box.right, values.whole(header, "Columns") or 0)
                box = region.box._replace(bottom=bottom, right=right)
                frames = range(values.whole(header, "NumberOfFrames") or 1)
                hits += [Hit(Place(file, frame), box, "region", True, 1.0) for frame in frames]
    return tuple(hits)


def _wrong(line: int, wanted: str, found: str) -> CurationError:
    return CurationError(
        "a line of the table of regions can't be used",
        wanted=wanted,
        found=f"line {line}: {found}",
        fix="correct the line, or take it out; the file's own first lines tell what each column means",
    )
