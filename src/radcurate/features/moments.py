"""Moments of a mask's voxels: their number, their centre and their principal axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.features.kernels.mesh import RowSums
from radcurate.features.resample import Floats


@dataclass(frozen=True)
class Moments:
    """Of the centres of a mask's n voxels.

    Attributes:
        n: how many.
        centre: their mean in mm from the first voxel of the mask's box, shape (3,).
        principal: eigenvalues of their covariance over n − 1 in mm², falling, shape (3,); NaN for a single voxel.
    """

    n: int
    centre: Floats
    principal: Floats


def moments(rows: RowSums, spacing: tuple[float, float, float]) -> Moments:
    """Moments of the mask with these rows, which holds at least one voxel; spacing in mm.

    Sums are of whole numbers, so the result doesn't depend on where the region lies.
    """
    plane, row = (np.arange(n, dtype=np.int64) for n in rows.inside.shape)
    by_plane, by_row = rows.inside.sum(axis=1), rows.inside.sum(axis=0)
    n = int(by_plane.sum())
    first = [int((plane * by_plane).sum()), int((row * by_row).sum()), int(rows.columns.sum())]
    second = np.empty((3, 3), dtype=object)
    second[0, 0], second[1, 1] = int((plane**2 * by_plane).sum()), int((row**2 * by_row).sum())
    second[2, 2] = int(rows.squares.sum())
    second[0, 1] = second[1, 0] = int((plane * (rows.inside * row).sum(axis=1)).sum())
    second[0, 2] = second[2, 0] = int((plane * rows.columns.sum(axis=1)).sum())
    second[1, 2] = second[2, 1] = int((row * rows.columns.sum(axis=0)).sum())
    centre = np.array([total / n for total in first]) * spacing
    if n == 1:
        return Moments(n, centre, np.full(3, np.nan))
    covariance = np.array(
        [
            [(n * second[i, j] - first[i] * first[j]) / (n * (n - 1)) * spacing[i] * spacing[j] for j in range(3)]
            for i in range(3)
        ]
    )
    return Moments(n, centre, np.maximum(np.linalg.eigvalsh(covariance)[::-1], 0.0))
