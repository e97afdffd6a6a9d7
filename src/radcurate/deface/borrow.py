"""PET takes the decision of a CT or MR that lies in the same frame of reference.

PET shows skin too weakly for a fit of its own. Where nothing lies beside it, a volume that is too small for a head, or in
which no placement of the mean head tells anything, passes; every other one is handed to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radcurate.deface.body import body
from radcurate.deface.decide import says_head
from radcurate.deface.detect import COARSE_MM, too_little
from radcurate.deface.screen import look, screen
from radcurate.deface.stack import Field, Flags, Floats, Stack, to_field
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
    if says_head(said):
        return Borrowed("uncertain", "pet_alone")
    early = too_little(stack)
    if early is not None:
        return Borrowed("none", early.code)
    coarse = to_field(stack, COARSE_MM)
    if not screen(look(coarse, "PT", mean), body(coarse, "PT")):
        return Borrowed("none", "no_head_in_view")
    return Borrowed("uncertain", "pet_alone")


def covers(outer: Floats, inner: Floats) -> bool:
    """Whether the box of `outer` corners holds that of `inner` ones, up to COVER_MM; shape (8, 3) each, mm."""
    low = outer.min(axis=0) - COVER_MM <= inner.min(axis=0)
    high = outer.max(axis=0) + COVER_MM >= inner.max(axis=0)
    return bool(np.all(low & high))
