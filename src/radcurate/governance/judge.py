"""Judge a run: hold every criterion of a policy against the evidence, then the papers, then the exceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from radcurate.governance.access import ACCESS, Access, Matrix, access, beyond
from radcurate.governance.conservation import RELEASED, Outcome, tally
from radcurate.governance.documents import SIGNED, TERMS, DataUseTerms, Document, documents, terms_name
from radcurate.governance.dpia import DPIA, Proof, Register, assess
from radcurate.governance.ethics import ETHICS, Questions, answers
from radcurate.governance.evidence import Evidence, Paperwork
from radcurate.governance.measures import MEASURES, OWED
from radcurate.governance.overrides import PEOPLE, Numbers, Override, excusable, numbers_digest, signatories, told
from radcurate.governance.paper_measures import LATER
from radcurate.governance.papers import Papers, wrong
from radcurate.governance.policy import Criterion, Policy, PolicyFile, known
from radcurate.governance.signatures import Sheet
from radcurate.governance.value import Value, number
from radcurate.governance.verdict import SEALS_HOLD, Finding, Verdict, finding_of, legal_status
from radcurate.governance.ways_out import ways_out

EXPERT_KIND = "expert_determination"  # a paper, and the HIPAA path that asks for it


@dataclass(frozen=True)
class Desk:
    """What lies on the steward's desk: papers, signatures under them, exceptions."""

    papers: Papers = field(default_factory=Papers)
    approvals: Sheet = field(default_factory=Sheet)
    overrides: Sheet = field(default_factory=Sheet)


def judge(file: PolicyFile, evidence: Evidence, ends: Sequence[Outcome], key_id: str, desk: Desk) -> Verdict:
    """Hold every criterion of a policy against the evidence.

    Papers come last, since they speak of the other measures; exceptions after them.

    Raises:
        CurationError: a paper can't be used, or names an unknown measure.
    """
    policy, everything = file.policy, list(ends)
    evidence, table = with_papers(policy, evidence, everything, desk)
    findings = [finding_of(criterion, *_held(criterion, evidence, everything)) for criterion in policy.criteria]
    numbers = numbers_digest((one.measure, one.allowed, one.measured, one.applies) for one in findings)
    findings, overrides = _excused(findings, policy.name, Numbers(numbers, evidence.judged), desk.overrides)
    findings = [
        _with_ways(one, criterion, policy, evidence) for one, criterion in zip(findings, policy.criteria, strict=True)
    ]
    paperwork = evidence.paperwork
    return Verdict(
        holds=all(finding.holds for finding in findings),
        policy=policy.name,
        policy_digest=file.digest,
        recipients=policy.recipients,
        findings=(SEALS_HOLD, *findings),
        legal=legal_status(evidence.hipaa_path, evidence.dates, key_id, _expert(paperwork)),
        conservation=tuple(tally(ends)),
        inventoried=len(ends),
        found_files=evidence.found.found,
        set_aside_files=dict(sorted(evidence.found.set_aside.items())),
        regions=dict(evidence.regions),
        faces=_faces(evidence, ends),
        protection=dict(evidence.protection),
        digests=dict(sorted(evidence.digests.items())),
        tier=policy.tier,
        judged=dict(sorted(evidence.judged.items())),
        numbers=numbers,
        documents=paperwork.documents,
        overrides=overrides,
        dpia=paperwork.assessment.as_json() if paperwork.assessment else {},
        ethics=paperwork.answers,
        access=table.as_json(),
        terms=_terms(policy, desk.papers, paperwork),
    )


def with_papers(policy: Policy, evidence: Evidence, ends: list[Outcome], desk: Desk) -> tuple[Evidence, Access]:
    """The evidence with what papers come to under this policy, and who may have what.

    Raises:
        CurationError: a paper can't be used, or names an unknown measure.
    """
    register, questions = desk.papers.read(DPIA, Register), desk.papers.read(ETHICS, Questions)
    for name, paper in ((DPIA, register), (ETHICS, questions)):
        for measure in paper.measures() if paper else ():
            _insist_plain(measure, name)
    terms = terms_name(desk.papers, policy.name, policy.tier)
    owed = [kind for kind in policy.documents if kind != EXPERT_KIND or evidence.hipaa_path == EXPERT_KIND]
    found = documents(desk.papers, desk.approvals, owed, evidence.judged, policy.name, terms)
    signed = [one.kind for one in found if one.status == SIGNED]
    table = access(desk.papers.read(ACCESS, Matrix), policy.tier)
    evidence = replace(evidence, tier=policy.tier)

    def proof(name: str) -> Proof:
        value = MEASURES[name].read(evidence, ends)
        mine = [one for one in policy.criteria if one.measure == name]
        holds = all(_keeps(one, value) for one in mine)
        return Proof(value, MEASURES[name].artefact, policy.limits(name), holds)

    paperwork = Paperwork(
        documents=found,
        assessment=assess(register, proof, signed),
        answers=answers(questions, proof),
        beyond=tuple(beyond(table.as_json(), evidence.artefacts)),
    )
    return replace(evidence, paperwork=paperwork), table


def _insist_plain(measure: str, paper: str) -> None:
    known(measure, f"config/governance/{paper}")
    if measure.startswith(LATER):
        raise wrong(paper, "a measure of the run, not one of papers", measure)


def _excused(
    findings: Sequence[Finding], policy: str, numbers: Numbers, sheet: Sheet
) -> tuple[list[Finding], tuple[Override, ...]]:
    """The findings, those that two people answer for waved through, and these exceptions."""
    kept, excused = [], []
    for finding in findings:
        signed = [] if finding.holds else signatories(sheet, finding.measure, policy, numbers)
        if len(signed) < PEOPLE or not excusable(finding.measure, finding.measured, OWED):
            kept.append(finding)
            continue
        kept.append(replace(finding, holds=True, overridden=True))
        excused.append(Override(finding.measure, finding.name, finding.measured, finding.allowed, told(signed)))
    return kept, tuple(excused)


def _with_ways(finding: Finding, criterion: Criterion, policy: Policy, evidence: Evidence) -> Finding:
    if finding.holds:
        return finding
    subjects = int(number(evidence.protection.get("n_subjects")) or 0)
    return replace(finding, ways=ways_out(criterion, policy, evidence.ways, subjects, evidence.attack))


def _expert(paperwork: Paperwork) -> Document | None:
    found = [one for one in paperwork.documents if one.kind == EXPERT_KIND and one.status == SIGNED]
    return found[0] if found else None


def _terms(policy: Policy, papers: Papers, paperwork: Paperwork) -> dict[str, str]:
    """Which text the release carries, and the agreement that is signed for it."""
    name = terms_name(papers, policy.name, policy.tier)
    signed = any(one.kind == "data_use_terms" and one.status == SIGNED for one in paperwork.documents)
    content = papers.read(TERMS, DataUseTerms) if signed else None
    return {
        "file": "terms.md" if name else "",
        "name": name,
        "tier": policy.tier,
        "digest": papers.digest(name) if name else "",
        "id": content.id if content else "",
        "recipients": policy.recipients,
    }


def _faces(evidence: Evidence, ends: Sequence[Outcome]) -> dict[str, int]:
    """Released image series by what `deface` says of their faces: removed, none."""
    images = (evidence.faces.get(end.series) for end in ends if end.outcome == RELEASED and end.kind == "image")
    return dict(sorted(Counter(str(check.face) for check in images if check).items()))


def _held(criterion: Criterion, evidence: Evidence, ends: list[Outcome]) -> tuple[Value, bool]:
    value = MEASURES[criterion.measure].read(evidence, ends)
    return value, _keeps(criterion, value)


def _keeps(criterion: Criterion, value: Value) -> bool:
    """Whether a value keeps a criterion: what can't be measured keeps no limit, what doesn't apply owes none."""
    if criterion.informative or not value.applies:
        return True
    return value.number is not None and criterion.allows(value.number)
