"""Interpolation to an even grid, as IBSI wants it: centres aligned, size rounded up.

Arrays have the shape (plane, row, column), spacing in mm in the same order.

Every kind of interpolation is a short table per axis: which voxels a grid point is made of, with which weights
(`Taps`). So the voxels that a region can see are known exactly, and nothing else is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radcurate.features.kernels.interpolate import Taps, weighted
from radcurate.features.kernels.spline import spline_coefficients

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Box = tuple[slice, slice, slice]
AllTaps = tuple[Taps, Taps, Taps]
Kind = Literal["nearest", "linear", "cubic_spline", "cubic_convolution"]

# Interpolated masks are compared with the threshold less this, so that a share of exactly one half counts as one half
# whatever the rounding errors of the coordinates.
MASK_SLACK = 1e-9

# The coefficients of the cubic spline depend on all voxels of a line, but by 0.268 less for each voxel of distance:
# 32 voxels away by 5e-19, which no float64 sum can hold. They are computed from these neighbours and no others.
SPLINE_REACH = 32

# The Gaussian before down-sampling is cut off after so many standard deviations.
GAUSSIAN_REACH = 4.0


@dataclass(frozen=True)
class Lattice:
    """The grid that is interpolated to.

    Attributes:
        coordinates: of its points, in voxels of the grid that it comes from, an array for each axis.
        spacing: mm.
        steps: distance of neighbouring points in voxels of the grid that it comes from.
    """

    coordinates: tuple[Floats, Floats, Floats]
    spacing: tuple[float, float, float]
    steps: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Points along each axis."""
        plane, row, column = (len(axis) for axis in self.coordinates)
        return plane, row, column


def lattice(shape: tuple[int, ...], spacing: tuple[float, ...], target: tuple[float, ...]) -> Lattice:
    """Grid of spacing `target` with ceil(n s / t) voxels an axis and the same centre (IBSI reference manual, 2.4)."""
    axes: list[Floats] = []
    steps: list[float] = []
    for n, old, new in zip(shape, spacing, target, strict=True):
        size = max(int(np.ceil(np.round(n * old / new, 9))), 1)  # 9 decimals: 3 x 1.1 / 1.1 is 3 voxels, not 4
        step = new / old
        axes.append(np.asarray((n - 1) / 2 + (np.arange(size) - (size - 1) / 2) * step, dtype=np.float64))
        steps.append(step)
    return Lattice((axes[0], axes[1], axes[2]), (target[0], target[1], target[2]), (steps[0], steps[1], steps[2]))


def around(grid: Lattice, mask: Flags) -> Box:
    """The box of `grid` in which a (nearest or linear) interpolation of `mask` can differ from 0; may be empty."""
    box = []
    for part, coordinates, n in zip(bounding_box(mask), grid.coordinates, mask.shape, strict=True):
        low = part.start - 1 if part.start > 0 else -np.inf
        high = part.stop if part.stop < n else np.inf
        start, stop = (np.searchsorted(coordinates, low, "right"), np.searchsorted(coordinates, high, "left"))
        box.append(slice(int(start), int(stop)))
    return box[0], box[1], box[2]


def cut(grid: Lattice, box: tuple[slice, ...]) -> Lattice:
    """The part of `grid` in `box`."""
    first, second, third = (axis[part] for axis, part in zip(grid.coordinates, box, strict=True))
    return Lattice((first, second, third), grid.spacing, grid.steps)


def interpolate(values: NDArray[np.generic], grid: Lattice, kind: Kind, smooth: bool = False) -> Floats:
    """Values at the points of `grid`; beyond the outermost centres the outermost value holds.

    Only voxels of `support` are read. Except for the cubic spline (whose coefficients differ in the last bit) the
    result is bit for bit the same for any part of a grid.

    Args:
        values: the image.
        grid: where to.
        kind: nearest; linear; cubic_spline: the interpolating cubic (B-)spline, IBSI's tricubic spline;
            cubic_convolution: Keys' kernel with a = -1/2 (Catmull-Rom), IBSI's tricubic convolution.
        smooth: with a Gaussian first along the axes that are down-sampled, against aliasing.
    """
    kinds = _kinds(grid, kind)
    taps = _taps(values.shape, grid, kinds, smooth)
    box = _window(values.shape, taps, kinds)
    image: NDArray[np.generic] = values[box].view(np.uint8) if values.dtype == bool else values[box]
    splines = [axis for axis, chosen in enumerate(kinds) if chosen == "cubic_spline"]
    if splines:
        image = spline_coefficients(image, splines)
    return weighted(image, _counted_from(taps, box))


def interpolate_mask(mask: Flags, grid: Lattice, kind: Kind, threshold: float) -> Flags:
    """Where the interpolated mask reaches `threshold`."""
    return interpolate(mask, grid, kind) >= threshold - MASK_SLACK


def support(shape: tuple[int, ...], grid: Lattice, kind: Kind, smooth: bool = False) -> tuple[Flags, Flags, Flags]:
    """Which planes, rows and columns of an image of that shape `interpolate` lets into its result."""
    kinds = _kinds(grid, kind)
    taps = _taps(shape, grid, kinds, smooth)
    flags = [np.zeros(n, dtype=bool) for n in shape]
    for chosen, axis, part, found in zip(kinds, taps, _window(shape, taps, kinds), flags, strict=True):
        found[part if chosen == "cubic_spline" else axis.places.ravel()] = True
    return flags[0], flags[1], flags[2]


def bounding_box(mask: Flags) -> Box:
    """Smallest box around the true voxels; the mask holds at least one."""
    planes = _extent(np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1)))
    seen = np.logical_or.reduce(mask[planes], axis=0)
    return planes, _extent(np.flatnonzero(seen.any(axis=1))), _extent(np.flatnonzero(seen.any(axis=0)))


def _extent(places: NDArray[np.intp]) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1)


def _kinds(grid: Lattice, kind: Kind) -> tuple[Kind, Kind, Kind]:
    """The kind for each axis. Where points are voxels (the planes of 2D, a spacing that is the target's) every kind
    gives back the voxel, so that nothing else has to be read."""
    on_voxels = [
        step == 1 and len(axis) > 0 and axis[0].is_integer()
        for axis, step in zip(grid.coordinates, grid.steps, strict=True)
    ]
    kinds: list[Kind] = ["nearest" if same else kind for same in on_voxels]
    return kinds[0], kinds[1], kinds[2]


def _window(shape: tuple[int, ...], taps: AllTaps, kinds: tuple[Kind, Kind, Kind]) -> Box:
    """The box of voxels to read."""
    box = []
    for axis, n, kind in zip(taps, shape, kinds, strict=True):
        reach = SPLINE_REACH if kind == "cubic_spline" else 0
        box.append(slice(max(int(axis.places.min()) - reach, 0), min(int(axis.places.max()) + 1 + reach, n)))
    return box[0], box[1], box[2]


def _counted_from(taps: AllTaps, box: Box) -> AllTaps:
    plane, row, column = (Taps(axis.places - part.start, axis.weights) for axis, part in zip(taps, box, strict=True))
    return plane, row, column


def _taps(shape: tuple[int, ...], grid: Lattice, kinds: tuple[Kind, Kind, Kind], smooth: bool) -> AllTaps:
    makers = {
        "nearest": _nearest,
        "linear": _linear,
        "cubic_spline": _cubic_spline,
        "cubic_convolution": _cubic_convolution,
    }
    found = []
    for n, coordinates, step, kind in zip(shape, grid.coordinates, grid.steps, kinds, strict=True):
        taps = makers[kind](np.clip(coordinates, 0, n - 1))
        found.append(_folded(_smoothed(taps, step) if smooth and step > 1 else taps, n))
    return found[0], found[1], found[2]


def _nearest(coordinates: Floats) -> Taps:
    return Taps(np.floor(coordinates + 0.5).astype(np.int64)[:, None], np.ones((len(coordinates), 1)))


def _linear(coordinates: Floats) -> Taps:
    lower, share = _parts(coordinates)
    return Taps(lower + np.arange(2), np.stack((1 - share, share), axis=1))


def _cubic_spline(coordinates: Floats) -> Taps:
    """Of the cubic B-spline; the image must have become its coefficients."""
    lower, t = _parts(coordinates)
    shares = ((1 - t) ** 3 / 6, 2 / 3 - t**2 + t**3 / 2, 2 / 3 - (1 - t) ** 2 + (1 - t) ** 3 / 2, t**3 / 6)
    return Taps(lower + np.arange(-1, 3), np.stack(shares, axis=1))


def _cubic_convolution(coordinates: Floats) -> Taps:
    """R. Keys, Cubic convolution interpolation for digital image processing (1981), with a = -1/2."""
    lower, t = _parts(coordinates)
    shares = (
        (-(t**3) + 2 * t**2 - t) / 2,
        (3 * t**3 - 5 * t**2 + 2) / 2,
        (-3 * t**3 + 4 * t**2 + t) / 2,
        (t**3 - t**2) / 2,
    )
    return Taps(lower + np.arange(-1, 3), np.stack(shares, axis=1))


def _parts(coordinates: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Index of the voxel below, shape (point, 1), and the way from there, shape (point,)."""
    lower = np.floor(coordinates)
    return lower.astype(np.int64)[:, None], coordinates - lower


def _smoothed(taps: Taps, step: float) -> Taps:
    """The same interpolation of the image after a Gaussian.

    Its width makes voxels of the old size (full width at half maximum) into voxels of the new one (Cardoso et al.,
    Scale factor point spread function matching: beyond aliasing in image resampling, 2015).
    """
    sigma = float(np.sqrt((step**2 - 1) / (8 * np.log(2))))
    reach = int(np.ceil(GAUSSIAN_REACH * sigma))
    offsets = np.arange(-reach, reach + 1)
    gaussian = np.exp(-(offsets**2) / (2 * sigma**2))
    gaussian /= gaussian.sum()
    n, width = taps.places.shape
    weights = np.zeros((n, width + 2 * reach))
    for tap in range(width):
        weights[:, tap : tap + len(offsets)] += taps.weights[:, tap : tap + 1] * gaussian
    return Taps(taps.places[:, :1] + np.arange(-reach, width + reach), weights)


def _folded(taps: Taps, n: int) -> Taps:
    """Places outside the image mirrored about its outermost voxels; what has no weight is not looked at."""
    period = max(2 * (n - 1), 1)
    places = np.abs(taps.places) % period
    places = np.where(places > n - 1, period - places, places)
    heaviest = np.take_along_axis(places, np.abs(taps.weights).argmax(axis=1)[:, None], axis=1)
    return Taps(np.where(taps.weights == 0, heaviest, places), taps.weights)
