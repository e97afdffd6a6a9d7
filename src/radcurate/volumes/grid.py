"""Where the voxels of a volume lie in the patient."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Triple = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Grid:
    """A lattice of voxel centres in DICOM patient coordinates (LPS, mm; PS3.3 C.7.6.2.1.1).

    Attributes:
        shape: voxels along (plane, row, column).
        spacing: mm between neighbours along (plane, row, column).
        origin: centre of voxel (0, 0, 0), mm.
        axes: shape (3, 3); row i is the unit vector along which index i grows. The plane axis is the true step from
            plane to plane, so it isn't perpendicular to the others where the gantry was tilted (see `tilt`).
    """

    shape: tuple[int, int, int]
    spacing: Triple
    origin: Triple
    axes: NDArray[np.float64]

    def __post_init__(self) -> None:
        axes = np.array(self.axes, dtype=np.float64).reshape(3, 3)
        axes.setflags(write=False)
        object.__setattr__(self, "axes", axes)

    @property
    def steps(self) -> NDArray[np.float64]:
        """Shape (3, 3): row i is the step in mm from one voxel to the next along index i."""
        return np.asarray(self.axes * np.asarray(self.spacing)[:, None])

    @property
    def tilt(self) -> float:
        """Angle in degrees between the step from plane to plane and the normal of the planes."""
        normal = np.cross(self.axes[1], self.axes[2])
        cosine = abs(float(normal @ self.axes[0])) / float(np.linalg.norm(normal))
        return float(np.degrees(np.arccos(min(1.0, cosine))))

    def to_patient(self, index: ArrayLike) -> NDArray[np.float64]:
        """Patient coordinates (mm, LPS) of (plane, row, column) indices; shape (..., 3) to (..., 3)."""
        return np.asarray(self.origin) + np.asarray(index, dtype=np.float64) @ self.steps

    def to_index(self, points: ArrayLike) -> NDArray[np.float64]:
        """Fractional (plane, row, column) indices of patient coordinates (mm, LPS); shape (..., 3) to (..., 3)."""
        return np.asarray((np.asarray(points, dtype=np.float64) - np.asarray(self.origin)) @ np.linalg.inv(self.steps))

    def equal_to(self, other: Grid, tol: float = 1e-3) -> bool:
        """Whether both have the same shape and no voxel centre differs by more than `tol` mm."""
        if self.shape != other.shape:
            return False
        corners = np.array(list(itertools.product((0, 1), repeat=3))) * (np.array(self.shape) - 1)
        return bool(np.abs(self.to_patient(corners) - other.to_patient(corners)).max() <= tol)
