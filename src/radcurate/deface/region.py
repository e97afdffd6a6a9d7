"""What is taken away: a shell of the face and the outer ears, never the brain.

The inner side of the shell is mostly that of the *mean* head, so that what is left does not repeat the person's
face at a smaller size; the person's own skin decides only where it lies deeper than the mean head's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radcurate.deface.body import depth, hull
from radcurate.deface.screen import Pose
from radcurate.deface.stack import Field, Flags, Floats
from radcurate.deface.template import EAR_FROM_MIDLINE, EAR_Y, EAR_Z, GOOD_FROM, MIDLINE_X, Template, in_outline

HULL_MM = 16.0  # bridges an eye socket or an open mouth
SKIN_MM = 5.0
NEAR_KEPT_MM = 2.0  # to the mean head's brain where the patient's own brain was found
BRAIN_MARGIN_MM = 6.0  # 5 mm lost brain in 5 of 21 heads when it was the only protection; here depth limits it too
PINNA_MM = 13.0  # half of the thickness that counts as a thin, ear-like part
EAR_DEPTH_MM = 6.0  # skin of the ear's root; the bone mostly lies deeper
EAR_BONE_HU = 150.0
CONTEXT_MM = 34.0  # around the face, so that hulls come out as on the whole head
AIR_MM = 45.0  # in front of the mean head's skin; farther out there is no nose or ear

# Depth of the shell below the mean head's hull, the own hull and the own skin (mm), by height in template space:
# between brow and eye the brain is near, below the eyes there is room.
HEIGHTS = (-46.0, -22.0)
BELOW_MEAN = (17.0, 9.0)
BELOW_HULL = (14.0, 9.0)
BELOW_SKIN = (7.0, 5.0)


@dataclass(frozen=True)
class Head:
    """A head that was found: its field, tissue and pose, and its voxels in template space."""

    field: Field
    body: Flags  # (z, y, x)
    pose: Pose
    there: Floats  # template points of all voxels, (n, 3)
    mean_depth: NDArray[np.float32]  # mm below the mean head's hull, (z, y, x)
    brain_distance: NDArray[np.float32]  # mm to the mean head's brain, (z, y, x)

    @property
    def scale(self) -> float:
        """Millimetres of the template per millimetre of the patient."""
        return float(abs(np.linalg.det(self.pose.matrix)) ** (1 / 3))


def head_of(field: Field, body: Flags, pose: Pose, mean: Template) -> Head:
    """Carry the mean head's depth and brain to the patient."""
    there = pose(field.points())
    index = mean.head.to_index(there)
    scale = float(abs(np.linalg.det(pose.matrix)) ** (1 / 3))
    below = _below_end(mean, index)
    deep = ndimage.map_coordinates(mean.depth, below, order=1, mode="nearest") / scale
    far = np.clip(ndimage.distance_transform_edt(~mean.brain, sampling=mean.head.step), 0, 200).astype(np.float32)
    brain = ndimage.map_coordinates(far, index, order=1, mode="nearest") / scale
    shape = field.values.shape
    return Head(
        field, body, pose, there, deep.reshape(shape).astype(np.float32), brain.reshape(shape).astype(np.float32)
    )


def _below_end(mean: Template, index: Floats) -> Floats:
    """Below its end the mean head goes on as its last good plane, so that a long neck has a depth too."""
    first = (GOOD_FROM - mean.head.origin[2]) / mean.head.step
    return np.stack([np.maximum(index[0], first), index[1], index[2]])


def face_mask(head: Head, modality: str, mean: Template, style: str = "remove", keep: Flags | None = None) -> Flags:
    """Voxels of the head's field that are to be removed, with the air in front of them.

    Args:
        style: `shell` takes skin and what lies close below; every other one takes the front of the face whole too.
        keep: brain with its margin, on the head's field, from a finder of brains; without it the mean head's brain keeps
            a wider margin.

    Returns:
        Shape (z, y, x).
    """
    shape = head.field.values.shape
    near = (head.mean_depth > -AIR_MM) & head.field.inside
    if keep is not None:  # no brain lies in the skin, whatever its finder says
        keep = keep & (depth(head.body, head.field.step) > SKIN_MM)
        if modality == "CT":  # thin orbital walls let the inside of the skull run out into the face
            keep &= head.brain_distance < BRAIN_MARGIN_MM
    safe = head.brain_distance > BRAIN_MARGIN_MM if keep is None else (head.brain_distance > NEAR_KEPT_MM) & ~keep
    outline = in_outline(mean.wide, head.there).reshape(shape) & near & safe
    ears = ear_boxes(head.there).reshape(shape) & near & (head.brain_distance > 0)
    ears = ears if keep is None else ears & ~keep
    skin = safe & (head.field.values < EAR_BONE_HU) if modality == "CT" else safe
    window = _box(outline | ears, CONTEXT_MM / head.field.step)
    mask = np.zeros(shape, bool)
    if window is not None:
        taken = _shell(head, head.there[:, 2].reshape(shape)[window], window)
        if style != "shell":
            taken |= in_outline(mean.front, head.there).reshape(shape)[window]
        sticks_out, below = _outer(head.body[window], head.field.step)
        mask[window] = (outline[window] & taken) | (ears[window] & (sticks_out | (below & skin[window])))
    return mask


def _shell(head: Head, height: Floats, window: tuple[slice, ...]) -> Flags:
    """Voxels less deep than the shell reaches below the mean head's hull, the own hull or the own skin."""
    step, own = head.field.step, head.body[window]
    below_hull, below_skin = depth(hull(own, step, HULL_MM), step), depth(own, step)
    return np.asarray(
        (head.mean_depth[window] < np.interp(height, HEIGHTS, BELOW_MEAN))
        | (below_hull < np.interp(height, HEIGHTS, BELOW_HULL))
        | (below_skin < np.interp(height, HEIGHTS, BELOW_SKIN))
    )


def _box(mask: Flags, margin: float) -> tuple[slice, ...] | None:
    """The mask's bounding box, wider by `margin` voxels."""
    if not mask.any():
        return None
    ends = [np.flatnonzero(mask.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    wide = int(np.ceil(margin))
    return tuple(slice(max(0, a - wide), min(n, b + wide + 1)) for (a, b), n in zip(ends, mask.shape, strict=True))


def _outer(body: Flags, step: float) -> tuple[Flags, Flags]:
    """What sticks out of the head's smooth side (thin parts and air), and the skin below."""
    core = ndimage.distance_transform_edt(body, sampling=step) > PINNA_MM
    opened = (ndimage.distance_transform_edt(~core, sampling=step) <= PINNA_MM) & body
    return ~opened, np.asarray(depth(opened, step) < EAR_DEPTH_MM)


def ear_boxes(points: Floats) -> Flags:
    """Which template points of shape (n, 3) lie in the boxes around the ears."""
    side = np.abs(points[:, 0] - MIDLINE_X) > EAR_FROM_MIDLINE
    along = (points[:, 1] > EAR_Y[0]) & (points[:, 1] < EAR_Y[1])
    return np.asarray(side & along & (points[:, 2] > EAR_Z[0]) & (points[:, 2] < EAR_Z[1]))
