"""IBSI's diagnostics of image and masks before and after each step of the preprocessing.

They find out where two engines part: sizes, extreme values and voxel counts at every stage. Names are those of the
table of reference values (IBSI reference manual, chapter on the radiomics phantom): x counts columns, y rows, z planes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radcurate.features.prepare import WHOLE_IMAGE, Prepared, finish, on_grid
from radcurate.features.profile import Profile
from radcurate.features.resample import Flags, bounding_box

Spacing = tuple[float, float, float]
Shape = tuple[int, ...]


def diagnostics(
    values: NDArray[np.generic],
    mask: Flags,
    spacing: Spacing,
    profile: Profile,
    scale: tuple[float, float] | None = None,
) -> dict[str, float]:
    """Diagnostics by name. Interpolates the whole image, in float64.

    Args:
        values: whole image.
        mask: whole mask, of the same shape.
        spacing: mm.
        profile: the choices.
        scale: see `on_grid`.

    Raises:
        RegionError: empty_mask or empty_after_interpolation.
    """
    gridded = on_grid(values, mask, spacing, profile, scale, WHOLE_IMAGE)
    prepared = finish(gridded, profile)
    image, new = gridded.surroundings, gridded.spacing
    return {
        **_of_image("init_img", values, spacing),
        **_of_image("interp_img", image, new),
        **_of_mask("int_mask", "init_roi", values.shape, mask),
        **_of_mask("morph_mask", "init_roi", values.shape, mask),
        **_of_values("init_roi", values[mask]),
        **_of_mask("int_mask", "interp_roi", image.shape, prepared.morphology),
        **_of_mask("morph_mask", "interp_roi", image.shape, prepared.morphology),
        **_of_values("interp_roi", prepared.values[prepared.morphology]),
        **_resegmented(image.shape, prepared),
    }


def _resegmented(shape: Shape, prepared: Prepared) -> dict[str, float]:
    return {
        **_of_mask("int_mask", "reseg_roi", shape, prepared.intensity),
        **_of_mask("morph_mask", "reseg_roi", shape, prepared.morphology),
        **_of_values("reseg_roi", prepared.values[prepared.intensity]),
    }


def _of_image(stage: str, values: NDArray[np.generic], spacing: Spacing) -> dict[str, float]:
    return {
        **_along_axes("img_dim", stage, values.shape),
        **_along_axes("vox_dim", stage, spacing),
        f"mean_int_{stage}": float(values.mean(dtype=np.float64)),
        f"min_int_{stage}": float(values.min()),
        f"max_int_{stage}": float(values.max()),
    }


def _of_mask(kind: str, stage: str, shape: Shape, mask: Flags) -> dict[str, float]:
    """The size of the image is told for the intensity mask only, as in the reference table."""
    box = [part.stop - part.start for part in bounding_box(mask)] if mask.any() else [0, 0, 0]
    return {
        **(_along_axes(f"{kind}_dim", stage, shape) if kind == "int_mask" else {}),
        **_along_axes(f"{kind}_bb_dim", stage, box),
        f"{kind}_vox_count_{stage}": float(mask.sum()),
    }


def _of_values(stage: str, inside: NDArray[np.generic]) -> dict[str, float]:
    """Of the voxels of the intensity mask; NaN where it holds none."""
    known = inside.astype(np.float64) if inside.size else np.full(1, np.nan)
    found = {"mean": known.mean(), "min": known.min(), "max": known.max()}
    return {f"int_mask_{name}_int_{stage}": float(value) for name, value in found.items()}


def _along_axes(name: str, stage: str, sizes: tuple[float, ...] | list[int]) -> dict[str, float]:
    return {f"{name}_{axis}_{stage}": float(size) for axis, size in zip("zyx", sizes, strict=True)}
