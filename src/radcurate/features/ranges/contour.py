"""Contours that another reader might have drawn: the boundary of a mask moved to and fro, its volume made other.

Each voxel near the boundary has a depth, its distance to it in mm, negative inside. A smooth random field is added to
the depths, and the voxels of least depth are taken until there are as many as the new volume asks for. So the random
field changes the shape and not the volume, and the volume changes by exactly what was asked (to half a voxel).
(Zwanenburg et al. 2019, doi 10.1038/s41598-018-36938-4, do both by supervoxels and erosion; a boundary needs no
segmentation of the image, whose settings would be one more source of differences.)
"""

from __future__ import annotations

import numpy as np

from radcurate.features.kernels.boundary import Field, Side, cut, depth_of, levels_of
from radcurate.features.resample import Flags, Floats
from radcurate.settings import Ranges

Spacing = tuple[float, float, float]

# The random field is cut off at so many standard deviations.
MOST_SIGMAS = 3.0
# Voxels of one depth are told apart by chance, by a share of a voxel that is too small to matter otherwise.
TIE = 1e-3


def reach(n_voxels: int, spacing: Spacing, volume: float, contour: float) -> float:
    """How far, in mm, a boundary can move: the field at its most, and the growth of a ball, which grows furthest."""
    radius = float(np.cbrt(3 * n_voxels * np.prod(spacing) / (4 * np.pi)))
    further = max(np.cbrt(1 + volume) - 1, 1 - np.cbrt(1 - volume))
    return MOST_SIGMAS * contour + radius * float(further) + max(spacing)


def depths(mask: Flags, share: Floats, spacing: Spacing, limit: float) -> Floats:
    """Signed distance in mm to the boundary, negative inside; at most `limit`, either way.

    Args:
        mask: shape (plane, row, column).
        share: interpolated mask, from 0 to 1; where it is neither, it tells the depth more exactly than the voxels.
        spacing: mm.
        limit: mm.
    """
    found = np.clip(depth_of(mask, spacing, limit), -limit, limit).astype(np.float64)
    partial = (share > 0) & (share < 1)
    found[partial] = (0.5 - share[partial]) * min(spacing)
    return found


def redrawn(
    depth: Floats, n_voxels: int, spacing: Spacing, limit: float, options: Ranges, chance: np.random.Generator
) -> Flags:
    """The mask of `n_voxels` voxels of least depth after the boundary has moved.

    Args:
        depth: see `depths`, C-contiguous; `limit` or more where no voxel may be.
        n_voxels: wanted; as near as the depths allow, at least 1.
        spacing: mm.
        limit: mm from the boundary from which on voxels stay what they are.
        options: how much the boundary moves.
        chance: where the numbers come from.
    """
    field = smooth_field(depth.shape, spacing, options.contour_length, chance)
    levels = levels_of(depth, limit, options.contour, MOST_SIGMAS, field)
    levels += chance.uniform(0, TIE * min(spacing), levels.size)
    deep = int(np.count_nonzero(depth <= -limit))
    wanted = min(max(n_voxels - deep, 0 if deep else 1), levels.size)
    threshold = np.partition(levels, wanted - 1)[wanted - 1] if wanted else -np.inf
    return cut(depth, limit, levels, float(threshold))


def smooth_field(shape: tuple[int, ...], spacing: Spacing, length: float, chance: np.random.Generator) -> Field:
    """Normal numbers of deviation 1 that change over `length` mm: even interpolation of independent ones so far apart.

    Interpolation would make them smaller between the nodes; each is divided by the deviation that it has there.
    """
    axes = [chance.uniform(0, 1) + np.arange(n) * (step / length) for n, step in zip(shape, spacing, strict=True)]
    nodes = chance.standard_normal([int(axis[-1]) + 2 for axis in axes])
    plane, row, column = (_side(np.asarray(axis, dtype=np.float64)) for axis in axes)
    return Field(nodes, (plane, row, column))


def _side(places: Floats) -> Side:
    node = np.floor(places)
    share = places - node
    deviation = np.sqrt(share**2 + (1 - share) ** 2)
    return Side(node.astype(np.int64), (1 - share) / deviation, share / deviation)


def overlap(one: Flags, other: Flags) -> float:
    """Dice coefficient of two masks that are not both empty."""
    return 2 * int(np.count_nonzero(one & other)) / (int(np.count_nonzero(one)) + int(np.count_nonzero(other)))
