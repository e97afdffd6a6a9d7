"""Which voxels a face mask must leave because they may be brain: a network's answer in MR, the inside of the skull in CT.

Neither is asked afterwards whether the brain is whole; that is for judge.py, which looks at other things.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radcurate.deface.body import depth
from radcurate.deface.networks import DRAWER, FINDER, Array, brain_probability
from radcurate.deface.region import Head
from radcurate.deface.stack import Field, Flags, Floats

MARGIN_MM = 4.0  # around the network's brain: at 192 voxels a side it misses 0.1 % of the full-size answer beyond that
INSIDE_MARGIN_MM = 2.0  # around the inside of the skull: into the bone, which is no face
FINDER_SIDE, FINDER_MM = 128, 256.0
DRAWER_SIDE = 192  # made for 256; half the time, Dice 0.99 of it on five heads
BOX_MARGIN = 0.1  # of the brain's box, on each side, as deepbet does
SLAB_SHARE = 0.02  # share of brain in a plane that belongs to the box, as deepbet does
HEAD_CENTRE = np.array([3.0, -8.0, 0.0])  # of the mean head, in the middle of the brain
MEAN, SPREAD = 0.449, 0.226  # what deepbet's networks expect

FAR_MM = 12.0  # the network's brain ends so far from the mean head's: in synthetic T2 it took the eyes too
NETWORK_DEEP_MM = 4.0  # and so near the skin
MOST_ASTRAY = 0.2  # share of what it calls brain that may lie beyond

LEAST_LITRES, MOST_LITRES = 0.1, 2.4  # of a brain, by the patient's own size; an orbit scan shows little of it
CORE_MM = 25.0  # so deep below the mean head's hull and inside its brain there is brain, whoever it is
LEAST_CORE = 0.8  # of that core must be called brain

BONE_HU = 160.0  # thin bone, mixed with its neighbours on the field
FAT_HU = -30.0  # fat and air, below, are no inside
SEAL_MM = 6.0  # half of the widest hole in the bone that is closed: fissures, thin roofs of eye sockets
INSIDE_FAR_MM = 18.0  # no inside so far from the mean head's brain (the spinal canal goes on)
INSIDE_DEEP_MM = 5.0  # nor so near the skin (an open skull)


def protect(head: Head, modality: str) -> Flags:
    """Voxels of the head's field that a face mask must leave, margin included; shape (z, y, x).

    MR: the network's brain, if it can be believed. CT: the inside of the skull. Else, and for other modalities, the mean
    head's brain with a margin, which is all that is left.
    """
    step = head.field.step
    if modality == "MR":
        brain = network_brain(head.field, head)
        if brain is not None:
            return np.asarray(ndimage.distance_transform_edt(~brain, sampling=step) <= MARGIN_MM)
    elif modality == "CT":
        inside = inside_of_skull(head)
        if believable(inside, head):
            return np.asarray(ndimage.distance_transform_edt(~inside, sampling=step) <= INSIDE_MARGIN_MM)
    return np.asarray(head.brain_distance < 2 * MARGIN_MM)


def believable(brain: Flags, head: Head) -> bool:
    """Whether a brain has a brain's size and holds what lies in the middle of the mean head's."""
    litres = brain.sum() * (head.field.step * head.scale) ** 3 / 1e6
    core = (head.brain_distance <= 0.1) & (head.mean_depth > CORE_MM) & head.field.inside
    seen = int(core.sum())
    covered = float((brain & core).sum()) / seen if seen else 0.0
    return LEAST_LITRES <= litres <= MOST_LITRES and covered >= LEAST_CORE


def network_brain(field: Field, head: Head) -> Flags | None:
    """The brain by deepbet's networks, shape of the field; None when the answer can't be one.

    The networks see the head upright and alone, whatever the patient's position and the field of view: it is cut out
    along the axes of the mean head.
    """
    middle = head.pose.back(HEAD_CENTRE[None])[0]
    whole = _Cut.of(head, middle, np.full(3, FINDER_MM / head.scale), FINDER_SIDE)
    place = largest(brain_probability(FINDER, whole.picture(field)) > 0.5)
    if not place.any():
        return None
    low, high = _ends(place)
    closer = _Cut.of(
        head, whole.points((low + high) / 2), (high - low + 1) * whole.step * (1 + 2 * BOX_MARGIN), DRAWER_SIDE
    )
    drawn = largest(brain_probability(DRAWER, closer.picture(field)) > 0.5)
    brain = closer.onto(ndimage.binary_fill_holes(drawn), field)
    near = brain & (head.brain_distance < FAR_MM) & (depth(head.body, field.step) > NETWORK_DEEP_MM)
    astray = int(brain.sum()) - int(near.sum())
    return near if believable(near, head) and astray <= MOST_ASTRAY * near.sum() else None


@dataclass(frozen=True)
class _Cut:
    """A cube of voxels cut out along the mean head's axes: index (right to left … bottom to top) to patient mm."""

    matrix: Floats  # (3, 3), patient mm per index
    first: Floats  # (3,), patient mm of index 0, 0, 0
    side: int

    @classmethod
    def of(cls, head: Head, centre: Floats, size: Floats, side: int) -> _Cut:
        """A cut of `size` mm (3,) around a patient point, `side` voxels a side; left to right as NIfTI counts."""
        u, _, v = np.linalg.svd(head.pose.matrix)
        matrix = (u @ v).T @ np.diag(np.array([-1.0, -1.0, 1.0]) * size / side)
        return cls(matrix, centre - matrix @ np.full(3, (side - 1) / 2), side)

    @property
    def step(self) -> Floats:
        """Millimetres per voxel along each axis, shape (3,)."""
        return np.asarray(np.linalg.norm(self.matrix, axis=0))

    def points(self, index: Floats) -> Floats:
        """Patient point of an index, both of shape (3,)."""
        return np.asarray(self.first + self.matrix @ index)

    def picture(self, field: Field) -> Array:
        """What the network sees: between the 0.5th and 99.5th percentile, normalised; nothing where there are no data."""
        matrix, offset = self._to(field)
        sides = (self.side,) * 3
        values = ndimage.affine_transform(field.values, matrix, offset, sides, order=1, mode="constant", cval=np.nan)
        known = values[~np.isnan(values)]
        low, high = np.percentile(known, [0.5, 99.5]) if known.size else (0.0, 1.0)
        scaled = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-6), 0, 1)
        deviation = float(scaled.std(dtype=np.float64)) or 1.0
        return np.asarray((scaled - scaled.mean(dtype=np.float64)) / deviation * SPREAD + MEAN, np.float32)

    def onto(self, mask: Flags, field: Field) -> Flags:
        """A mask of the cut on the field."""
        matrix, offset = self._to(field)
        back = np.linalg.inv(matrix)
        soft = mask.astype(np.float32)
        return np.asarray(ndimage.affine_transform(soft, back, -back @ offset, field.values.shape, order=1) >= 0.5)

    def _to(self, field: Field) -> tuple[Floats, Floats]:
        """Index of the field (z, y, x) for an index of the cut, as matrix and offset."""
        return self.matrix[::-1] / field.step, (self.first - field.origin)[::-1] / field.step


def largest(mask: Flags) -> Flags:
    """The largest connected piece."""
    labels, n = ndimage.label(mask)
    return np.asarray(labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))) if n else mask


def _ends(mask: Flags) -> tuple[Floats, Floats]:
    """First and last index along each axis of the planes that hold more than a strip of the mask."""
    ends = []
    for axes in ((1, 2), (0, 2), (0, 1)):
        share = mask.mean(axis=axes)
        ends.append(np.flatnonzero(share > min(SLAB_SHARE, float(share.max()) / 2))[[0, -1]])
    low, high = np.array(ends, float).T
    return low, high


def inside_of_skull(head: Head) -> Flags:
    """What the braincase encloses in a CT, shape (z, y, x): all that is reached from the middle of the brain without
    passing bone or a gap in it narrower than twice SEAL_MM.
    """
    field, step = head.field, head.field.step
    room = (head.brain_distance < INSIDE_FAR_MM) & field.inside
    window = _box(room)
    if window is None:
        return np.zeros_like(room)
    values = field.values[window]
    closed = (values > BONE_HU) | (values < FAT_HU) | ~room[window] | (depth(head.body[window], step) < INSIDE_DEEP_MM)
    labels, _ = ndimage.label(ndimage.distance_transform_edt(~closed, sampling=step) > SEAL_MM)
    core = (head.brain_distance[window] <= 0.1) & (head.mean_depth[window] > CORE_MM)
    shared = np.bincount(labels[core], minlength=2)[1:]
    inside = np.zeros_like(room)
    if shared.max(initial=0) > 0:
        reached = labels == 1 + int(np.argmax(shared))
        grown = ndimage.distance_transform_edt(~reached, sampling=step) <= SEAL_MM + step / 2
        inside[window] = ndimage.binary_fill_holes(grown & ~closed)
    return inside


def _box(mask: Flags) -> tuple[slice, ...] | None:
    if not mask.any():
        return None
    ends = [np.flatnonzero(mask.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    return tuple(slice(int(a), int(b) + 1) for a, b in ends)
