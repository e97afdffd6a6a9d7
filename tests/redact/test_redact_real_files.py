"""Every real file with text in its pixels is found, every line that names somebody; those without stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import config as pydicom_config
from real_texts import CLEAN, OVERLAYS, WRITTEN, Written

from radcurate.redact.found import Box, Hit, Pictures, Place
from radcurate.redact.look import look
from radcurate.redact.pictures import open_series
from radcurate.redact.seeds import Seeds, seeds_of

COVERED = 0.9  # of a line's box, less what the eye is unsure of
UNSURE = 3  # pixels
KEYWORDS = {
    "name": ("PatientName", "ReferringPhysicianName"),
    "id": ("PatientID", "AccessionNumber"),
    "date": ("PatientBirthDate", "StudyDate"),
    "institution": ("InstitutionName",),
}
pytestmark = pytest.mark.slow  # up to 10 s a file


def found(line: Box, hits: Sequence[Hit]) -> bool:
    seen = np.zeros((line.bottom - line.top - 2 * UNSURE, line.right - line.left - 2 * UNSURE), bool)
    for hit in hits:
        top, left = hit.box.top - line.top - UNSURE, hit.box.left - line.left - UNSURE
        bottom, right = hit.box.bottom - line.top - UNSURE, hit.box.right - line.left - UNSURE
        seen[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    return bool(seen.mean() >= COVERED)


def header_of(path: Path) -> Seeds:
    with pydicom_config.disable_value_validation():
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    return seeds_of(
        {"subject": "P-0", "category": category, "keyword": keyword, "value": str(header.get(keyword))}
        for category, keywords in KEYWORDS.items()
        for keyword in keywords
        if header.get(keyword)
    )


def one_frame(path: Path, frame: int) -> Pictures:
    pictures = open_series([path])
    return Pictures([Place(0, frame)], pictures.read)


@pytest.mark.parametrize("written", WRITTEN, ids=lambda written: f"{Path(written.path).stem}-{written.frame}")
@pytest.mark.parametrize("header", ["known", "silent"])
def test_every_line_that_names_somebody_is_found(real_data: Path, written: Written, header: str) -> None:
    path = real_data / written.path
    seeds = header_of(path) if header == "known" else seeds_of([])
    hits = look(one_frame(path, written.frame), seeds, written.strict).hits
    sure = [hit for hit in hits if hit.sure]
    assert sure  # the file is found
    assert not [tuple(line) for line in written.identity if not found(line, sure)]
    enough = hits if written.strict else sure  # strictly looked at, a doubt keeps the series back
    missed = [tuple(line) for line in written.other if not found(line, enough)]
    assert len(missed) <= len(written.other) // 8, missed


@pytest.mark.parametrize(
    ("files", "strict"), CLEAN, ids=lambda value: Path(value).stem if isinstance(value, str) else str(value)
)
def test_what_has_no_text_is_not_touched(real_data: Path, files: str, strict: bool) -> None:
    paths = sorted(real_data.glob(files))
    assert paths
    for path in paths:
        hits = look(one_frame(path, 0), header_of(path), strict).hits
        assert not [hit for hit in hits if hit.sure and hit.kind != "overlay"]


@pytest.mark.parametrize("file", OVERLAYS, ids=lambda value: Path(value).stem)
def test_what_is_drawn_beside_the_values_is_found(real_data: Path, file: str) -> None:
    hits = look(one_frame(real_data / file, 0), seeds_of([]), False).hits
    assert [hit for hit in hits if hit.sure and hit.kind == "overlay"]
