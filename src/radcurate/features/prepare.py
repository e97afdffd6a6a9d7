"""From an image and a mask to what features are computed on: IBSI's preprocessing in its order.

Arrays have the shape (plane, row, column), spacing in mm in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.features.problems import RegionError
from radcurate.features.profile import Profile
from radcurate.features.resample import (
    Box,
    Flags,
    Floats,
    Lattice,
    around,
    bounding_box,
    cut,
    interpolate,
    interpolate_mask,
    lattice,
    support,
)

Levels = NDArray[np.int32]
Margin = tuple[int, int, int]

WHOLE_IMAGE: Margin = (1 << 40, 1 << 40, 1 << 40)

# Of a sphere of 1 cm³, in which local intensity peaks are averaged: no feature looks further beyond the mask.
PEAK_RADIUS = float(np.cbrt(1000 * 3 / (4 * np.pi)))


@dataclass(frozen=True)
class Prepared:
    """A region ready for features, cut to the box of its morphological mask. All arrays have one shape.

    Attributes:
        values: intensities after interpolation and rounding; outside the masks without meaning.
        morphology: the morphological mask.
        intensity: the intensity mask, a part of the morphological one; may be empty.
        levels: grey levels from 1; 0 outside the intensity mask.
        spacing: mm.
        n_levels: number of levels that the discretisation has for this region.
        surroundings: intensities of a larger box, cut off where the image ends; `values` is a view of its inside.
        origin: where the first voxel of `values` lies in `surroundings`.
        profile: the choices, for features that have parameters.
    """

    values: Floats
    morphology: Flags
    intensity: Flags
    levels: Levels
    spacing: tuple[float, float, float]
    n_levels: int
    surroundings: Floats
    origin: tuple[int, int, int]
    profile: Profile


@dataclass(frozen=True)
class Gridded:
    """A region on the grid that features are computed on, before re-segmentation; what filters work on.

    Attributes:
        surroundings: intensities after normalisation, interpolation and rounding, in a box around the morphological
            mask that is wider by a margin and cut off where the image ends (so that only there its edge is the image's).
        origin: where the first voxel of `morphology` lies in `surroundings`.
        morphology: the morphological mask, cut to its box.
        spacing: mm.
    """

    surroundings: Floats
    origin: tuple[int, int, int]
    morphology: Flags
    spacing: tuple[float, float, float]

    @property
    def box(self) -> Box:
        """Where the box of the morphological mask lies in `surroundings`."""
        plane, row, column = (
            slice(start, start + n) for start, n in zip(self.origin, self.morphology.shape, strict=True)
        )
        return plane, row, column


def prepare(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    scale: tuple[float, float] | None = None,
) -> Prepared:
    """Normalise, interpolate, round, re-segment and discretise (IBSI reference manual, figure 2.1); see `on_grid`."""
    return finish(on_grid(values, mask, spacing, profile, scale), profile)


def on_grid(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    scale: tuple[float, float] | None = None,
    margin: Margin = (0, 0, 0),
) -> Gridded:
    """Normalise, interpolate and round what features of one region can see.

    Args:
        values: whole image.
        mask: whole mask, of the same shape.
        spacing: mm.
        profile: the choices.
        scale: mean and standard deviation that intensities are normalised with; null: not normalised.
        margin: voxels of the target grid (`target_spacing`) that are wanted around the box of the mask at least;
            `WHOLE_IMAGE` for filters without a finite support.

    Raises:
        RegionError: empty_mask or empty_after_interpolation.
    """
    view = _view(mask, spacing, profile, margin)
    if view.grid is None:
        image = values[view.wide].astype(np.float64)
    else:
        image = interpolate(values, view.grid, profile.image_interpolation, profile.anti_aliasing == "gaussian")
    finish_values(image, profile, scale)
    return Gridded(image, _offset(view.box, view.wide), view.morphology, target_spacing(spacing, profile))


def finish_values(values: Floats, profile: Profile, scale: tuple[float, float] | None) -> None:
    """Normalise and round interpolated values, in place."""
    _normalise(values, scale)
    if profile.rounding is not None:
        _round(values, profile.rounding)


def reads(
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    margin: Margin = (0, 0, 0),
    statistics: Flags | None = None,
) -> Flags:
    """The voxels of an image that can have an influence on any feature of a region, shape of `mask`.

    These are the voxels that `on_grid` reads, so a change of all others leaves every bit of what it returns, and thus
    of everything that is computed from it, as it was; by construction, whatever the features do.

    Args:
        mask: whole mask.
        spacing: mm.
        profile: the choices.
        margin: as for `on_grid`.
        statistics: the voxels that normalisation takes mean and deviation from, if it does.

    Raises:
        RegionError: empty_mask or empty_after_interpolation.
    """
    view = _view(mask, spacing, profile, margin)
    found = np.zeros(mask.shape, dtype=bool)
    if view.grid is None:
        found[view.wide] = True
    else:
        smooth = profile.anti_aliasing == "gaussian"
        found[np.ix_(*support(mask.shape, view.grid, profile.image_interpolation, smooth))] = True
    if statistics is not None:
        found |= statistics
    return found


def target_spacing(spacing: tuple[float, float, float], profile: Profile) -> tuple[float, float, float]:
    """Spacing in mm of the grid that features are computed on."""
    size = profile.voxel_size
    return spacing if size is None else (size if profile.dimension == "3D" else spacing[0], size, size)


def finish(gridded: Gridded, profile: Profile, response: Floats | None = None) -> Prepared:
    """Re-segment and discretise.

    Args:
        gridded: see `on_grid`.
        profile: the choices.
        response: of a filter, in the shape of `gridded.surroundings`. It takes the place of the intensities after they
            decided on the intensity mask (the order of IBSI-2).
    """
    original = gridded.surroundings[gridded.box]
    intensity = resegment(original, gridded.morphology, profile)
    if response is None:
        levels, n_levels = discretise(original, intensity, profile)
        surroundings, values = gridded.surroundings, original
    else:
        surroundings, values = response, response[gridded.box]
        intensity &= np.isfinite(values)
        levels, n_levels = discretise_response(values, intensity, profile)
    return Prepared(
        values, gridded.morphology, intensity, levels, gridded.spacing, n_levels, surroundings, gridded.origin, profile
    )


def _grown(box: Box, shape: tuple[int, ...], spacing: tuple[float, float, float], margin: Margin) -> Box:
    """The box with a margin as wide as features (and filters) look beyond the mask, cut off where the image ends."""
    margins = [max(int(np.ceil(PEAK_RADIUS / step)), least) for step, least in zip(spacing, margin, strict=True)]
    first, second, third = (
        slice(max(part.start - margin, 0), min(part.stop + margin, n))
        for part, margin, n in zip(box, margins, shape, strict=True)
    )
    return first, second, third


def _offset(box: Box, wide: Box) -> tuple[int, int, int]:
    plane, row, column = (inner.start - outer.start for inner, outer in zip(box, wide, strict=True))
    return plane, row, column


@dataclass(frozen=True)
class _View:
    """Where a region lies on the target grid.

    Attributes:
        morphology: the mask in its box.
        box: of the mask, in the whole target grid.
        wide: the box with its margin.
        grid: the points in `wide`; None where there is no interpolation and `wide` is a box of the image itself.
    """

    morphology: Flags
    box: Box
    wide: Box
    grid: Lattice | None


def _view(mask: Flags, spacing: tuple[float, float, float], profile: Profile, margin: Margin) -> _View:
    if not mask.any():
        raise RegionError("empty_mask")
    target = target_spacing(spacing, profile)
    if profile.voxel_size is None:
        box = bounding_box(mask)
        return _View(mask[box], box, _grown(box, mask.shape, target, margin), None)
    grid = lattice(mask.shape, spacing, target)
    morphology, box = _mask_on(grid, mask, profile)
    wide = _grown(box, grid.shape, target, margin)
    return _View(morphology, box, wide, cut(grid, wide))


def _mask_on(grid: Lattice, mask: Flags, profile: Profile) -> tuple[Flags, Box]:
    """The mask on the grid, cut to its box, and that box."""
    near = around(grid, mask)
    part = cut(grid, near)
    if 0 in part.shape:
        raise RegionError("empty_after_interpolation")
    result = interpolate_mask(mask, part, profile.mask_interpolation, profile.mask_threshold)
    if not result.any():
        raise RegionError("empty_after_interpolation")
    box = bounding_box(result)
    plane, row, column = (
        slice(inner.start + outer.start, inner.stop + outer.start) for inner, outer in zip(box, near, strict=True)
    )
    return result[box], (plane, row, column)


def _normalise(values: Floats, scale: tuple[float, float] | None) -> None:
    """In place. Linear, and every interpolation keeps linear maps, so it may follow interpolation."""
    if scale is not None:
        values -= scale[0]
        values /= scale[1]


def _round(values: Floats, unit: float) -> None:
    """To multiples of `unit`, halves up, in place."""
    if unit != 1:
        values /= unit
    values += 0.5
    np.floor(values, out=values)
    if unit != 1:
        values *= unit


def resegment(values: Floats, mask: Flags, profile: Profile) -> Flags:
    """The intensity mask: finite values in the range, then those within so many deviations of their mean (IBSI 2.5)."""
    inside = values[mask]
    kept = np.isfinite(inside)
    low, high = profile.range or (None, None)
    if low is not None:
        kept &= inside >= low
    if high is not None:
        kept &= inside <= high
    if profile.outlier_sigma is not None and kept.any():
        left = inside[kept]
        kept &= np.abs(inside - left.mean()) <= profile.outlier_sigma * left.std()
    result = mask.copy()
    result[mask] = kept
    return result


def discretise(values: Floats, mask: Flags, profile: Profile) -> tuple[Levels, int]:
    """Grey levels from 1 (0 outside the mask), and how many there are (IBSI 2.7)."""
    inside = values[mask]
    if profile.discretisation == "fixed_bin_size":
        assert profile.bin_size is not None
        found, n_levels = fixed_bin_size(inside, profile.bin_size, profile.first_edge)
    else:
        assert profile.bin_number is not None
        found, n_levels = fixed_bin_number(inside, profile.bin_number)
    return _spread(found, mask), n_levels


def discretise_response(values: Floats, mask: Flags, profile: Profile) -> tuple[Levels, int]:
    """Grey levels of a filtered image, always into a fixed number of bins: its values have no unit to take a width in."""
    found, n_levels = fixed_bin_number(values[mask], profile.response_bin_number)
    return _spread(found, mask), n_levels


def fixed_bin_size(inside: Floats, size: float, first_edge: float | None) -> tuple[Levels, int]:
    """Level of each value, from 1, and how many levels there are up to the largest value (IBSI 2.7, fixed bin size).

    A value on an edge belongs to the upper bin. Without `first_edge` the first bin begins at the least value.
    """
    if not inside.size:
        return np.zeros(0, dtype=np.int32), 0
    edge = float(inside.min()) if first_edge is None else first_edge
    found = (inside - edge) / size
    np.floor(found, out=found)
    found += 1
    np.minimum(found, np.iinfo(np.int32).max, out=found)
    return found.astype(np.int32), int(found.max())


def fixed_bin_number(inside: Floats, number: int) -> tuple[Levels, int]:
    """Level of each value, from 1 to `number`, and how many levels there are (IBSI 2.7, fixed bin number).

    A value on an edge belongs to the upper bin, but the largest value to the last bin. Equal values have one level.
    """
    if not inside.size:
        return np.zeros(0, dtype=np.int32), 0
    least, most = inside.min(), inside.max()
    if not most > least:
        return np.ones(inside.shape, dtype=np.int32), 1
    found = (inside - least) * number
    found /= most - least  # last, so that values of whole steps on an edge stay on it
    np.floor(found, out=found)
    found += 1
    np.minimum(found, number, out=found)
    return found.astype(np.int32), number


def _spread(levels: Levels, mask: Flags) -> Levels:
    result = np.zeros(mask.shape, dtype=np.int32)
    result[mask] = levels
    return result
