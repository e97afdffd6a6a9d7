"""An attack: is the relief of the face, as a depth camera would see it, still there after defacing?

The surface before and after is seen from the front and both sides as maps of depth. What two maps share in broad
shape any two heads share; nose, eyes, mouth and chin are the relief that is left when a smooth map is taken away.
That relief is correlated, so that a copy of the face sunk into the head, or a blurred one, is met too: both move every
point of the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radcurate.deface import render
from radcurate.deface.stack import Flags, Floats
from radcurate.deface.template import Template, in_outline

ANGLES = (270, 300, 330, 0, 30, 60, 90)  # degrees to the patient's left of the front, of render.VIEWS
RELIEF_MM = 8.0  # sigma of the smooth map; 12 and 20 told defaced from undefaced less well
CLIP_MM = 12.0  # an edge with nothing behind it is no deeper relief than that
SHIFTS = range(-2, 3)  # pixels; what was moved a little is found again
LEAST_PIXELS = 150  # of the face in a view; fewer are a sliver
LEAST_SHARED = 0.4  # of them where there is a surface afterwards too


@dataclass(frozen=True)
class Faces:
    """A head's depth maps from ANGLES, and which of their pixels show the face; each of shape (rows, columns)."""

    depths: tuple[Floats, ...]
    zones: tuple[Flags, ...]


def faces(seen: Sequence[Floats], mean: Template) -> Faces:
    """The front and both sides of what `render.all_round` saw."""
    return sides([seen[render.VIEWS.index(angle)] for angle in ANGLES], mean)


def sides(depths: Sequence[Floats], mean: Template) -> Faces:
    """Depth maps from ANGLES with the face in them."""
    return Faces(tuple(depths), tuple(_zone(one, angle, mean) for one, angle in zip(depths, ANGLES, strict=True)))


def _zone(seen: Floats, angle: float, mean: Template) -> Flags:
    """Pixels at which a ray meets the face."""
    points = render.places(np.nan_to_num(seen), angle)
    return np.isfinite(seen) & in_outline(mean.outline, points.reshape(-1, 3)).reshape(seen.shape)


def likeness(before: Faces, after: Faces) -> float | None:
    """Mean correlation of the face's relief before and after, −1 … 1; None where too little of a face is in view."""
    found = [
        _alike(first, second, zone)
        for first, second, zone in zip(before.depths, after.depths, before.zones, strict=True)
        if zone.sum() >= LEAST_PIXELS
    ]
    return float(np.mean(found)) if found else None


def _alike(first: Floats, second: Floats, zone: Flags) -> float:
    """Best correlation of two reliefs within the zone, over small shifts; 0 where hardly a surface is left."""
    ours, theirs = relief(first), relief(second)
    wanted = zone & np.isfinite(ours)
    found = [0.0]
    for rows in SHIFTS:
        for columns in SHIFTS:
            moved = np.roll(theirs, (rows, columns), (0, 1))
            both = wanted & np.isfinite(moved)
            if both.sum() >= LEAST_SHARED * wanted.sum():
                found.append(_correlation(ours[both], moved[both]))
    return max(found)


def relief(seen: Floats) -> Floats:
    """A map of depth without its broad shape, mm; NaN where the map is."""
    known = np.isfinite(seen)
    sigma = RELIEF_MM / render.STEP_MM
    weight = ndimage.gaussian_filter(known.astype(float), sigma)
    smooth = ndimage.gaussian_filter(np.where(known, seen, 0.0), sigma) / np.maximum(weight, 1e-6)
    return np.where(known, np.clip(seen - smooth, -CLIP_MM, CLIP_MM), np.nan)


def _correlation(first: Floats, second: Floats) -> float:
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def blurred(tissue: Flags, mask: Flags, step: float, sigma: float = 8.0) -> Flags:
    """The tissue with a smoothed surface inside the mask: a way of defacing that is not safe, as a control."""
    smooth = ndimage.gaussian_filter(tissue.astype(np.float32), sigma / step) > 0.5
    return np.asarray(np.where(mask, smooth, tissue))
