"""Pictures of a head's surface, from any side, for the eye that checks: numpy for the rays, pillow for the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from radcurate.deface.screen import Pose
from radcurate.deface.stack import Field, Flags, Floats

STEP_MM = 2.0  # of a picture's pixels
RAY_MM = 4.0  # between samples of a ray; the surface is interpolated between them
SIZE_MM = 270.0
DEPTH_MM = 270.0
CENTRE = np.array([3.0, -10.0, -25.0])  # template point in the middle of the picture
VIEWS = tuple(range(0, 360, 30))  # degrees to the patient's left of the front, all the way round
FROM_BELOW = 55.0  # degrees under the front: chin and nostrils
IN_A_ROW = 7  # views of a picture


def all_round(field: Field, tissue: Flags, pose: Pose) -> tuple[Floats, ...]:
    """`depths` from every one of VIEWS, then from below, each of shape (rows, columns).

    Args:
        tissue: of the field, shape (z, y, x).
    """
    soft = smoothed(tissue)
    from_below = depths(field, soft, pose, 0.0, FROM_BELOW)
    return (*level(field, soft, pose, VIEWS), from_below)


def level(field: Field, soft: NDArray[np.float32], pose: Pose, angles: Sequence[float]) -> tuple[Floats, ...]:
    """`depths` from some sides, degrees left of the patient's front, each of shape (rows, columns)."""
    return tuple(depths(field, soft, pose, float(angle)) for angle in angles)


def depths(
    field: Field, soft: NDArray[np.float32], pose: Pose, angle: float, below: float = 0.0, fine: int = 1
) -> Floats:
    """Distance from the picture's plane to the surface, mm, shape (rows, columns); NaN where no ray meets tissue.

    Args:
        soft: `smoothed` tissue of the field.
        angle: degrees left of the patient's front, below: degrees under the horizontal, where the viewer stands.
        fine: pixels and samples of a ray are so many times as dense.

    The head is seen in the template's space, so that it stands upright however it was stored. Equal input gives equal
    bytes.
    """
    pixel, ray = STEP_MM / fine, RAY_MM / fine
    n, m = round(SIZE_MM / pixel), round(DEPTH_MM / ray)
    right, up, forward = _view(angle, below)
    # index of the field as an affine function of (step along the ray, row, column)
    start = _start(right, up, forward)
    steps = np.stack([forward * ray, -up * pixel, right * pixel])
    inverse = np.linalg.inv(pose.matrix)
    offset = (((start - pose.shift) @ inverse.T - field.origin) / field.step)[::-1]
    matrix = ((steps @ inverse.T) / field.step)[:, ::-1].T
    rays = ndimage.affine_transform(soft, matrix, offset, output_shape=(m, n, n), order=1)
    solid = rays > 0.5
    first = np.argmax(solid, axis=0)
    rows, columns = np.indices(first.shape)
    here, before = rays[first, rows, columns], rays[np.maximum(first - 1, 0), rows, columns]
    part = np.clip((here - 0.5) / np.maximum(here - before, 1e-3), 0, 1)
    return np.asarray(np.where(solid.any(axis=0), (first - part) * ray, np.nan))


def places(seen: Floats, angle: float, below: float = 0.0) -> Floats:
    """Template points of a map of `depths`, shape (rows, columns, 3), mm."""
    right, up, forward = _view(angle, below)
    row, column = np.indices(seen.shape)[..., None] * STEP_MM
    return np.asarray(_start(right, up, forward) + seen[..., None] * forward - row * up + column * right)


def _start(right: Floats, up: Floats, forward: Floats) -> Floats:
    """Template point of the picture's first pixel."""
    return CENTRE - forward * DEPTH_MM / 2 - right * SIZE_MM / 2 + up * SIZE_MM / 2


def smoothed(tissue: Flags) -> NDArray[np.float32]:
    """Tissue with a soft edge, so that its surface has no steps; shape as given."""
    return np.asarray(ndimage.gaussian_filter(tissue.astype(np.float32), 0.6))


def _view(angle: float, below: float) -> tuple[Floats, Floats, Floats]:
    """Unit vectors to the picture's right, up and away from the viewer, LPS; in front the patient's left is right."""
    a, b = np.radians(angle), np.radians(below)
    right = np.array([np.cos(a), np.sin(a), 0.0])
    level = np.array([-np.sin(a), np.cos(a), 0.0])
    top = np.array([0.0, 0.0, 1.0])
    return right, np.cos(b) * top - np.sin(b) * level, np.cos(b) * level + np.sin(b) * top


def shaded(seen: Floats) -> NDArray[np.uint8]:
    """A picture of a map of `depths`, lit from the viewer, 0 where no ray meets tissue."""
    hit = np.isfinite(seen)
    far = float(seen[hit].max()) if hit.any() else DEPTH_MM
    depth = ndimage.gaussian_filter(np.where(hit, seen, far) / STEP_MM, 0.8)
    slope_row, slope_column = np.gradient(depth)
    light = (0.4 * slope_column + 0.5 * slope_row + 1.0) / np.sqrt(1 + slope_row**2 + slope_column**2) / 1.19
    near = 1.0 - 0.45 * np.clip((depth - depth[hit].min()) / 120.0, 0, 1) if hit.any() else np.ones_like(depth)
    return np.where(hit, np.clip(30 + 225 * np.clip(light, 0, 1) * near, 0, 255), 0).astype(np.uint8)


def write_picture(path: Path, seen: Sequence[Floats]) -> None:
    """Maps of `depths` as one PNG (0600), IN_A_ROW side by side. Equal input gives equal bytes."""
    views = [shaded(one) for one in seen]
    rows = [views[at : at + IN_A_ROW] for at in range(0, len(views), IN_A_ROW)]
    blank = np.zeros_like(views[0])
    full = [np.hstack(row + [blank] * (min(IN_A_ROW, len(views)) - len(row))) for row in rows]
    Image.fromarray(np.vstack(full)).save(path, format="PNG", optimize=False)
    path.chmod(0o600)
