"""Bodies from smooth unions of simple solids: approximate signed distances in mm, negative inside.

Formulas for the ellipsoid bound and the polynomial smooth minimum follow I. Quilez, "Distance functions" and
"Smooth minimum". Small solids are evaluated in their own box only, which is what makes a head take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from radcurate.demo.geometry import Floats, Geometry

Point = Sequence[float]
Points = tuple[Floats, Floats, Floats]
Solid = Callable[[Points], Floats]
Box = tuple[slice, slice, slice]


class Canvas:
    """Body coordinates of every voxel of a grid: body = (rotation.T @ (patient - shift)) / scale."""

    def __init__(
        self,
        geometry: Geometry,
        turn: npt.NDArray[np.float64],
        shift: npt.NDArray[np.float64],
        scale: npt.NDArray[np.float64],
    ) -> None:
        self.geometry, self.turn, self.shift, self.scale = geometry, turn, shift, scale
        step = (turn.T @ geometry.steps) / scale[:, None]
        start = (turn.T @ (np.asarray(geometry.origin) - shift)) / scale
        plane, row, column = np.ogrid[tuple(slice(0, n) for n in geometry.shape)]
        self.points: Points = tuple(
            (start[i] + step[i, 0] * plane + step[i, 1] * row + step[i, 2] * column).astype(np.float32)
            for i in range(3)
        )

    def empty(self) -> Floats:
        """A field that is outside everywhere."""
        return np.full(self.geometry.shape, 1e3, np.float32)

    def box(self, centre: Point, reach: float) -> Box:
        """Indices that hold a ball of radius `reach` mm (body coordinates) about a centre."""
        middle = self.geometry.to_index(self.turn @ (np.asarray(centre) * self.scale) + self.shift)
        extent = reach * float(np.max(self.scale)) / np.asarray(self.geometry.spacing)
        first = np.clip(np.floor(middle - extent), 0, self.geometry.shape).astype(int)
        last = np.clip(np.ceil(middle + extent) + 1, 0, self.geometry.shape).astype(int)
        return (slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2]))

    def at(self, box: Box | None) -> Points:
        """Body coordinates within a box."""
        x, y, z = self.points
        return self.points if box is None else (x[box], y[box], z[box])

    def add(self, field: Floats, solid: Solid, box: Box | None = None, blend: float = 0.0) -> None:
        """Unite `field` with a solid in place, rounding the seam over `blend` mm."""
        where = box or np.s_[:, :, :]
        field[where] = _smooth_minimum(field[where], solid(self.at(box)), blend)

    def cut(self, field: Floats, solid: Solid, box: Box | None = None, blend: float = 0.0) -> None:
        """Take a solid out of `field` in place."""
        where = box or np.s_[:, :, :]
        field[where] = -_smooth_minimum(-field[where], solid(self.at(box)), blend)

    def paint(self, labels: npt.NDArray[np.uint8], value: int, solid: Solid, box: Box | None = None) -> None:
        """Give the voxels inside a solid a label, in place."""
        where = box or np.s_[:, :, :]
        labels[where][solid(self.at(box)) < 0] = value


def _smooth_minimum(one: Floats, two: Floats, blend: float) -> Floats:
    if blend <= 0:
        return np.minimum(one, two)
    share = np.clip(0.5 + 0.5 * (two - one) / np.float32(blend), 0, 1)
    return np.asarray(two + (one - two) * share - np.float32(blend) * share * (1 - share), np.float32)


def ellipsoid(centre: Point, radii: Point, yaw: float = 0.0) -> Solid:
    """Ellipsoid with semi-axes in mm, turned about z by `yaw` degrees."""
    cosine, sine = np.float32(np.cos(np.radians(yaw))), np.float32(np.sin(np.radians(yaw)))

    def solid(points: Points) -> Floats:
        x, y, z = (p - np.float32(c) for p, c in zip(points, centre, strict=True))
        if yaw:
            x, y = cosine * x + sine * y, cosine * y - sine * x
        a, b, c = (np.float32(1 / r) for r in radii)
        ax, by, cz = (x * a) ** 2, (y * b) ** 2, (z * c) ** 2
        near = np.sqrt(ax + by + cz)
        slope = np.sqrt(ax * a * a + by * b * b + cz * c * c)
        return np.asarray(near * (near - 1) / np.maximum(slope, np.float32(1e-6)), np.float32)

    return solid


def capsule(start: Point, end: Point, radius_start: float, radius_end: float) -> Solid:
    """A rod with round ends whose radius in mm changes evenly from start to end."""
    line = np.asarray(end, float) - np.asarray(start, float)
    length = float(line @ line)

    def solid(points: Points) -> Floats:
        offset = [p - np.float32(s) for p, s in zip(points, start, strict=True)]
        along = sum(o * np.float32(v / length) for o, v in zip(offset, line, strict=True))
        along = np.clip(np.asarray(along, np.float32), 0, 1)
        square = sum((o - along * np.float32(v)) ** 2 for o, v in zip(offset, line, strict=True))
        radius = np.float32(radius_start) + along * np.float32(radius_end - radius_start)
        return np.asarray(np.sqrt(square) - radius, np.float32)

    return solid


def ellipsoid_box(canvas: Canvas, centre: Point, radii: Point, blend: float = 0.0) -> Box:
    """Box of an ellipsoid with room for its seam."""
    return canvas.box(centre, max(radii) + blend + 3)


def capsule_box(canvas: Canvas, start: Point, end: Point, radius: float, blend: float = 0.0) -> Box:
    """Box of a rod with room for its seam."""
    middle = (np.asarray(start, float) + np.asarray(end, float)) / 2
    reach = float(np.linalg.norm(np.asarray(end, float) - middle)) + radius + blend + 3
    return canvas.box([float(v) for v in middle], reach)
