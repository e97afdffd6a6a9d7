"""Papers that a policy may owe, and what each is worth now: signed for these very tables, or not.

expert_determination   45 CFR 164.514(b)(1): expert, method, result, recipient, other information, controls
data_use_terms         what recipients promise; the text that goes into the release belongs to it
dpia                   the register of risks (`dpia.py`), its weighing of risks and benefits filled
ethics                 the eleven questions (`ethics.py`)
release                no paper of its own: somebody answers for letting these tables go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from radcurate.errors import CurationError
from radcurate.governance.dpia import DPIA, Register
from radcurate.governance.ethics import ETHICS, Questions
from radcurate.governance.papers import Papers, Section
from radcurate.governance.signatures import Sheet, Signature, differing

SIGNED, UNSIGNED, INCOMPLETE, STALE, ABSENT = "signed", "unsigned", "incomplete", "stale", "absent"


class ExpertDetermination(Section):
    """What an expert found (requirement A15)."""

    expert: str = Field(min_length=3)
    qualification: str = Field(min_length=3)
    method: str = Field(min_length=3)
    result: Literal["very small"]
    recipient: str = Field(min_length=3)
    other_information: str = Field(min_length=3)
    controls: str = Field(min_length=3)


class DataUseTerms(Section):
    """What recipients promise (requirement A17)."""

    id: str = Field(min_length=1)
    recipients: str = Field(min_length=3)
    permitted_use: tuple[str, ...] = Field(min_length=1)
    no_reidentification: Literal[True]
    no_linkage: Literal[True]
    contact: str = Field(min_length=3)
    at_the_end: str = Field(min_length=3)


Kind = Literal["expert_determination", "data_use_terms", "dpia", "ethics", "release"]
EXPERT, TERMS = "expert_determination.yaml", "data_use_terms.yaml"
# kind -> its file and what that must say; "" where the signature is all
KINDS: dict[str, tuple[str, type[Section] | None]] = {
    "expert_determination": (EXPERT, ExpertDetermination),
    "data_use_terms": (TERMS, DataUseTerms),
    "dpia": (DPIA, Register),
    "ethics": (ETHICS, Questions),
    "release": ("", None),
}
SHIPPED = ("dpia", "ethics", "release")  # always there: a draft of them is nobody's claim


@dataclass(frozen=True)
class Document:
    """What a paper is worth now."""

    kind: str
    status: str
    owed: bool
    by: str = ""
    role: str = ""
    date: str = ""
    detail: str = ""

    @property
    def missing(self) -> bool:
        """Owed, and not there as a signed paper."""
        return self.owed and self.status in (ABSENT, INCOMPLETE, UNSIGNED)

    @property
    def voided(self) -> bool:
        """It claims what nobody stands for: signed for other tables, or a steward's own paper without a signature."""
        return self.status == STALE or (self.kind not in SHIPPED and self.status in (UNSIGNED, INCOMPLETE))


def terms_name(papers: Papers, policy: str, tier: str) -> str:
    """The text of the terms that a release under this policy carries: the policy's own, or its tier's; empty: none."""
    names = (f"terms/{policy}.md", f"terms/{tier}.md")
    return next((name for name in names if name in papers.raw), "")


def bound(kind: str, papers: Papers, tables: Mapping[str, str], terms: str) -> dict[str, str]:
    """Digests of all that a signature of this kind stands for.

    Args:
        kind: one of `KINDS`.
        papers: as they lie there now.
        tables: SHA-256 by name of the tables that are judged.
        terms: name of the text of the terms.
    """
    name, _ = KINDS[kind]
    own = {name: papers.digest(name)} if name else {}
    if terms and kind in ("data_use_terms", "release"):
        own[terms] = papers.digest(terms)
    return dict(sorted({**tables, **{f"governance/{file}": digest for file, digest in own.items()}}.items()))


def documents(
    papers: Papers, approvals: Sheet, owed: Sequence[str], tables: Mapping[str, str], policy: str, terms: str
) -> tuple[Document, ...]:
    """Every kind of paper, with what it is worth under this policy."""
    return tuple(
        _judge(kind, kind in owed, papers, approvals, bound(kind, papers, tables, terms), policy) for kind in KINDS
    )


def _judge(kind: str, owed: bool, papers: Papers, approvals: Sheet, judged: Mapping[str, str], policy: str) -> Document:
    name, model = KINDS[kind]
    if name and name not in papers.raw:
        return Document(kind, ABSENT, owed, detail=f"no {name}")
    if model is not None and (lack := lacking(papers, name, model)):
        return Document(kind, INCOMPLETE, owed, detail=lack)
    mine = [one for one in approvals.genuine if (one.paper, one.policy) == (kind, policy)]
    forged = any((one.paper, one.policy) == (kind, policy) for one in approvals.forged)
    fresh = [one for one in mine if dict(one.judged) == dict(judged)]
    if fresh:
        last = fresh[-1]
        return Document(kind, SIGNED, owed, last.by, last.role, last.date, last.reason)
    return _not_fresh(kind, owed, mine, forged, judged)


def _not_fresh(kind: str, owed: bool, mine: Sequence[Signature], forged: bool, judged: Mapping[str, str]) -> Document:
    if mine:
        last = mine[-1]
        changed = ", ".join(differing(last.judged, judged)[:3])
        return Document(kind, STALE, owed, last.by, last.role, last.date, f"changed since it was signed: {changed}")
    if forged:
        return Document(kind, STALE, owed, detail="the signature doesn't hold: another key, or edited afterwards")
    return Document(kind, UNSIGNED, owed, detail="nobody signed it for this policy")


def lacking(papers: Papers, name: str, model: type[Section]) -> str:
    """What a paper that is there lacks; empty when it is complete.

    A steward's own paper with an empty or wrong field is incomplete and no error, so that the refusal can list it.
    """
    try:
        content = papers.read(name, model)
    except CurationError as error:
        if name not in (EXPERT, TERMS):
            raise
        return f"{error.found}: {error.wanted}"
    if isinstance(content, Register) and not content.risk_benefit.strip():
        return "risk_benefit is empty: weigh risks and benefits in words"
    return ""
