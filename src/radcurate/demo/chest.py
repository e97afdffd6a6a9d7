"""A chest: skin, fat, ribs, spine, lungs with vessels, heart, liver and a lung tumour, as a tissue map.

Lengths in mm in chest coordinates: x to the left, y to the back, z up; 0, 0, 0 is the middle of the chest.
"""

from __future__ import annotations

import numpy as np

from radcurate.demo.body import Body, Labels, Tumour, tumour_field
from radcurate.demo.geometry import Floats, Geometry, rotation
from radcurate.demo.implicit import Canvas, capsule, capsule_box, ellipsoid, ellipsoid_box
from radcurate.demo.noise import lumps
from radcurate.demo.tissue import Tissue


def chest(geometry: Geometry, seed: int = 0, tumour: Tumour | None = None) -> Body:
    """A chest in `geometry`, varied in size, pose and build by `seed`. Masks: body, lungs, tumour."""
    rng = np.random.default_rng([seed, 31])
    size = rng.uniform(0.93, 1.05)
    scale = np.array([size * rng.uniform(0.97, 1.03), size * rng.uniform(0.95, 1.05), size])
    canvas = Canvas(geometry, rotation((0.0, 0.0, float(rng.uniform(-3, 3)))), rng.uniform(-4, 4, 3), scale)
    tumour = tumour or _somewhere(rng)
    torso, lungs = _torso(canvas), _lungs(canvas)
    tissue = _wall(torso, float(rng.uniform(10, 20)))
    _cage(canvas, torso, lungs, tissue)
    tissue[lungs < 0] = Tissue.LUNG
    _vessels(canvas, lungs, tissue, rng)
    _organs(canvas, tissue)
    field, texture = tumour_field(canvas, tumour, rng)
    tissue[field < 0] = Tissue.TUMOUR
    masks = {"body": torso < 0, "lungs": lungs < 0, "tumour": field < 0}
    return Body(geometry, tissue, masks, field, texture)


def _somewhere(rng: np.random.Generator) -> Tumour:
    side = float(rng.choice([-1.0, 1.0]))
    centre = (side * rng.uniform(70, 95), rng.uniform(-20, 35), rng.uniform(-10, 40))
    size = rng.uniform(13, 22)
    a, b, c = (float(size * share) for share in rng.uniform(0.85, 1.2, 3))
    return Tumour(centre, (a, b, c), lobes=2.5)


def _torso(canvas: Canvas) -> Floats:
    x, y, z = canvas.points
    shoulders = 1 + np.clip(z - 40, 0, 80) * np.float32(0.001)
    total = (np.abs(x) / (158 * shoulders)) ** 2.6 + (np.abs(y) / 108) ** 2.6
    radius = np.power(total.astype(np.float32), np.float32(1 / 2.6))
    return np.asarray((radius - 1) * np.float32(120), np.float32)


def _lungs(canvas: Canvas) -> Floats:
    x, y, z = canvas.points
    field = canvas.empty()
    for side in (-1, 1):
        middle = np.abs(x - side * 72) / 58
        dome = ((middle**2 + ((y - 4) / 84) ** 2) < 1) & (side * x > 14)
        top = np.sqrt(np.clip(1 - np.square((z - 20) / 120), 0.05, 1))
        ball = (np.sqrt(middle**2 + ((y - 4) / 84) ** 2 + np.float32(1e-6)) - top) * np.float32(58)
        floor = np.float32(-62) - z + np.sqrt(np.clip(1 - middle**2, 0, 1)) * np.float32(18) * dome
        field = np.minimum(field, np.maximum(np.maximum(ball, floor), 14 - side * x))
    return np.asarray(field, np.float32)


def _wall(torso: Floats, fat: float) -> Labels:
    tissue = np.where(torso < -fat, np.uint8(Tissue.MUSCLE), np.uint8(Tissue.FAT))
    tissue[torso > -2.5] = Tissue.SKIN
    tissue[torso > 0] = Tissue.AIR
    return tissue.astype(np.uint8)


def _cage(canvas: Canvas, torso: Floats, lungs: Floats, tissue: Labels) -> None:
    """Ribs that slope down to the front, sternum, vertebrae with a canal; in place."""
    _, y, z = canvas.points
    ring = (lungs > 2) & (lungs < 9) & (tissue == Tissue.MUSCLE) & (torso > -45)
    ribs = ring & (np.mod(z - y * np.float32(0.35), 24) < 8)
    tissue[ribs] = Tissue.BONE
    tissue[ribs & (lungs > 4) & (lungs < 7)] = Tissue.MARROW
    for start, end, radius in (((0, 62, -120), (0, 62, 120), 19.0), ((0, -88, -30), (0, -80, 100), 9.0)):
        canvas.paint(tissue, Tissue.BONE, capsule(start, end, radius, radius))
        canvas.paint(tissue, Tissue.MARROW, capsule(start, end, radius - 4, radius - 4))
    canvas.paint(tissue, Tissue.CSF, capsule((0, 86, -120), (0, 86, 120), 7, 7))


def _vessels(canvas: Canvas, lungs: Floats, tissue: Labels, rng: np.random.Generator) -> None:
    strands = lumps(rng, canvas.geometry.shape, canvas.geometry.spacing, 5.0)
    tissue[(lungs < -4) & (np.abs(strands) < 0.035)] = Tissue.BLOOD


def _organs(canvas: Canvas, tissue: Labels) -> None:
    """Heart, aorta, airways, liver; in place."""
    canvas.paint(tissue, Tissue.MUSCLE, ellipsoid((22, -28, -34), (50, 42, 48), 30))
    canvas.paint(tissue, Tissue.BLOOD, ellipsoid((20, -28, -34), (38, 31, 36), 30))
    canvas.paint(tissue, Tissue.BLOOD, capsule((16, 32, -120), (12, 30, 60), 12, 12))
    windpipe = ((0.0, 8.0, 20.0), (0.0, 0.0, 120.0))
    canvas.paint(tissue, Tissue.AIR, capsule(*windpipe, 9, 9), capsule_box(canvas, *windpipe, 9))
    liver = (-55.0, -6.0, -100.0)
    canvas.paint(tissue, Tissue.LIVER, ellipsoid(liver, (75, 76, 46)), ellipsoid_box(canvas, liver, (75, 76, 46)))
