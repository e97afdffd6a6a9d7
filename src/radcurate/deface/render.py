"""Pictures of a head's surface, from any side, for the eye that checks: numpy for the rays, pillow for the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from radcurate.deface.screen import Pose
from radcurate.deface.stack import Field, Flags, Floats

STEP_MM = 2.0
SIZE_MM = 270.0
DEPTH_MM = 270.0
CENTRE = np.array([3.0, -10.0, -25.0])  # template point in the middle of the picture
VIEWS = (0.0, 45.0, -45.0)  # front, and half from either side


def surface(field: Field, soft: NDArray[np.float32], pose: Pose, angle: float) -> NDArray[np.uint8]:
    """Shaded surface seen from `angle` degrees left of the front, shape (rows, columns), 0 where no ray meets tissue.

    Args:
        soft: `smoothed` tissue of the field.

    The head is drawn in the template's space, so that it stands upright however it was stored. Equal input gives
    equal bytes.
    """
    n, m = round(SIZE_MM / STEP_MM), round(DEPTH_MM / (2 * STEP_MM))
    right, forward = _view(angle)
    # index of the field as an affine function of (step along the ray, row, column)
    start = CENTRE - forward * DEPTH_MM / 2 - right * SIZE_MM / 2 + np.array([0, 0, SIZE_MM / 2])
    steps = np.stack([forward * 2 * STEP_MM, np.array([0, 0, -STEP_MM]), right * STEP_MM])
    inverse = np.linalg.inv(pose.matrix)
    offset = (((start - pose.shift) @ inverse.T - field.origin) / field.step)[::-1]
    matrix = ((steps @ inverse.T) / field.step)[:, ::-1].T
    rays = ndimage.affine_transform(soft, matrix, offset, output_shape=(m, n, n), order=1)
    return _shade(rays)


def smoothed(tissue: Flags) -> NDArray[np.float32]:
    """Tissue with a soft edge, so that its surface has no steps; shape as given."""
    return np.asarray(ndimage.gaussian_filter(tissue.astype(np.float32), 0.6))


def _view(angle: float) -> tuple[Floats, Floats]:
    """Unit vectors to the picture's right and away from the viewer, LPS; from the front the patient's left is right."""
    a = np.radians(angle)
    return np.array([np.cos(a), np.sin(a), 0.0]), np.array([-np.sin(a), np.cos(a), 0.0])


def _shade(rays: NDArray[np.float32]) -> NDArray[np.uint8]:
    solid = rays > 0.5
    hit = solid.any(axis=0)
    first = np.argmax(solid, axis=0)
    rows, columns = np.indices(first.shape)
    here, before = rays[first, rows, columns], rays[np.maximum(first - 1, 0), rows, columns]
    part = np.clip((here - 0.5) / np.maximum(here - before, 1e-3), 0, 1)
    depth = ndimage.gaussian_filter(np.where(hit, (first - part) * 2.0, np.nan_to_num(first.max() * 2.0)), 0.8)
    slope_row, slope_column = np.gradient(depth)
    light = (0.4 * slope_column + 0.5 * slope_row + 1.0) / np.sqrt(1 + slope_row**2 + slope_column**2) / 1.19
    near = 1.0 - 0.45 * np.clip((depth - depth[hit].min()) / 120.0, 0, 1) if hit.any() else np.ones_like(depth)
    return np.where(hit, np.clip(30 + 225 * np.clip(light, 0, 1) * near, 0, 255), 0).astype(np.uint8)


def write_picture(path: Path, views: list[NDArray[np.uint8]]) -> None:
    """Several views side by side as a PNG (0600)."""
    Image.fromarray(np.hstack(views)).save(path, format="PNG", optimize=False)
    path.chmod(0o600)
