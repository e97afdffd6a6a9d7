"""Is the brain whole? The judge draws it from the volume's own intensities and shares nothing with what protects it.

MR: a watershed. Brain and skin are both bright and the bone between them is dark, whatever the contrast, so the basin
that belongs to the middle of the head ends in the bone. CT: the soft tissue that hangs together with the middle of the
head. The mean head gives only the middle. (What protects is a network in MR and the bone in CT; see brain.py.)

The numbers are exact: the brain is carried to the series' own voxels, and a voxel is lost when its stored value changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from radcurate.deface.body import depth
from radcurate.deface.native import on_stack
from radcurate.deface.region import Head
from radcurate.deface.stack import Flags, Floats, Stack

LEAST_SEEN_MM3 = 2e4  # less than 20 ml of the middle of the brain in view is not judged
MIDDLE_MM = 25.0  # the middle: the mean head's brain, so deep below its hull
FAR_MM = 16.0  # no brain so far from the mean head's
SKIN_MM = 7.0  # nor so near the own skin
SMOOTH_MM = {"CT": 1.5, "MR": 0.8}
BRIDGE_MM = {"CT": 4.0, "MR": 8.0}  # bridges thinner than twice this are cut: nerves, vessels, gaps in the bone
SOFT_HU = (5.0, 90.0)
# Relative to the median of the middle: grey matter in T1 lies above, cerebrospinal fluid and bone below. Tuned on
# adi_brain and MNI against deepbet's brain: 0.45 finds 88 to 97 % of it and 1 % beside it; 0.55 finds 82 to 93 %.
BRAIN_SHARE = (0.45, 1.8)
VALLEY_UP_TO = 1.2  # of the same median: brighter than that is all the same to the watershed


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
    """The patient's brain from its own intensities, shape of the head's field; nothing where too little is in view."""
    field, step = head.field, head.field.step
    brain = np.zeros(field.values.shape, bool)
    middle = (head.brain_distance <= 0.1) & (head.mean_depth > MIDDLE_MM) & field.inside
    if middle.sum() * step**3 < LEAST_SEEN_MM3:
        return brain
    kind = "CT" if modality == "CT" else "MR"
    window = _around(head)
    middle = middle[window]
    near = (head.brain_distance[window] < FAR_MM) & field.inside[window]
    smooth = ndimage.gaussian_filter(field.values[window], SMOOTH_MM[kind] / step)
    if kind == "CT":
        low, high = SOFT_HU
    else:
        level = float(np.median(field.values[window][middle]))
        low, high = BRAIN_SHARE[0] * level, BRAIN_SHARE[1] * level
        near &= _basin(smooth / max(level, 1e-6), middle, ~near | (depth(head.body[window], step) < SKIN_MM))
    brain[window] = _held_together(near & (smooth > low) & (smooth < high), middle, BRIDGE_MM[kind], step)
    return brain


def _around(head: Head) -> tuple[slice, ...]:
    near = head.brain_distance < FAR_MM + head.field.step
    ends = [np.flatnonzero(near.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    return tuple(slice(int(a), int(b) + 1) for a, b in ends)


def _basin(level: Floats, middle: Flags, outside: Flags) -> Flags:
    """What belongs to the middle rather than to the outside when both spread over bright ground first."""
    markers = np.where(middle, 1, np.where(outside, 2, 0)).astype(np.uint8)
    dark = np.round(1000 * (VALLEY_UP_TO - np.clip(level, 0, VALLEY_UP_TO))).astype(np.int16)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    basins = sitk.MorphologicalWatershedFromMarkers(
        sitk.GetImageFromArray(dark), sitk.GetImageFromArray(markers), markWatershedLine=False
    )
    return np.asarray(sitk.GetArrayFromImage(basins) == 1)


def _held_together(soft: Flags, middle: Flags, radius: float, step: float) -> Flags:
    """The piece of `soft` that shares most with the middle, without what hangs on it by a thin bridge; holes filled."""
    core = ndimage.distance_transform_edt(soft, sampling=step) > radius
    labels, _ = ndimage.label(core)
    shared = np.bincount(labels[middle & core], minlength=2)[1:]
    if shared.max(initial=0) == 0:
        return np.zeros_like(soft)
    piece = labels == 1 + int(np.argmax(shared))
    return np.asarray(
        ndimage.binary_fill_holes((ndimage.distance_transform_edt(~piece, sampling=step) <= radius) & soft)
    )
