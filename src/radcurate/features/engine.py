"""What an engine is: a function from a prepared region and the wanted columns to values and reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from radcurate.features.catalogue import Column
from radcurate.features.prepare import Prepared


@dataclass(frozen=True)
class Outcome:
    """Of one region.

    Attributes:
        values: column name -> value; NaN where there is none.
        reasons: column name -> short code, for every NaN and nothing else.
    """

    values: dict[str, float]
    reasons: dict[str, str]


Engine = Callable[[Prepared, Iterable[Column]], Outcome]
