"""What stands still over the frames of a stack: a line that one frame showed, looked for in the others by its strokes.

Anatomy changes from plane to plane, what is burned in doesn't. So a line that was read once is recognised elsewhere by
the contrast between its strokes and what surrounds them: cheap, and below the noise in which it could be read.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from radcurate.redact.found import Box, Flags, Hit

Grey = NDArray[np.uint8]  # (row, column): local contrast

SMOOTH = 0.7  # pixels: standard deviation that strokes are told apart with
SLOPE = 0.25  # of a line's height: standard deviation of what is no stroke but the slope that it stands on
LEAST_CONTRAST = 6.0  # of 255: fainter strokes are none


@dataclass(frozen=True, eq=False)
class Known:
    """A line that one frame of a stack showed. strokes: within its box; contrast: of them, in that frame, with its sign."""

    hit: Hit
    strokes: Flags
    around: Flags
    contrast: float


def known(hit: Hit, view: Grey) -> Known | None:
    """A hit with its strokes; nothing where they can't be told apart from their surroundings."""
    patch = _levelled(view, hit.box)
    if min(patch.shape) < 2:
        return None
    away = np.abs(patch - np.median(patch))
    bright = patch[away > np.percentile(away, 90)].mean() > np.median(patch)
    signed = patch if bright else -patch
    strokes = signed > _otsu(signed)
    around = ~cv2.dilate(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if not strokes.any() or not around.any():
        return None
    line = Known(hit, strokes, around, 0.0)
    contrast = contrast_of(line, view)
    return Known(hit, strokes, around, contrast) if abs(contrast) >= LEAST_CONTRAST else None


def contrast_of(line: Known, view: Grey) -> float:
    """Contrast that a line's strokes have in a frame, of 255, with its sign."""
    patch = _levelled(view, line.hit.box)
    return float(patch[line.strokes].mean() - patch[line.around].mean())


def _levelled(view: Grey, box: Box) -> NDArray[np.float32]:
    """What is in a box, without the slope that it stands on."""
    patch = view[box.top : box.bottom, box.left : box.right].astype(np.float32)
    wide = max(2.0, SLOPE * min(patch.shape))
    return np.asarray(cv2.GaussianBlur(patch, (0, 0), SMOOTH) - cv2.GaussianBlur(patch, (0, 0), wide), np.float32)


def _otsu(values: NDArray[np.float32]) -> float:
    """The level that parts values best in two (Otsu 1979)."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return high
    scaled = np.rint((values - low) * (255 / (high - low))).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(low + level * (high - low) / 255)
