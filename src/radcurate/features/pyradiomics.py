"""The second engine: pyradiomics' feature classes on regions that `prepare` made ready.

Its own preprocessing is not used: it shifts the grid, re-segments the morphological mask and forces the least grey
level of a region to 1. Here its classes get finished grey levels, and whole images are never shown to it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import SimpleITK
from radiomics import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape

from radcurate.features.catalogue import Column
from radcurate.features.engine import Outcome
from radcurate.features.hull import hull
from radcurate.features.kernels.mesh import count_cubes, row_sums
from radcurate.features.moments import moments
from radcurate.features.prepare import Prepared
from radcurate.features.pyradiomics_mesh import kinds
from radcurate.features.pyradiomics_names import names
from radcurate.features.reasons import (
    EMPTY,
    ENGINE_ERROR,
    NOT_IN_ENGINE,
    ONE_LEVEL,
    ONE_VOXEL,
    OUT_OF_MEMORY,
    TOO_MANY_LEVELS,
    TWO_VOXELS,
    UNDEFINED,
)
from radcurate.features.resample import Flags

NAME = "pyradiomics"
# Above this, pyradiomics' matrices of levels x levels x directions and levels x zone sizes outgrow memory.
MOST_LEVELS = 1000

logging.getLogger("radiomics").setLevel(logging.CRITICAL + 1)

# pyradiomics divides 0 by 0 where a feature is undefined; the NaN that comes of it gets its reason below.
QUIET: dict[str, Any] = {"divide": "ignore", "invalid": "ignore"}

# What has no value where all voxels are of one level, although pyradiomics returns a number.
UNDEFINED_WHEN_FLAT = ("stat_skew", "stat_kurt", "ih_skew", "ih_kurt", "cm_corr", "cm_info_corr1")


class _Shape(shape.RadiomicsShape):  # type: ignore[misc]
    """pyradiomics' shape formulas on its own mesh, got without its search through all pairs of vertices.

    Principal moments are over n - 1, as in the IBSI reference values; pyradiomics divides by n, which misses them on
    small regions.
    """

    __module__ = shape.__name__  # pyradiomics names its (silenced) loggers by it

    def _initSegmentBasedCalculation(self) -> None:  # noqa: N802 (overrides)
        self.maskArray = SimpleITK.GetArrayFromImage(self.inputMask).astype(bool)
        self.pixelSpacing = np.array(self.inputImage.GetSpacing()[::-1])
        self.labelledVoxelCoordinates = np.nonzero(self.maskArray)
        plane, row, column = (float(step) for step in self.pixelSpacing)
        spacing = plane, row, column
        rows = row_sums(self.maskArray)
        found = kinds(spacing).mesh(count_cubes(self.maskArray))
        self.SurfaceArea, self.Volume = found.area, found.volume
        self.diameters = (np.nan, np.nan, np.nan, hull(rows, spacing).diameter)
        self.eigenValues = moments(rows, spacing).principal[::-1]


def _on_levels(base: Any) -> Any:
    """The texture class `base` working on grey levels as they are."""

    def keep_levels(self: Any, matrix: Any) -> Any:
        self.coefficients["grayLevels"] = np.unique(matrix[self.maskArray])
        self.coefficients["Ng"] = self.settings["n_levels"]
        return matrix

    return type(f"{base.__name__}OnLevels", (base,), {"_applyBinning": keep_levels, "__module__": base.__module__})


TEXTURES = {
    "cm": _on_levels(glcm.RadiomicsGLCM),
    "rlm": _on_levels(glrlm.RadiomicsGLRLM),
    "szm": _on_levels(glszm.RadiomicsGLSZM),
    "ngt": _on_levels(ngtdm.RadiomicsNGTDM),
    "ngl": _on_levels(gldm.RadiomicsGLDM),
}


def compute(prepared: Prepared, columns: Iterable[Column]) -> Outcome:
    """Values of `columns` for one region; NaN with a reason where there is none. Never raises for a strange region."""
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        groups.setdefault((column.group, column.aggregation), []).append(column)
    values: dict[str, float] = {}
    reasons: dict[str, str] = {}
    with warnings.catch_warnings(), np.errstate(**QUIET):
        warnings.simplefilter("ignore")
        for (group, aggregation), members in groups.items():
            known = {column.tag for column in members} & names().keys()
            found, failure = _group(prepared, group, aggregation, known) if known else ({}, None)
            for column in members:
                value = found.get(column.tag, np.nan)
                values[column.name] = value if np.isfinite(value) else np.nan
                if column.tag not in known:
                    reasons[column.name] = NOT_IN_ENGINE
                elif not np.isfinite(value):
                    reasons[column.name] = failure or _why_undefined(prepared)
    return Outcome(values, reasons)


def _group(prepared: Prepared, group: str, aggregation: str, tags: set[str]) -> tuple[dict[str, float], str | None]:
    """Values by tag, and why there are none."""
    if group != "morph" and not prepared.intensity.any():
        return {}, EMPTY
    if group not in ("morph", "stat") and prepared.n_levels > MOST_LEVELS:
        return {}, TOO_MANY_LEVELS
    try:
        wanted = sorted({names()[tag] for tag in tags})
        found = _compute_group(prepared, group, aggregation, wanted)
    except MemoryError:
        return {}, OUT_OF_MEMORY
    except Exception:  # pyradiomics raises on 1 and 2 voxels in ways of its own
        return {}, _why_undefined(prepared, ENGINE_ERROR)
    return _corrected(prepared, {tag: found[names()[tag]] for tag in tags}), None


def _corrected(prepared: Prepared, values: dict[str, float]) -> dict[str, float]:
    """Excess kurtosis (pyradiomics leaves the 3 in), and no numbers for what is undefined on a flat region."""
    flat = _is_flat(prepared)
    for tag in values:
        if tag in ("stat_kurt", "ih_kurt"):
            values[tag] -= 3.0
        if tag in UNDEFINED_WHEN_FLAT and flat(tag):
            values[tag] = np.nan
    return values


def _is_flat(prepared: Prepared) -> Any:
    levels, inside = prepared.levels[prepared.intensity], prepared.values[prepared.intensity]
    one_level = bool(levels.size) and levels.min() == levels.max()
    one_value = bool(inside.size) and inside.min() == inside.max()
    return lambda tag: one_value if tag.startswith("stat_") else one_level


def _why_undefined(prepared: Prepared, otherwise: str = UNDEFINED) -> str:
    n = int(prepared.intensity.sum())
    if n == 0:
        return EMPTY
    if n <= 2:
        return ONE_VOXEL if n == 1 else TWO_VOXELS
    levels = prepared.levels[prepared.intensity]
    return ONE_LEVEL if levels.min() == levels.max() else otherwise


def _compute_group(prepared: Prepared, group: str, aggregation: str, wanted: list[str]) -> dict[str, float]:
    if group == "morph":
        return _run(_Shape, prepared.values, prepared.morphology, prepared, wanted)
    if group == "stat":
        return _run(firstorder.RadiomicsFirstOrder, prepared.values, prepared.intensity, prepared, wanted, binCount=1)
    if group == "ih":
        levels = prepared.levels.astype(np.float64)
        return _run(firstorder.RadiomicsFirstOrder, levels, prepared.intensity, prepared, wanted, binWidth=1)
    dimension, _, merging = aggregation.partition("_")
    settings: dict[str, Any] = {"force2D": dimension != "3D", "force2Ddimension": 0, "n_levels": prepared.n_levels}
    if merging:
        settings["weightingNorm"] = "no_weighting" if merging == "comb" else None
    if dimension == "2D":
        return _by_plane(TEXTURES[group], prepared, wanted, settings)
    return _run(TEXTURES[group], prepared.levels, prepared.intensity, prepared, wanted, **settings)


def _by_plane(kind: Any, prepared: Prepared, wanted: list[str], settings: Mapping[str, Any]) -> dict[str, float]:
    """Mean over the planes that have a value."""
    found: list[dict[str, float]] = []
    for plane in np.flatnonzero(prepared.intensity.any(axis=(1, 2))):
        part = slice(int(plane), int(plane) + 1)
        found.append(_run(kind, prepared.levels[part], prepared.intensity[part], prepared, wanted, **settings))
    return {name: float(np.nanmean([values[name] for values in found])) for name in wanted}


def _run(
    kind: Any, values: Any, mask: Flags, prepared: Prepared, wanted: list[str], **settings: Any
) -> dict[str, float]:
    spacing = prepared.spacing[::-1]
    image, region = SimpleITK.GetImageFromArray(values), SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing)
    region.SetSpacing(spacing)
    calculator = kind(image, region, label=1, voxelArrayShift=0, **settings)
    for name in wanted:
        calculator.enableFeatureByName(name)
    return {name: float(np.squeeze(value)) for name, value in calculator.execute().items()}
