"""Where the voxels of a synthetic image lie in the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
AXIAL = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
SAGITTAL = ((-1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0))


@dataclass(frozen=True)
class Geometry:
    """A voxel grid in DICOM patient coordinates (LPS).

    shape (plane, row, column); spacing in mm in the same order; origin in mm is the centre of voxel 0, 0, 0;
    axes are unit vectors along which plane, row and column index grow.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axes: tuple[tuple[float, float, float], ...] = AXIAL

    @property
    def steps(self) -> npt.NDArray[np.float64]:
        """Columns: the step in mm of one plane, row and column; shape (3, 3)."""
        return np.asarray((np.asarray(self.axes) * np.asarray(self.spacing)[:, None]).T, float)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return float(np.prod(self.spacing)) / 1000.0

    def to_patient(self, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Patient coordinates in mm of indices (…, 3) in the order plane, row, column."""
        return np.asarray(np.asarray(index, float) @ self.steps.T + np.asarray(self.origin))

    def to_index(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Indices (…, 3) of patient coordinates in mm."""
        return np.asarray((np.asarray(points, float) - np.asarray(self.origin)) @ np.linalg.inv(self.steps).T)

    def centred(self, point: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Geometry:
        """The same grid with its middle at `point`, in mm. The origin is rounded to 0.001 mm, as headers hold it."""
        middle = self.steps @ ((np.asarray(self.shape) - 1) / 2)
        origin = np.round(np.asarray(point) - middle, 3)
        return replace(self, origin=(float(origin[0]), float(origin[1]), float(origin[2])))

    def turned(self, rotation: npt.NDArray[np.float64]) -> Geometry:
        """The same grid with its axes turned by a rotation matrix (3, 3); the origin stays."""
        turned = np.round(np.asarray(self.axes) @ rotation.T, 6)
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        return replace(self, axes=tuple((float(a), float(b), float(c)) for a, b, c in turned))


def rotation(degrees: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Rotation matrix (3, 3) about x, then y, then z."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[two, one], turn[one, two] = np.sin(angle), -np.sin(angle)
        matrix = turn @ matrix
    return matrix
