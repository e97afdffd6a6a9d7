"""A picture as 8-bit pictures for the detector, whatever its contrast, its colours and its depth.

A viewer's window is somebody's choice: text may lie outside of it. So nothing here reads one; views follow from the
stored values alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from radcurate.redact.found import Box, Picture

Shades = NDArray[np.float32]  # (row, column) of grey or (row, column, 3) of red, green and blue
Bytes = NDArray[np.uint8]  # (row, column, 3)

SAMPLE = 1 << 20  # pixels from which a picture's levels are taken
TAILS = (0.5, 99.5)  # percentiles between which the middle lies
NEAR, NEAREST = 6.0, 3.0  # pixels: standard deviation of the neighbourhood that local contrast is measured against
LOCAL_RANGE = 4.0  # deviations from the neighbourhood's mean that become black and white
NOISE_SHARE = 0.02  # of a picture's middle range: contrast below it counts as none
STILL = 6  # of 255: a difference between frames that nowhere exceeds it shows nothing
COLOURS = 3
# ITU-R BT.601 as PS3.3 C.7.6.3.1.2 has it: rows red, green, blue of (luminance, blue, red difference)
FULL = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)
PARTIAL = np.array([[1.1644, 0, 1.596], [1.1644, -0.3917, -0.8129], [1.1644, 2.0173, 0]], np.float32)


@dataclass(frozen=True)
class Levels:
    """Of a whole picture's shades: least and greatest, and the ends of its middle."""

    least: float
    greatest: float
    low: float
    high: float


def is_colour(picture: Picture) -> bool:
    """Whether shades of the picture have three colours."""
    return picture.palette is not None or picture.values.ndim == COLOURS


def shades(picture: Picture, part: Box) -> Shades:
    """Shades of a part of a picture: colours as red, green and blue 0 … 255, grey as stored. Not a number becomes 0."""
    values = picture.values[part.top : part.bottom, part.left : part.right]
    if picture.palette is not None:
        entry = np.clip(values.astype(np.int64) - picture.first_index, 0, len(picture.palette) - 1)
        return picture.palette[entry].astype(np.float32)
    found = np.nan_to_num(values.astype(np.float32), copy=False, posinf=0, neginf=0)
    if values.ndim != COLOURS:
        return found
    if picture.bits_stored > 8:
        found *= 255 / (2**picture.bits_stored - 1)
    if not picture.photometric.startswith("YBR") or picture.photometric in {"YBR_RCT", "YBR_ICT"}:
        return found[..., :COLOURS]
    partial = "PARTIAL" in picture.photometric
    found -= np.array([16 if partial else 0, 128, 128], np.float32)
    return np.asarray(np.clip(found @ (PARTIAL if partial else FULL).T, 0, 255), np.float32)


def levels(picture: Picture) -> Levels:
    """Levels of a picture's shades, from at most SAMPLE of its pixels and from all of them for the ends."""
    rows, columns = picture.values.shape[:2]
    if is_colour(picture):
        return Levels(0, 255, 0, 255)
    values = picture.values
    finite = values if values.dtype.kind in "iub" else np.nan_to_num(values, posinf=0, neginf=0)
    step = max(1, int(np.ceil(np.sqrt(rows * columns / SAMPLE))))
    low, high = np.percentile(finite[::step, ::step], TAILS)
    return Levels(float(finite.min()), float(finite.max()), float(low), float(high))


def wide(tile: Shades, of: Levels) -> Bytes:
    """From the picture's least shade to its greatest; colours as they are."""
    return _bytes(tile, of.least, of.greatest)


def middle(tile: Shades, of: Levels) -> Bytes:
    """The middle of the picture's shades; what lies outside is black or white."""
    return _bytes(tile, of.low, of.high)


def roomy(tile: Shades, of: Levels) -> Bytes:
    """The middle of the picture's shades with as much room around it: what is drawn brighter than tissue is not cut."""
    room = max(of.high - of.low, 1e-6) / 2
    return _bytes(tile, of.low - room, of.high + room)


def local(tile: Shades, of: Levels) -> Bytes:
    """Deviations from the neighbourhood, so that faint text in light and in dark parts stands out alike."""
    return _deviations(tile, of, NEAR)


def fine(tile: Shades, of: Levels) -> Bytes:
    """Deviations from the nearest pixels: small letters on a slope."""
    return _deviations(tile, of, NEAREST)


def _deviations(tile: Shades, of: Levels, near: float) -> Bytes:
    span = max(of.high - of.low, (of.greatest - of.least) / 64, 1e-6)
    bounded = np.clip(tile, of.low - span, of.high + span)
    mean = cv2.GaussianBlur(bounded, (0, 0), near)
    away = bounded - mean
    spread = np.sqrt(cv2.GaussianBlur(away * away, (0, 0), near)) + span * NOISE_SHARE
    return _bytes(np.asarray(away / spread, np.float32), -LOCAL_RANGE, LOCAL_RANGE)


def flags(drawn: NDArray[np.bool_]) -> Bytes:
    """What is drawn, white on black."""
    return _three(drawn.astype(np.uint8) * 255)


def _bytes(tile: Shades, least: float, greatest: float) -> Bytes:
    factor = 255 / (greatest - least) if greatest > least else 0.0
    return _three(np.clip((tile - least) * factor, 0, 255).astype(np.uint8))


def _three(tile: Any) -> Bytes:
    return tile if tile.ndim == COLOURS else np.repeat(tile[..., None], COLOURS, axis=2)
