"""The surface of a mask: a mesh halfway between voxels inside and outside, by marching cubes with a table made by rule.

What a cube of 2 x 2 x 2 voxels adds depends only on which of its 8 voxels belong to the mask, so that only the 256
kinds of cubes are meshed, and the cubes of a mask counted. The rule: on each side of a cube, the surface keeps voxels
apart that touch by an edge only; the loops that this gives are cut into triangles such that a cube with edges of one
length gets the largest area, as in the tables that others use. Where several ways are equal, their mean counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels.mesh import Cubes, count_cubes
from radcurate.features.resample import Flags, Floats

Loop = tuple[
    tuple[int, int], ...
]  # edges of a cube, each by its two corners, in the order in which a surface meets them
Triangle = tuple[int, int, int]

CORNERS = [(plane, row, column) for plane in (0, 1) for row in (0, 1) for column in (0, 1)]
# Corners of the six sides in turn, against the clock seen from outside.
SIDES = [
    [0, 1, 3, 2],
    [4, 6, 7, 5],
    [0, 4, 5, 1],
    [2, 3, 7, 6],
    [0, 2, 6, 4],
    [1, 5, 7, 3],
]


@dataclass(frozen=True)
class Mesh:
    """Of a mask: area in mm², volume in mm³."""

    area: float
    volume: float


@dataclass(frozen=True)
class Kinds:
    """What a cube of each kind adds: area, volume seen from its first voxel, and more volume for each step from there."""

    area: Floats  # (256,)
    volume: Floats  # (256,)
    per_step: Floats  # (256, 3)

    def mesh(self, cubes: Cubes) -> Mesh:
        """Of a mask with these cubes. Counts are whole numbers, so the place of the mask makes no difference."""
        volume = np.sum(cubes.counts * self.volume) + np.sum(cubes.places * self.per_step)
        return Mesh(float(np.sum(cubes.counts * self.area)), float(volume))


def mesh(mask: Flags, spacing: tuple[float, float, float]) -> Mesh:
    """Mesh of `mask` (plane, row, column), which holds at least one voxel; spacing in mm."""
    return kinds(spacing).mesh(count_cubes(mask))


@lru_cache(maxsize=64)
def kinds(spacing: tuple[float, float, float]) -> Kinds:
    """The table for voxels of `spacing` mm."""
    owners, shares, corners = _triangles()
    a, b, c = np.moveaxis(corners * np.array(spacing), 1, 0)
    areas = np.cross(b - a, c - a) / 2
    flux = areas / 3 * shares[:, None]

    def per_kind(values: Floats) -> Floats:
        return np.asarray(np.bincount(owners, weights=values, minlength=256), dtype=np.float64)

    return Kinds(
        per_kind(np.sqrt((areas**2).sum(axis=1)) * shares),
        per_kind(((a + b + c) / 3 * flux).sum(axis=1)),
        np.stack([per_kind(flux[:, axis] * spacing[axis]) for axis in range(3)], axis=1),
    )


@cache
def _triangles() -> tuple[NDArray[np.int64], Floats, Floats]:
    """Of all kinds: the kind, the share with which it counts, and the corners in voxels, shape (triangle, corner, 3)."""
    owners: list[int] = []
    shares: list[float] = []
    corners: list[Floats] = []
    for kind in range(256):
        for loop in loops(kind):
            found = _cut(loop)
            owners += [kind] * len(found)
            shares += [share for share, _ in found]
            corners += [triangle for _, triangle in found]
    return np.array(owners), np.array(shares), np.array(corners)


def loops(kind: int) -> Iterator[Loop]:
    """Where the surface meets the edges of a cube: closed loops, against the clock seen from outside the mask."""
    following = dict(_pieces(kind))
    while following:
        start, edge = following.popitem()
        loop = [start]
        while edge != start:
            loop.append(edge)
            edge = following.pop(edge)
        yield tuple(loop)


def _pieces(kind: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """What the surface draws on the sides of a cube, from edge to edge: around each run of corners inside the mask."""
    inside = [bool(kind >> corner & 1) for corner in range(8)]
    for side in SIDES:
        for last in range(4):
            if inside[side[last]] and not inside[side[(last + 1) % 4]]:
                first = last
                while inside[side[first - 1]]:
                    first -= 1
                yield _edge(side[first - 1], side[first]), _edge(side[last], side[(last + 1) % 4])


def _edge(a: int, b: int) -> tuple[int, int]:
    return min(a, b), max(a, b)


@cache
def _cut(loop: Loop) -> list[tuple[float, Floats]]:
    """The triangles of a loop, each with the share of the best ways to cut it that hold it."""
    points = np.array(CORNERS)[np.array(loop)].mean(axis=1)
    a, b, c = np.meshgrid(*[np.arange(len(loop))] * 3, indexing="ij")
    sides = np.cross(points[b] - points[a], points[c] - points[a])
    area = np.sqrt((sides**2).sum(axis=-1)) / 2
    ways = _ways(0, len(loop) - 1)
    totals = [sum(float(area[triangle]) for triangle in way) for way in ways]
    best = [way for way, total in zip(ways, totals, strict=True) if total > max(totals) - 1e-9]
    chosen = [triangle for way in best for triangle in way]
    return [(chosen.count(triangle) / len(best), points[list(triangle)]) for triangle in sorted(set(chosen))]


@cache
def _ways(first: int, last: int) -> list[tuple[Triangle, ...]]:
    """All ways to cut a polygon with corners `first` to `last` into triangles."""
    if last - first < 2:
        return [()]
    return [
        (*left, *right, (first, middle, last))
        for middle in range(first + 1, last)
        for left in _ways(first, middle)
        for right in _ways(middle, last)
    ]
