"""RTSTRUCT contours as masks on the image's grid.

Contours are placed by their coordinates, never by the instances they refer to. A voxel belongs to a region when its
centre lies inside by the even-odd rule over all contours of its plane (so that holes, CLOSEDPLANAR_XOR and keyholes
all come out right); a centre exactly on an edge belongs to the side of the smaller index's neighbour, so that adjoining
regions share no voxel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement

from radcurate.volumes.grid import Grid
from radcurate.volumes.problems import VolumeError

Points = NDArray[np.float64]
Mask = NDArray[np.bool_]
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
SNAP = (
    6  # decimals of a voxel that coordinates are rounded to, so that a centre on an edge is decided the same everywhere
)
FLAT = 0.25  # largest extent, in planes, of a contour that lies in one plane of the image
NO_POINTS: Points = np.empty((0, 3))


@dataclass(frozen=True)
class Structure:
    """One region of an RTSTRUCT: closed contours, each shape (points, 3) in mm LPS, and how many others it had."""

    number: int
    label: str
    method: str
    contours: list[Points]
    ignored: int = 0


@dataclass
class Raster:
    """A mask, shape (plane, row, column), and what was noticed on the way."""

    mask: Mask
    notes: list[str] = field(default_factory=list)


def read_structures(header: pydicom.Dataset) -> Iterator[Structure]:
    """The regions of an RTSTRUCT (PS3.3 C.8.8.5 and C.8.8.6) by number; a region without contours comes too."""
    items = {int(item.ReferencedROINumber): item for item in header.get("ROIContourSequence") or []}
    for item in sorted(header.get("StructureSetROISequence") or [], key=lambda item: int(item.ROINumber)):
        number = int(item.ROINumber)
        drawn = list((items[number].get("ContourSequence") if number in items else None) or [])
        closed = [contour for contour in drawn if str(contour.get("ContourGeometricType")) in CLOSED]
        contours = [points for points in map(_points, closed) if len(points) >= 3]
        label, method = str(item.get("ROIName") or number), str(item.get("ROIGenerationAlgorithm") or "")
        yield Structure(number, label, method, contours, len(drawn) - len(contours))


def _points(contour: pydicom.Dataset) -> Points:
    numbers = _numbers(contour)
    return numbers.reshape(-1, 3) if numbers.size and numbers.size % 3 == 0 else NO_POINTS


def _numbers(contour: pydicom.Dataset) -> Points:
    """ContourData, past pydicom's decimal strings where it hasn't made them yet: they take 4 µs a number, this 0.2."""
    raw = contour.get_item("ContourData") if "ContourData" in contour else None
    if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes):
        text = raw.value.strip(b" \0")
        try:
            found: Points = np.fromstring(text.replace(b"\\", b" "), sep=" ")
        except ValueError:
            found = NO_POINTS  # pydicom says what is wrong
        if found.size and found.size == text.count(b"\\") + 1:
            return found
    values = contour.get("ContourData")
    return np.array([] if values is None or values == "" else values, dtype=np.float64)


def rasterise(contours: Sequence[Points], grid: Grid) -> Raster:
    """Mask of closed planar contours on `grid`.

    Contours parallel to the image's planes go to the nearest plane, at most half a spacing away; where contours of
    several depths meet in one plane the nearest ones count. Contours in another orientation are filled on their own
    planes, and a voxel belongs to the nearest of those. Planes between contours that have none stay empty (and are noted).

    Raises:
        VolumeError: contour_outside when any part lies outside the image; contour_orientation when contours are not
            planar, or have several orientations.
    """
    unique, doubled = _without_doubles(contours)
    notes = [f"contours_doubled:{doubled}"] if doubled else []
    inside = [np.round(grid.to_index(points), SNAP) for points in unique]
    if not inside:
        return Raster(np.zeros(grid.shape, dtype=bool), notes)
    _require_inside(inside, grid)
    flat = [axis for axis in range(3) if all(np.ptp(points[:, axis]) <= FLAT for points in inside)]
    if 0 in flat:
        raster = _by_plane(inside, grid)
    else:
        raster = _across(inside, flat[0], grid) if flat else _oblique(unique, grid)
    return Raster(raster.mask, notes + raster.notes)


def _without_doubles(contours: Sequence[Points]) -> tuple[list[Points], int]:
    """A contour that is stored twice would cancel itself."""
    seen = {points.tobytes(): points for points in contours}
    return list(seen.values()), len(contours) - len(seen)


def _require_inside(contours: list[Points], grid: Grid) -> None:
    """Every point must lie in a voxel of the image; a contour on its very edge may exceed it by half a voxel more."""
    low = np.min([points.min(axis=0) for points in contours], axis=0)
    high = np.max([points.max(axis=0) for points in contours], axis=0)
    margin = np.array([0.5 + 1e-3, 1.0, 1.0])
    if (low < -margin).any() or (high > np.array(grid.shape) - 1 + margin).any():
        raise VolumeError(
            "contour_outside",
            "a contour reaches out of the image",
            wanted="contours inside the image",
            found="points beyond its edge",
            fix="export the whole image that was contoured, or leave this region out",
        )


def _by_plane(contours: list[Points], grid: Grid) -> Raster:
    depths = np.array([points[:, 0].mean() for points in contours])
    planes = np.clip(np.ceil(np.round(depths, 3) - 0.5), 0, grid.shape[0] - 1).astype(int)
    mask = np.zeros(grid.shape, dtype=bool)
    left_out = 0
    for plane in np.unique(planes):
        here = np.flatnonzero(planes == plane)
        distance = np.round(np.abs(depths[here] - plane), 2)
        near = here[distance == distance.min()]
        if np.ptp(depths[near]) > 0.02:  # as far above as below: the lower ones
            near = near[depths[near] < plane]
        left_out += len(here) - len(near)
        mask[plane] = fill([contours[index][:, 1:] for index in near], grid.shape[1:])
    missing = int(planes.max() - planes.min() + 1 - len(np.unique(planes)))
    notes = [f"contours_between_planes:{left_out}"] if left_out else []
    return Raster(mask, notes + ([f"planes_without_contour:{missing}"] if missing else []))


def fill(polygons: Sequence[Points], shape: tuple[int, int]) -> Mask:
    """Even-odd fill of closed polygons, each shape (points, 2) in (row, column) indices; shape (row, column)."""
    starts = np.concatenate(polygons)
    ends = np.concatenate([np.roll(points, -1, axis=0) for points in polygons])
    down = (ends[:, 0] > starts[:, 0])[:, None]  # each edge from its upper end, so that direction makes no difference
    top, bottom = np.where(down, starts, ends), np.where(down, ends, starts)
    first = np.clip(np.ceil(top[:, 0]), 0, shape[0]).astype(int)  # rows with top <= row < bottom
    behind = np.clip(np.ceil(bottom[:, 0]), 0, shape[0]).astype(int)
    counts = behind - first
    edge = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (rows - top[edge, 0]) / (bottom[edge, 0] - top[edge, 0])
    crossing = np.round(top[edge, 1] + share * (bottom[edge, 1] - top[edge, 1]), SNAP)
    columns = np.clip(np.ceil(crossing), 0, shape[1]).astype(int)  # from here on, one more edge lies to the left
    toggles = np.bincount(rows * (shape[1] + 1) + columns, minlength=shape[0] * (shape[1] + 1)).reshape(shape[0], -1)
    return np.asarray(np.cumsum(toggles[:, :-1], axis=1) % 2 == 1)


def _across(contours: list[Points], axis: int, grid: Grid) -> Raster:
    """Fill contours, as indices, that lie in planes of row or column index: every such plane takes the nearest contours."""
    order = [axis, *(other for other in range(3) if other != axis)]
    depths = np.array([points[:, axis].mean() for points in contours])
    levels, reach = _levels(depths, 1.0)
    own = _nearest_level(levels, depths)
    turned = np.zeros([grid.shape[index] for index in order], dtype=bool)
    planes = np.arange(turned.shape[0])
    nearest = _nearest_level(levels, planes.astype(float))
    for plane in planes[np.abs(planes - levels[nearest]) <= reach * (1 + 1e-6)]:
        here = [contours[index][:, order[1:]] for index in np.flatnonzero(own == nearest[plane])]
        turned[plane] = fill(here, (turned.shape[1], turned.shape[2]))
    return Raster(np.ascontiguousarray(turned.transpose(np.argsort(order))), ["contours_oblique"])


def _levels(depths: NDArray[np.float64], spacing: float) -> tuple[NDArray[np.float64], float]:
    """Distinct depths of contours, and how far from one a voxel may be: half their distance, or half a voxel for one."""
    levels = np.unique(np.round(depths / (0.02 * spacing)) * (0.02 * spacing))
    return levels, 0.5 * (float(np.median(np.diff(levels))) if len(levels) > 1 else spacing)


def _oblique(contours: list[Points], grid: Grid) -> Raster:
    """Fill contours that cut the image's planes at an angle: every voxel centre near a contour's plane is tested exactly."""
    normal, along, across = _plane_axes(contours)
    if any(np.ptp(points @ normal) > FLAT * min(grid.spacing) for points in contours):
        raise _orientation("contours that are not parallel planes")
    depths = np.array([float((points @ normal).mean()) for points in contours])
    levels, reach = _levels(depths, min(grid.spacing))
    own = _nearest_level(levels, depths)
    low, high = _box(contours, reach * normal, grid)
    mask = np.zeros(grid.shape, dtype=bool)
    in_box = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    centres = grid.to_patient(in_box.reshape(-1, 3))
    depth = centres @ normal
    nearest = _nearest_level(levels, depth)
    inside = np.zeros(len(centres), dtype=bool)
    for index, level in enumerate(levels):
        here = np.flatnonzero((nearest == index) & (np.abs(depth - level) <= reach * (1 + 1e-6)))
        flat = np.stack([centres[here] @ along, centres[here] @ across], axis=1)
        for number in np.flatnonzero(own == index):
            inside[here] ^= contains(np.stack([contours[number] @ along, contours[number] @ across], axis=1), flat)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = inside.reshape(in_box.shape[:3])
    return Raster(mask, ["contours_oblique"])


def _box(contours: list[Points], reach: NDArray[np.float64], grid: Grid) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """First and last-but-one index of the voxels that contours may hold, half a contour distance in front and behind."""
    points = np.concatenate([grid.to_index(points + side * reach) for points in contours for side in (-1, 1)])
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    return low, np.minimum(np.ceil(points.max(axis=0)) + 1, grid.shape).astype(int)


def _nearest_level(levels: NDArray[np.float64], depth: NDArray[np.float64]) -> NDArray[np.int_]:
    above = np.clip(np.searchsorted(levels, depth), 1, max(len(levels) - 1, 1))
    if len(levels) == 1:
        return np.zeros(len(depth), dtype=int)
    return np.where(depth - levels[above - 1] <= levels[above] - depth, above - 1, above)


def contains(polygon: Points, points: Points) -> Mask:
    """Whether each of `points`, shape (n, 2), lies inside `polygon`, shape (m, 2), by the even-odd rule; shape (n,)."""
    result = np.zeros(len(points), dtype=bool)
    box = ((points >= polygon.min(axis=0)) & (points <= polygon.max(axis=0))).all(axis=1)
    candidates = points[box]
    inside = np.zeros(len(candidates), dtype=bool)
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        top, bottom = (start, end) if start[0] < end[0] else (end, start)
        if top[0] == bottom[0]:
            continue
        between = (candidates[:, 0] >= top[0]) & (candidates[:, 0] < bottom[0])
        crossing = top[1] + (candidates[:, 0] - top[0]) / (bottom[0] - top[0]) * (bottom[1] - top[1])
        inside ^= between & (candidates[:, 1] >= crossing)
    result[box] = inside
    return result


def _plane_axes(contours: list[Points]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Normal and two directions of the plane that all contours share, from the contour of the largest area."""
    normals = [_area_vector(points) for points in contours]
    largest = max(normals, key=lambda vector: float(np.linalg.norm(vector)))
    size = float(np.linalg.norm(largest))
    if size == 0:
        raise _orientation("contours without area")
    normal = largest / size
    along = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    along /= np.linalg.norm(along)
    return normal, along, np.cross(normal, along)


def _area_vector(points: Points) -> NDArray[np.float64]:
    """Half the sum of cross products of consecutive points: length is the area, direction the normal (Newell)."""
    centred = points - points.mean(axis=0)
    area: NDArray[np.float64] = np.cross(centred, np.roll(centred, -1, axis=0)).sum(axis=0) / 2
    return area


def _orientation(found: str) -> VolumeError:
    return VolumeError(
        "contour_orientation",
        "contours can't be placed on the image",
        wanted="planar contours, parallel to each other",
        found=found,
        fix="export the contours on the planes of this image",
    )
