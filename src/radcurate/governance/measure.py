"""What a measure is, and what a policy can say about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radcurate.governance.conservation import Outcome
from radcurate.governance.evidence import Evidence


@dataclass(frozen=True)
class Value:
    """What was measured."""

    number: float | None
    detail: str = ""
    applies: bool = True


@dataclass(frozen=True)
class Measure:
    """A number that a policy may limit."""

    name: str
    artefact: str
    meaning: str
    read: Callable[[Evidence, list[Outcome]], Value]


@dataclass(frozen=True)
class Limit:
    """The laxest limit a policy may set on a measure that every policy owes."""

    min: float | None = None
    max: float | None = None

    @property
    def word(self) -> str:
        """The limit in words."""
        return f"at most {self.max:g}" if self.max is not None else f"at least {self.min:g}"


def number(value: Any) -> float | None:
    """A finite number of a document; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
