"""A trunk with skin, fat and muscle, and marks in its skin: ink of other intensity, or raised letters."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from scipy import ndimage

SPACING = (2.0, 1.0, 1.0)
Volume = np.ndarray[Any, Any]


def letters(text: str, shape: tuple[int, int]) -> Volume:
    drawn = np.zeros(shape, np.uint8)
    cv2.putText(drawn, text, (2, shape[0] - 8), cv2.FONT_HERSHEY_SIMPLEX, shape[0] / 45, 255, 3)
    return drawn > 0


def trunk(
    angle: float = 0.0, ink: float = 0.0, relief: float = 0.0, seed: int = 0, modality: str = "CT"
) -> tuple[Volume, Volume]:
    """A trunk of 150 by 110 mm over 100 mm with a mark where its skin faces `angle` (degrees from the front).

    Args:
        angle: where the mark is.
        ink: intensity that the mark adds within the upper 2.5 mm of skin.
        relief: mm that the mark is raised.

    Returns:
        values in HU (MR: arbitrary), and voxels about the mark.
    """
    planes, rows, columns = 50, 150, 180
    z, y, x = np.meshgrid(np.arange(planes) * 2.0, np.arange(rows) - 75.0, np.arange(columns) - 90.0, indexing="ij")
    turn = np.deg2rad(angle)
    around = np.arctan2(x, -y) - turn  # radians from the mark's middle
    around = (around + np.pi) % (2 * np.pi) - np.pi
    radius = np.hypot(x, y)
    own = 1 / np.sqrt((np.sin(np.arctan2(x, -y)) / 75) ** 2 + (np.cos(np.arctan2(x, -y)) / 55) ** 2)
    across = around * own  # mm along the skin
    drawn = letters("DOE", (40, 80)).astype(np.float32)
    drawn = ndimage.map_coordinates(drawn, [(z - 30) / 40 * 40, (across + 26) / 52 * 80], order=1, cval=0)
    depth = own + relief * drawn - radius  # mm below the skin
    levels = {"CT": (-1000.0, 30.0, -100.0, 50.0), "MR": (8.0, 300.0, 700.0, 250.0)}[modality]
    air, skin, fat, muscle = levels
    values = np.where(depth < 0, air, np.where(depth < 2, skin, np.where(depth < 14, fat, muscle)))
    values = values + ink * drawn * ((depth >= 0) & (depth < 2.5))
    values = ndimage.gaussian_filter(values, (0.3, 0.6, 0.6))
    values = values + np.random.default_rng(seed).normal(0, 12, values.shape)
    values = np.abs(values) if modality == "MR" else values
    mark = (np.abs(across) < 32) & (np.abs(z - 50) < 26) & (np.abs(depth) < 8)
    return values.astype(np.float32), mark
