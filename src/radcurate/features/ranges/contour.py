"""Contours that another reader might have drawn: the boundary of a mask moved to and fro, its volume made other.

Each voxel near the boundary has a depth, its distance to it in mm, negative inside. A smooth random field is added to
the depths, and the voxels of least depth are taken until there are as many as the new volume asks for. So the random
field changes the shape and not the volume, and the volume changes by exactly what was asked (to half a voxel).
(Zwanenburg et al. 2019, doi 10.1038/s41598-018-36938-4, do both by supervoxels and erosion; a boundary needs no
segmentation of the image, whose settings would be one more source of differences.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels.affine import sample, straight
from radcurate.features.kernels.boundary import depth_of
from radcurate.features.resample import Flags, Floats

Depths = NDArray[np.float32]
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


def depths(mask: Flags, share: Floats, spacing: Spacing, limit: float) -> Depths:
    """Signed distance in mm to the boundary, negative inside; -inf and inf further from it than `limit`.

    Args:
        mask: shape (plane, row, column).
        share: interpolated mask, from 0 to 1; where it is neither, it tells the depth more exactly than the voxels.
        spacing: mm.
        limit: mm.
    """
    found = depth_of(mask, spacing, limit)
    partial = (share > 0) & (share < 1)
    found[partial] = (0.5 - share[partial]) * min(spacing)
    return found


def redrawn(
    depth: Depths, n_voxels: int, spacing: Spacing, contour: float, length: float, chance: np.random.Generator
) -> Flags:
    """The mask of `n_voxels` voxels of least depth after the boundary has moved.

    Args:
        depth: see `depths`; inf where no voxel may be.
        n_voxels: wanted; as near as the depths allow, at least 1.
        spacing: mm.
        contour: standard deviation in mm by which the boundary moves; 0: it keeps its shape.
        length: mm over which the movement changes.
        chance: where the numbers come from.
    """
    near = np.isfinite(depth)
    level = depth[near].astype(np.float64)
    level += chance.uniform(0, TIE * min(spacing), level.size)
    if contour:
        level += contour * np.clip(smooth_field(depth.shape, spacing, length, chance)[near], -MOST_SIGMAS, MOST_SIGMAS)
    result: Flags = depth == -np.inf
    deep = int(np.count_nonzero(result))
    wanted = min(max(n_voxels - deep, 0 if deep else 1), level.size)
    if wanted:
        result[near] = level <= np.partition(level, wanted - 1)[wanted - 1]
    return result


def smooth_field(shape: tuple[int, ...], spacing: Spacing, length: float, chance: np.random.Generator) -> Floats:
    """Normal numbers of deviation 1 that change over `length` mm: even interpolation of independent ones so far apart.

    Interpolation would make them smaller between the nodes; each is divided by the deviation that it has there.
    """
    axes = [
        chance.uniform(0, 1) + np.arange(n, dtype=np.float64) * (step / length)
        for n, step in zip(shape, spacing, strict=True)
    ]
    plane, row, column = (np.asarray(axis, dtype=np.float64) for axis in axes)
    nodes = chance.standard_normal([int(axis[-1]) + 2 for axis in (plane, row, column)])
    result = sample(nodes, straight(plane, row, column), "linear")
    for place, axis in enumerate((plane, row, column)):
        share = axis - np.floor(axis)
        deviation = np.sqrt(share**2 + (1 - share) ** 2)
        result /= deviation.reshape([-1 if other == place else 1 for other in range(3)])
    return result


def overlap(one: Flags, other: Flags) -> float:
    """Dice coefficient of two masks that are not both empty."""
    return 2 * int(np.count_nonzero(one & other)) / (int(np.count_nonzero(one)) + int(np.count_nonzero(other)))
