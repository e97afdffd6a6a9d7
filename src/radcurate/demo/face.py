"""The outside of a head and what carries it: skin, ears, eyes, facial bones, airways. Coordinates as in `anatomy`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.demo.body import Labels, Mask
from radcurate.demo.geometry import Floats
from radcurate.demo.implicit import Canvas, Points, Solid, capsule, capsule_box, ellipsoid, ellipsoid_box
from radcurate.demo.tissue import Tissue

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class FaceShape:
    """What makes a face this person's: overall scale by axis and a few lengths, all about 1, and shifts in mm."""

    scale: Triple = (1.0, 1.0, 1.0)
    nose_length: float = 1.0
    nose_width: float = 1.0
    jaw_width: float = 1.0
    chin: float = 0.0  # mm forward
    eye_distance: float = 1.0
    lips: float = 1.0
    ears: float = 1.0
    cheeks: float = 0.0  # mm outward

    @classmethod
    def varied(cls, rng: np.random.Generator) -> FaceShape:
        """Another adult."""
        size = rng.uniform(0.96, 1.03)
        x, y, z = (float(size * rng.uniform(0.975, 1.025)) for _ in range(3))
        share = [float(v) for v in rng.uniform(0.88, 1.14, 6)]
        return cls(
            (x, y, z),
            nose_length=share[0],
            nose_width=share[1],
            jaw_width=0.5 + share[2] / 2,
            chin=float(rng.uniform(-3, 3)),
            eye_distance=0.5 + share[3] / 2,
            lips=share[4],
            ears=share[5],
            cheeks=float(rng.uniform(-3, 2)),
        )


def skin_surface(canvas: Canvas, shape: FaceShape) -> tuple[Floats, Mask]:
    """Field of the skin (mm, negative inside), shape (plane, row, column), and the mask of the ears."""
    field = cranium(canvas.points)
    canvas.add(field, ellipsoid((0, -44, -60), (62, 50, 70)), blend=14)
    canvas.add(field, _neck(), blend=10)
    _face_parts(canvas, field, shape)
    before = field.copy()
    _ears(canvas, field, shape)
    ears = (field <= 0) & (before > -4) & (np.abs(canvas.points[0]) > 58)
    box = _ear_zone(canvas)
    outside = np.ones(ears.shape, bool)
    for part in box:
        outside[part] = False
    ears[outside] = False
    return field, ears


def cranium(points: Points, inset: float = 0.0) -> Floats:
    """Field of the cranium's skin, or of the surface `inset` mm below it: a superellipsoid, broader at the back."""
    x, y, z = points
    wide = 1 + np.clip(y, -70, 70) * np.float32(0.0011) - np.clip(z - 20, 0, 60) * np.float32(0.0015)
    sloped = z - 2 + np.clip(-y - 20, 0, 80) * np.clip(z / 40, 0, 1) * np.float32(0.1)
    terms = [np.abs(x / wide) / (77 - inset), np.abs(y - 1) / (97 - inset), np.abs(sloped) / (86 - inset)]
    total = sum(np.power(term.astype(np.float32), np.float32(2.3)) for term in terms)
    radius = np.power(np.asarray(total, np.float32), np.float32(1 / 2.3))
    return np.asarray((radius - 1) * np.float32(80 - inset), np.float32)


def _neck() -> Solid:
    return capsule((0, 16, -42), (0, 30, -230), 62, 57)


def _both(canvas: Canvas, field: Floats, centre: Triple, radii: Triple, blend: float, yaw: float = 0.0) -> None:
    for side in (-1, 1):
        where = (side * centre[0], centre[1], centre[2])
        canvas.add(field, ellipsoid(where, radii, side * yaw), ellipsoid_box(canvas, where, radii, blend), blend)


def _one(canvas: Canvas, field: Floats, centre: Triple, radii: Triple, blend: float) -> None:
    canvas.add(field, ellipsoid(centre, radii), ellipsoid_box(canvas, centre, radii, blend), blend)


def _rod(canvas: Canvas, field: Floats, ends: tuple[Triple, Triple], radii: tuple[float, float], blend: float) -> None:
    box = capsule_box(canvas, *ends, max(radii), blend)
    canvas.add(field, capsule(*ends, *radii), box, blend)


def _face_parts(canvas: Canvas, field: Floats, s: FaceShape) -> None:
    """Cheeks, jaw, chin, brow, then eye sockets, lids, nose and lips, from large to small."""
    wide, apart = s.jaw_width, s.eye_distance
    _both(canvas, field, (40 + s.cheeks, -60, -50), (26, 24, 22), 12)
    _both(canvas, field, (46 * wide, -14, -92), (18, 34, 28), 14)
    _one(canvas, field, (0, -72 - s.chin, -121), (25 * wide, 25, 17), 12)
    _both(canvas, field, (19, -82, -13), (24, 13, 8), 8)
    for side in (-1, 1):
        socket = (side * 32 * apart, -100, -30)
        canvas.cut(field, ellipsoid(socket, (19, 17, 12)), ellipsoid_box(canvas, socket, (19, 17, 12), 8), 8)
        _one(canvas, field, (side * 32 * apart, -75, -29), (15, 14.5, 13), 3)
    tip = -92 - 23 * s.nose_length
    _rod(canvas, field, ((0, -88, -22), (0, tip + 9, -62)), (7, 8.5 * s.nose_width), 6)
    _one(canvas, field, (0, tip + 9, -63), (10 * s.nose_width, 9.5, 9), 4)
    _both(canvas, field, (11.5 * s.nose_width, -97, -67), (8 * s.nose_width, 10, 8), 4)
    _one(canvas, field, (0, -93, -90), (24, 9, 6 * s.lips), 4)
    _one(canvas, field, (0, -92, -101), (20, 9.5, 6.5 * s.lips), 4)
    slit = (0.0, -103.0, -95.3)
    canvas.cut(field, ellipsoid(slit, (24, 7, 1.6)), ellipsoid_box(canvas, slit, (24, 7, 1.6), 3), 3)
    fold = (0.0, -101.0, -110.0)
    canvas.cut(field, ellipsoid(fold, (18, 6, 3)), ellipsoid_box(canvas, fold, (18, 6, 3), 5), 5)
    for side in (-1, 1):
        hole = ((side * 6.0, tip + 18, -78.0), (side * 5.5, tip + 22, -62.0))
        canvas.cut(field, capsule(*hole, 4, 3), capsule_box(canvas, *hole, 4, 1), 1)


def _ears(canvas: Canvas, field: Floats, s: FaceShape) -> None:
    """A thin, slanted shell with a hollow on its outer side."""
    for side in (-1, 1):
        centre = (side * 77.0, 14.0, -38.0)
        radii = (6.0, 19 * s.ears, 31 * s.ears)
        canvas.add(field, ellipsoid(centre, radii, -side * 22), ellipsoid_box(canvas, centre, radii, 4), 4)
        hollow = (side * 82.0, 11.0, -40.0)
        canvas.cut(field, ellipsoid(hollow, (7, 11, 18), -side * 22), ellipsoid_box(canvas, hollow, (7, 11, 18), 2), 2)


def _ear_zone(canvas: Canvas) -> tuple[tuple[slice, slice, slice], ...]:
    return tuple(canvas.box((side * 77.0, 14.0, -38.0), 40) for side in (-1, 1))


def eyes(canvas: Canvas, surface: Floats, tissue: Labels, shape: FaceShape) -> None:
    """Orbital fat and the eyeballs, in place."""
    for side in (-1, 1):
        orbit = (side * 31 * shape.eye_distance, -66.0, -29.0)
        box = ellipsoid_box(canvas, orbit, (17, 22, 16))
        inside = (ellipsoid(orbit, (17, 22, 16))(canvas.at(box)) < 0) & (surface[box] < -3)
        tissue[box][inside] = Tissue.FAT
        nerve = ((side * 30.0, -62.0, -29.0), (side * 14.0, -38.0, -26.0))
        canvas.paint(tissue, Tissue.MUSCLE, capsule(*nerve, 2.5, 2.5), capsule_box(canvas, *nerve, 3))
        ball = (side * 32 * shape.eye_distance, -74.0, -29.0)
        canvas.paint(tissue, Tissue.EYE, ellipsoid(ball, (12, 12, 12)), ellipsoid_box(canvas, ball, (12, 12, 12)))


def bones(canvas: Canvas, surface: Floats, inner: Floats, tissue: Labels) -> Mask:
    """Braincase with diploe, orbits, nose, cheeks, jaws with teeth, spine; in place. Returns the mask of all bone."""
    shell = (inner >= 0) & (inner < 5.8) & (surface < -3.5)
    before = tissue.copy()
    tissue[shell] = Tissue.BONE
    tissue[shell & (inner > 1.8) & (inner < 3.8)] = Tissue.MARROW
    for side in (-1, 1):
        for value, centre, radii in _PAIRED_BONES:
            where = (side * centre[0], centre[1], centre[2])
            box = ellipsoid_box(canvas, where, radii)
            inside = (ellipsoid(where, radii)(canvas.at(box)) < 0) & (surface[box] < -4) & (inner[box] > 0)
            tissue[box][inside] = value
        for start, end, first, last in _RODS:
            ends = ((side * start[0], start[1], start[2]), (side * end[0], end[1], end[2]))
            box = capsule_box(canvas, *ends, max(first, last))
            inside = (capsule(*ends, first, last)(canvas.at(box)) < 0) & (surface[box] < -4) & (inner[box] > 0)
            tissue[box][inside] = Tissue.BONE
            if last > 4.5:
                within = capsule(*ends, first - 3.5, last - 3.5)(canvas.at(box)) < 0
                tissue[box][inside & within] = Tissue.MARROW
    for level in (-82.0, -100.0, -118.0, -136.0, -154.0):
        where = (0.0, 14 - (level + 60) * 0.14, level)
        radii = (13.0, 11.0, 7.5)
        canvas.paint(tissue, Tissue.BONE, ellipsoid(where, radii), ellipsoid_box(canvas, where, radii))
        core = (9.0, 7.0, 4.5)
        canvas.paint(tissue, Tissue.MARROW, ellipsoid(where, core), ellipsoid_box(canvas, where, core))
    return np.asarray((tissue != before) & np.isin(tissue, (Tissue.BONE, Tissue.MARROW)))


# bone, centre, semi-axes on the left side; the right one mirrors it
_PAIRED_BONES: tuple[tuple[Tissue, Triple, Triple], ...] = (
    (Tissue.BONE, (31, -66, -29), (20, 23, 19)),  # orbit, later hollowed by `eyes`
    (Tissue.BONE, (27, -60, -58), (20, 24, 20)),  # maxilla, later hollowed by its sinus
    (Tissue.BONE, (52, 22, -58), (12, 14, 18)),  # mastoid
    (Tissue.MARROW, (52, 22, -58), (9, 11, 14)),
    (Tissue.BONE, (30, 4, -46), (26, 12, 8)),  # petrous bone
    (Tissue.BONE, (6, -8, -46), (12, 13, 17)),  # sphenoid and clivus
    (Tissue.MARROW, (6, -6, -48), (9, 9, 13)),
    (Tissue.BONE, (22, -30, -64), (4, 9, 18)),  # pterygoid process
)
# start, end, radii of rods on the left side
_RODS: tuple[tuple[Triple, Triple, float, float], ...] = (
    ((52, -62, -46), (66, -6, -42), 4, 3.5),  # zygomatic arch
    ((3, -84, -18), (3, -96, -38), 4, 2.5),  # nasal bone
    ((48, -4, -92), (52, 0, -48), 7, 5),  # ramus of the mandible
    ((48, -4, -96), (24, -62, -116), 8, 8),  # body of the mandible
    ((24, -62, -116), (0, -80, -120), 8, 9),
    ((24, -60, -102), (0, -80, -103), 4.5, 4.5),  # lower teeth
    ((25, -60, -88), (0, -80, -88), 5, 5),  # upper teeth
    ((26, -50, -78), (0, -78, -78), 6, 6),
)


def airways(canvas: Canvas, tissue: Labels) -> None:
    """Sinuses, nasal cavity with septum, mouth and throat, in place."""
    for side in (-1, 1):
        for centre, radii in _PAIRED_AIR:
            where = (side * centre[0], centre[1], centre[2])
            canvas.paint(tissue, Tissue.AIR, ellipsoid(where, radii), ellipsoid_box(canvas, where, radii))
        ear = ((side * 82.0, 12.0, -43.0), (side * 56.0, 6.0, -43.0))
        canvas.paint(tissue, Tissue.AIR, capsule(*ear, 3, 3), capsule_box(canvas, *ear, 3))
    for start, end, radius in _THROAT:
        canvas.paint(tissue, Tissue.AIR, capsule(start, end, radius, radius), capsule_box(canvas, start, end, radius))


_PAIRED_AIR: tuple[tuple[Triple, Triple], ...] = (
    ((27, -60, -58), (13, 17, 15)),  # maxillary sinus
    ((9, -82, -7), (8, 3.5, 7)),  # frontal sinus
    ((8, -58, -34), (5, 16, 8)),  # ethmoid cells
    ((7, -24, -38), (6, 9, 7)),  # sphenoid sinus
    ((7, -66, -60), (5, 30, 12)),  # nasal cavity
)
_THROAT: tuple[tuple[Triple, Triple, float], ...] = (
    ((0, -32, -62), (0, -14, -100), 8),
    ((0, -14, -100), (0, -14, -230), 8),
    ((0, -66, -91), (0, -40, -94), 5),  # mouth
)
