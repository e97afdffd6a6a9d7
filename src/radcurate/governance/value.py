"""A measured number, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Value:
    """What was measured."""

    number: float | None
    detail: str = ""
    applies: bool = True


def number(value: Any) -> float | None:
    """A finite number of a document; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
