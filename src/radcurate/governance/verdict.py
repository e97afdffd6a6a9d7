"""The verdict: each criterion with what was measured and what is allowed; the legal status; a refusal in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from radcurate.governance.conservation import Tally
from radcurate.governance.documents import Document
from radcurate.governance.ethics import Answer
from radcurate.governance.measures import MEASURES
from radcurate.governance.overrides import Override
from radcurate.governance.policy import Criterion, PolicyFile
from radcurate.governance.value import Value
from radcurate.governance.ways_out import Way


@dataclass(frozen=True)
class Finding:
    """One criterion, held against the evidence."""

    name: str
    measure: str
    meaning: str
    measured: float | None
    allowed: str
    holds: bool
    applies: bool
    detail: str
    artefact: str
    source: str
    help: str
    informative: bool = False
    overridden: bool = False
    ways: tuple[Way, ...] = ()

    def found(self) -> str:
        """What was measured, in words."""
        if not self.applies:
            return "does not apply"
        number = "not measured" if self.measured is None else f"{self.measured:.4g}"
        return f"{number} ({self.detail})" if self.detail and not self.holds else number


@dataclass(frozen=True)
class Legal:
    """What the data are in law. Computed; there is no option that sets it."""

    status: str
    gdpr: str
    hipaa_path: str
    hipaa: str
    dates: str
    key_id: str
    expert: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Verdict:
    """All that the gate found."""

    holds: bool
    policy: str
    policy_digest: str
    recipients: str
    findings: tuple[Finding, ...]
    legal: Legal
    conservation: tuple[Tally, ...]
    inventoried: int
    found_files: int
    set_aside_files: Mapping[str, int]
    regions: Mapping[str, int]
    faces: Mapping[str, int]
    protection: Mapping[str, Any]
    digests: Mapping[str, str]
    tier: str
    judged: Mapping[str, str] = field(default_factory=dict)
    numbers: str = ""
    documents: tuple[Document, ...] = ()
    overrides: tuple[Override, ...] = ()
    dpia: Mapping[str, Any] = field(default_factory=dict)
    ethics: tuple[Answer, ...] = ()
    access: Mapping[str, Any] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)

    def failed(self) -> list[Finding]:
        """The criteria that don't hold."""
        return [finding for finding in self.findings if not finding.holds]

    def decisive(self) -> list[Finding]:
        """The criteria that refuse: only the seals where one of them doesn't hold, since then nothing was measured."""
        return [self.findings[0]] if not self.findings[0].holds else self.failed()

    def as_json(self) -> dict[str, Any]:
        """Plain data for verdict.json and refusal.json."""
        return asdict(self)


def finding_of(criterion: Criterion, value: Value, holds: bool) -> Finding:
    """A criterion with what was measured."""
    measure = MEASURES[criterion.measure]
    return Finding(
        name=criterion.name,
        measure=criterion.measure,
        meaning=measure.meaning,
        measured=value.number,
        allowed=criterion.limit(),
        holds=holds,
        applies=value.applies,
        detail=value.detail,
        artefact=measure.artefact,
        source=criterion.source,
        help=criterion.help,
        informative=criterion.informative,
    )


SEALS_HOLD = Finding(
    name="seals",
    measure="seals.broken",
    meaning="artefacts of this run that were changed after their stage wrote them",
    measured=0.0,
    allowed="none",
    holds=True,
    applies=True,
    detail="",
    artefact="results/*/seal.json",
    source="every number is read from a sealed artefact of this run",
    help="delete the folder named here and run snakemake again",
)


def broken_seals(file: PolicyFile, problems: Sequence[str], legal: Legal) -> Verdict:
    """The verdict where an artefact can't be believed: nothing else is measured."""
    seals = Finding(
        **{**asdict(SEALS_HOLD), "measured": float(len(problems)), "holds": False, "detail": "; ".join(problems)}
    )
    unmeasured = Value(None, "not measured, because a seal doesn't hold")
    findings = (seals, *(finding_of(criterion, unmeasured, False) for criterion in file.policy.criteria))
    policy = file.policy
    return Verdict(
        False, policy.name, file.digest, policy.recipients, findings, legal, (), 0, 0, {}, {}, {}, {}, {}, policy.tier
    )


def legal_status(path: str, dates: str, key_id: str, expert: Document | None = None) -> Legal:
    """The status that follows from the facts: a run has a key, so its data are pseudonymised, whoever says otherwise.

    Args:
        path: safe_harbor or expert_determination.
        dates: shift or year.
        key_id: names the project key.
        expert: the expert's paper, where it is signed for just these tables.
    """
    return Legal(
        status="pseudonymised",
        gdpr="Personal data (GDPR Art. 4(5) and Recital 26): whoever holds the key can compute the codes again.",
        hipaa_path=path,
        hipaa=_hipaa(path, dates, expert),
        dates=dates,
        key_id=key_id,
        expert={"by": expert.by, "role": expert.role, "date": expert.date} if expert else None,
    )


def _hipaa(path: str, dates: str, expert: Document | None) -> str:
    if path == "safe_harbor":
        return "Safe Harbor, 45 CFR 164.514(b)(2): the listed identifiers are removed and dates are cut to years."
    kept = "dates are shifted by a secret number of weeks" if dates == "shift" else "dates are cut to years"
    head = f"Expert Determination, 45 CFR 164.514(b)(1): {kept}."
    if expert is None:
        return (
            f"{head} An expert has to find the risk very small and put that in writing; these measurements are the "
            "material for it and don't replace it."
        )
    return f"{head} {expert.by} ({expert.role}) found the risk very small for these very tables, signed {expert.date}."


def refusal_text(verdict: Verdict) -> str:
    """The failed criteria, one block each: measured, allowed, artefact, what would help."""
    failed = verdict.decisive()
    blocks = [
        f"{finding.name}: {finding.meaning}\n"
        f"  measured: {finding.found()}\n"
        f"  allowed:  {finding.allowed}\n"
        f"  artefact: {finding.artefact}\n"
        f"  source:   {finding.source}\n"
        f"  help:     {finding.help}" + "".join(f"\n  way out:  {way.words()}" for way in finding.ways)
        for finding in failed
    ]
    return "\n".join(blocks)
