"""What a measure is, and what a policy can say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radcurate.governance.conservation import Outcome
from radcurate.governance.evidence import Evidence
from radcurate.governance.value import Value


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

    def allows(self, value: float) -> bool:
        """Whether `value` is within it."""
        return value <= self.max if self.max is not None else self.min is not None and value >= self.min

    @property
    def word(self) -> str:
        """The limit in words."""
        return f"at most {self.max:g}" if self.max is not None else f"at least {self.min:g}"
