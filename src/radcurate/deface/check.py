"""Was it done: the checks on a series that was defaced, and the same checks on controls that must not pass.

Three signals ask whether the face is gone, each in its own way: how far the own surface moved, whether the skin still
lies where the mean head's does, and whether the relief of the face is still there. A series passes when all three say
so and the ears are gone too; when they disagree, a person looks. A fourth asks whether the brain is whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radcurate.deface.body import body
from radcurate.deface.judge import brain_kept, brain_of
from radcurate.deface.likeness import ANGLES, blurred, faces, likeness, sides
from radcurate.deface.quality import PRESENT, Moved, Presence, moved, presence
from radcurate.deface.region import Head
from radcurate.deface.render import all_round, level
from radcurate.deface.render import smoothed as softened
from radcurate.deface.stack import FINE_MM, Flags, Floats, Stack, to_field
from radcurate.deface.template import Template

WHOLE_FACE = 0.4
EYES = 0.15  # share of the mean face in view down to the middle of the eyes; above them a face has no relief
STRIP_LEFT = 0.65  # in a smaller part, such as a strip below the brow, the shell is as thin as AGREES_MM
# Likeness of the relief: at most 0.29 after removal; a copy of the face sunk by 8 mm 0.43–0.60, other persons 0.46–0.74,
# blurred by 8 mm 0.66–0.84, the same face scanned again 0.92–0.96 (inv3, adi_brain, four synthetic heads).
ALIKE = 0.40
CUT_SHARE = 0.02  # of the brain that the control cuts away at least


@dataclass(frozen=True)
class Limits:
    """From the settings: least share of the face and ears that moved, least Dice of the brain."""

    moved: float
    dice: float


@dataclass(frozen=True)
class Signals:
    """What the checks say of one volume."""

    present: Presence
    moved: Moved
    likeness: float | None
    dice: float


@dataclass(frozen=True)
class Check:
    """The numbers of the check on what was written, and what it says of three controls, which must not pass.

    untouched: the volume as it was. blurred: its face smoothed, which is known not to be safe. cut: a brain without
    one end. `controls_hold` tells that each was told from a good result.
    """

    after: Signals
    seen: tuple[tuple[Floats, ...], tuple[Floats, ...]]  # all round, before and after
    brain_voxels: int
    brain_lost: int
    untouched: Signals
    untouched_passes: bool
    blurred_likeness: float | None
    controls_hold: bool
    reason: str | None  # None: passed


def check(
    mask: Flags,
    before: Presence,
    head: Head,
    stack: Stack,
    written: Stack,
    modality: str,
    mean: Template,
    limits: Limits,
) -> Check:
    """Measure what removing did, on the written volume.

    Args:
        mask, before, head: of the plan.
        stack, written: the series as it was, and as read back from the written files.
    """
    fine = to_field(written, FINE_MM)
    tissue = body(fine, modality)
    brain = brain_of(stack, head, modality)
    kept = brain_kept(brain, stack.values != written.values)
    smoothed = blurred(head.body, mask, head.field.step)
    seen = [all_round(head.field, one, head.pose) for one in (head.body, tissue)]
    first, second = (faces(one, mean) for one in seen)
    third = sides(level(head.field, softened(smoothed), head.pose, ANGLES), mean)
    after = Signals(
        presence(fine, tissue, head.pose, mean),
        moved(head.body, tissue, head, mean),
        likeness(first, second),
        kept.dice,
    )
    untouched = Signals(before, moved(head.body, head.body, head, mean), likeness(first, first), 1.0)
    passes = verdict(before, untouched, limits) is None
    smooth = likeness(first, third)
    holds = not passes and (smooth is None or smooth > ALIKE) and _sees_a_cut(brain, limits)
    reason = verdict(before, after, limits) if holds else "check_invalid"
    return Check(after, (seen[0], seen[1]), kept.voxels, kept.lost, untouched, passes, smooth, holds, reason)


def _sees_a_cut(brain: Flags, limits: Limits) -> bool:
    """Whether a brain that lost a little at one end would be told; true where there is none in view."""
    voxels = np.flatnonzero(brain)
    if not voxels.size:
        return True
    share = max(CUT_SHARE, 2 * (1 - limits.dice))
    cut = np.zeros(brain.shape, bool)
    cut.flat[voxels[: int(np.ceil(share * voxels.size))]] = True
    return brain_kept(brain, cut).dice < limits.dice


def verdict(before: Presence, after: Signals, limits: Limits) -> str | None:
    """Why a volume does not count as defaced, or None when it does."""
    if after.dice < limits.dice:
        return "brain_touched"
    there = left(before, after, limits)
    if there and all(there):
        return "face_left"
    ears = after.moved.ears is not None and after.moved.ears < limits.moved
    return "checks_disagree" if any(there) or ears else None


def left(before: Presence, after: Signals, limits: Limits) -> list[bool]:
    """What each signal that could be measured says: is the face still there?"""
    limit = max(PRESENT, 0.6 * before.agrees) if before.in_view >= WHOLE_FACE else STRIP_LEFT * before.agrees
    found = [after.present.agrees > limit]
    if after.moved.face is not None:
        found.append(after.moved.face < limits.moved)
    if after.likeness is not None and before.in_view >= EYES:
        found.append(after.likeness > ALIKE)
    return found
