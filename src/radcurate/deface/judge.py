"""Is the brain whole? The judge draws it from the volume's own intensities and shares nothing with what protects it.

Its numbers are exact: the brain is drawn on the series' own voxels, and a voxel is lost when its stored value changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radcurate.deface.native import on_stack
from radcurate.deface.region import Head
from radcurate.deface.stack import Flags, Stack

CORE_MM = 3.0  # bridges thinner than twice this (nerves, vessels) are cut
LEAST_SEEN_MM3 = 2e4  # less than 20 ml of brain in view is not judged


@dataclass(frozen=True)
class Kept:
    """voxels of the brain, how many of them changed, Dice's overlap of the brain with what is left of it."""

    voxels: int
    lost: int
    dice: float


def brain_kept(brain: Flags, changed: Flags) -> Kept:
    """What a change did to the brain; both on the series' voxels, shape (plane, row, column).

    Dice is 1 exactly if no voxel of the brain changed, and 1 where no brain is in view.
    """
    voxels, lost = int(brain.sum()), int((brain & changed).sum())
    left = voxels - lost
    return Kept(voxels, lost, 2.0 * left / (voxels + left) if voxels else 1.0)


def brain_of(stack: Stack, head: Head, modality: str) -> Flags:
    """The brain on the stack's own voxels, shape (plane, row, column); nothing where too little of it is in view."""
    return on_stack(own_brain(head, modality), head.field, stack)


def own_brain(head: Head, modality: str) -> Flags:
    """The patient's brain from its own intensities, shape of the head's field.

    Only its neighbourhood comes from the mean head; the edge is the patient's: CT by soft-tissue HU, MR by the range
    around the brain's median, after cutting thin bridges.
    """
    field, step = head.field, head.field.step
    deep = (head.brain_distance <= 0.1) & (head.mean_depth > 25.0) & field.inside
    near = (head.brain_distance < 8.0) & (head.mean_depth > 6.0) & field.inside
    if deep.sum() * step**3 < LEAST_SEEN_MM3:
        return np.zeros_like(near)
    if modality == "CT":
        low, high = 5.0, 90.0
    else:
        middle = float(np.median(field.values[deep]))
        low, high = 0.55 * middle, 1.7 * middle
    smooth = ndimage.uniform_filter(field.values, 3)
    soft = near & (smooth > low) & (smooth < high)
    core = ndimage.distance_transform_edt(soft, sampling=step) > CORE_MM
    labels, n = ndimage.label(core)
    if n == 0:
        return np.zeros_like(near)
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray((ndimage.distance_transform_edt(~largest, sampling=step) <= CORE_MM) & soft)
