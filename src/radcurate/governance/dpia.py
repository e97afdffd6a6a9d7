"""The register of risks (DPIA, GDPR Art. 35): likelihood p, impact I, risk R = p x I, mitigations, what is left.

A likelihood may be a measure of this run. A mitigation points to the measure or the signed paper that proves it, and
counts only when this policy limits that measure and the limit is kept. What is left is R times the factors of the
mitigations that count; nobody types it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from radcurate.governance.papers import Section
from radcurate.governance.value import Value

DPIA = "dpia.yaml"
REQUIRED = ("qi_linkage", "model_inversion", "breach")  # requirement H03
WORST = 1.0


class Measured(Section):
    """A number of this run."""

    measure: str


class Mitigation(Section):
    """What lowers a risk, and what proves that it does.

    factor: share of the risk that is left, 0 to 1; `measured`: the measure itself is that share.
    """

    name: str = Field(min_length=3)
    measure: str = ""
    document: str = ""
    factor: float | Literal["measured"]

    @model_validator(mode="after")
    def _one_proof(self) -> Mitigation:
        if bool(self.measure) == bool(self.document):
            raise ValueError("a mitigation points to the measure or to the document that proves it: give one of them")
        if self.factor == "measured" and not self.measure:
            raise ValueError("factor: measured needs a measure")
        if isinstance(self.factor, float) and not 0 <= self.factor <= 1:
            raise ValueError("a factor between 0 and 1")
        return self


class Risk(Section):
    """One risk. likelihood: chance, 0 to 1, within the life of the release; impact: 1 negligible to 4 maximal (CNIL)."""

    name: str = Field(min_length=3)
    covers: str = ""
    likelihood: float | Measured
    impact: float = Field(ge=1, le=4)
    why: str = Field(min_length=3)
    mitigations: tuple[Mitigation, ...] = ()

    @model_validator(mode="after")
    def _a_chance(self) -> Risk:
        if isinstance(self.likelihood, float) and not 0 <= self.likelihood <= 1:
            raise ValueError("a likelihood between 0 and 1")
        return self


class Register(Section):
    """The whole register."""

    risk_benefit: str = ""
    risks: tuple[Risk, ...] = ()

    def missing(self) -> list[str]:
        """Risks that every register must look at and this one doesn't."""
        return [name for name in REQUIRED if name not in {risk.covers for risk in self.risks}]

    def measures(self) -> list[str]:
        """Measures that the register names."""
        likelihoods = [risk.likelihood.measure for risk in self.risks if isinstance(risk.likelihood, Measured)]
        proofs = [one.measure for risk in self.risks for one in risk.mitigations if one.measure]
        return sorted({*likelihoods, *proofs})


@dataclass(frozen=True)
class Mitigated:
    """A mitigation in this run. factor: what it multiplies the risk with, 1 when it doesn't count."""

    name: str
    artefact: str
    factor: float
    counts: bool
    detail: str


@dataclass(frozen=True)
class Assessed:
    """A risk in this run."""

    name: str
    covers: str
    likelihood: float
    likelihood_from: str
    impact: float
    risk: float
    residual: float
    why: str
    mitigations: tuple[Mitigated, ...]


@dataclass(frozen=True)
class Assessment:
    """The register in this run. max: the largest residual risk, None without a risk."""

    risks: tuple[Assessed, ...]
    missing: tuple[str, ...]
    risk_benefit: str
    max: float | None

    def unproven(self) -> list[str]:
        """Mitigations that don't count."""
        return [one.name for risk in self.risks for one in risk.mitigations if not one.counts]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Proof:
    """What this run says of a measure: its value, and whether the policy limits it and every limit is kept."""

    value: Value
    artefact: str
    limited: bool
    holds: bool


def assess(register: Register | None, proof: Callable[[str], Proof], signed: Collection[str]) -> Assessment:
    """The register with the numbers of this run.

    Args:
        register: the paper; None where there is none, and then every required risk is missing.
        proof: what this run says of a measure.
        signed: kinds of papers that are signed for these tables.
    """
    if register is None:
        return Assessment((), REQUIRED, "", None)
    risks = tuple(_assess(risk, proof, signed) for risk in register.risks)
    largest = max((risk.residual for risk in risks), default=None)
    return Assessment(risks, tuple(register.missing()), register.risk_benefit.strip(), largest)


def _assess(risk: Risk, proof: Callable[[str], Proof], signed: Collection[str]) -> Assessed:
    likelihood, source = _likelihood(risk.likelihood, proof)
    mitigations = tuple(_mitigate(one, proof, signed) for one in risk.mitigations)
    total = likelihood * risk.impact
    residual = total
    for one in mitigations:
        residual *= one.factor
    return Assessed(
        risk.name, risk.covers, likelihood, source, risk.impact, total, residual, risk.why.strip(), mitigations
    )


def _likelihood(given: float | Measured, proof: Callable[[str], Proof]) -> tuple[float, str]:
    """The chance and where it is from; what was not measured is taken for certain."""
    if not isinstance(given, Measured):
        return float(given), "register"
    value = proof(given.measure).value
    if value.number is None:
        return WORST, f"{given.measure} was not measured: taken for certain"
    return min(1.0, max(0.0, value.number)), given.measure


def _mitigate(one: Mitigation, proof: Callable[[str], Proof], signed: Collection[str]) -> Mitigated:
    if one.document:
        counts = one.document in signed
        detail = "signed for these tables" if counts else "not signed for these tables"
        return _mitigated(one, f"config/governance/{one.document}", counts, detail, _typed(one.factor))
    found = proof(one.measure)
    factor = _typed(one.factor) if one.factor != "measured" else found.value.number
    if not found.limited:
        return _mitigated(one, found.artefact, False, f"the policy sets no limit on {one.measure}", factor)
    if not found.value.applies or found.value.number is None:
        return _mitigated(one, found.artefact, False, f"{one.measure} was not measured", factor)
    if not found.holds or factor is None or not 0 <= factor <= 1:
        return _mitigated(one, found.artefact, False, f"{one.measure} doesn't hold", factor)
    return _mitigated(one, found.artefact, True, f"{one.measure} is {found.value.number:.4g}", factor)


def _mitigated(one: Mitigation, artefact: str, counts: bool, detail: str, factor: float | None) -> Mitigated:
    return Mitigated(one.name, artefact, factor if counts and factor is not None else 1.0, counts, detail)


def _typed(factor: float | str) -> float:
    return float(factor)
