"""PET takes the decision of a CT or MR that lies in the same frame of reference.

PET shows skin too weakly to place a mask by itself. Where nothing lies beside it, it passes if the mean head fits nowhere;
every other one is handed to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radcurate.deface.decide import says_head
from radcurate.deface.detect import clearly_none, find_head
from radcurate.deface.stack import Field, Flags, Floats, Stack
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
    finding = find_head(stack, "PT", mean)
    if finding.verdict == "none" and (clearly_none(finding, "PT") or not says_head(said)):
        return Borrowed("none", finding.code)
    return Borrowed("uncertain", "pet_alone")


def covers(outer: Floats, inner: Floats) -> bool:
    """Whether the box of `outer` corners holds that of `inner` ones, up to COVER_MM; shape (8, 3) each, mm."""
    low = outer.min(axis=0) - COVER_MM <= inner.min(axis=0)
    high = outer.max(axis=0) + COVER_MM >= inner.max(axis=0)
    return bool(np.all(low & high))
