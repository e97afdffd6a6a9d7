"""Surface, volume and diameter of pyradiomics' mesh, without its search through all pairs of vertices.

pyradiomics meshes a mask by marching cubes with a fixed table: what a cube of 2 x 2 x 2 voxels adds depends only on
which of its 8 voxels belong to the mask. So its own C function is asked once for each of the 256 kinds of cube, and
the mask's cubes are counted. The diameter is the largest distance between vertices of the convex hull, which are few.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from radiomics import cShape
from scipy.spatial import ConvexHull
from scipy.spatial.distance import cdist

from radcurate.features.resample import Flags, Floats

CORNERS = [(plane, row, column) for plane in (0, 1) for row in (0, 1) for column in (0, 1)]


@dataclass(frozen=True)
class Mesh:
    """Of a mask: area in mm², volume in mm³, largest distance between two vertices in mm."""

    area: float
    volume: float
    diameter: float


@dataclass(frozen=True)
class _Kinds:
    """What a cube of each kind adds: area, volume seen from its first voxel, and more volume for each step from there."""

    area: Floats  # (256,)
    volume: Floats  # (256,)
    per_step: Floats  # (256, 3)


def mesh(mask: Flags, spacing: tuple[float, float, float]) -> Mesh:
    """Mesh of `mask` (plane, row, column), which holds at least one voxel; spacing in mm."""
    padded = np.pad(mask, 1)
    kinds = _kinds(spacing)
    cubes = _cube_kinds(padded)
    places = np.nonzero((cubes > 0) & (cubes < 255))
    found = cubes[places]
    counts = np.bincount(found, minlength=256)
    volume = float(counts @ kinds.volume)
    for axis in range(3):
        steps = np.bincount(found, weights=places[axis], minlength=256)  # whole numbers, so the sum is exact
        volume += float(np.sum(steps * kinds.per_step[:, axis]))
    return Mesh(float(np.sum(counts * kinds.area)), volume, _diameter(padded, spacing))


def _cube_kinds(padded: Flags) -> NDArray[np.uint8]:
    shape = [n - 1 for n in padded.shape]
    kinds = np.zeros(shape, dtype=np.uint8)
    for bit, corner in enumerate(CORNERS):
        part = padded[tuple(slice(start, start + n) for start, n in zip(corner, shape, strict=True))]
        kinds |= part.astype(np.uint8) << np.uint8(bit)
    return kinds


@lru_cache(maxsize=64)
def _kinds(spacing: tuple[float, float, float]) -> _Kinds:
    """Ask pyradiomics for each cube alone, and behind a second one along each axis: what moved is what a step adds."""
    area, volume, per_step = np.zeros(256), np.zeros(256), np.zeros((256, 3))
    for kind in range(1, 255):
        cube = np.array([(kind >> bit) & 1 for bit in range(8)], dtype=bool).reshape(2, 2, 2)
        area[kind], volume[kind] = _ask(cube, spacing)
    for kind in range(1, 255):
        cube = np.array([(kind >> bit) & 1 for bit in range(8)], dtype=bool).reshape(2, 2, 2)
        for axis in range(3):
            longer = np.concatenate([np.zeros_like(cube.take([0], axis)), cube], axis=axis)
            between = int(_cube_kinds(longer.take([0, 1], axis)).item())
            per_step[kind, axis] = _ask(longer, spacing)[1] - volume[kind] - volume[between]
    return _Kinds(area, volume, per_step)


def _ask(mask: Flags, spacing: tuple[float, float, float]) -> tuple[float, float]:
    area, volume, _ = cShape.calculate_coefficients(np.ascontiguousarray(mask), np.array(spacing, dtype=np.float64))
    return float(area), float(volume)


def _diameter(padded: Flags, spacing: tuple[float, float, float]) -> float:
    points = np.concatenate([_outermost(padded, axis) for axis in range(3)]) * (np.array(spacing) / 2)
    corners = points[ConvexHull(points).vertices]
    rows = max(1, 4_000_000 // len(corners))
    return max(float(cdist(corners[start : start + rows], corners).max()) for start in range(0, len(corners), rows))


def _outermost(padded: Flags, axis: int) -> NDArray[np.int64]:
    """First and last vertex on every line along `axis`, in half voxels; those between can't be corners of the hull."""
    lines = np.moveaxis(padded, axis, -1)
    hit = np.nonzero(lines.any(axis=-1))
    chosen = lines[hit]
    first = chosen.argmax(axis=-1) * 2 - 1
    last = (chosen.shape[-1] - 1 - chosen[:, ::-1].argmax(axis=-1)) * 2 + 1
    across = [np.tile(2 * places, 2) for places in hit]
    across.insert(axis, np.concatenate([first, last]))
    return np.stack(across, axis=1).astype(np.int64)
