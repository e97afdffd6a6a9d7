"""Zones of a region as matrices, by size and by distance, from one search."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.features.families.sparse import SparseMatrices, of_groups
from radcurate.features.kernels.ranks import Ranked, ranked
from radcurate.features.kernels.zones import Zones, find_zones
from radcurate.features.prepare import Prepared
from radcurate.features.region import Region


@dataclass(frozen=True)
class ZoneMatrices:
    """One matrix each; in 2D one for each plane that holds a voxel.

    Attributes:
        by_size: extents are numbers of voxels.
        by_distance: extents are steps to the edge of the morphological mask.
    """

    by_size: SparseMatrices
    by_distance: SparseMatrices


def zone_matrices(region: Region, dimension: str) -> ZoneMatrices:
    """Zones that reach over planes (3D), or within planes, these together (2.5D) or apart (2D)."""
    levels = region.once(ranked)
    zones = region.once(_zones, levels, dimension == "3D")
    return region.once(_matrices, levels, zones, dimension == "2D")


def _zones(prepared: Prepared, levels: Ranked, in_space: bool) -> Zones:
    return find_zones(levels, prepared.morphology, in_space)


def _matrices(_: Prepared, levels: Ranked, zones: Zones, apart: bool) -> ZoneMatrices:
    ends = np.unique(zones.ends if apart else zones.ends[-1:])  # a plane without a voxel ends where the one before did
    ends = ends[ends > 0]
    starts = np.append(0, ends[:-1])
    matrix = np.repeat(np.arange(len(ends)), ends - starts)
    n_voxels = np.add.reduceat(zones.size, starts, dtype=np.int64)
    by_size, by_distance = (
        of_groups(matrix, zones.rank, extent, levels.used, n_voxels) for extent in (zones.size, zones.distance)
    )
    return ZoneMatrices(by_size, by_distance)
