"""Was it done: the checks on a series that was defaced, and the same checks on controls that must not pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from radcurate.deface.judge import own_brain
from radcurate.deface.quality import PRESENT, Presence, dice, moved_share, presence
from radcurate.deface.region import Head
from radcurate.deface.stack import Field, Flags
from radcurate.deface.template import Template

WHOLE_FACE = 0.4
STRIP_LEFT = 0.65  # in a smaller part, such as a strip below the brow, the shell is as thin as AGREES_MM


@dataclass(frozen=True)
class Check:
    """The numbers of the check. `control` is what the same check says of the untouched volume; it must not pass."""

    after: Presence
    moved: float
    brain_voxels: int
    brain_lost: int
    brain_dice: float
    control_moved: float
    control_passes: bool
    passed: bool
    reason: str | None


def check(
    mask: Flags,
    before: Presence,
    head: Head,
    fine: Field,
    solid: Flags,
    modality: str,
    mean: Template,
    least_moved: float,
    least_dice: float,
) -> Check:
    """Measure what removing did, on the written volume.

    Args:
        mask, before, head: of the plan.
        fine, solid: field and tissue of what was read back from the written files, on the head's grid.
    """
    after = presence(fine, solid, head.pose, mean)
    moved = moved_share(head.body, solid, head, mean)
    brain = own_brain(head, modality)
    lost = brain & (np.abs(fine.values - head.field.values) > 1e-3) & ~_rim(mask)
    similarity = dice(brain, brain & ~lost)
    reason = verdict(before, after, moved, similarity, least_moved, least_dice)
    control_moved = moved_share(head.body, head.body, head, mean)
    control = verdict(before, before, control_moved, 1.0, least_moved, least_dice)
    if control is None:
        reason = "check_invalid"
    return Check(
        after,
        moved,
        int(brain.sum()),
        int(lost.sum()),
        similarity,
        control_moved,
        control is None,
        reason is None,
        reason,
    )


def _rim(mask: Flags) -> Flags:
    """Voxels beside the mask: averaging on the working field mixes them with masked ones."""
    return np.asarray(ndimage.binary_dilation(mask) & ~mask)


def verdict(
    before: Presence, after: Presence, moved: float, similarity: float, least_moved: float, least_dice: float
) -> str | None:
    """Why a volume does not count as defaced, or None when it does."""
    limit = max(PRESENT, 0.6 * before.agrees) if before.in_view >= WHOLE_FACE else STRIP_LEFT * before.agrees
    agreeing = after.agrees > limit
    if moved < least_moved or agreeing:
        return "face_left"
    return "brain_touched" if similarity < least_dice else None
