"""Zones: voxels of one level that touch by a face, an edge or a corner, and how far they are from a mask's edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels._library import SIZE, array, function
from radcurate.features.kernels.ranks import Ranked
from radcurate.features.resample import Flags

_distances = function("edge_distances", [array(np.uint8, 3), SIZE, SIZE, SIZE, SIZE, array(np.uint16, 3)])
_find = function(
    "find_zones",
    [
        array(np.uint16, 3),
        array(np.uint16, 3),
        *[SIZE] * 4,
        array(np.uint16, 1),
        array(np.int32, 1),
        array(np.int32, 1),
        array(np.int32, 1),
        array(np.uint16, 1),
        array(np.uint16, 1),
        array(np.int64, 1),
    ],
    SIZE,
)


@dataclass(frozen=True, eq=False)
class Zones:
    """All zones of a region, shape (zone,); where planes are apart, sorted by plane. Equal only to itself.

    Attributes:
        rank: of the level.
        size: voxels.
        distance: least number of steps over faces from a voxel of the zone to one outside the mask.
        ends: number of zones up to the end of each plane, shape (plane,).
    """

    rank: NDArray[np.uint16]
    size: NDArray[np.int32]
    distance: NDArray[np.uint16]
    ends: NDArray[np.int64]


def edge_distances(mask: Flags, in_space: bool) -> NDArray[np.uint16]:
    """Steps over faces from each voxel to the nearest one outside the mask: 0 outside, 1 at the edge.

    Args:
        mask: shape (plane, row, column); beyond it all is outside.
        in_space: in three dimensions, or in each plane by itself.

    Returns:
        Shape (planes + 2, rows + 2, columns + 2): one voxel of margin on every side.
    """
    planes, rows, columns = mask.shape
    result = np.zeros((planes + 2, rows + 2, columns + 2), dtype=np.uint16)
    _distances(np.ascontiguousarray(mask).view(np.uint8), planes, rows, columns, in_space, result)
    return result


def find_zones(ranked: Ranked, mask: Flags, in_space: bool) -> Zones:
    """Zones of equal rank, touching in three dimensions or in each plane by itself.

    Args:
        ranked: the levels.
        mask: to the edge of which distances are measured; of the same shape, holds all voxels that have a level.
        in_space: zones reach over planes.
    """
    planes, rows, columns = ranked.shape
    most = int(np.count_nonzero(ranked.ranks))
    distances = edge_distances(mask, in_space)
    links = np.empty(columns, dtype=np.uint16)
    labels = np.empty(2 * (rows + 2) * (columns + 2), dtype=np.int32)
    parent, size = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
    rank, distance = np.empty(most, dtype=np.uint16), np.empty(most, dtype=np.uint16)
    ends = np.empty(planes, dtype=np.int64)
    n = _find(
        ranked.ranks, distances, planes, rows, columns, in_space, links, labels, parent, size, rank, distance, ends
    )
    return Zones(rank[:n], size[:n], distance[:n], ends)
