"""What people decided about series that the run set aside: `config/decisions.csv`, one line a decision.

A decision counts for what was found when it was made: `evidence` is a digest of that. When something else is found later,
with other settings or other images, the decision is void and the series waits for a person again. The file only grows; of
several decisions on the same thing the last line counts.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from radcurate.errors import CurationError
from radcurate.keys import Key

# by stage, what a person may say about a series; the stages' documents tell what each does
DECISIONS: dict[str, frozenset[str]] = {
    "redact": frozenset({"release", "erase", "leave_out", "smooth_skin"}),
    "deface": frozenset({"release", "shell", "leave_out"}),
}
EVIDENCE_DIGITS = 16
_BOX = ("name", "frame", "top", "left", "bottom", "right", "kind", "sure", "text_hash", "pass_number")
_FACE = ("decision", "turn", "masked_voxels", "overlap_voxels")
_FORMULA = ("=", "+", "-", "@")  # spreadsheets run such cells


@dataclass(frozen=True)
class Decision:
    """One line of the file."""

    chunk: str
    series: str  # pseudonym in the run
    stage: str
    decision: str  # one of DECISIONS
    evidence: str  # digest of what was found when this was decided
    by: str  # who answers for it
    date: str  # YYYY-MM-DD
    reason: str


COLUMNS = tuple(field.name for field in fields(Decision))


class Decisions:
    """All decisions of a file."""

    def __init__(self, lines: Iterable[Decision]) -> None:
        self._last: dict[tuple[str, str, str], Decision] = {}
        self._decided: set[tuple[str, str]] = set()
        for line in lines:
            self._last[line.stage, line.series, line.evidence] = line
            self._decided.add((line.stage, line.series))

    def of(self, stage: str, series: str, evidence: str) -> Decision | None:
        """What a person decided on this series after seeing just this; None where nobody did."""
        return self._last.get((stage, series, evidence))

    def void(self, stage: str, series: str, evidence: str) -> bool:
        """Whether there is a decision on this series, but on something else than what is found now."""
        return (stage, series) in self._decided and self.of(stage, series, evidence) is None


def read_decisions(path: Path) -> Decisions:
    """The decisions in a file; none where there is no file.

    Raises:
        CurationError: the file can't be read, lacks a column, or a line is incomplete or says what no stage understands.
    """
    return Decisions(_lines(path))


def rows_by_chunk(path: Path) -> dict[str, list[list[str]]]:
    """The lines of each chunk, as plain lists of text in the order of the file: for a rule to depend on those of its own chunk.

    Raises:
        CurationError: as `read_decisions`.
    """
    found: dict[str, list[list[str]]] = {}
    for line in _lines(path):
        found.setdefault(line.chunk, []).append(list(astuple(line)))
    return found


def add_decision(path: Path, line: Decision) -> bytes:
    """The content of the file with one more line at its end.

    Raises:
        CurationError: as `read_decisions`, for what is there and for the new line.
    """
    before = _lines(path)
    _check(line, len(before) + 2)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(astuple(one) for one in [*before, line])
    return stream.getvalue().encode()


def redact_evidence(key: Key, series: str, reason: str, boxes: Iterable[Mapping[str, Any]]) -> str:
    """Digest of what `redact` found in a series, the same for the stage and for who reviews it; 16 hexadecimal digits.

    Args:
        key: of the project.
        series: pseudonym.
        reason: code that the series is set aside with where nobody decides.
        boxes: its rows of `tables.REDACT_BOXES` in that case, in any order. Confidence doesn't count: what jitters in its last
            digit between machines must not undo a decision.
    """
    return _evidence(key, "redact", series, reason, [[row[name] for name in _BOX] for row in boxes])


def deface_evidence(key: Key, series: str, reason: str, row: Mapping[str, Any]) -> str:
    """Digest of what `deface` found in a series; 16 hexadecimal digits.

    Args:
        key: of the project.
        series: pseudonym.
        reason: code that the series is set aside with where nobody decides.
        row: what is known of it, from `tables.DEFACE_SERIES` and `tables.DEFACE_QC`; what is absent counts as unknown.
    """
    return _evidence(key, "deface", series, reason, [[row.get(name) for name in _FACE]])


def _evidence(key: Key, stage: str, series: str, reason: str, found: Sequence[Sequence[Any]]) -> str:
    lines = sorted(json.dumps(list(one), separators=(",", ":")) for one in found)
    return key.code("decision", stage, series, reason, *lines, length=EVIDENCE_DIGITS)


def _lines(path: Path) -> list[Decision]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(
            f"{type(error).__name__}", "a table in UTF-8 that can be read", "see the path and its encoding"
        ) from None
    rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    if not rows:
        return []
    head = [cell.strip() for cell in rows[0]]
    missing = [name for name in COLUMNS if name not in head]
    if missing:
        raise _wrong(f"no column {', '.join(missing)}", f"the columns {', '.join(COLUMNS)}", "add them")
    found = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):  # a comma in a reason needs quotes
            raise _wrong(
                f"{len(row)} cells in line {number}", f"{len(head)} cells, as in the head", "complete the line"
            )
        cells = {name: cell.strip() for name, cell in zip(head, row, strict=False)}
        line = Decision(**{name: cells[name] for name in COLUMNS})
        _check(line, number)
        found.append(line)
    return found


def _check(line: Decision, number: int) -> None:
    """Insist that one line can be understood; its values aren't repeated, a reason may say too much."""
    empty = [name for name in COLUMNS if not getattr(line, name)]
    if empty:
        raise _wrong(f"no {', '.join(empty)} in line {number}", "every column filled", "complete the line")
    if any(value.startswith(_FORMULA) or not value.isprintable() for value in astuple(line)):
        raise _wrong(f"a formula or control character in line {number}", "plain text", "write it in words")
    if line.stage not in DECISIONS:
        raise _wrong(f"another stage in line {number}", " or ".join(sorted(DECISIONS)), "name the stage")
    if line.decision not in DECISIONS[line.stage]:
        words = ", ".join(sorted(DECISIONS[line.stage]))
        raise _wrong(f"another decision in line {number}", f"for {line.stage} one of {words}", "choose one of them")
    try:
        datetime.date.fromisoformat(line.date)
    except ValueError:
        raise _wrong(f"no date in line {number}", "a day as YYYY-MM-DD", "write the day so") from None


def _wrong(found: str, wanted: str, fix: str) -> CurationError:
    return CurationError(
        "the decisions can't be understood", wanted=wanted, found=found, fix=f"{fix}, in the file of decisions"
    )
