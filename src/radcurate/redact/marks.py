"""What is drawn beside the image of an ultrasound: logos, scales, curves, and text that nobody could read.

The header tells where the image is (Sequence of Ultrasound Regions, PS3.3 C.8.5.5). What lies outside is the device's
menu and no image, so whatever is drawn there may go without harm to any measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from radcurate.redact.found import Box, Flags, Picture
from radcurate.redact.views import COLOURS, levels, shades

LEAST_IMAGE = 0.15  # of the picture: regions that cover less aren't trusted to tell where the image is
DRAWN = 0.08  # of the range of shades that a drawn pixel is apart from the background
SMALLEST = 6  # drawn pixels of a mark
NEAR = (5, 9)  # rows and columns within which drawn pixels are one mark
RIM = 1  # pixels around a mark: grey at its edges


def marks_outside(picture: Picture) -> list[Box]:
    """Boxes around what is drawn outside of a picture's regions, none of which reaches into them.

    Nothing where the picture has no regions, or too small ones.
    """
    rows, columns = picture.values.shape[:2]
    image = _image(picture.regions, rows, columns)
    if not picture.regions or image.mean() < LEAST_IMAGE:
        return []
    inside = _bounds(image)
    drawn = _drawn(picture, image)
    return [box for strip in _strips(inside, rows, columns) for box in _marks(drawn, strip)]


def _image(regions: Sequence[Box], rows: int, columns: int) -> Flags:
    image = np.zeros((rows, columns), bool)
    for region in regions:
        image[region.top : region.bottom, region.left : region.right] = True
    return image


def _bounds(image: Flags) -> Box:
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _strips(inside: Box, rows: int, columns: int) -> Iterator[Box]:
    """What lies above, below, left and right of the image."""
    yield Box(0, 0, inside.top, columns)
    yield Box(inside.bottom, 0, rows, columns)
    yield Box(inside.top, 0, inside.bottom, inside.left)
    yield Box(inside.top, inside.right, inside.bottom, columns)


def _drawn(picture: Picture, image: Flags) -> Flags:
    """Pixels whose shade is apart from the commonest one outside of the image."""
    whole = shades(picture, Box(0, 0, *image.shape))
    of = levels(picture)
    scaled = np.clip((whole - of.least) * (255 / max(of.greatest - of.least, 1e-6)), 0, 255).astype(np.uint8)
    channels = scaled if scaled.ndim == COLOURS else scaled[..., None]
    drawn = np.zeros(image.shape, bool)
    for channel in np.moveaxis(channels, 2, 0):
        outside = channel[~image]
        if outside.size:
            common = int(np.bincount(outside, minlength=256).argmax())
            drawn |= np.abs(channel.astype(np.int16) - common) > DRAWN * 255
    return drawn


def _marks(drawn: Flags, strip: Box) -> Iterator[Box]:
    part = drawn[strip.top : strip.bottom, strip.left : strip.right]
    if not part.any():
        return
    joined = cv2.dilate(part.astype(np.uint8), np.ones(NEAR, np.uint8))
    count, labels = cv2.connectedComponents(joined)
    high, wide = part.shape
    sizes = np.bincount(labels[part], minlength=count)
    for label in range(1, count):
        if sizes[label] < SMALLEST:
            continue
        box = _bounds((labels == label) & part)
        yield Box(
            strip.top + max(0, box.top - RIM),
            strip.left + max(0, box.left - RIM),
            strip.top + min(high, box.bottom + RIM),
            strip.left + min(wide, box.right + RIM),
        )
