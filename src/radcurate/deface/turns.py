"""Heads that lie on their side under a wrong header: the coarse look again, with the axes of the volume exchanged.

The 24 ways to set a cube upright are four (as stored, and turned by 180° about each axis: `screen.TURNS`) times the six
here. A mirror image needs no more of them: a head looks the same in a left-right mirror, so that any mirror is met as
one of these turns.
"""

from __future__ import annotations

import numpy as np

from radcurate.deface.body import body
from radcurate.deface.screen import Pose, look, screen
from radcurate.deface.stack import Field, Floats, Stack, to_field
from radcurate.deface.template import Template

SIDEWAYS = "sideways"
SIDE_MM = 12.0  # coarser than the look at what the header says: it is done five times
# new x, y, z from the axes of the volume; right-handed
SIDES: tuple[tuple[tuple[int, int], ...], ...] = (
    ((0, 1), (2, -1), (1, 1)),
    ((2, -1), (1, 1), (0, 1)),
    ((1, 1), (0, -1), (2, 1)),
    ((1, 1), (2, 1), (0, 1)),
    ((2, 1), (0, 1), (1, 1)),
)


def exchanges() -> list[Floats]:
    """Rotation matrices of shape (3, 3) that, with the four turns of `screen`, make up all 24 (the first is left out)."""
    result: list[Floats] = []
    for side in SIDES:
        matrix = np.zeros((3, 3))
        for row, (axis, sign) in enumerate(side):
            matrix[row, axis] = sign
        result.append(matrix)
    return result


def exchanged(field: Field, matrix: Floats) -> Field:
    """The field in turned axes: its point p lies at `matrix @ p`."""
    axes = [int(np.flatnonzero(row)[0]) for row in matrix]  # which old axis each new one is
    signs = [float(matrix[n, axis]) for n, axis in enumerate(axes)]
    order = [2 - axes[n] for n in (2, 1, 0)]  # arrays are (z, y, x)
    flip = tuple(slice(None, None, -1 if signs[n] < 0 else 1) for n in (2, 1, 0))
    values = field.values.transpose(order)[flip]
    inside = field.inside.transpose(order)[flip]
    last = field.origin + field.step * (np.array(field.values.shape[::-1]) - 1)
    corners = np.stack([matrix @ field.origin, matrix @ last])
    return Field(np.ascontiguousarray(values), np.ascontiguousarray(inside), corners.min(axis=0), field.step)


def screen_sides(stack: Stack, modality: str, mean: Template) -> list[Pose]:
    """Placements of heads that lie on a side, best first; the best one of each side, upright in it."""
    field = to_field(stack, SIDE_MM)
    found: list[Pose] = []
    for matrix in exchanges():
        turned = exchanged(field, matrix)
        best = screen(look(turned, modality, mean), body(turned, modality), (0.0,))[:1]
        found += [Pose(pose.matrix @ matrix, pose.shift, SIDEWAYS, pose.score) for pose in best]
    return sorted(found, key=lambda pose: -pose.score)
