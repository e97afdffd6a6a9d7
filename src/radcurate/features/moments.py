"""Moments of a mask's voxels: their number, their centre and their principal axes."""

from __future__ import annotations

import math
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
        principal: eigenvalues of their covariance over n − 1 in mm², falling, shape (3,); NaN for a single voxel. Exactly 0
            are as many as the voxels lack dimensions: one of a plane, two of a line, however they lie.
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
    exact = [[n * second[i, j] - first[i] * first[j] for j in range(3)] for i in range(3)]
    covariance = np.array([[exact[i][j] / (n * (n - 1)) * spacing[i] * spacing[j] for j in range(3)] for i in range(3)])
    principal = eigenvalues(covariance)
    principal[rank(exact) :] = 0
    return Moments(n, centre, principal)


def rank(matrix: list[list[int]]) -> int:
    """Of a symmetric, positive matrix of whole numbers that isn't 0, shape (3, 3), without rounding."""
    minors = [
        [_minor(matrix, [(i + 1) % 3, (i + 2) % 3], [(j + 1) % 3, (j + 2) % 3]) for j in range(3)] for i in range(3)
    ]
    if sum(matrix[0][j] * minors[0][j] for j in range(3)):
        return 3
    return 2 if any(any(row) for row in minors) else 1


def _minor(matrix: list[list[int]], rows: list[int], columns: list[int]) -> int:
    (i, k), (j, m) = rows, columns
    return matrix[i][j] * matrix[k][m] - matrix[i][m] * matrix[k][j]


def eigenvalues(matrix: Floats) -> Floats:
    """Of a symmetric, positive matrix, shape (3, 3): falling, by Jacobi's rotations.

    They are the same to the last bit everywhere; those of a LAPACK library depend on the machine.
    """
    a = matrix.tolist()
    for _ in range(50):  # a handful is enough
        size, i, j = max((abs(a[i][j]), i, j) for i, j in ((0, 1), (0, 2), (1, 2)))
        if size <= 1e-17 * max(a[0][0], a[1][1], a[2][2]):
            break
        _rotate(a, i, j)
    return np.maximum(sorted((a[0][0], a[1][1], a[2][2]), reverse=True), 0.0)


def _rotate(a: list[list[float]], i: int, j: int) -> None:
    """Turn the symmetric matrix such that a[i][j] vanishes."""
    k = 3 - i - j
    slope = (a[j][j] - a[i][i]) / (2 * a[i][j])
    tangent = math.copysign(1, slope) / (abs(slope) + math.sqrt(slope * slope + 1))
    cosine = 1 / math.sqrt(tangent * tangent + 1)
    sine, step = tangent * cosine, tangent * a[i][j]
    a[i][i] -= step
    a[j][j] += step
    a[i][j] = a[j][i] = 0.0
    ki, kj = a[k][i], a[k][j]
    a[k][i] = a[i][k] = cosine * ki - sine * kj
    a[k][j] = a[j][k] = sine * ki + cosine * kj
