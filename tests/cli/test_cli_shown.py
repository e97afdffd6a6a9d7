"""Frames as a person sees them, whatever way they are stored."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.pixels.processing import convert_color_space

from radcurate.cli._shown import LARGEST, crop, framed, shown
from radcurate.redact.found import Box, Picture, Place

PLACE = Place(0, 0)
RAMP = np.linspace(-900, 1200, 64 * 64).reshape(64, 64).astype(np.int16)


def test_gray_goes_from_black_to_white() -> None:
    seen = shown(Picture(PLACE, RAMP, "MONOCHROME2", 16))
    assert seen.min() == 0 and seen.max() == 255 and seen.shape == (64, 64, 3)


def test_inverted_gray_is_shown_as_it_is_meant() -> None:
    dark = shown(Picture(PLACE, RAMP, "MONOCHROME1", 16))
    assert dark[0, 0, 0] == 255 and dark[-1, -1, 0] == 0


def test_an_even_frame_is_no_error() -> None:
    assert not shown(Picture(PLACE, np.zeros((8, 8), np.uint8), "MONOCHROME2", 8)).any()


@pytest.mark.parametrize("kind", ["RGB", "RGB 16", "YBR_FULL", "PALETTE COLOR"])
def test_colours_are_those_that_were_meant(kind: str) -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    if kind == "YBR_FULL":
        picture = Picture(PLACE, np.asarray(convert_color_space(red, "RGB", "YBR_FULL")), kind, 8)
    elif kind == "PALETTE COLOR":
        palette = np.array([[0, 0, 0], [200, 0, 0]], np.uint8)
        picture = Picture(PLACE, np.full((8, 8), 11, np.uint16), kind, 16, palette, 10)
    elif kind == "RGB 16":
        picture = Picture(PLACE, red.astype(np.uint16) * 257, "RGB", 16)
    else:
        picture = Picture(PLACE, red, kind, 8)
    assert np.abs(shown(picture).astype(int) - red).max() <= 2


def test_old_overlays_are_shown() -> None:
    beyond = np.zeros((64, 64), bool)
    beyond[3, 4] = True
    assert tuple(shown(Picture(PLACE, RAMP, "MONOCHROME2", 16, beyond=beyond))[3, 4]) == (0, 255, 0)


def test_large_pictures_are_thinned_out_and_small_crops_enlarged() -> None:
    large = Picture(PLACE, np.zeros((3000, 5000), np.uint16), "MONOCHROME2", 12)
    assert max(Image.open(io.BytesIO(framed(large, [(Box(0, 0, 30, 90), True)]))).size) <= LARGEST
    assert Image.open(io.BytesIO(crop(large, Box(100, 100, 108, 160)))).height >= 40
