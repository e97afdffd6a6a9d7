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
    Flags,
    Floats,
    Lattice,
    around,
    bounding_box,
    cut,
    interpolate,
    interpolate_mask,
    lattice,
)

Levels = NDArray[np.int32]

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


def prepare(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    scale: tuple[float, float] | None = None,
) -> Prepared:
    """Normalise, interpolate, round, re-segment and discretise (IBSI reference manual, figure 2.1).

    Args:
        values: whole image.
        mask: whole mask, of the same shape.
        spacing: mm.
        profile: the choices.
        scale: mean and standard deviation that intensities are normalised with; null: not normalised.

    Raises:
        RegionError: empty_mask or empty_after_interpolation.
    """
    if not mask.any():
        raise RegionError("empty_mask")
    wide, origin, morphology, spacing = _on_target_grid(values, mask, spacing, profile, scale)
    if profile.rounding is not None:
        wide = np.floor(wide / profile.rounding + 0.5) * profile.rounding
    image = wide[tuple(slice(start, start + n) for start, n in zip(origin, morphology.shape, strict=True))]
    intensity = resegment(image, morphology, profile)
    levels, n_levels = discretise(image, intensity, profile)
    return Prepared(image, morphology, intensity, levels, spacing, n_levels, wide, origin, profile)


def _on_target_grid(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: tuple[float, float, float],
    profile: Profile,
    scale: tuple[float, float] | None,
) -> tuple[Floats, tuple[int, int, int], Flags, tuple[float, float, float]]:
    """Values around the box of the mask, where that box begins in them, the mask in its box, spacing in mm."""
    size = profile.voxel_size
    if size is None:
        box = bounding_box(mask)
        wide = _grown(box, mask.shape, spacing)
        return _normalise(values[wide].astype(np.float64), scale), _offset(box, wide), mask[box], spacing
    target = (size if profile.dimension == "3D" else spacing[0], size, size)
    grid = lattice(mask.shape, spacing, target)
    morphology, box = _mask_on(grid, mask, profile)
    wide = _grown(box, tuple(len(axis) for axis in grid.coordinates), target)
    image = interpolate(values, cut(grid, wide), profile.image_interpolation)
    return _normalise(image, scale), _offset(box, wide), morphology, target


def _grown(
    box: tuple[slice, slice, slice], shape: tuple[int, ...], spacing: tuple[float, float, float]
) -> tuple[slice, slice, slice]:
    """The box with a margin as wide as features look beyond the mask, cut off where the image ends."""
    margins = [int(np.ceil(PEAK_RADIUS / step)) for step in spacing]
    first, second, third = (
        slice(max(part.start - margin, 0), min(part.stop + margin, n))
        for part, margin, n in zip(box, margins, shape, strict=True)
    )
    return first, second, third


def _offset(box: tuple[slice, slice, slice], wide: tuple[slice, slice, slice]) -> tuple[int, int, int]:
    plane, row, column = (inner.start - outer.start for inner, outer in zip(box, wide, strict=True))
    return plane, row, column


def _mask_on(grid: Lattice, mask: Flags, profile: Profile) -> tuple[Flags, tuple[slice, slice, slice]]:
    """The mask on the grid, cut to its box, and that box."""
    near = around(grid, mask)
    if not all(len(axis) for axis in near.coordinates):
        raise RegionError("empty_after_interpolation")
    result = interpolate_mask(mask, near, profile.mask_interpolation, profile.mask_threshold)
    if not result.any():
        raise RegionError("empty_after_interpolation")
    box = bounding_box(result)
    starts = [
        int(np.searchsorted(whole, part[0])) for whole, part in zip(grid.coordinates, near.coordinates, strict=True)
    ]
    plane, row, column = (slice(part.start + start, part.stop + start) for part, start in zip(box, starts, strict=True))
    return result[box], (plane, row, column)


def _normalise(values: Floats, scale: tuple[float, float] | None) -> Floats:
    """Linear, and every interpolation keeps linear maps, so it may follow interpolation."""
    return values if scale is None else (values - scale[0]) / scale[1]


def resegment(values: Floats, mask: Flags, profile: Profile) -> Flags:
    """The intensity mask: finite values in the range, then those within so many deviations of their mean (IBSI 2.5)."""
    kept = mask & np.isfinite(values)
    low, high = profile.range or (None, None)
    if low is not None:
        kept &= values >= low
    if high is not None:
        kept &= values <= high
    if profile.outlier_sigma is not None and kept.any():
        inside = values[kept]
        reach = profile.outlier_sigma * inside.std()
        kept &= np.abs(values - inside.mean()) <= reach
    return kept


def discretise(values: Floats, mask: Flags, profile: Profile) -> tuple[Levels, int]:
    """Grey levels from 1 (0 outside the mask), and how many there are (IBSI 2.7).

    A value on an edge belongs to the upper bin; with a fixed number of bins the largest value belongs to the last one.
    """
    levels = np.zeros(values.shape, dtype=np.int32)
    if not mask.any():
        return levels, 0
    inside = values[mask]
    if profile.discretisation == "fixed_bin_size":
        assert profile.bin_size is not None
        found = np.floor((inside - _anchor(inside, profile)) / profile.bin_size) + 1
        found = np.minimum(found, np.iinfo(np.int32).max)
        n_levels = int(found.max())
    else:
        assert profile.bin_number is not None
        n_levels = profile.bin_number
        least, most = inside.min(), inside.max()
        width = (most - least) or 1.0
        found = np.minimum(np.floor(n_levels * ((inside - least) / width)) + 1, n_levels)
        n_levels = n_levels if most > least else 1
    levels[mask] = found.astype(np.int32)
    return levels, n_levels


def _anchor(inside: Floats, profile: Profile) -> float:
    if profile.bin_anchor is not None:
        return profile.bin_anchor
    low = profile.range[0] if profile.range else None
    return float(inside.min()) if low is None else low
