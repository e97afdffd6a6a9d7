"""The verdict: each criterion with what was measured and what is allowed; the legal status; a refusal in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radcurate.governance.conservation import RELEASED, Outcome, Tally, tally
from radcurate.governance.evidence import Evidence
from radcurate.governance.measure import Value
from radcurate.governance.measures import MEASURES
from radcurate.governance.policy import Criterion, PolicyFile


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

    def failed(self) -> list[Finding]:
        """The criteria that don't hold."""
        return [finding for finding in self.findings if not finding.holds]

    def decisive(self) -> list[Finding]:
        """The criteria that refuse: only the seals where one of them doesn't hold, since then nothing was measured."""
        return [self.findings[0]] if not self.findings[0].holds else self.failed()

    def as_json(self) -> dict[str, Any]:
        """Plain data for verdict.json and refusal.json."""
        return asdict(self)


def judge(file: PolicyFile, evidence: Evidence, ends: Sequence[Outcome], key_id: str) -> Verdict:
    """Hold every criterion of a policy against the evidence."""
    findings = tuple(_judge_one(criterion, evidence, list(ends)) for criterion in file.policy.criteria)
    return Verdict(
        holds=all(finding.holds for finding in findings),
        policy=file.policy.name,
        policy_digest=file.digest,
        recipients=file.policy.recipients,
        findings=(SEALS_HOLD, *findings),
        legal=legal_status(evidence.hipaa_path, evidence.dates, key_id),
        conservation=tuple(tally(ends)),
        inventoried=len({member.series for member in evidence.members}),
        found_files=evidence.found.found,
        set_aside_files=dict(sorted(evidence.found.set_aside.items())),
        regions=dict(evidence.regions),
        faces=_faces(evidence, ends),
        protection=dict(evidence.protection),
        digests=dict(sorted(evidence.digests.items())),
    )


def _faces(evidence: Evidence, ends: Sequence[Outcome]) -> dict[str, int]:
    """Released image series by what `deface` says of their faces: removed, none."""
    images = [evidence.faces.get(end.series) for end in ends if end.outcome == RELEASED and end.kind == "image"]
    return dict(sorted(Counter(str(check.face) for check in images if check).items()))


def _judge_one(criterion: Criterion, evidence: Evidence, ends: list[Outcome]) -> Finding:
    measure = MEASURES[criterion.measure]
    value = measure.read(evidence, ends)
    holds = criterion.informative or not value.applies or (value.number is not None and criterion.allows(value.number))
    return _finding(criterion, value, holds)


def _finding(criterion: Criterion, value: Value, holds: bool) -> Finding:
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
    findings = (seals, *(_finding(criterion, unmeasured, False) for criterion in file.policy.criteria))
    return Verdict(
        False, file.policy.name, file.digest, file.policy.recipients, findings, legal, (), 0, 0, {}, {}, {}, {}, {}
    )


def legal_status(path: str, dates: str, key_id: str) -> Legal:
    """The status that follows from the facts: a run has a key, so its data are pseudonymised, whoever says otherwise."""
    if path == "safe_harbor":
        hipaa = "Safe Harbor, 45 CFR 164.514(b)(2): the listed identifiers are removed and dates are cut to years."
    else:
        kept = "dates are shifted by a secret number of weeks" if dates == "shift" else "dates are cut to years"
        hipaa = (
            f"Expert Determination, 45 CFR 164.514(b)(1): {kept}. An expert has to find the risk very small "
            "and put that in writing; these measurements are the material for it and don't replace it."
        )
    return Legal(
        status="pseudonymised",
        gdpr="Personal data (GDPR Art. 4(5) and Recital 26): whoever holds the key can compute the codes again.",
        hipaa_path=path,
        hipaa=hipaa,
        dates=dates,
        key_id=key_id,
    )


def refusal_text(verdict: Verdict) -> str:
    """The failed criteria, one block each: measured, allowed, artefact, what would help."""
    failed = verdict.decisive()
    blocks = [
        f"{finding.name}: {finding.meaning}\n"
        f"  measured: {finding.found()}\n"
        f"  allowed:  {finding.allowed}\n"
        f"  artefact: {finding.artefact}\n"
        f"  help:     {finding.help}"
        for finding in failed
    ]
    return "\n".join(blocks)
