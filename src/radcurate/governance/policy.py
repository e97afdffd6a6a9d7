"""A release policy: criteria, each a measure with a limit. YAML that a steward can read and edit.

    name: controlled
    recipients: who may get it
    tier: controlled            # internal, controlled or public; public where it isn't said
    documents: [data_use_terms] # papers that must be signed
    criteria:
      - name: smallest crowd
        measure: protect.k
        min: 5
        source: where the number comes from
        help: what would help when it fails
      - name: told, but not limited
        measure: attack.uniqueness
        informative: true
        ...

Numbers may be fractions such as 1/11. Some measures are owed by every policy (`measures.OWED`): a policy file can't
forget them or allow more than zero hits.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from radcurate.errors import CurationError
from radcurate.governance.documents import Kind
from radcurate.governance.measures import MEASURES, OWED

SLACK = 1e-9  # limits such as 1/11 have no exact binary form, nor has a mean of many such shares


class Criterion(BaseModel):
    """A measure and the limit it must keep."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=3)
    measure: str
    min: float | None = None
    max: float | None = None
    informative: bool = False
    source: str = Field(min_length=3)
    help: str = Field(min_length=3)

    @field_validator("min", "max", mode="before")
    @classmethod
    def _fraction(cls, value: Any) -> Any:
        return float(Fraction(value.replace(" ", ""))) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_limit(self) -> Criterion:
        if (self.min is not None) + (self.max is not None) + self.informative != 1:
            raise ValueError("give either min or max, or informative: true")
        if not all(math.isfinite(limit) for limit in (self.min, self.max) if limit is not None):
            raise ValueError("a limit is a finite number")
        return self

    def allows(self, value: float) -> bool:
        """Whether `value` keeps the limit; NaN never does, but where there is no limit."""
        if self.informative:
            return True
        if self.min is not None:
            return value >= self.min - SLACK
        return self.max is not None and value <= self.max + SLACK

    def limit(self) -> str:
        """The limit in words: `at least 5`, `at most 0.2`, `none`; `any` where a number is only told."""
        if self.informative:
            return "any"
        if self.min is not None:
            return f"at least {self.min:g}"
        return "none" if self.max == 0 else f"at most {self.max:.4g}"


class Policy(BaseModel):
    """What a release must keep to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    recipients: str = Field(min_length=3)
    tier: Literal["internal", "controlled", "public"] = "public"
    documents: tuple[Kind, ...] = ()
    criteria: tuple[Criterion, ...]

    def limits(self, measure: str) -> bool:
        """Whether a criterion sets a limit on `measure`."""
        return any(one.measure == measure and not one.informative for one in self.criteria)


@dataclass(frozen=True)
class PolicyFile:
    """A policy and the digest of the file it was read from."""

    policy: Policy
    digest: str


def load_policy(path: Path) -> PolicyFile:
    """Read a policy file.

    Raises:
        CurationError: no such file, not YAML, an unknown key or measure (with the nearest known one), or a measure
            that every policy owes is absent or laxer than it must be.
    """
    try:
        raw = path.read_bytes()
    except OSError:
        raise CurationError(
            "no such policy",
            wanted="public, controlled, internal or a policy file",
            found="no file",
            fix="set gate.policy",
        ) from None
    try:
        content = yaml.safe_load(raw)
    except (yaml.YAMLError, UnicodeDecodeError):
        raise _wrong("the file is not YAML", "a syntax error") from None
    try:
        policy = Policy.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise _wrong(first["msg"].removeprefix("Value error, "), place) from None
    except (ValueError, ZeroDivisionError):
        raise _wrong("a limit is a number or a fraction such as 1/11", "something else") from None
    _check(policy)
    return PolicyFile(policy, hashlib.sha256(raw).hexdigest())


def _wrong(wanted: str, found: str) -> CurationError:
    return CurationError(
        "the policy can't be used", wanted=wanted, found=found, fix="compare with config/policies/controlled.yaml"
    )


def _check(policy: Policy) -> None:
    for criterion in policy.criteria:
        known(criterion.measure, f"policy {policy.name}")
    for measure, owed in OWED.items():
        found = [criterion for criterion in policy.criteria if criterion.measure == measure]
        if not any(_as_strict(criterion, owed) for criterion in found):
            raise CurationError(
                f"policy {policy.name} leaves out what every policy owes",
                wanted=f"a criterion on {measure} of {owed.word}",
                found="a laxer limit" if found else "none",
                fix="copy that criterion from config/policies/controlled.yaml",
            )


def known(measure: str, where: str) -> None:
    """Insist that there is a measure of this name.

    Raises:
        CurationError: there is none; the nearest one is told.
    """
    if measure not in MEASURES:
        near = difflib.get_close_matches(measure, MEASURES, n=1)
        raise CurationError(
            f"{where} names an unknown measure",
            wanted="one of " + ", ".join(sorted(MEASURES)),
            found=measure,
            fix=f"did you mean {near[0]}?" if near else "take one that radcurate measures",
        )


def _as_strict(criterion: Criterion, owed: Any) -> bool:
    if owed.max is not None:
        return criterion.max is not None and criterion.max <= owed.max
    return criterion.min is not None and criterion.min >= owed.min
