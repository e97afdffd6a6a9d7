"""This patient's own words, and whether a line of a picture says one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Seeds:
    """What no picture of a patient may say. Stays in memory; shows nothing when printed."""

    words: frozenset[str] = field(default=frozenset(), repr=False)  # casefolded, of names and institutions
    numbers: frozenset[str] = field(default=frozenset(), repr=False)  # digits of identifiers
    days: frozenset[str] = field(default=frozenset(), repr=False)  # YYYYMMDD


def seeds_of(rows: Iterable[Mapping[str, str]]) -> Seeds:
    """Seeds from rows of identifiers.parquet (category, keyword, value) of one patient."""
    del rows
    return Seeds()


def says(text: str, seeds: Seeds) -> bool:
    """Whether a reading holds one of the patient's own words, as a recogniser may have misread it."""
    del text, seeds
    return False
