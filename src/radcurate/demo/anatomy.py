"""A head with a face: skin, skull, brain, ventricles, sinuses, ears and a tumour, as a tissue map with masks.

Lengths in mm in head coordinates: x to the left, y to the back, z up; 0, 0, 0 is the middle of the cranium.
Proportions follow an adult head: 154 wide, 195 long, some 225 from vertex to chin, eyes half-way between them.
"""

from __future__ import annotations

import numpy as np

from radcurate.demo.body import Body, Labels, Mask, Tumour, tumour_field
from radcurate.demo.face import FaceShape, airways, bones, cranium, eyes, skin_surface
from radcurate.demo.geometry import AXIAL, Floats, Geometry, rotation
from radcurate.demo.implicit import Canvas, Points, ellipsoid, ellipsoid_box
from radcurate.demo.scanner import HU, expected_signal
from radcurate.demo.tissue import Tissue


def head(
    geometry: Geometry,
    seed: int = 0,
    tumour: Tumour | None = None,
    shape: FaceShape | None = None,
) -> Body:
    """An adult head in `geometry`, varied in size, shape and pose by `seed`.

    Masks: skin (all soft tissue within 12 mm of the surface), face (that of eyes, nose, mouth, cheeks and chin), ears,
    skull, brain (with ventricles and tumour), tumour.
    """
    rng = np.random.default_rng([seed, 11])
    shape = shape or FaceShape.varied(rng)
    canvas = Canvas(
        geometry,
        rotation(tuple(rng.uniform(-4, 4, 3))),
        rng.uniform(-3, 3, 3),
        np.asarray(shape.scale),
    )
    tumour = tumour or _somewhere(rng)
    surface, ears = skin_surface(canvas, shape)
    tissue = _soft_tissue(canvas, surface)
    inner = _braincase(canvas)
    skull = bones(canvas, surface, inner, tissue)
    _brain(canvas, inner, tissue, rng)
    eyes(canvas, surface, tissue, shape)
    airways(canvas, tissue)
    field, texture = tumour_field(canvas, tumour, rng)
    field = np.maximum(field, inner + 2)
    tissue[field < 0] = Tissue.TUMOUR
    masks = {
        "skin": _near_surface(surface, inner, skull),
        "ears": ears,
        "skull": skull & np.isin(tissue, (Tissue.BONE, Tissue.MARROW)),
        "brain": inner < 0,
        "tumour": field < 0,
    }
    masks["face"] = masks["skin"] & _in_face(canvas.points)
    return Body(geometry, tissue, masks, field, texture)


def head_ct(seed: int = 0, spacing: tuple[float, float, float] = (3.0, 2.0, 2.0)) -> tuple[Floats, dict[str, Mask]]:
    """A noiseless head CT in HU, shape (plane, row, column), and its masks; covers 240 × 256 × 200 mm."""
    extent = (240.0, 256.0, 200.0)
    count = tuple(round(e / s) for e, s in zip(extent, spacing, strict=True))
    body = head(Geometry((count[0], count[1], count[2]), spacing, axes=AXIAL).centred((0, 0, -27)), seed)
    return expected_signal(body, HU), body.masks


def _somewhere(rng: np.random.Generator) -> Tumour:
    side = float(rng.choice([-1.0, 1.0]))
    centre = (side * rng.uniform(24, 36), rng.uniform(-30, 40), rng.uniform(10, 40))
    size = rng.uniform(9, 16)
    radii = (size * rng.uniform(0.85, 1.2), size * rng.uniform(0.85, 1.2), size * rng.uniform(0.85, 1.2))
    return Tumour(centre, radii)


def _soft_tissue(canvas: Canvas, surface: Floats) -> Labels:
    """Skin, then fat, then muscle, by depth below the surface; fat is thicker at cheeks and neck."""
    _, y, z = canvas.points
    fat_until = np.where((z < -35) & (y > -90), np.float32(9), np.float32(5))
    tissue = np.where(surface < -fat_until, np.uint8(Tissue.MUSCLE), np.uint8(Tissue.FAT))
    _septa(canvas, tissue)
    tissue[surface > -2.2] = Tissue.SKIN
    tissue[surface > 0] = Tissue.AIR
    return tissue.astype(np.uint8)


def _septa(canvas: Canvas, tissue: Labels) -> None:
    """Fat between muscles, behind the throat and in the cheeks; parotid glands; in place."""
    x, y, z = canvas.points
    sheets = np.sin(np.hypot(x, y - 16) / 3.4 + 0.9 * np.sin(np.arctan2(x, y - 16) * 3 + z / 40))
    tissue[(sheets > 0.75) & (z < -30) & (y > -34) & (tissue == Tissue.MUSCLE)] = Tissue.FAT
    for side in (-1, 1):
        for value, centre, radii in _POCKETS:
            where = (side * centre[0], centre[1], centre[2])
            canvas.paint(tissue, value, ellipsoid(where, radii), ellipsoid_box(canvas, where, radii))


def _braincase(canvas: Canvas) -> Floats:
    """Field of the inner table of the skull: an egg cut off at the sloping base, with the foramen magnum."""
    x, y, z = canvas.points
    field = cranium(canvas.points, 10.5)
    base = -10 - 32 / (1 + np.exp(-(y + 34) / 5)) - 20 / (1 + np.exp(-(y - 22) / 5))
    base = base + 18 * np.exp(-np.square(x / 13)) * np.exp(-np.square((y + 14) / 15))  # sella and clivus
    base = base + 15 * np.exp(-np.square((y - 8) / 7)) / (1 + np.exp(-(np.abs(x) - 22) / 3))  # petrous ridges
    field = np.maximum(field, base.astype(np.float32) - z)
    stem = np.maximum(np.hypot(x, y - 20 - (z + 60) * np.float32(-0.12)) - 8, z + 45)
    return np.asarray(np.minimum(field, stem), np.float32)


def _brain(canvas: Canvas, inner: Floats, tissue: Labels, rng: np.random.Generator) -> None:
    """CSF around folded grey matter around white matter; ventricles, basal ganglia, midline."""
    x, y, z = canvas.points
    phase = rng.uniform(0, 6.28, 6).astype(np.float32)
    folds = np.sin(x / 4.6 + phase[0] + np.sin(y / 9 + phase[3])) + np.sin(
        y / 5.2 + phase[1] + np.sin(z / 8 + phase[4])
    )
    folds = folds + np.sin(z / 5.0 + phase[2] + np.sin(x / 10 + phase[5]))
    brain, depth = inner < 0, -inner
    furrow = np.abs(folds)
    tissue[brain] = Tissue.CSF
    tissue[depth + folds * np.float32(0.4) > 1.4] = Tissue.GREY
    cerebellum = (z < -26) & (y > 8)
    deep = np.where(cerebellum, depth > 13, (depth > 6.5) & (furrow > 1.5 - depth / 20))
    tissue[(depth > 0) & deep] = Tissue.WHITE
    tissue[(depth > 0) & (furrow < 0.24 * (1 - depth / 15)) & ~cerebellum] = Tissue.CSF
    midline = brain & (np.abs(x) < 1.4) & (z > 14 + np.abs(y) * np.float32(0.12)) & (inner < -1)
    tissue[midline] = Tissue.CSF
    for side in (-1, 1):
        for value, centre, radii, yaw in _DEEP:
            where = (side * centre[0], centre[1], centre[2])
            canvas.paint(tissue, value, ellipsoid(where, radii, side * yaw), ellipsoid_box(canvas, where, radii))
    for value, centre, radii, yaw in _MIDDLE:
        canvas.paint(tissue, value, ellipsoid(centre, radii, yaw), ellipsoid_box(canvas, centre, radii))


_POCKETS: tuple[tuple[Tissue, tuple[float, float, float], tuple[float, float, float]], ...] = (
    (Tissue.FAT, (40, -58, -72), (12, 16, 18)),  # cheek
    (Tissue.FAT, (20, -22, -76), (7, 10, 18)),  # beside the throat
    (Tissue.SKIN, (60, 4, -74), (10, 16, 22)),  # parotid gland, as bright as skin
    (Tissue.FAT, (56, -46, -30), (6, 14, 14)),  # temple
)
_DEEP: tuple[tuple[Tissue, tuple[float, float, float], tuple[float, float, float], float], ...] = (
    (Tissue.GREY, (26, -6, 2), (7, 17, 10), 12),  # putamen
    (Tissue.GREY, (40, -8, 2), (4, 22, 14), 6),  # insula
    (Tissue.CSF, (45, -8, -2), (2.5, 20, 12), 6),  # lateral fissure
    (Tissue.GREY, (12, 14, 4), (8, 14, 8), -20),  # thalamus
    (Tissue.CSF, (11, -24, 14), (5, 16, 7), 14),  # frontal horn
    (Tissue.CSF, (14, 14, 20), (5, 24, 6), -8),  # body of the lateral ventricle
    (Tissue.CSF, (27, 38, 8), (6, 14, 10), -20),  # atrium
)
_MIDDLE: tuple[tuple[Tissue, tuple[float, float, float], tuple[float, float, float], float], ...] = (
    (Tissue.CSF, (0, 8, 2), (2.5, 14, 9), 0),  # third ventricle
    (Tissue.WHITE, (0, 14, -28), (11, 12, 22), 0),  # brain stem
    (Tissue.CSF, (0, 34, -30), (6, 6, 10), 0),  # fourth ventricle
    (Tissue.CSF, (0, -10, -24), (14, 7, 6), 0),  # basal cisterns
)


def _near_surface(surface: Floats, inner: Floats, skull: Mask) -> Mask:
    return np.asarray((surface <= 0) & (surface > -12) & (inner >= 0) & ~skull)


def _in_face(points: Points) -> Mask:
    """In front of the ears, below the brow, above the neck."""
    x, y, z = points
    front = y < -48 - np.maximum(np.abs(x) - 30, 0) * np.float32(0.2)
    return np.asarray(front & (z < -8) & (z > -138))
