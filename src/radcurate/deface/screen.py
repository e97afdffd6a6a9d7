"""Where could a head be: mutual information with the mean head for many placements, coarsely, in plain numpy.

An exhaustive look from every side costs half a second and, unlike an optimiser, can't be caught in a wrong pose: a
header that says feet first or lies about a mirror is met here (starts turned by 180° about each axis).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from radcurate.deface.stack import Field, Flags, Floats, grid_points
from radcurate.deface.template import HEAD_BOTTOM, Template

BINS = 16
SCREENED_OUT = 0.10  # information of the best placement: heads start at 0.16 (a child's), limbs and chests end at 0.23
CT_EDGES = np.array([-900, -500, -200, -120, -60, -20, 10, 25, 40, 60, 100, 200, 350, 600, 1000], float)  # HU
TILTS = (-20.0, 0.0, 20.0)  # nodding, degrees
UPRIGHT = "as_stored"
TURNS = {
    UPRIGHT: (1.0, 1.0, 1.0),
    "turned_about_z": (-1.0, -1.0, 1.0),
    "turned_about_y": (-1.0, 1.0, -1.0),
    "turned_about_x": (1.0, -1.0, -1.0),
}


@dataclass(frozen=True)
class Pose:
    """Affine map of patient points to template points, `matrix @ point + shift`, mm."""

    matrix: Floats  # (3, 3)
    shift: Floats  # (3,)
    turn: str = UPRIGHT
    score: float = 0.0

    def __call__(self, points: Floats) -> Floats:
        """Template points of patient points, both of shape (n, 3)."""
        return np.asarray(points @ self.matrix.T + self.shift)

    def back(self, points: Floats) -> Floats:
        """Patient points of template points, both of shape (n, 3)."""
        return np.asarray((points - self.shift) @ np.linalg.inv(self.matrix).T)


def binned(field: Field, modality: str) -> NDArray[np.int8]:
    """Intensity classes 0 … BINS−1 of a field, −1 where it has no data."""
    if modality == "CT":
        classes = np.digitize(field.values, CT_EDGES)
    else:
        low, high = np.percentile(field.values[field.inside], [2, 98])
        classes = np.clip((field.values - low) / max(high - low, 1e-6) * BINS, 0, BINS - 1)
    return np.asarray(np.where(field.inside, classes, -1), np.int8)


def template_classes(template: Template) -> NDArray[np.int8]:
    """Intensity classes of the mean head, shape of its grid."""
    level = template.head.values * (template.depth > -6.0)  # the mean of many coils and pads is no anatomy
    return np.asarray(np.clip(level / 480.0 * BINS, 0, BINS - 1), np.int8)


def look_up(classes: NDArray[np.int8], template: Template, points: Floats) -> NDArray[np.int64]:
    """Class of the mean head at template points: air beside and above it, −1 (unknown) below its end."""
    index = np.rint((points - template.head.origin) / template.head.step).astype(np.int64)[:, ::-1]
    inside = ((index >= 0) & (index < classes.shape)).all(axis=1)
    result = np.where(points[:, 2] < HEAD_BOTTOM, -1, 0)
    z, y, x = index[inside].T
    result[inside] = np.where(result[inside] < 0, -1, classes[z, y, x])
    return result


def information(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Mutual information of two class lists relative to the mean of their entropies (0 … 1), over known pairs."""
    known = (first >= 0) & (second >= 0)
    if known.sum() < 200:
        return 0.0
    joint = np.bincount(first[known] * BINS + second[known], minlength=BINS * BINS).reshape(BINS, BINS) / known.sum()
    h_joint, h_first, h_second = _entropy(joint), _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0))
    return 2 * (h_first + h_second - h_joint) / (h_first + h_second) if h_first + h_second > 0 else 0.0


def _entropy(shares: Floats) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())


@dataclass(frozen=True)
class Look:
    """A coarse field prepared for many placements: its classes, and the mean head's."""

    field: Field
    classes: NDArray[np.int64]  # (z, y, x)
    template: Template
    mean: NDArray[np.int8]  # the template's grid

    def scored(self, pose: Pose) -> Pose:
        """The pose with the information in the head's box; a box of which less than a quarter is in view counts less."""
        field, classes = self.field, self.classes
        centre = field.to_index(pose.back(BOX_CENTRE[None]))[:, 0]
        reach = 175.0 / field.step  # half the box's diagonal, for the sizes that are tried
        low = np.maximum(np.floor(centre - reach), 0).astype(int)
        high = np.minimum(np.ceil(centre + reach) + 1, classes.shape).astype(int)
        if (high <= low).any():
            return pose
        part = classes[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
        there = pose(grid_points(part.shape, field.origin + low[::-1] * field.step, field.step))
        box = head_box(there) & (part.ravel() >= 0)
        seen = box.sum() * field.step**3 / BOX_VOLUME
        score = (
            information(look_up(self.mean, self.template, there[box]), part.ravel()[box]) * min(1.0, seen / 0.25) ** 0.5
        )
        return Pose(pose.matrix, pose.shift, pose.turn, float(score))


def look(field: Field, modality: str, template: Template) -> Look:
    """Prepare a coarse field (8 mm is enough)."""
    return Look(field, binned(field, modality).astype(np.int64), template, template_classes(template))


def screen(view: Look, body: Flags, tilts: tuple[float, ...] = TILTS) -> list[Pose]:
    """Placements worth a closer look, best first: four as the header says, one for each way it may be wrong.

    Empty when no placement tells anything.

    Args:
        tilts: nodding that is tried at every height, degrees.
    """
    found = {}
    for turn, signs in TURNS.items():
        scored = (view.scored(pose) for pose in _placements(view.field, body, turn, np.diag(signs), tilts))
        found[turn] = distinct(sorted(scored, key=lambda pose: -pose.score))
    if max((poses[0].score for poses in found.values() if poses), default=0.0) < SCREENED_OUT:
        return []
    starts = [pose for turn, poses in found.items() for pose in poses[: 4 if turn == UPRIGHT else 1]]
    return sorted(starts, key=lambda pose: -pose.score)


def distinct(poses: list[Pose]) -> list[Pose]:
    """Poses that put nose or vertex more than 30 mm from every better one's, in order."""
    kept: list[Pose] = []
    probe = np.array([[3.0, -110.0, -60.0], [3.0, 0.0, 80.0]])
    for pose in poses:
        if all(np.abs(other.back(probe) - pose.back(probe)).max() > 30.0 for other in kept):
            kept.append(pose)
    return kept


def climb(pose: Pose, view: Look) -> Pose:
    """Pattern search over turns, shifts and size, one at a time, with halving steps."""
    for share in (1.0, 0.5):
        for move in _moves(share):
            pose = max([pose, *(view.scored(step(pose)) for step in move)], key=lambda p: p.score)
    return pose


Move = Callable[[Pose], Pose]


def _moves(share: float) -> list[list[Move]]:
    """Groups of alternatives: yaw, shifts, nod, roll, size; each group's best is taken before the next is tried."""
    angles = (-40.0 * share, -20.0 * share, 20.0 * share, 40.0 * share)
    shifts = (-24.0 * share, -12.0 * share, 12.0 * share, 24.0 * share)
    yaw, nod, roll = (list[Move](partial(_turned, axis=axis, angle=angle) for angle in angles) for axis in (2, 0, 1))
    up, back, aside = (list[Move](partial(_shifted, axis=axis, by=by) for by in shifts) for axis in (2, 1, 0))
    sizes = list[Move](partial(_sized, by=float(np.exp(by * share))) for by in (-0.25, -0.12, 0.12, 0.25))
    return [yaw, up, nod, back, up, roll, aside, sizes, up, back]


def _turned(pose: Pose, axis: int, angle: float) -> Pose:
    """Turned about the middle of the mean head, in its own frame."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    first, second = [a for a in range(3) if a != axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = c
    matrix[first, second], matrix[second, first] = -s, s
    return _about_middle(pose, matrix)


def _sized(pose: Pose, by: float) -> Pose:
    return _about_middle(pose, np.eye(3) * by)


def _about_middle(pose: Pose, matrix: Floats) -> Pose:
    return Pose(matrix @ pose.matrix, matrix @ (pose.shift - MIDDLE) + MIDDLE, pose.turn)


def _shifted(pose: Pose, axis: int, by: float) -> Pose:
    shift = np.array(pose.shift, dtype=float)
    shift[axis] += by
    return Pose(pose.matrix, shift, pose.turn)


def head_box(points: Floats) -> Flags:
    """Which template points of shape (n, 3) lie in the box around the mean head."""
    return np.asarray(
        (np.abs(points[:, 0] - 3.0) < 100.0)
        & (points[:, 1] > -140.0)
        & (points[:, 1] < 115.0)
        & (points[:, 2] > HEAD_BOTTOM)
        & (points[:, 2] < 105.0)
    )


BOX_CENTRE = np.array([3.0, -12.0, -8.0])
BOX_VOLUME = 200.0 * 255.0 * 225.0  # of head_box, mm³


def _placements(field: Field, body: Flags, turn: str, matrix: Floats, tilts: tuple[float, ...]) -> list[Pose]:
    """Heads at every height of the body, centred on the body's cross-section there, tilted."""
    planes = np.flatnonzero(body.any(axis=(1, 2)))
    if planes.size == 0:
        return []
    z = np.arange(body.shape[0]) * field.step + field.origin[2]
    poses = []
    for top in np.arange(z[planes[0]] + 40.0, z[planes[-1]] + 100.0, 12.0):
        part = body[(z <= top) & (z >= top - HEAD_HEIGHT)]
        if part.sum() * field.step**3 < LEAST_TISSUE:
            continue
        below_top = VERTEX if matrix[2, 2] > 0 else HEAD_HEIGHT - VERTEX
        for n, (y, x) in enumerate(_middles(part, field.step)):
            centre = np.array([field.origin[0] + x * field.step, field.origin[1] + y * field.step, top - below_top])
            for angle in tilts if n == 0 else (0.0,):
                c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
                full = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ matrix
                poses.append(Pose(full, MIDDLE - full @ centre, turn))
    return poses


def _middles(part: Flags, step: float) -> list[tuple[float, float]]:
    """Middle (y, x) of a slab of the body; of its halves too where it is wider than a head."""
    _, y, x = np.nonzero(part)
    found = [(float(y.mean()), float(x.mean()))]
    for axis in (x, y):
        if np.ptp(axis) * step > WIDE_MM:
            halves = (axis < axis.mean(), axis >= axis.mean())
            found += [(float(y[half].mean()), float(x[half].mean())) for half in halves]
    return found


WIDE_MM = 280.0
HEAD_HEIGHT, VERTEX = 140.0, 80.0  # mm from vertex to skull base, and from vertex to MIDDLE, of the mean head
MIDDLE = np.array([3.0, -4.0, 0.0])  # of the mean head's cross-sections
LEAST_TISSUE = 2e5  # mm³ in the slab of a placement
