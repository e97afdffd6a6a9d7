"""A region on a grid that lies a little differently in the image: shifted by parts of a voxel, turned, noisier.

However the grid lies, every voxel is interpolated once. Where it doesn't move and no noise is added, values and mask
are bit for bit those of `on_grid`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import scipy  # loads its parts when they are asked for, not at every start
from numpy.typing import NDArray

from radcurate.features.kernels.affine import Points, sample, straight
from radcurate.features.prepare import PEAK_RADIUS, Gridded, Margin, finish_values, target_spacing
from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.ranges.contour import depths
from radcurate.features.ranges.noise import Noise, draw_noise, noise_level
from radcurate.features.resample import GAUSSIAN_REACH, MASK_SLACK, SPLINE_REACH, Flags, Floats, bounding_box

Box = tuple[slice, slice, slice]
Triple = tuple[float, float, float]
Part = TypeVar("Part", Floats, Flags)


@dataclass(frozen=True)
class Source:
    """What is perturbed: a whole image and a mask, and how they are prepared (see `on_grid`)."""

    values: NDArray[np.generic]
    mask: Flags
    spacing: Triple
    profile: Profile
    scale: tuple[float, float] | None


@dataclass(frozen=True)
class Movement:
    """How the grid lies: radians within the planes, voxels of the grid along each axis."""

    angle: float = 0.0
    shift: Triple = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Placed:
    """A region on its moved grid, in a box with room for its boundary to move.

    Attributes:
        mask: the morphological mask.
        depth: see `contour.depths`; as far as one can be outside where a voxel isn't in the image.
        image: intensities of a larger box, made ready as in `on_grid`.
        origin: where the first voxel of `mask` lies in `image`.
        spacing: mm.
        margins: voxels around the box of a mask that features and filters may look at.
    """

    mask: Flags
    depth: Floats
    image: Floats
    origin: tuple[int, int, int]
    spacing: Triple
    margins: tuple[int, ...]

    def gridded(self, mask: Flags) -> Gridded:
        """The region with another mask of the shape of `mask`."""
        box = bounding_box(mask)
        start = tuple(part.start + first for part, first in zip(box, self.origin, strict=True))
        wide = tuple(
            slice(max(at - margin, 0), at + part.stop - part.start + margin)
            for at, part, margin in zip(start, box, self.margins, strict=True)
        )
        plane, row, column = (at - part.start for at, part in zip(start, wide, strict=True))
        return Gridded(np.ascontiguousarray(self.image[wide]), (plane, row, column), mask[box], self.spacing)


def noise_around(source: Source, times: float, chance: np.random.Generator) -> Noise | None:
    """Noise of so many times the level that the image has in the box of the mask and a few voxels more; None: none."""
    box = tuple(slice(max(part.start - 4, 0), part.stop + 4) for part in bounding_box(source.mask))
    near = source.values[box].astype(np.float64)
    level = times * noise_level(near) if times else 0.0
    return draw_noise(level, 16 * near.size, chance) if level > 0 else None


@dataclass(frozen=True)
class Drawn:
    """A region as drawn, on the grid of `on_grid`, from which its depths on moved grids are interpolated.

    Attributes:
        mask, depth: in a box with room for the boundary to move; depths up to `limit` mm.
        start: of that box in the grid.
        limit: mm.
        spacing: mm.
    """

    mask: Flags
    depth: Floats
    start: tuple[int, ...]
    limit: float
    spacing: Triple


def draw(source: Source, room: float) -> Drawn:
    """The region as drawn, with room for its boundary to move outwards by `room` mm.

    Raises:
        RegionError: empty_after_interpolation.
    """
    spacing = target_spacing(source.spacing, source.profile)
    share, mask, grid = _mask_on(source, spacing)
    limit = room + max(spacing)
    first, after = _with_room(list(grid.low), list(grid.high), limit, spacing, grid)
    shape = tuple(stop - start for start, stop in zip(first, after, strict=True))
    offset = tuple(low - start for low, start in zip(grid.low, first, strict=True))
    share, mask = _moved(share, offset, shape), _moved(mask, offset, shape)
    return Drawn(mask, depths(mask, share, spacing, limit), tuple(first), limit, spacing)


def place(
    source: Source, drawn: Drawn, movement: Movement, noise: Noise | None = None, margin: Margin = (0, 0, 0)
) -> Placed:
    """The region on a moved grid.

    Args:
        source: image and mask.
        drawn: the region on the grid that doesn't move.
        movement: of the grid.
        noise: what is added to the image before interpolation.
        margin: see `on_grid`.

    Raises:
        RegionError: empty_after_interpolation.
    """
    grid = _grid(source, movement, drawn.spacing)
    if movement == Movement():
        mask, depth, first = drawn.mask, drawn.depth, list(drawn.start)
    else:
        mask, depth, first = _depth_on(source, drawn, grid)
    after = [start + n for start, n in zip(first, mask.shape, strict=True)]
    edges = [_limits(*ends, grid, axis) for axis, ends in enumerate(zip(first, after, strict=True))]
    margins = tuple(max(peak, more) for peak, more in zip(_margins(drawn.spacing), margin, strict=True))
    lows = [max(start - more, edge[0]) for start, more, edge in zip(first, margins, edges, strict=True)]
    highs = [min(stop + more, edge[1]) for stop, more, edge in zip(after, margins, edges, strict=True)]
    image = _image_on(source, grid, grid.points(lows, highs), noise)
    origin = (first[0] - lows[0], first[1] - lows[1], first[2] - lows[2])
    return Placed(mask, depth, image, origin, drawn.spacing, margins)


def _depth_on(source: Source, drawn: Drawn, grid: _Grid) -> tuple[Flags, Floats, list[int]]:
    """Mask and depths on a moved grid, cut to where the boundary may come, and where that begins."""
    first, after = _with_room(list(grid.low), list(grid.high), drawn.limit, drawn.spacing, grid)
    points = grid.points(first, after)
    still = replace(grid, movement=Movement())
    start = [float(still.along(axis, first, first + 1)[0]) for axis, first in enumerate(drawn.start)]
    depth = sample(drawn.depth, points.seen_from(start, grid.step), "linear")
    allowed = _inside(points, source.mask.shape)
    if allowed is not None:
        depth[~allowed] = drawn.limit
    near = bounding_box(depth < drawn.limit)
    depth = np.ascontiguousarray(depth[near])
    mask = depth <= 0
    if not mask.any():
        raise RegionError("empty_after_interpolation")
    return mask, depth, [start + part.start for start, part in zip(first, near, strict=True)]


def _with_room(
    low: list[int], high: list[int], room: float, spacing: Triple, grid: _Grid
) -> tuple[list[int], list[int]]:
    """A box of the grid with so many mm more around it, cut off where the grid ends."""
    more = [int(room / step) + 1 for step in spacing]
    first = [start - n for start, n in zip(low, more, strict=True)]
    after = [stop + n for stop, n in zip(high, more, strict=True)]
    edges = [_limits(*ends, grid, axis) for axis, ends in enumerate(zip(first, after, strict=True))]
    return (
        [max(start, edge[0]) for start, edge in zip(first, edges, strict=True)],
        [min(stop, edge[1]) for stop, edge in zip(after, edges, strict=True)],
    )


@dataclass(frozen=True)
class _Grid:
    """A moved grid: index 0 is the first voxel of the grid of `on_grid`; `low` begins the box that holds the mask."""

    old: tuple[int, ...]
    size: tuple[int, ...]
    step: Triple  # in old voxels
    spacing: Triple  # old, mm
    centre: Triple  # of the rotation, old index coordinates
    movement: Movement
    low: tuple[int, ...] = (0, 0, 0)
    high: tuple[int, ...] = (0, 0, 0)

    def along(self, axis: int, start: int, stop: int) -> Floats:
        """Old coordinates along an axis before the grid moves."""
        n, size, step = self.old[axis], self.size[axis], self.step[axis]
        return np.asarray((n - 1) / 2 + (np.arange(start, stop) - (size - 1) / 2) * step, dtype=np.float64)

    def points(self, first: list[int], after: list[int]) -> Points:
        """The part of the grid between two corners, as coordinates of the old one."""
        axes = [self.along(axis, start, stop) for axis, (start, stop) in enumerate(zip(first, after, strict=True))]
        for axis, shift in enumerate(self.movement.shift):
            axes[axis] = axes[axis] + shift * self.step[axis]
        points = straight(axes[0], axes[1], axes[2])
        if self.movement.angle:
            less, sine = np.cos(self.movement.angle) - 1, np.sin(self.movement.angle)
            rows, columns = axes[1] - self.centre[1], axes[2] - self.centre[2]
            ratio = self.spacing[1] / self.spacing[2]
            points = Points(
                points.plane,
                points.row + np.stack([less * rows, sine * ratio * rows]),
                points.column + np.stack([-sine / ratio * columns, less * columns]),
            )
        return points


def _grid(source: Source, movement: Movement, spacing: Triple) -> _Grid:
    """The grid, and in it the box that can hold the mask."""
    sizes, steps = [], []
    for n, old, new in zip(source.mask.shape, source.spacing, spacing, strict=True):
        sizes.append(max(int(np.ceil(np.round(n * old / new, 9))), 1))
        steps.append(new / old)
    box = bounding_box(source.mask)
    middle = [(part.start + part.stop - 1) / 2 for part in box]
    step, centre = (steps[0], steps[1], steps[2]), (middle[0], middle[1], middle[2])
    low, high = [], []
    for axis, half in enumerate(_half_extent(source, movement.angle, box)):
        shift = movement.shift[axis] * step[axis]
        start = (source.mask.shape[axis] - 1) / 2 - (sizes[axis] - 1) / 2 * step[axis]  # old coordinate of index 0
        low.append(int(np.floor((centre[axis] - half - shift - start) / step[axis])))
        high.append(int(np.ceil((centre[axis] + half - shift - start) / step[axis])) + 1)
    return _Grid(source.mask.shape, tuple(sizes), step, source.spacing, centre, movement, tuple(low), tuple(high))


def _half_extent(source: Source, angle: float, box: Box) -> list[float]:
    """Half of the turned box of the mask and one voxel more all around, in old voxels along each axis."""
    halves = [(part.stop - part.start + 1) / 2 for part in box]
    row, column = halves[1] * source.spacing[1], halves[2] * source.spacing[2]
    cosine, sine = abs(np.cos(angle)), abs(np.sin(angle))
    return [
        halves[0],
        (cosine * row + sine * column) / source.spacing[1],
        (sine * row + cosine * column) / source.spacing[2],
    ]


def _mask_on(source: Source, spacing: Triple) -> tuple[Floats, Flags, _Grid]:
    """Interpolated mask, from 0 to 1, and morphological mask on the grid that doesn't move, in their box."""
    grid = _grid(source, Movement(), spacing)
    low = [max(start, 0) for start in grid.low]
    high = [min(stop, n) for stop, n in zip(grid.high, grid.size, strict=True)]
    if any(stop <= start for start, stop in zip(low, high, strict=True)):
        raise RegionError("empty_after_interpolation")
    near = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in bounding_box(source.mask))
    start = (near[0].start, near[1].start, near[2].start)
    method = "nearest" if source.profile.mask_interpolation == "nearest" else "linear"
    share = sample(source.mask[near].astype(np.float64), grid.points(low, high).less(start), method)
    mask = share >= source.profile.mask_threshold - MASK_SLACK
    if not mask.any():
        raise RegionError("empty_after_interpolation")
    box = bounding_box(mask)
    inner = [start + part.start for start, part in zip(low, box, strict=True)]
    outer = [start + part.stop for start, part in zip(low, box, strict=True)]
    return share[box], mask[box], replace(grid, low=tuple(inner), high=tuple(outer))


def _limits(low: int, high: int, grid: _Grid, axis: int) -> tuple[int, int]:
    """Where the grid ends along an axis; a turned one may have to be longer."""
    if grid.movement.angle and axis:
        return min(low, 0), max(high, grid.size[axis])
    return 0, grid.size[axis]


def _inside(points: Points, shape: tuple[int, ...]) -> Flags | None:
    """Which points lie in voxels of the image; None: all."""
    slack = 1e-6
    if all(
        low >= -0.5 - slack and high <= n - 0.5 + slack for (low, high), n in zip(points.extent(), shape, strict=True)
    ):
        return None
    result = np.ones(points.shape, dtype=bool)
    places = [points.plane[:, None, None], *(points.row[axis][:, None] + points.column[axis] for axis in range(2))]
    for place, n in zip(places, shape, strict=True):
        result &= (place >= -0.5 - slack) & (place <= n - 0.5 + slack)
    return result


def _image_on(source: Source, grid: _Grid, points: Points, noise: Noise | None) -> Floats:
    """The image at the points, smoothed before where `on_grid` smooths, and made ready."""
    method = METHODS[source.profile.image_interpolation]
    sigmas = _sigmas(grid) if source.profile.anti_aliasing == "gaussian" else [0.0] * 3
    box = []
    for (low, high), n, sigma in zip(points.extent(), source.values.shape, sigmas, strict=True):
        first, last = (int(np.floor(np.clip(edge, 0, n - 1))) for edge in (low, high))
        more = 2 + int(np.ceil(GAUSSIAN_REACH * sigma)) + (SPLINE_REACH if method == "spline" else 0)
        box.append(slice(max(first - more, 0), min(last + more, n - 1) + 1))
    old = np.ascontiguousarray(source.values[tuple(box)], dtype=np.float64)
    if noise is not None:
        old = old.copy() if np.shares_memory(old, source.values) else old
        noise.add_to(old)
    for axis, sigma in enumerate(sigmas):
        if sigma:
            radius = int(np.ceil(GAUSSIAN_REACH * sigma))
            old = scipy.ndimage.gaussian_filter1d(old, sigma, axis=axis, mode="mirror", radius=radius)
    if method == "spline":
        old = scipy.ndimage.spline_filter(old, order=3, mode="mirror")
    new = sample(old, points.less((box[0].start, box[1].start, box[2].start)), method)
    finish_values(new, source.profile, source.scale)
    return new


def _sigmas(grid: _Grid) -> list[float]:
    """Of the Gaussian along each axis, in old voxels; see `resample.interpolate`."""
    return [float(np.sqrt((step**2 - 1) / (8 * np.log(2)))) if step > 1 else 0.0 for step in grid.step]


METHODS = {"nearest": "nearest", "linear": "linear", "cubic_spline": "spline", "cubic_convolution": "keys"}


def _margins(spacing: Triple) -> list[int]:
    """Voxels as far as local intensity looks."""
    return [int(np.ceil(PEAK_RADIUS / step)) for step in spacing]


def _moved(part: Part, offset: tuple[int, ...], shape: tuple[int, ...]) -> Part:
    """`part` in a larger box of zeros, from `offset` on; what doesn't fit is zero in `part`."""
    result: Part = np.zeros(shape, dtype=part.dtype)
    targets, sources = [], []
    for start, n, size in zip(offset, part.shape, shape, strict=True):
        targets.append(slice(max(start, 0), min(start + n, size)))
        sources.append(slice(max(-start, 0), max(-start, 0) + targets[-1].stop - targets[-1].start))
    result[tuple(targets)] = part[tuple(sources)]
    return result
