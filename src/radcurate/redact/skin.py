"""A tattoo, a scar, any mark in the skin that tells who somebody is: smoothed away, and measured that it is gone (C04).

The skin under a mark is seen from the side that it faces as a map: how high the surface lies, and what lies at each depth
below it, from 3 mm outside to 6 mm inside. In that map the mark is a hole that is filled from its surroundings (`fill`),
depth by depth, and the surface like a bent plate; then the map is put back. So skin, fat and air keep
their layers, and nothing of what was in the hole has a part in what is put there. Deeper voxels don't change.

The pattern is what the map has faster than 8 mm, of the surface's height and of the mean intensity of the skin's 4 mm.
It is gone when its correlation with the one before is below 0.2, by a second reading of the new volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import linalg

from radcurate.redact.fill import inpainted
from radcurate.redact.found import Flags
from radcurate.volumes.problems import VolumeError

Values = NDArray[np.float32]  # (plane, row, column), in modality units
Map = NDArray[np.float64]  # (one axis, the other axis) of the side that is looked at
_Pair = tuple[NDArray[np.float64], NDArray[np.float64]]  # before, after
LEAST_CORRELATION = 0.2  # requirement C04
SKIN_HU = -400.0  # between air and skin
OUTSIDE_MM, INSIDE_MM, FADE_MM = 3.0, 6.0, 1.5
SKIN_MM = 4.0  # depth of what counts as the pattern
FAST_MM = 8.0  # what the pattern has faster than this
STIFF_MM = 3.0  # over which the plate evens out noise of what is around
AROUND_MM = 15.0  # of skin that the fill is made of
JUMP_MM = 8.0  # by which neighbouring columns' surfaces may differ and still be the same skin
MOST_OF_IT = 0.5  # correlation on one side alone; a few hundred columns of noise reach 0.25 by chance
PHASES = 12  # places of the surface between two voxels that are told apart
STANDS_OUT = 1.5  # times the unevenness of skin beside it, that a raised mark has at least
EVEN = 0.25  # of a voxel: unevenness that comes from voxels alone
SMALL = 0.02  # share of the mark's surface below which a side of it isn't looked at from there


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A volume without the mark.

    values: shape (plane, row, column). changed: voxels that may differ. correlation: of the pattern before and after, the
    largest of height and intensity over all sides. sides: from how many sides the mark was looked at.
    """

    values: Values
    changed: Flags
    correlation: float
    sides: int

    @property
    def gone(self) -> bool:
        """Whether the pattern can't be told any more."""
        return self.correlation < LEAST_CORRELATION


@dataclass(frozen=True, eq=False)
class _Side:
    """The volume seen along an axis, from outside inwards: views with the axis last, of which the nearest lie first."""

    axis: int
    turned: bool
    window: tuple[slice, slice]  # part of the map
    hole: Flags  # (one axis, the other axis) of the window
    about: Map  # about where the surface lies
    steps: tuple[float, float, float]  # mm, of the window's axes and along the ray

    def view(self, volume: NDArray[np.generic]) -> NDArray[np.generic]:
        """The window's columns of a volume, writable."""
        moved = np.moveaxis(volume, self.axis, -1)
        return (moved[..., ::-1] if self.turned else moved)[self.window]


def body_of(values: Values, modality: str) -> tuple[Flags, float]:
    """Voxels of the body, and the intensity at its surface.

    Args:
        values: in HU for CT.
        modality: as in the header.

    Raises:
        VolumeError: no_body.
    """
    cut = SKIN_HU if modality == "CT" else _between(values)
    body = _largest(values > cut)
    if not body.any():
        raise VolumeError(
            "no_body", "there is no skin", wanted="a body in air", found="none", fix="take the mark out of the table"
        )
    return body, cut


def _largest(tissue: Flags) -> Flags:
    """The largest piece, with what it encloses in each plane."""
    parts, count = ndimage.label(tissue)
    if not count:
        return tissue
    body = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    return np.stack([ndimage.binary_fill_holes(plane) for plane in body])


def _between(values: Values) -> float:
    """Half way from noise to tissue: where the two classes of Otsu's method have their means."""
    counts, edges = np.histogram(values, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    low = np.cumsum(counts * middles) / np.maximum(below, 1)
    high = (np.cumsum((counts * middles)[::-1]) / np.maximum(above[::-1], 1))[::-1]
    best = int(np.argmax(below[:-1] * above[1:] * (low[:-1] - high[1:]) ** 2))
    return float(low[best] + 0.3 * (high[best + 1] - low[best]))


def smoothed(values: Values, spacing: tuple[float, float, float], mark: Flags, keep: Flags, modality: str) -> Smoothed:
    """Smooth a mark in the skin.

    Args:
        values: in modality units; not changed.
        spacing: mm between planes, rows, columns.
        mark: voxels about the mark, shape of the volume; the skin that lies in them is smoothed.
        keep: voxels that must not change, a region of interest.
        modality: as in the header.

    Raises:
        VolumeError: no_body; no_skin where the mark touches no surface; skin_over_roi.
    """
    body, cut = body_of(values, modality)
    sides = _sides(body, mark, spacing)
    result = values.copy()
    changed = np.zeros(values.shape, dtype=bool)
    for side in sides:
        _smooth(side, result, changed, body, cut)
    if (changed & keep).any():
        raise VolumeError(
            "skin_over_roi",
            "the mark reaches into a region of interest",
            wanted="a region that keeps 6 mm away from the marked skin",
            found="a shared voxel",
            fix="draw the contour without the skin, or leave the series out",
        )
    found = _likeness(sides, _read(values, cut), _read(result, cut), cut)
    return Smoothed(result, changed, found, len(sides))


def likeness(before: Values, after: Values, spacing: tuple[float, float, float], mark: Flags, modality: str) -> float:
    """How much of a mark's pattern is in another volume of the same shape: 1 all of it, near 0 none.

    Raises:
        VolumeError: no_body, no_skin.
    """
    body, cut = body_of(before, modality)
    return _likeness(_sides(body, mark, spacing), _read(before, cut), _read(after, cut), cut)


def _read(values: Values, cut: float) -> tuple[Values, Flags]:
    """A volume as it is measured, and its body."""
    return values, _largest(values > cut)


def _sides(body: Flags, mark: Flags, spacing: tuple[float, float, float]) -> list[_Side]:
    """The sides that the marked surface faces, the largest first."""
    surface = mark & body & ~ndimage.binary_erosion(body)
    if not surface.any():
        raise VolumeError(
            "no_skin",
            "the mark touches no skin",
            wanted="a mark on the surface of the body",
            found="none in it",
            fix="correct the place of the mark",
        )
    at = np.argwhere(surface)
    low, high = np.maximum(at.min(axis=0) - 8, 0), at.max(axis=0) + 9
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    soft = ndimage.gaussian_filter(body[part].astype(np.float32), [3.0 / step for step in spacing])
    slope = np.stack([-g / s for g, s in zip(np.gradient(soft), spacing, strict=True)], axis=-1)
    normals = slope[tuple((at - low).T)]
    axes = np.abs(normals).argmax(axis=1)
    outwards = normals[np.arange(len(at)), axes] > 0
    found = []
    for axis in range(3):
        for turned in (False, True):  # rays start at index 0, or at the other end
            chosen = at[(axes == axis) & (outwards == turned)]
            if len(chosen) >= max(4, SMALL * len(at)):
                found.append((len(chosen), _side(body.shape, axis, turned, chosen, spacing)))
    return [side for _, side in sorted(found, key=lambda pair: -pair[0])]


def _side(
    shape: tuple[int, ...], axis: int, turned: bool, surface: NDArray[np.int64], spacing: tuple[float, float, float]
) -> _Side:
    others = [other for other in range(3) if other != axis]
    steps = (spacing[others[0]], spacing[others[1]], spacing[axis])
    places, rays = surface[:, others], surface[:, axis]
    rays = shape[axis] - 1 - rays if turned else rays
    margin = [int(np.ceil(AROUND_MM / step)) for step in steps[:2]]
    low = [max(int(places[:, k].min()) - margin[k], 0) for k in (0, 1)]
    high = [min(int(places[:, k].max()) + margin[k] + 1, shape[others[k]]) for k in (0, 1)]
    hole = np.zeros((high[0] - low[0], high[1] - low[1]), dtype=bool)
    about = np.full(hole.shape, np.inf)
    np.minimum.at(about, (places[:, 0] - low[0], places[:, 1] - low[1]), rays.astype(float))
    hole[places[:, 0] - low[0], places[:, 1] - low[1]] = True
    hole = ndimage.binary_closing(np.pad(hole, 3), iterations=2)[3:-3, 3:-3] | hole
    nearest = ndimage.distance_transform_edt(
        ~np.isfinite(about), steps[:2], return_distances=False, return_indices=True
    )
    hole = ndimage.binary_dilation(hole)
    return _Side(axis, turned, (slice(low[0], high[0]), slice(low[1], high[1])), hole, about[tuple(nearest)], steps)


def _surface(side: _Side, values: Values, body: Flags, cut: float) -> Map:
    """Where rays enter the body, nearest to where it is expected, in steps along the ray; nan where they don't."""
    inside, seen = side.view(body).astype(bool), side.view(values).astype(np.float64)
    enters = inside[..., 1:] & ~inside[..., :-1]  # between k and k + 1
    steps = np.arange(1, inside.shape[-1])
    about, height = side.about, np.full(inside.shape[:2], np.nan)
    for _ in range(2):  # the second time from neighbours' surface, which a slanting skin needs
        away = np.where(enters, np.abs(steps - about[..., None]), np.inf)
        first = away.argmin(axis=-1)
        there = np.take_along_axis(away, first[..., None], axis=-1)[..., 0] * side.steps[2] < JUMP_MM
        height = np.where(there, first.astype(np.float64), np.nan)
        if not there.any():
            return height
        about = _lowpass(height, there, side.steps)
    before = np.take_along_axis(seen, first[..., None], axis=-1)[..., 0]
    behind = np.take_along_axis(seen, first[..., None] + 1, axis=-1)[..., 0]
    share = np.clip((cut - before) / np.where(behind > before, behind - before, np.inf), 0, 1)
    return height + share


def _lowpass(image: Map, known: Flags, steps: tuple[float, ...], slower: float = FAST_MM) -> Map:
    """What a map has slower than some mm, made of what is known of it."""
    sigma = [slower / 2 / step for step in steps[:2]]
    total = ndimage.gaussian_filter(np.where(known, image, 0.0), sigma, mode="nearest", truncate=6)
    share = ndimage.gaussian_filter(known.astype(np.float64), sigma, mode="nearest", truncate=6)
    return np.asarray(total / np.maximum(share, 1e-12))


def _layers(side: _Side, values: Values, height: Map, depths: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values at depths (mm) below a surface, shape (one axis, the other axis, depth)."""
    seen = side.view(values).astype(np.float32, copy=False)
    at = np.clip(height[..., None] + depths / side.steps[2], 0, seen.shape[-1] - 1.001)
    low = np.floor(at).astype(np.int64)
    first, second = np.take_along_axis(seen, low, axis=-1), np.take_along_axis(seen, low + 1, axis=-1)
    share = (at - low).astype(np.float32)
    return np.asarray(first * (1 - share) + second * share, dtype=np.float32)


def _smooth(side: _Side, values: Values, changed: Flags, body: Flags, cut: float) -> None:
    """Fill the hole of a side, in the volume itself."""
    height = _surface(side, values, body, cut)
    unknown = side.hole | ~np.isfinite(height)
    if unknown.all():
        return
    depths = np.arange(-OUTSIDE_MM, INSIDE_MM + side.steps[2], side.steps[2] / 2)
    new_height = _continued(height, unknown, side.steps[:2])
    layers = _layers(side, values, np.where(unknown, new_height, height), depths)
    rows, columns = np.flatnonzero(unknown.any(axis=1)), np.flatnonzero(unknown.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    filled = inpainted(layers, unknown, part)
    seen, marked = side.view(values), side.view(changed)
    steps = np.arange(seen.shape[-1])
    for place in np.argwhere(side.hole):
        row, column = int(place[0]), int(place[1])
        depth = (steps - new_height[row, column]) * side.steps[2]
        top = 0.0 if np.isnan(height[row, column]) else (height[row, column] - new_height[row, column]) * side.steps[2]
        here = (depth >= min(0.0, top) - OUTSIDE_MM) & (depth <= INSIDE_MM)
        new = np.interp(depth[here], depths, filled[row, column])
        share = np.clip((INSIDE_MM - depth[here]) / FADE_MM, 0, 1)
        seen[row, column, here] = share * new + (1 - share) * seen[row, column, here]
        marked[row, column, here] = True


def _continued(height: Map, unknown: Flags, steps: tuple[float, float]) -> Map:
    """The surface with the hole filled like a plate that is bent as little as can be and springs to what is around."""
    curvature = _second_difference(height.shape, 0, steps[0]) + _second_difference(height.shape, 1, steps[1])
    springs = np.where(unknown, 1e-12, STIFF_MM**-4).ravel()
    system = (curvature.T @ curvature + sparse.diags_array(springs)).tocsc()
    plate = linalg.spsolve(system, springs * np.where(unknown, 0.0, height).ravel())
    return np.where(unknown, plate.reshape(height.shape), height)


def _second_difference(shape: tuple[int, ...], axis: int, step: float) -> sparse.csr_array:
    """Curvature along an axis of a map, one row for each of its places; none at the ends."""
    size = shape[axis]
    line = np.zeros((size, size))
    inner = np.arange(1, size - 1)
    line[inner, inner - 1] = line[inner, inner + 1] = 1 / step**2
    line[inner, inner] = -2 / step**2
    one, other = sparse.csr_array(line), sparse.eye_array(shape[1 - axis])
    return sparse.csr_array(sparse.kron(one, other) if axis == 0 else sparse.kron(other, one))


def _likeness(sides: list[_Side], before: tuple[Values, Flags], after: tuple[Values, Flags], cut: float) -> float:
    """Correlation of the pattern over all sides, the larger of height and intensity; 1 where a side can't be read.

    Height counts where the mark stands out by it: a tattoo leaves the surface as even as it is beside it, and what is left
    of a smooth surface's height are steps of voxels, which are the same in any skin of that shape. A side on which most of
    the pattern is still there counts by itself, so that a large clean one can't hide it.
    """
    heights: list[_Pair] = []
    skins: list[_Pair] = []
    raised = False
    for side in sides:
        (height, skin), (new_height, new_skin) = (_pattern(side, *one, cut) for one in (before, after))
        known = side.hole & np.isfinite(height) & np.isfinite(new_height)
        if known.sum() < max(9, 0.5 * side.hole.sum()):
            return 1.0
        beside = ~side.hole & np.isfinite(height)
        usual = 1.48 * float(np.median(np.abs(height[beside]))) if beside.sum() > 9 else 0.0
        raised |= float(np.std(height[known])) > max(STANDS_OUT * usual, EVEN)
        heights.append((height[known], new_height[known]))
        skins.append((skin[known], new_skin[known]))
    return max(_over_all(found) for found in ([heights, skins] if raised else [skins]))


def _over_all(pairs: list[_Pair]) -> float:
    """Correlation over all sides, or on one of them alone if most of the pattern is left there."""
    alone = [correlation(*pair) for pair in pairs]
    together = correlation(np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs]))
    return max([together, *(one for one in alone if one > MOST_OF_IT)])


def _pattern(side: _Side, values: Values, body: Flags, cut: float) -> tuple[Map, Map]:
    """What is fast in the height of the surface and in the mean intensity of the skin."""
    height = _surface(side, values, body, cut)
    known = np.isfinite(height)
    depths = np.arange(0, SKIN_MM + 0.01, side.steps[2] / 2)
    skin = _layers(side, values, np.where(known, height, side.about), depths).mean(axis=-1).astype(np.float64)
    phase = np.where(known, height % 1 * PHASES, 0).astype(np.int64)
    fast = [_without(_fast(image, known, side.steps), phase, known) for image in (height, skin)]
    return fast[0], fast[1]


def _without(image: Map, phase: NDArray[np.int64], known: Flags) -> Map:
    """Without what comes from where the surface lies between two voxels, which is the same in any skin of that shape."""
    counts = np.bincount(phase[known], minlength=PHASES)
    means = np.bincount(phase[known], image[known], PHASES) / np.maximum(counts, 1)
    return image - means[phase]


def _fast(image: Map, known: Flags, steps: tuple[float, ...]) -> Map:
    """What a map has faster than 8 mm; taken twice, so that the roundness of a body is no pattern. nan where not known."""
    once = np.where(known, image - _lowpass(image, known, steps), 0.0)
    return np.where(known, once - _lowpass(once, known, steps), np.nan)


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Absolute normalised correlation; 0 where one of the two is flat, since a flat pattern tells nobody."""
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return abs(float((a * b).sum())) / size if size > 1e-9 * len(a) else 0.0
