"""Measures of papers: the register of risks, documents, the eleven questions, who may have what."""

from __future__ import annotations

from collections.abc import Sequence

from radcurate.governance.conservation import Outcome
from radcurate.governance.documents import Document
from radcurate.governance.ethics import unanswered
from radcurate.governance.evidence import Evidence
from radcurate.governance.measure import Measure
from radcurate.governance.value import Value

# judged after all others, since they speak of them
LATER = ("dpia.", "ethics.", "documents.")


def _residual(evidence: Evidence, _: list[Outcome]) -> Value:
    found = evidence.paperwork.assessment
    if found is None or found.max is None:
        return Value(None, "there is no register of risks")
    worst = max(found.risks, key=lambda risk: risk.residual)
    idle = [one.name for one in worst.mitigations if not one.counts]
    return Value(found.max, worst.name + (f"; doesn't count: {', '.join(idle)}" if idle else ""))


def _missing_risks(evidence: Evidence, _: list[Outcome]) -> Value:
    found = evidence.paperwork.assessment
    return Value(None) if found is None else Value(float(len(found.missing)), ", ".join(found.missing))


def _unproven(evidence: Evidence, _: list[Outcome]) -> Value:
    found = evidence.paperwork.assessment
    if found is None:
        return Value(None)
    names = found.unproven()
    return Value(float(len(names)), ", ".join(names[:3]))


def _told(documents: Sequence[Document]) -> Value:
    return Value(float(len(documents)), "; ".join(f"{one.kind} is {one.status} ({one.detail})" for one in documents))


def _missing(evidence: Evidence, _: list[Outcome]) -> Value:
    return _told([one for one in evidence.paperwork.documents if one.missing])


def _stale(evidence: Evidence, _: list[Outcome]) -> Value:
    return _told([one for one in evidence.paperwork.documents if one.voided])


def _unanswered(evidence: Evidence, _: list[Outcome]) -> Value:
    found = unanswered(evidence.paperwork.answers)
    if found is None:
        return Value(None, "there are no questions")
    return Value(float(len(found)), "question " + ", ".join(map(str, found)) if found else "")


def _beyond(evidence: Evidence, _: list[Outcome]) -> Value:
    found = evidence.paperwork.beyond
    return Value(float(len(found)), ", ".join(found[:3]))


_PAPERS = "config/governance"
PAPERS = [
    Measure("dpia.residual_max", f"{_PAPERS}/dpia.yaml", "largest risk that is left, likelihood x impact", _residual),
    Measure(
        "dpia.missing_risks", f"{_PAPERS}/dpia.yaml", "risks that the register must look at and doesn't", _missing_risks
    ),
    Measure("dpia.unproven_mitigations", f"{_PAPERS}/dpia.yaml", "mitigations that don't count in this run", _unproven),
    Measure("documents.missing", f"{_PAPERS}/approvals.yaml", "papers that are owed and not signed", _missing),
    Measure("documents.stale", f"{_PAPERS}/approvals.yaml", "papers that nobody stands for any more", _stale),
    Measure("ethics.unanswered", f"{_PAPERS}/ethics.yaml", "questions on ethics without an answer", _unanswered),
    Measure("access.beyond_tier", f"{_PAPERS}/access.yaml", "artefacts that the recipients may not have", _beyond),
]
