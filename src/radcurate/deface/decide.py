"""What to do with one series: leave it, take its face away, or hand it to a person."""

from __future__ import annotations

from dataclasses import dataclass, replace

from radcurate.deface.body import body
from radcurate.deface.brain import protect
from radcurate.deface.detect import Finding, clearly_none, find_head
from radcurate.deface.quality import PRESENT, Presence, presence
from radcurate.deface.region import Head, face_mask, head_of
from radcurate.deface.stack import FINE_MM, Flags, Stack, to_field
from radcurate.deface.template import Template

LEAST_IN_VIEW = 0.03  # share of the mean head's facial surface; less is a strip of forehead
TURNED, SHELL = "head_with_face_turned", "_shell"
EMPTY = 0.15  # share of tissue where the face would be; less has been taken away before
# body parts (PS3.16 CID 4, 4030, 4031) of which a face may be in view; a header that says so is never overruled
HEAD_PARTS = frozenset(
    [
        "HEAD",
        "BRAIN",
        "SKULL",
        "FACE",
        "ORBIT",
        "EYE",
        "NOSE",
        "SINUS",
        "PSINUS",
        "JAW",
        "MANDIBLE",
        "MAXILLA",
        "IAC",
        "TMJ",
        "PITUITARY",
        "NECK",
        "HEADNECK",
    ]
)


@dataclass(frozen=True)
class Plan:
    """decision: none | remove | uncertain, and its code; the head and its mask where there is one."""

    decision: str
    code: str
    finding: Finding
    before: Presence | None = None
    head: Head | None = None
    mask: Flags | None = None  # on head.field
    keep: Flags | None = None  # the brain with its margin, on head.field


def plan(stack: Stack, modality: str, said: str, mean: Template, style: str = "remove") -> Plan:
    """Decide on a CT or MR series.

    Args:
        said: BodyPartExamined; can only make the decision stricter.
        style: of `face_mask`.
    """
    finding = find_head(stack, modality, mean, thorough=says_head(said))
    if finding.verdict == "none" and says_head(said) and not clearly_none(finding, modality):
        return Plan("uncertain", "head_said_but_not_found", finding)
    if finding.verdict != "head" or finding.pose is None:
        return Plan("uncertain" if finding.verdict == "uncertain" else "none", finding.code, finding)
    fine = to_field(stack, FINE_MM)
    solid = body(fine, modality)
    before = presence(fine, solid, finding.pose, mean)
    if before.in_view < LEAST_IN_VIEW:
        return Plan("none", "face_not_in_view", finding, before)
    head = head_of(fine, solid, finding.pose, mean)
    keep = protect(head, modality)
    mask = face_mask(head, modality, mean, style, keep)
    if before.agrees < PRESENT:
        gone = _tissue_share(head, mask) < EMPTY
        return Plan(
            "none" if gone else "uncertain",
            "face_absent" if gone else "face_uncertain",
            finding,
            before,
            head,
            mask,
            keep,
        )
    turned = finding.pose.turn != "as_stored"
    return Plan("remove", TURNED if turned else "head_with_face", finding, before, head, mask, keep)


def in_company(made: Plan, modality: str) -> Plan:
    """The plan of a series without a head, where another series of the same study shows one: as if its header said so."""
    odd = made.decision == "none" and made.code == "no_head_in_view" and not clearly_none(made.finding, modality)
    return replace(made, decision="uncertain", code="head_in_study_but_not_found") if odd else made


def thinner(made: Plan, modality: str, mean: Template) -> Plan:
    """The same removal in the style `shell`."""
    if made.head is None:
        return made
    return replace(made, code=made.code + SHELL, mask=face_mask(made.head, modality, mean, "shell", made.keep))


def says_head(said: str) -> bool:
    """Whether a BodyPartExamined names a part of the head."""
    words = "".join(c if c.isalnum() else " " for c in said.upper()).split()
    return any(word in HEAD_PARTS for word in words) or "".join(words) in HEAD_PARTS


def _tissue_share(head: Head, mask: Flags) -> float:
    """Share of tissue among the masked voxels that lie inside the mean head."""
    expected = mask & (head.mean_depth > 0)
    return float((head.body & expected).sum()) / max(1, int(expected.sum()))
