"""The mean head of pydeface (MIT; https://github.com/poldracklab/pydeface, data/mean_reg2mean.nii.gz) and our regions on it.

Only the picture is taken from that package. The regions below were drawn for radcurate on the mean head in its LPS
space (mm): pydeface's own mask leaves 9 to 34 % of the facial surface.
"""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radcurate.deface.body import depth, fill_planes, hull
from radcurate.deface.stack import Field, Flags, Floats, Stack, to_field

STEP_MM = 3.0
SKIN_LEVEL = 60.0  # intensity of the mean head half way between air and scalp
BRAIN_LEVEL = 140.0
SCALP_AND_SKULL_MM = 11.0
EAR_CANAL = (8.0, -52.0)  # y, z
NOSE_TIP = (-118.0, -68.0)

# Outline of the face in the sagittal plane (y, z): brow, roof of the eye socket, middle of the eye, floor of the
# eye socket, below the temporal lobe, ear canal, angle of the jaw, below the chin. Everything in front belongs to it.
FACE = (
    (-260.0, -6.0),
    (-97.0, -6.0),
    (-85.0, -17.0),
    (-72.0, -28.0),
    (-62.0, -46.0),
    (-30.0, -58.0),
    (-4.0, -62.0),
    (4.0, -80.0),
    (4.0, -112.0),
    (-30.0, -150.0),
    (-60.0, -175.0),
    (-260.0, -175.0),
)
# What the style `remove` takes whole: the outline in front of this y and below this z (the forebrain's floor). The cut is
# flat, the same for everybody.
FRONT_Y, FRONT_Z = -38.0, -34.0
# Boxes with the ears: distance from the midline, y, z.
EAR_FROM_MIDLINE = 45.0
EAR_Y = (-38.0, 62.0)
EAR_Z = (-100.0, 12.0)
MIDLINE_X = 3.0
HEAD_BOTTOM = -120.0  # below, the mean head has no data
GOOD_FROM = -110.0  # below, few of its heads have data


@dataclass(frozen=True)
class Template:
    """The mean head and what is derived from it, all on one grid of shape (z, y, x)."""

    head: Field
    body: Flags
    brain: Flags
    depth: NDArray[np.float32]  # mm below the hull's surface, negative outside
    outline: Flags  # (y, z) raster of FACE, 1 mm, from OUTLINE_ORIGIN
    inner: Flags  # the same without its rim
    wide: (
        Flags  # the same and a rim around it: a surface beside the cut has others near it, so the cut lies farther out
    )
    front: Flags  # the part of the outline that goes whole


RIM_MM = 6  # the rim inside and outside of the outline
OUTLINE_ORIGIN = (-260, -180)
OUTLINE_SHAPE = (290, 190)


@lru_cache(maxsize=1)
def template() -> Template:
    """Load and prepare the mean head (about a second, once a process)."""
    source = Path(str(importlib.resources.files("pydeface"))) / "data" / "mean_reg2mean.nii.gz"
    image = nibabel.load(source)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine  # NIfTI RAS to LPS
    values = np.ascontiguousarray(image.get_fdata(dtype=np.float32).transpose(2, 1, 0))
    origins = affine[:3, 3] + np.arange(values.shape[0])[:, None] * affine[:3, 2]
    head = to_field(Stack(values, origins, affine[:3, 1], affine[:3, 0]), STEP_MM)
    skin = _body(head)
    closed = hull(skin, STEP_MM, 16.0)
    first = int(np.ceil((GOOD_FROM - head.origin[2]) / STEP_MM))
    closed[:first] = closed[first]  # the cut through the neck is no skin
    signed = depth(closed, STEP_MM) - ndimage.distance_transform_edt(~closed, sampling=STEP_MM).astype(np.float32)
    outline = _raster(FACE)
    return Template(
        head,
        skin,
        _brain(head, signed),
        signed,
        outline,
        ndimage.binary_erosion(outline, iterations=RIM_MM, border_value=1),
        ndimage.binary_dilation(outline, iterations=RIM_MM),
        outline & _before(FRONT_Y, 0)[:, None] & _before(FRONT_Z, 1),
    )


def _body(head: Field) -> Flags:
    solid = ndimage.binary_opening((head.values > SKIN_LEVEL) & head.inside)
    labels, _ = ndimage.label(solid)
    return fill_planes(labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:])))


def _brain(head: Field, below_skin: Floats) -> Flags:
    """Bright tissue joined to the centre of the head after a 5 mm erosion, above the foramen magnum; grown back."""
    _, y, z = head.points().T.reshape(3, *head.values.shape)
    base = np.interp(y, [-70.0, -45.0, -10.0, 15.0, 25.0], [-26.0, -44.0, -46.0, -50.0, -62.0])
    room = (z > base) & (below_skin > SCALP_AND_SKULL_MM)
    solid = (head.values > BRAIN_LEVEL) & room
    core = ndimage.distance_transform_edt(solid, sampling=STEP_MM) > 5.0
    labels, _ = ndimage.label(core)
    centre = tuple(np.round(head.to_index(np.array([[5.0, 0.0, 20.0]]))[:, 0]).astype(int))
    core = labels == labels[centre]
    grown = ndimage.distance_transform_edt(~core, sampling=STEP_MM) <= 6.0
    return fill_planes(grown & room & (head.values > BRAIN_LEVEL))


def _raster(polygon: tuple[tuple[float, float], ...]) -> Flags:
    """Even-odd raster of a polygon in (y, z) on the outline grid."""
    y = np.arange(OUTLINE_SHAPE[0])[:, None] + OUTLINE_ORIGIN[0] + 0.25
    z = np.arange(OUTLINE_SHAPE[1])[None, :] + OUTLINE_ORIGIN[1] + 0.25
    inside = np.zeros(OUTLINE_SHAPE, bool)
    for (y0, z0), (y1, z1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if z0 != z1:
            crosses = ((z0 > z) != (z1 > z)) & (y < y0 + (z - z0) * (y1 - y0) / (z1 - z0))
            inside ^= crosses
    return inside


def _before(end: float, axis: int) -> Flags:
    """Which places along an axis (0: y, 1: z) of the outline grid lie before an end, mm."""
    return np.asarray(np.arange(OUTLINE_SHAPE[axis]) + OUTLINE_ORIGIN[axis] < end)


def in_outline(outline: Flags, points: Floats) -> Flags:
    """Which template points of shape (n, 3) lie within the face's outline."""
    y = np.floor(points[:, 1] - OUTLINE_ORIGIN[0]).astype(int)
    z = np.floor(points[:, 2] - OUTLINE_ORIGIN[1]).astype(int)
    known = (y >= 0) & (y < OUTLINE_SHAPE[0]) & (z >= 0) & (z < OUTLINE_SHAPE[1])
    result = np.zeros(len(points), bool)
    result[known] = outline[y[known], z[known]]
    return result
