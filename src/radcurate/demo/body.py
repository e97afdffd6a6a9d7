"""A body as a tissue map with masks, and tumours to put into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radcurate.demo.geometry import Floats, Geometry
from radcurate.demo.implicit import Canvas, ellipsoid
from radcurate.demo.noise import lumps

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Tumour:
    """Centre and semi-axes in mm, share of the radius that is a hollow (necrotic) core, lobulation in mm."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    core: float = 0.0
    lobes: float = 2.0


@dataclass(frozen=True)
class Body:
    """What a scanner sees.

    tissue: uint8 codes, shape (plane, row, column); masks: bool, same shape, by name; tumour: signed field in mm
    (negative inside, its zero level is the contour); texture: unit variance smooth noise for the tumour.
    """

    geometry: Geometry
    tissue: Labels
    masks: dict[str, Mask]
    tumour: Floats
    texture: Floats


def tumour_field(canvas: Canvas, tumour: Tumour, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Signed field of a lobulated tumour and a smooth unit-variance texture around it, shape (plane, row, column)."""
    field = canvas.empty()
    box = canvas.box(tumour.centre, max(tumour.radii) * 1.4 + 6)
    texture = np.zeros(canvas.geometry.shape, np.float32)
    patch = field[box].shape
    spacing = canvas.geometry.spacing
    inside = ellipsoid(tumour.centre, tumour.radii)(canvas.at(box))
    wobble = lumps(rng, patch, spacing, 7.0) * np.float32(tumour.lobes)
    values = inside + np.clip(wobble, -4, 4)
    if tumour.core:
        values = np.maximum(values, -(inside + np.float32((1 - tumour.core) * min(tumour.radii))))
    field[box] = values
    texture[box] = lumps(rng, patch, spacing, 3.0)
    return field, texture
