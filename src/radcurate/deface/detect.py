"""Is a head in view? A cheap look first, then the mean head's fit; what is neither clear is called uncertain.

Where the numbers come from: after an affine fit the mutual information was 0.28–0.44 in the head's box and 0.11–0.28
inside the head, for eight heads (CT, MR) under turns of 35°, cut fields of view, other contrasts and noise; the root of
their product 0.17–0.34. For 18 limbs and a lung that root was at most 0.18, and bone made up 3–7 % of them but 22–26 %
of the heads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from radcurate.deface.align import fit_affine, fit_similarity
from radcurate.deface.body import AIR_HU, body
from radcurate.deface.screen import (
    UPRIGHT,
    Look,
    Pose,
    binned,
    climb,
    head_box,
    information,
    look,
    look_up,
    screen,
    template_classes,
)
from radcurate.deface.stack import Field, Stack, to_field
from radcurate.deface.template import GOOD_FROM, HEAD_BOTTOM, Template
from radcurate.deface.turns import screen_sides

COARSE_MM, SMALL_MM = 8.0, 5.0
LEAST_EXTENT_MM = 60.0  # two directions of a volume that shows a face are longer
LEAST_PLANES = 5  # fewer are no surface
HEAD_FIT = 0.15  # root of the product of both informations
NO_HEAD_FIT = 0.13
CLEARLY_NONE = 0.10  # a header that speaks of a head is not believed below
CLIMBED_OUT = 0.15  # coarse information after the pattern search; heads 0.19–0.44
AFFINE_STEPS_MM = (2.0, 0.7)
# share of bone in a CT of a head: 0.22–0.27 in adults, less in infants; 0.03–0.08 in limbs and chests, up to 0.13 about
# a joint. That the header's orientation is wrong needs more to be believed.
LEAST_BONE = 0.09
LEAST_BONE_TURNED = 0.15
BLURRED_BONE = 0.07  # the same on the coarse field, where thin bone is mixed with its neighbours
BONE_HU = 250.0
# Not worth a finer look. After the similarity fit on the coarse field 13 heads scored 0.17 to 0.29, placements in chests
# 0.07 to 0.11; it costs a quarter of the fit on the small field, after which an affine fit is worth while or not.
HOPELESS_COARSE = 0.10
HOPELESS = 0.08
SCALE = (0.80, 1.70)  # template mm per patient mm: the largest adults to infants
SQUEEZE = 1.30  # largest over smallest stretch; heads 1.04–1.18
LEAST_SEEN_L = 0.5  # litres of the head in view
AXIAL = 0.85  # least share of the planes' normal along the body's axis, about 30°
# Lying on a side. inv3, adi_brain and synthetic heads in wrong headers: 0.34–0.39 after the pattern search on the right
# side, at most 0.29 on another, from which a wrong pose scored up to 0.16.
CLEAR_FIT = 0.18  # from here on the header's orientation is believed
CLEARLY_CLIMBED = 0.33  # no look at the sides from here on
CLIMBED_OUT_SIDE = 0.25
MOST_SIDES = 2
# A second head
LEAST_SECOND_L = 1.0
SECOND_FIT = 0.16
# Right below the first one: a neck and shoulders are no head of two litres that fits as clearly as a first one. Two
# synthetic heads above each other 0.185 and 0.192 with 3.7 litres; below 13 single heads nothing was placed at all.
LEAST_BELOW_L = 2.0


@dataclass(frozen=True)
class Finding:
    """What was found: verdict head | uncertain | none, its code, and the numbers behind it."""

    verdict: str
    code: str
    pose: Pose | None = None
    screened: float = 0.0
    fit: float = 0.0
    inside: float = 0.0
    scale: float = 0.0
    squeeze: float = 0.0
    seen_litres: float = 0.0
    bone: float = 0.0  # share of bone, CT only

    @property
    def score(self) -> float:
        """Root of the product of the information in the head's box and inside the head."""
        return float(np.sqrt(max(0.0, self.fit) * max(0.0, self.inside)))


def find_head(stack: Stack, modality: str, mean: Template, thorough: bool = False) -> Finding:
    """Look for a head in a stack of a CT or MR series.

    First as the header says and turned by 180°; where no clear head is met so, lying on a side too.

    Args:
        thorough: follow every placement to its end, as where a header speaks of a head.
    """
    early = empty(stack, modality) or too_little(stack)
    if early is not None:
        return early
    coarse = to_field(stack, COARSE_MM)
    view = look(coarse, modality, mean)
    small = to_field(stack, SMALL_MM)
    starts = screen(view, body(coarse, modality))
    climbed = _climbed(view, modality, starts, mean, CLIMBED_OUT)
    if not climbed or climbed[0].score < CLEARLY_CLIMBED:
        sides = screen_sides(stack, modality, mean)[:MOST_SIDES]
        climbed += _climbed(view, modality, sides, mean, CLIMBED_OUT_SIDE)
    # the header's orientation is right almost always, so another one has to be better than by chance
    climbed.sort(key=lambda pose: -pose.score * (1.05 if pose.turn == UPRIGHT else 1.0))
    # one after the other: the first one is a clear head most often
    hopeful = (pose for pose in climbed if thorough or _hopeful(coarse, modality, pose, mean))
    best = _best(small, modality, hopeful, mean, max((start.score for start in starts), default=0.0))
    if best.verdict == "head" and best.pose is not None and _another(view, small, modality, best.pose, mean):
        return replace(best, verdict="uncertain", code="two_heads")
    return best


def _climbed(view: Look, modality: str, starts: list[Pose], mean: Template, least: float) -> list[Pose]:
    """The placements after a pattern search, best first, without those that tell too little."""
    climbed = [climb(start, view) for start in starts if _bony(view.field, start, modality, mean)]
    kept = [pose for pose in climbed if pose.score >= least and _bony(view.field, pose, modality, mean)]
    return sorted(kept, key=lambda pose: -pose.score)


def _best(small: Field, modality: str, starts: Iterable[Pose], mean: Template, screened: float) -> Finding:
    """The best fit from some placements; the first clear one, or the first of all if that is a head as stored."""
    best = Finding("none", "no_head_in_view", screened=screened)
    for n, start in enumerate(starts):
        best = max(best, _fitted(small, modality, start, mean), key=_rank)
        believed = best.score >= CLEAR_FIT or (n == 0 and start.turn == UPRIGHT)
        if best.verdict == "head" and believed:
            break
    return best


def _another(view: Look, small: Field, modality: str, pose: Pose, mean: Template) -> bool:
    """Whether a second head is in what lies outside of the first one's box, beside it or below."""
    beside = _outside(view, small, modality, pose, mean, neck=False)
    if beside.verdict == "head" and beside.score >= SECOND_FIT:
        return True
    below = _outside(view, small, modality, pose, mean, neck=True)
    return below.verdict == "head" and below.score >= CLEAR_FIT and below.seen_litres >= LEAST_BELOW_L


def _outside(view: Look, small: Field, modality: str, pose: Pose, mean: Template, neck: bool) -> Finding:
    """The best fit outside of a head's box, with or without what is below of it."""
    rest, coarse = _without(view.field, pose, neck), view.field
    solid = body(rest, modality)
    if solid.sum() * coarse.step**3 / 1e6 < LEAST_SECOND_L:
        return Finding("none", "no_head_in_view")
    left = replace(view, field=rest, classes=np.where(rest.inside, view.classes, -1))
    starts = _climbed(left, modality, screen(left, solid), mean, CLIMBED_OUT_SIDE)
    return _best(_without(small, pose, neck), modality, starts[:2], mean, 0.0)


def _without(field: Field, pose: Pose, neck: bool) -> Field:
    """The field without the head: its box holds no data, nor what is below of it unless the neck is to stay."""
    there = pose(field.points())
    if not neck:
        there[:, 2] = np.maximum(there[:, 2], HEAD_BOTTOM + 1.0)
    return replace(field, inside=field.inside & ~head_box(there).reshape(field.values.shape))


def empty(stack: Stack, modality: str) -> Finding | None:
    """A finding for a volume without anything in it: it may have lost what it showed."""
    blank = np.ptp(stack.values) == 0 or (modality == "CT" and float(stack.values.max()) <= AIR_HU)
    return Finding("uncertain", "empty_volume") if blank else None


def _hopeful(coarse: Field, modality: str, start: Pose, mean: Template) -> bool:
    rough = judge(coarse, modality, fit_similarity(coarse, modality, start, mean), mean, start.score)
    return rough.score >= HOPELESS_COARSE


def _fitted(field: Field, modality: str, start: Pose, mean: Template) -> Finding:
    """The best of the similarity fit and, if that is worth it, affine fits; large steps may leave a good place again."""
    best = judge(field, modality, fit_similarity(field, modality, start, mean), mean, start.score)
    if best.pose is None or best.score < HOPELESS or _boneless(best, modality):
        return best
    for step in AFFINE_STEPS_MM:
        near = best.pose or start
        best = max(
            best, judge(field, modality, fit_affine(field, modality, near, mean, step), mean, start.score), key=_rank
        )
    return best


def too_little(stack: Stack) -> Finding | None:
    """A finding when the volume is too small for a face, before any work."""
    if stack.values.shape[0] < LEAST_PLANES:
        # few axial planes are no surface; one sagittal plane is a profile
        lying = abs(float(stack.normal[2])) > AXIAL
        return Finding("none", "too_few_planes") if lying else Finding("uncertain", "few_planes")
    sizes = np.array(stack.values.shape) * [
        float(np.ptp(stack.heights)) / (stack.values.shape[0] - 1),
        float(np.linalg.norm(stack.row_step)),
        float(np.linalg.norm(stack.column_step)),
    ]
    return Finding("none", "field_too_small") if (sizes > LEAST_EXTENT_MM).sum() < 2 else None


def judge(field: Field, modality: str, pose: Pose, mean: Template, screened: float) -> Finding:
    """The verdict on a refined pose."""
    there = pose(field.points())
    depth = ndimage.map_coordinates(mean.depth, mean.head.to_index(there), order=1, mode="constant", cval=-99.0)
    within = (depth > -4.0) & (there[:, 2] > HEAD_BOTTOM) & field.inside.ravel()
    inside = information(
        look_up(template_classes(mean), mean, there[within]), binned(field, modality).ravel()[within].astype(np.int64)
    )
    stretch = np.linalg.svd(pose.matrix)[1]
    scale = float(np.prod(stretch) ** (1 / 3))
    bone = bone_share(field, pose, mean) if modality == "CT" else 0.0
    seen = float(within.sum() * field.step**3 / 1e6)
    numbers = Finding(
        "none", "no_head_in_view", pose, screened, pose.score, inside, scale, float(stretch[0] / stretch[2]), seen, bone
    )
    verdict, code = _verdict(numbers, modality)
    return replace(numbers, verdict=verdict, code=code)


def _bony(coarse: Field, pose: Pose, modality: str, mean: Template) -> bool:
    return modality != "CT" or bone_share(coarse, pose, mean) >= BLURRED_BONE


def bone_share(field: Field, pose: Pose, mean: Template) -> float:
    """Share of the tissue inside the fitted mean head that is bone; CT only."""
    there = pose(field.points())
    depth = ndimage.map_coordinates(mean.depth, mean.head.to_index(there), order=1, mode="constant", cval=-99.0)
    values = field.values.ravel()[(depth > 0) & (there[:, 2] > GOOD_FROM) & field.inside.ravel()]
    solid = int((values > AIR_HU).sum())
    return float((values > BONE_HU).sum()) / solid if solid else 0.0


def _verdict(numbers: Finding, modality: str) -> tuple[str, str]:
    plausible = SCALE[0] <= numbers.scale <= SCALE[1] and numbers.squeeze <= SQUEEZE
    if (
        not plausible
        or _boneless(numbers, modality)
        or numbers.score < NO_HEAD_FIT
        or numbers.seen_litres < LEAST_SEEN_L
    ):
        return "none", "no_head_in_view"
    return ("head", "head") if numbers.score >= HEAD_FIT else ("uncertain", "face_uncertain")


def clearly_none(finding: Finding, modality: str) -> bool:
    """No head, whatever the header says: the mean head tells nothing about the volume, or there is no skull in it."""
    return finding.code == "no_head_in_view" and (_boneless(finding, modality) or finding.score < CLEARLY_NONE)


def _boneless(finding: Finding, modality: str) -> bool:
    upright = finding.pose is None or finding.pose.turn == UPRIGHT
    return modality == "CT" and finding.bone < (LEAST_BONE if upright else LEAST_BONE_TURNED)


def _rank(finding: Finding) -> tuple[int, float]:
    return ("none", "uncertain", "head").index(finding.verdict), finding.score
