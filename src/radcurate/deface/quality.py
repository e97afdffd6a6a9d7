"""Did it work: is the face gone, is the brain whole. The same questions are put to the untouched volume as a control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radcurate.deface.body import depth, hull
from radcurate.deface.region import AIR_MM, HULL_MM, Head, ear_boxes
from radcurate.deface.screen import Pose
from radcurate.deface.stack import Field, Flags, Floats
from radcurate.deface.template import Template, in_outline

AGREES_MM = 8.0  # two head surfaces closer than this agree; faces differ by less after an affine fit
MOVED_MM = 3.0  # a facial surface that moved by less may still be recognised
PRESENT = 0.35  # share of agreeing facial surface: 0.78–0.99 measured with a face, at most 0.23 without
FACE_FRONT_Y = -66.0  # the mean head's facial surface lies in front of the ears' and jaws' sides
FACE_Z = (-112.0, -24.0)  # from the chin to the brow
CHIN_Z = -112.0  # below, the outline goes on under the chin, where necks differ
EAR_THICK_MM = 24.0  # thinner parts of a head's side are an ear
LEAST_SURFACE = 50  # voxels of a surface of which a share says something: 2 cm² at 2 mm


@dataclass(frozen=True)
class Presence:
    """How much of the mean head's facial surface is in the field of view, and how much of that the volume agrees with."""

    in_view: float
    agrees: float


def presence(field: Field, body: Flags, pose: Pose, mean: Template) -> Presence:
    """Anterior-skin agreement between the mean head and the volume's own hull; both 0 … 1."""
    points = pose.back(facial_surface(mean))
    index = field.to_index(points)
    limits = np.array(field.values.shape)[:, None] - 2
    seen = np.asarray(((index >= 1) & (index <= limits)).all(axis=0))
    nearest = np.rint(index[:, seen]).astype(int)
    seen[seen] = field.inside[tuple(nearest)]
    if seen.sum() < 20:
        return Presence(float(seen.mean()), 0.0)
    window, start = _around(index[:, seen], field)
    closed = hull(body[window], field.step, HULL_MM)
    signed = depth(closed, field.step) - ndimage.distance_transform_edt(~closed, sampling=field.step)
    there = ndimage.map_coordinates(signed.astype(np.float32), index[:, seen] - start[:, None], order=1, mode="nearest")
    return Presence(float(seen.mean()), float((np.abs(there) < AGREES_MM).mean()))


def _around(index: Floats, field: Field) -> tuple[tuple[slice, ...], Floats]:
    """The part of the field within 40 mm of some places (3, n), and its first index; up to the field's end below and
    above where that is near, because an end is no surface."""
    reach = 40.0 / field.step
    low = np.maximum(np.floor(index.min(axis=1) - reach), 0).astype(int)
    high = np.minimum(np.ceil(index.max(axis=1) + reach) + 1, field.values.shape).astype(int)
    return tuple(slice(a, b) for a, b in zip(low, high, strict=True)), low.astype(float)


def facial_surface(mean: Template) -> Floats:
    """Points of the mean head's hull that make up the face, shape (n, 3), template mm."""
    skin = (mean.depth > 0) & (mean.depth < mean.head.step * 1.1)
    points = mean.head.points()[skin.ravel()]
    low, high = FACE_Z
    front = (points[:, 1] < FACE_FRONT_Y) & (points[:, 2] > low) & (points[:, 2] < high)
    return points[front & in_outline(mean.outline, points)]


@dataclass(frozen=True)
class Moved:
    """Shares (0 … 1) of the own surface that is now more than MOVED_MM from any surface; None where none is in view.

    face: from brow to chin and back to the ear canals, with the rim at which what is taken meets what stays.
    ears: what sticks out of the side of the head.
    """

    face: float | None
    ears: float | None


def moved(before: Flags, after: Flags, head: Head, mean: Template) -> Moved:
    """How much of the facial surface and of the ears is gone.

    Args:
        before, after: tissue of the head's field, shape (z, y, x).
    """
    skin = outer_surface(before)
    face = skin & in_outline(mean.outline, head.there).reshape(before.shape)
    face &= (head.there[:, 2] > CHIN_Z).reshape(before.shape)
    ears = skin & _pinnae(before, head)
    if not (face | ears).any():
        return Moved(None, None)
    window, _ = _around(np.array(np.nonzero(face | ears), dtype=float), head.field)
    far = ndimage.distance_transform_edt(~outer_surface(after)[window], sampling=head.field.step) > MOVED_MM
    return Moved(*(_share(far, place[window]) for place in (face, ears)))


def _share(flags: Flags, place: Flags) -> float | None:
    return float(flags[place].mean()) if place.sum() >= LEAST_SURFACE else None


def _pinnae(body: Flags, head: Head) -> Flags:
    """Tissue beside the mean head's ears that sticks out of the head by more than MOVED_MM, shape (z, y, x)."""
    boxes = ear_boxes(head.there).reshape(body.shape) & (head.mean_depth > -AIR_MM)
    result = np.zeros_like(body)
    if boxes.any():
        window, _ = _around(np.array(np.nonzero(boxes), dtype=float), head.field)
        step, part = head.field.step, body[window]
        core = ndimage.distance_transform_edt(part, sampling=step) > EAR_THICK_MM / 2
        far = ndimage.distance_transform_edt(~core, sampling=step) - EAR_THICK_MM / 2
        result[window] = part & boxes[window] & (far > MOVED_MM)
    return result


def outer_surface(body: Flags) -> Flags:
    """Tissue that the air around the head touches (not the air in nose, mouth and sinuses)."""
    outside = np.pad(~body, 1, constant_values=True)
    outside[0], outside[-1] = False, False  # the cut through the neck is no skin
    labels, _ = ndimage.label(outside)
    around = (labels == labels[1, 0, 0]) & outside
    return np.asarray(ndimage.binary_dilation(around)[1:-1, 1:-1, 1:-1] & body)
