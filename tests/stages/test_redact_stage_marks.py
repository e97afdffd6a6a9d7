"""Marks in the skin on whole chunks: smoothed when a person signs, never before; nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from test_redact import Chunk, contour, gone

from deface_tools import write_dicom
from radcurate.deface.stack import Stack
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.redact.found import Box
from radcurate.redact.skin_marks import boxes_of, marks_of
from redact.skin_phantoms import trunk

HEAD = "series,x,y,z,radius,reason\n"


@pytest.fixture
def chunk(tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> Chunk:
    return Chunk(tmp_path, key, monkeypatch)


def stack_with_a_tattoo() -> Stack:
    values, _ = trunk(0.0, ink=250.0)
    origins = np.array([[-90.0, -75.0, 2.0 * plane] for plane in range(len(values))])
    return Stack(np.round(values), origins, np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))


def tattooed(chunk: Chunk, reach: float = 34.0) -> Stack:
    stack = stack_with_a_tattoo()
    write_dicom(stack, chunk.add("S-1"))
    chunk.marks.write_text(HEAD + f"S-1,0,-55,50,{reach},tattoo on the chest\n")
    return stack


def test_a_tattoo_goes_when_a_person_signs_and_not_before(chunk: Chunk) -> None:
    tattooed(chunk)
    gone(chunk, "S-1", "skin_unsigned")
    assert {box["kind"] for box in chunk.boxes("S-1")} == {"skin"}
    chunk.decide("S-1", "smooth_skin")
    row = chunk.run()["S-1"]
    assert row["status"] == "ok" and row["changed_pixels"] > 1000
    boxes = chunk.boxes("S-1")
    brightest = 0
    for path in sorted((chunk.source / "dicom/S-1").iterdir()):
        before, after = (pydicom.dcmread(file).pixel_array for file in (path, chunk.out / "dicom/S-1" / path.name))
        outside = np.ones(before.shape, dtype=bool)
        for box in boxes:
            if box["name"] == path.name:
                outside[box["top"] : box["bottom"], box["left"] : box["right"]] = False
        assert np.array_equal(before[outside], after[outside])
        brightest = max(brightest, int(after.max()))
    assert brightest < 150  # muscle and its noise; ink was above 200


def test_a_mark_that_is_only_half_covered_is_still_there(chunk: Chunk, monkeypatch: pytest.MonkeyPatch) -> None:
    tattooed(chunk)
    monkeypatch.setattr(
        "radcurate.stages._skin.smoothed", lambda values, spacing, mark, keep, modality: _not(values, mark)
    )
    gone(chunk, "S-1", "skin_pattern_left")


def _not(values: np.ndarray, mark: np.ndarray) -> object:
    """A smoothing that does nothing."""
    from radcurate.redact.skin import Smoothed, likeness

    return Smoothed(values, mark, likeness(values, values, (2.0, 1.0, 1.0), mark, "CT"), 1)


@pytest.mark.slow
def test_a_contour_in_the_marked_skin(chunk: Chunk) -> None:
    stack = tattooed(chunk)
    contour(chunk, "S-9", "S-1", np.s_[20:30, 18:26, 85:95], stack)
    gone(chunk, "S-1", "skin_unsigned")
    chunk.decide("S-1", "smooth_skin")
    gone(chunk, "S-1", "box_over_roi")


def test_a_mark_that_touches_no_skin(chunk: Chunk) -> None:
    tattooed(chunk)
    chunk.marks.write_text(HEAD + "S-1,0,0,50,10,deep inside\n")
    gone(chunk, "S-1", "no_skin")


def test_a_mark_on_another_kind_of_image(chunk: Chunk) -> None:
    chunk.image("S-1", modality="US")
    chunk.marks.write_text(HEAD + "S-1,0,0,50,10,tattoo\n")
    gone(chunk, "S-1", "skin_modality")


@pytest.mark.parametrize(
    "text", ["series,x\n", HEAD + "S-1,0,0,0,0,x\n", HEAD + "S-1,0,0,nan,5,x\n", HEAD + "S-1,a,0,0,5,x\n"]
)
def test_a_table_of_marks_that_cant_be_meant(text: str) -> None:
    with pytest.raises(CurationError):
        marks_of(text)


def test_boxes_hold_every_pixel_and_little_else() -> None:
    changed = np.zeros((40, 60), dtype=bool)
    changed[np.arange(40), np.arange(40) + 5] = True
    boxes = boxes_of(changed)
    inside = np.zeros_like(changed)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    assert (inside | ~changed).all() and inside.sum() < 700
    assert boxes[0] == Box(0, 5, 11, 16)
