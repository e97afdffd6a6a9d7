"""Marks beside an ultrasound's image are told, those within it aren't, and no box reaches into it."""

from __future__ import annotations

import numpy as np
import pytest

from radcurate.redact.found import Box, Picture, Place
from radcurate.redact.marks import marks_outside

REGION = Box(40, 60, 180, 240)


def screen(regions: tuple[Box, ...] = (REGION,), colour: bool = False) -> Picture:
    values = np.zeros((200, 300), np.uint8)
    values[40:180, 60:240] = np.random.default_rng(0).integers(0, 200, (140, 180))
    values[10:20, 250:280] = 200  # a logo
    values[60:170, 290:294] = np.linspace(0, 255, 110)[:, None].astype(np.uint8)  # the grey scale
    if colour:
        values = np.stack([values, values // 2, values], axis=2)
    return Picture(Place(0, 0), values, "RGB" if colour else "MONOCHROME2", 8, regions=regions)


@pytest.mark.parametrize("colour", [False, True])
def test_what_is_drawn_outside_is_told_and_no_box_reaches_into_the_image(colour: bool) -> None:
    boxes = marks_outside(screen(colour=colour))
    assert any(box.top <= 10 and box.bottom >= 20 and box.left <= 250 and box.right >= 280 for box in boxes)
    assert any(box.left <= 290 and box.right >= 294 for box in boxes)
    assert not any(
        box.top < REGION.bottom and box.bottom > REGION.top and box.left < REGION.right and box.right > REGION.left
        for box in boxes
    )


def test_without_regions_or_with_tiny_ones_nothing_is_told() -> None:
    assert marks_outside(screen(regions=())) == []
    assert marks_outside(screen(regions=(Box(0, 0, 10, 10),))) == []


def test_an_empty_surrounding_has_no_marks() -> None:
    picture = screen()
    picture.values[:40] = picture.values[:, 240:] = 0
    assert marks_outside(picture) == []


def test_regions_that_fill_the_picture_leave_nothing_outside() -> None:
    assert marks_outside(screen(regions=(Box(0, 0, 200, 300),))) == []
