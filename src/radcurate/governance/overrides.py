"""Exceptions: a criterion that doesn't hold is waved through by two named people, with a reason, for these very numbers.

What every policy owes can't be waved through, nor can a paper that is missing: that is written, not excused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radcurate.governance.measure import Limit
from radcurate.governance.signatures import Sheet, Signature, people

OVERRIDE = "override"
PEOPLE = 2
PAPER_MEASURES = ("documents.missing", "documents.stale", "ethics.unanswered")
NEVER = (*PAPER_MEASURES, "dpia.missing_risks", "seals.broken")


@dataclass(frozen=True)
class Numbers:
    """What a signature on an exception is bound to: the numbers of the verdict and the tables they were read from."""

    digest: str
    tables: Mapping[str, str]


@dataclass(frozen=True)
class Override:
    """An exception that two people answer for."""

    measure: str
    name: str
    measured: float | None
    allowed: str
    people: tuple[Mapping[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def numbers_digest(rows: Iterable[Sequence[Any]]) -> str:
    """SHA-256 over measure, limit and measured of every criterion but those on papers.

    Args:
        rows: (measure, limit in words, measured or None, whether it applies), in the order of the policy.
    """
    kept = [list(row) for row in rows if row[0] not in PAPER_MEASURES]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def excusable(measure: str, measured: float | None, owed: Mapping[str, Limit]) -> bool:
    """Whether two people may wave a criterion through: measured, not on papers, and within what every policy owes."""
    if measure in NEVER or measured is None:
        return False
    return measure not in owed or owed[measure].allows(measured)


def signatories(sheet: Sheet, measure: str, policy: str, numbers: Numbers) -> list[Signature]:
    """Different people who signed an exception from a criterion on just these numbers and tables."""
    fresh = [
        one
        for one in sheet.genuine
        if (one.paper, one.criterion, one.policy, one.numbers) == (OVERRIDE, measure, policy, numbers.digest)
        and dict(one.judged) == dict(numbers.tables)
    ]
    return people(fresh)


def told(signed: Sequence[Signature]) -> tuple[dict[str, str], ...]:
    """Who signed, for the verdict, the data card and the release."""
    return tuple({"by": one.by, "role": one.role, "date": one.date, "reason": one.reason} for one in signed)
