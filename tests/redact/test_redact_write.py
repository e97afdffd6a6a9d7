"""Writing cleaned files: what was drawn is gone, everything else is there."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom import uid

from radcurate.redact.fill import fill
from radcurate.redact.found import Box, Place
from radcurate.redact.pictures import open_series
from radcurate.redact.write import declare_clean, write
from redact.redact_files import JPEG_BASELINE, write_image

BOX = Box(10, 10, 34, 110)


def with_text(frames: int = 3, kind: str = "u2", colour: bool = False) -> np.ndarray:
    shape = (frames, 80, 120, 3) if colour else (frames, 80, 120)
    values = np.random.default_rng(0).integers(60, 90, shape).astype(kind)
    for frame in values[1:2]:
        drawn = np.zeros((80, 120), np.uint8)
        cv2.putText(drawn, "DOE^JANE", (12, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 2)
        frame[drawn > 0] = 250
    return values


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, JPEG_BASELINE, "rle"])
@pytest.mark.parametrize("colour", [False, True])
def test_a_line_of_text_goes_and_nothing_else(tmp_path: Path, syntax: str, colour: bool) -> None:
    values = with_text(kind="u1", colour=colour)
    coded = None
    photometric = "RGB" if colour else "MONOCHROME2"
    if syntax == JPEG_BASELINE:
        coded = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in values]
        photometric = "YBR_FULL_422" if colour else photometric
    path = write_image(
        tmp_path / "a", values, syntax=uid.ExplicitVRLittleEndian if syntax == "rle" else syntax, coded=coded,
        photometric=photometric, BurnedInAnnotation="YES",
    )  # fmt: skip
    if syntax == "rle":
        dataset = pydicom.dcmread(path)
        dataset.compress(uid.RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    before = [picture.values for picture in open_series([path])]
    picture = open_series([path]).read(Place(0, 1))
    written = write(path, tmp_path / "b", {1: fill(picture, [BOX])})
    after = [found.values for found in open_series([tmp_path / "b"])]
    assert np.array_equal(after[0], before[0]) and np.array_equal(after[2], before[2])
    inside = np.zeros((80, 120), dtype=bool)
    inside[BOX.top : BOX.bottom, BOX.left : BOX.right] = True
    assert np.array_equal(after[1][~inside], before[1][~inside])
    assert after[1].reshape(80, 120, -1)[inside][:, 0].max() < 150
    assert {found.photometric for found in open_series([path, tmp_path / "b"])} == {picture.photometric}
    assert 0 < written.changed <= inside.sum()
    assert declare_clean(tmp_path / "b")
    header = pydicom.dcmread(tmp_path / "b")
    assert header.BurnedInAnnotation == "NO"
    assert not declare_clean(tmp_path / "b")
    assert pydicom.dcmread(path).BurnedInAnnotation == "YES"


def test_an_overlay_is_wiped_where_it_was_filled(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a", with_text())
    dataset = pydicom.dcmread(path)
    drawn = np.random.default_rng(1).random((40, 60)) < 0.5
    for element, vr, value in [(0x10, "US", 40), (0x11, "US", 60), (0x50, "SS", [6, 21]), (0x51, "US", 2)]:
        dataset.add_new((0x6000, element), vr, value)
    dataset.add_new((0x6000, 0x3000), "OW", np.packbits(drawn.ravel(), bitorder="little").tobytes())
    dataset.save_as(path)
    pictures = open_series([path])
    before = pictures.read(Place(0, 1))
    assert before.beyond is not None
    write(path, tmp_path / "b", {1: fill(before, [BOX])})
    after = open_series([tmp_path / "b"]).read(Place(0, 1)).beyond
    assert after is not None
    expected = before.beyond.copy()
    expected[BOX.top : BOX.bottom, BOX.left : BOX.right] = False
    assert np.array_equal(after, expected)
    old, new = path.read_bytes(), (tmp_path / "b").read_bytes()
    assert len(old) == len(new)


def test_a_broken_overlay_is_none(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a", with_text())
    dataset = pydicom.dcmread(path)
    dataset.add_new((0x6000, 0x0010), "US", 400)
    dataset.add_new((0x6000, 0x0011), "US", 400)
    dataset.add_new((0x6000, 0x3000), "OW", b"\1\1")
    dataset.save_as(path)
    assert open_series([path]).read(Place(0, 0)).beyond is None
