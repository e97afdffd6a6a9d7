"""One frame as a picture for a person, with boxes around what was found."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.pixels.processing import convert_color_space

from radcurate.redact.found import Box, Picture

Bytes = NDArray[np.uint8]  # (row, column, red green blue)
LARGEST = 1024  # pixels of a side; larger pictures are thinned out
CROP_MARGIN, CROP_HEIGHT = 6, 48  # around a box; least height of a crop on the page
SURE, DOUBT = (255, 60, 60), (255, 200, 0)


def shown(picture: Picture, step: int = 1, part: Box | None = None) -> Bytes:
    """What a viewer shows, from the 0.1st to the 99.9th percentile of the stored values; old overlays in green.

    Args:
        picture: one frame.
        step: every n-th row and column.
        part: of the frame; all of it by default.
    """
    here = (
        (slice(part.top, part.bottom, step), slice(part.left, part.right, step))
        if part
        else (slice(None, None, step),) * 2
    )
    values = picture.values[here]
    if picture.palette is not None:
        entries = np.clip(values.astype(np.int64) - picture.first_index, 0, len(picture.palette) - 1)
        image = picture.palette[entries]
    elif values.ndim == 3:
        three = values if values.dtype == np.uint8 else (values >> max(0, picture.bits_stored - 8)).astype(np.uint8)
        ybr = picture.photometric.startswith("YBR_FULL")
        image = np.asarray(convert_color_space(three, "YBR_FULL", "RGB")) if ybr else three
    else:
        image = np.repeat(_gray(picture, values)[..., None], 3, axis=2)
    image = np.array(image, np.uint8)
    if picture.beyond is not None:
        image[picture.beyond[here]] = (0, 255, 0)
    return image


def _gray(picture: Picture, values: NDArray[np.generic]) -> Bytes:
    sample = picture.values[::4, ::4] if picture.values.size > LARGEST**2 else picture.values
    low, high = (float(one) for one in np.percentile(sample, (0.1, 99.9)))
    if high <= low:
        low, high = float(picture.values.min()), float(picture.values.max())
    gray = np.clip((values.astype(np.float32) - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return np.asarray(255 - gray if picture.photometric == "MONOCHROME1" else gray, np.uint8)


def framed(picture: Picture, boxes: Sequence[tuple[Box, bool]]) -> bytes:
    """PNG of the whole frame with a rectangle around each box, red where it is sure."""
    step = max(1, -(-max(picture.values.shape[:2]) // LARGEST))
    image = Image.fromarray(shown(picture, step))
    pen = ImageDraw.Draw(image)
    for box, sure in boxes:
        corners = (box.left // step - 1, box.top // step - 1, box.right // step + 1, box.bottom // step + 1)
        pen.rectangle(corners, outline=SURE if sure else DOUBT)
    return _png(image)


def crop(picture: Picture, box: Box) -> bytes:
    """PNG of a box and a little around it, enlarged where it is small."""
    rows, columns = picture.values.shape[:2]
    part = Box(
        max(0, box.top - CROP_MARGIN),
        max(0, box.left - CROP_MARGIN),
        min(rows, box.bottom + CROP_MARGIN),
        min(columns, box.right + CROP_MARGIN),
    )
    step = max(1, -(-max(part.bottom - part.top, part.right - part.left) // LARGEST))
    image = Image.fromarray(shown(picture, step, part))
    times = max(1, CROP_HEIGHT // image.height)
    return _png(image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST))


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
