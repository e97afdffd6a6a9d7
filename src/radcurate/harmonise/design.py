"""Covariates as numbers: what is biological, and must be kept when the sites are made alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radcurate.errors import CurationError

Reals = npt.NDArray[np.float64]
MISSING = "missing"  # a level of its own
Column = Sequence[object]


@dataclass(frozen=True)
class Covariate:
    """A column: a number (`levels` is None; a missing one counts as `middle`), or words, the first of which is the reference."""

    name: str
    middle: float
    levels: tuple[str, ...] | None

    @property
    def terms(self) -> list[str]:
        """Names of its columns in the design."""
        return [self.name] if self.levels is None else [f"{self.name}={level}" for level in self.levels[1:]]


def covariate(name: str, values: Column) -> Covariate | None:
    """How a column enters the design; None where it doesn't vary, so there is nothing to keep."""
    there = [value for value in values if not _missing(value)]
    if there and all(_is_number(value) for value in there):
        numbers = np.array(there, dtype=np.float64)
        return None if np.ptp(numbers) == 0 else Covariate(name, float(numbers.mean()), None)
    levels = tuple(sorted({_word(value) for value in values}))
    return None if len(levels) < 2 else Covariate(name, 0.0, levels)


def matrix(design: Sequence[Covariate], columns: Mapping[str, Column], rows: int) -> Reals:
    """The design without intercepts, shape (row, term).

    Raises:
        CurationError: a word that was not there when the parameters were made.
    """
    found = [_terms(one, columns[one.name]) for one in design]
    return np.hstack([np.zeros((rows, 0)), *found])


def _terms(one: Covariate, values: Column) -> Reals:
    if one.levels is None:
        return np.array([[one.middle if _missing(value) else float(str(value))] for value in values]).reshape(-1, 1)
    words = [_word(value) for value in values]
    unknown = set(words) - set(one.levels)
    if unknown:
        raise CurationError(
            f"covariate {one.name} has a value that the parameters don't know",
            wanted=f"one of the {len(one.levels)} values that it had when they were made",
            found=f"{len(unknown)} others",
            fix="fit anew: remove harmonise.parameters; or leave the covariate out of harmonise.covariates",
        )
    return np.array([[float(word == level) for level in one.levels[1:]] for word in words]).reshape(len(words), -1)


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and not np.isfinite(value))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _word(value: object) -> str:
    return MISSING if _missing(value) else str(value)
