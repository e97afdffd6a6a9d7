"""HIPAA Safe Harbor as 18 lines: each category with what treats it, what proves it, and this run's evidence (45 CFR 164.514(b)(2)(i)).

A line is green if identifiers of its category were planted in canaries, the search saw them, the rewriter's files hold none,
no original identifier of a patient was found, and the measures that belong to it hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from radcurate.errors import CurationError

LETTERS = "ABCDEFGHIJKLMNOPQR"
GREEN, RED, EXPERT = "green", "red", "left to the expert"
# the letter of a hit whose attribute no line names
_BY_CATEGORY = {"name": "A", "date": "C"}
_OTHER = "R"


@dataclass(frozen=True)
class Treatment:
    """A row of the reviewed table. attributes: keyword -> what the allow-list does."""

    letter: str
    category: str
    attributes: Mapping[str, str]
    treated_by: tuple[str, ...]
    proven_by: tuple[str, ...]


@dataclass(frozen=True)
class Canaries:
    """Planted identifiers of one category: all, seen before cleaning, in files that were cleaned, left in these."""

    planted: int = 0
    seen_before: int = 0
    cleaned: int = 0
    left: int = 0


_COUNTS = ("planted", "seen_before", "cleaned", "left")


@dataclass(frozen=True)
class Line:
    """One category in one run."""

    letter: str
    category: str
    state: str
    because: tuple[str, ...]
    attributes: Mapping[str, str]
    treated_by: tuple[str, ...]
    proven_by: tuple[str, ...]
    canaries: Canaries
    hits: int
    measures: Mapping[str, float | None] = field(default_factory=dict)


def load_table(path: Path) -> tuple[Treatment, ...]:
    """The reviewed table.

    Raises:
        CurationError: it can't be read, or a category is absent.
    """
    try:
        raw = yaml.safe_load(path.read_bytes())
        table = tuple(_treatment(letter, raw[letter]) for letter in LETTERS)
        extra = sorted(set(raw) - set(LETTERS))
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(type(error).__name__) from None
    if extra:
        raise _unusable(f"{len(extra)} rows that are no category")
    return table


def _treatment(letter: str, row: Mapping[str, Any]) -> Treatment:
    return Treatment(
        letter, str(row["category"]), dict(row["attributes"]), tuple(row["treated_by"]), tuple(row["proven_by"])
    )


def _unusable(found: str) -> CurationError:
    return CurationError(
        "the table of Safe Harbor categories can't be used",
        wanted="18 rows A to R with category, attributes, treated_by, proven_by",
        found=found,
        fix="compare with config/safe_harbor.yaml in the repository",
    )


def count_canaries(rows: Iterable[Mapping[str, Any]]) -> dict[str, Canaries]:
    """Canaries by letter, from the rows of verify's tables: of each kind of place the worst chunk, so that it doesn't matter
    how the cohort was cut.
    """
    worst: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        found = worst.setdefault((row["hipaa"], row["kind"]), {name: row[name] or 0 for name in _COUNTS})
        found |= {name: (max if name == "left" else min)(found[name], row[name] or 0) for name in _COUNTS}
    total: dict[str, Counter[str]] = {}
    for (letter, _), found in worst.items():
        total.setdefault(letter, Counter()).update(found)
    return {letter: Canaries(**{name: found[name] for name in _COUNTS}) for letter, found in total.items()}


def count_hits(rows: Iterable[Mapping[str, Any]], table: Iterable[Treatment]) -> dict[str, int]:
    """Hits of verify by letter: the line that names the attribute, or else the category of the value."""
    letters = {keyword: row.letter for row in table for keyword in row.attributes}
    total: Counter[str] = Counter()
    for row in rows:
        total[letters.get(row["keyword"], _BY_CATEGORY.get(row["category"], _OTHER))] += row["count"] or 0
    return dict(total)


def lines(
    table: Iterable[Treatment],
    canaries: Mapping[str, Canaries],
    hits: Mapping[str, int],
    measures: Mapping[str, float | None],
    dates: str,
) -> list[Line]:
    """The 18 lines of a run.

    Args:
        table: the reviewed table.
        canaries: by letter.
        hits: by letter.
        measures: what the gate measured; all of those named here have to be 0 to hold, where they are counts of faults.
        dates: the date rule, shift or year. Shifted dates are no Safe Harbor, so that line is the expert's.
    """
    return [_line(row, canaries.get(row.letter, Canaries()), hits.get(row.letter, 0), measures, dates) for row in table]


def _line(row: Treatment, canaries: Canaries, hits: int, measures: Mapping[str, float | None], dates: str) -> Line:
    own = {name: measures[name] for name in row.proven_by if name in measures and name not in _SHARED}
    because = [*_of_canaries(canaries), *([f"{hits} hits of verify"] if hits else [])]
    because += [f"{name} is {value}" for name, value in own.items() if value != 0]
    state = RED if because else GREEN
    if state == GREEN and row.letter == "C" and dates == "shift":
        state, because = EXPERT, ["dates are shifted, not cut to years: an expert has to determine the risk"]
    return Line(
        row.letter,
        row.category,
        state,
        tuple(because),
        dict(row.attributes),
        row.treated_by,
        row.proven_by,
        canaries,
        hits,
        own,
    )


# measured over all categories at once, or no count of faults: told elsewhere, and here by category
_SHARED = frozenset({"verify.hits", "verify.canary_left", "protect.k"})


def _of_canaries(found: Canaries) -> list[str]:
    faults = {
        "no identifier was planted": found.planted == 0,
        "the search saw none of the planted ones": found.seen_before == 0,
        "none was in a file that was cleaned": found.cleaned == 0,
        f"{found.left} planted identifiers are left": found.left > 0,
    }
    return [text for text, is_so in faults.items() if is_so]


def red_lines(found: Iterable[Line]) -> list[str]:
    """Letters of the lines that don't hold."""
    return [line.letter for line in found if line.state == RED]


def as_json(found: Iterable[Line], path: str) -> dict[str, Any]:
    """Plain data for safe_harbor.json."""
    return {"rule": "45 CFR 164.514(b)(2)(i)", "path": path, "lines": [asdict(line) for line in found]}
