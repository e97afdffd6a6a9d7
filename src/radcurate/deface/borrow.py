"""A series takes the decision of another one that lies in the same frame of reference.

A CT or MR in which no head is met takes the mask of one in which it was: it shows the same face in fewer planes or with
less contrast. PET shows skin too weakly to place a mask by itself. Where nothing lies beside it, it passes if the mean head
fits nowhere; every other one is handed to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from radcurate.deface.body import body
from radcurate.deface.decide import Plan, says_head
from radcurate.deface.detect import LEAST_PLANES, clearly_none, find_head
from radcurate.deface.native import on_stack
from radcurate.deface.quality import PRESENT, presence
from radcurate.deface.region import head_of
from radcurate.deface.screen import Pose
from radcurate.deface.stack import FINE_MM, Field, Flags, Floats, Stack, to_field
from radcurate.deface.template import Template

COVER_MM = 30.0  # a partner that ends this much earlier still shows every face that the other shows


@dataclass(frozen=True)
class Partner:
    """A decided CT or MR: its decision, the corners of its field of view, and the mask with its field where it has one."""

    series: str
    decision: str  # none | remove
    corners: Floats
    field: Field | None = None
    mask: Flags | None = None
    pose: Pose | None = None


@dataclass(frozen=True)
class Borrowed:
    """decision: none | remove | uncertain, its code, and whose mask."""

    decision: str
    code: str
    partner: Partner | None = None


def borrow(stack: Stack, said: str, partners: Sequence[Partner], mean: Template) -> Borrowed:
    """Decide on a PET stack by its partners in the same frame of reference, in their order."""
    covering = [partner for partner in partners if covers(partner.corners, stack.corners())]
    for decision, code in (("remove", "partner_with_face"), ("none", "partner_without_face")):
        for partner in covering:
            if partner.decision == decision:
                return Borrowed(decision, code, partner)
    finding = find_head(stack, "PT", mean, thorough=says_head(said))
    if finding.verdict == "none" and (clearly_none(finding, "PT") or not says_head(said)):
        return Borrowed("none", finding.code)
    return Borrowed("uncertain", "pet_alone")


def carried(stack: Stack, modality: str, made: Plan, partners: Sequence[Partner], mean: Template) -> Plan:
    """The plan of a CT or MR without an own head, in the light of its partners, in their order.

    Where a partner's mask reaches into its field of view, that mask is taken, if the skin lies where the partner's head
    has it; too few planes for that question take it unasked. Too few planes beside a partner without a head show none.
    """
    for partner in partners:
        if partner.mask is None or partner.field is None or partner.pose is None:
            continue
        if not on_stack(partner.mask, partner.field, stack).any():
            continue
        fine = to_field(stack, FINE_MM)
        head = head_of(fine, body(fine, modality), partner.pose, mean)
        mask = on_stack(partner.mask, partner.field, as_stack(fine))
        before = presence(fine, head.body, partner.pose, mean)
        if stack.values.shape[0] >= LEAST_PLANES and before.agrees < PRESENT:
            return replace(made, decision="uncertain", code="partners_disagree")
        return Plan("remove", "partner_with_face", made.finding, before, head, mask)
    if made.code == "few_planes":
        quiet = [one for one in partners if one.decision == "none" and covers(one.corners, stack.corners())]
        return replace(made, decision="none", code="partner_without_face") if quiet else made
    return made


def as_stack(field: Field) -> Stack:
    """A field as a stack of axial planes."""
    heights = np.arange(field.values.shape[0])[:, None] * np.array([0.0, 0.0, field.step])
    return Stack(
        field.values, field.origin + heights, np.array([0.0, field.step, 0.0]), np.array([field.step, 0.0, 0.0])
    )


def covers(outer: Floats, inner: Floats) -> bool:
    """Whether the box of `outer` corners holds that of `inner` ones, up to COVER_MM; shape (8, 3) each, mm."""
    low = outer.min(axis=0) - COVER_MM <= inner.min(axis=0)
    high = outer.max(axis=0) + COVER_MM >= inner.max(axis=0)
    return bool(np.all(low & high))
