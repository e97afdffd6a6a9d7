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
    rank, size, distance = (values.astype(np.int64) for values in (zones.rank, zones.size, zones.distance))
    if apart:
        counts = np.diff(zones.ends, prepend=0)
        counts = counts[counts > 0]
        matrix = np.repeat(np.arange(len(counts)), counts)
    else:
        matrix = np.zeros_like(rank)
    n_voxels = np.bincount(matrix, weights=size).astype(np.int64)
    return ZoneMatrices(*(of_groups(matrix, rank, extent, levels.used, n_voxels) for extent in (size, distance)))
