"""What people decided: read strictly, void when something else is found, one line more at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from radcurate.errors import CurationError
from radcurate.governance.decisions import (
    COLUMNS,
    Decision,
    add_decision,
    deface_evidence,
    read_decisions,
    redact_evidence,
    rows_by_chunk,
)
from radcurate.keys import Key

KEY = Key(bytes(32))
LINE = Decision("0007", "S-1", "redact", "erase", "ab" * 8, "A. Steward", "2026-03-04", "a name, upper left")
BOX: dict[str, Any] = {
    "name": "1.dcm",
    "frame": 0,
    "top": 1,
    "left": 2,
    "bottom": 9,
    "right": 30,
    "kind": "text",
    "sure": False,
    "confidence": 0.4,
    "text_hash": "cd",
    "pass_number": 1,
    "filled": False,
    "changed_pixels": 0,
}


def written(path: Path, *lines: Decision) -> Path:
    for line in lines:
        path.write_bytes(add_decision(path, line))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "decisions.csv", LINE)
    assert read_decisions(path).of("redact", "S-1", LINE.evidence) == LINE


def test_the_last_line_on_the_same_thing_counts(tmp_path: Path) -> None:
    later = Decision(**{**LINE.__dict__, "decision": "leave_out"})
    path = written(tmp_path / "decisions.csv", LINE, later)
    assert read_decisions(path).of("redact", "S-1", LINE.evidence) == later


def test_a_decision_is_void_once_something_else_is_found(tmp_path: Path) -> None:
    decisions = read_decisions(written(tmp_path / "decisions.csv", LINE))
    assert decisions.of("redact", "S-1", "00" * 8) is None
    assert decisions.void("redact", "S-1", "00" * 8)
    assert not decisions.void("redact", "S-1", LINE.evidence)
    assert not decisions.void("redact", "S-2", LINE.evidence)


def test_no_file_is_no_decision(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "none.csv").of("redact", "S-1", LINE.evidence) is None


def test_a_chunk_depends_on_its_own_lines(tmp_path: Path) -> None:
    other = Decision(**{**LINE.__dict__, "chunk": "0008", "series": "S-2"})
    path = written(tmp_path / "decisions.csv", LINE, other)
    assert rows_by_chunk(path)["0007"] == [list(LINE.__dict__.values())]
    assert "0009" not in rows_by_chunk(path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("by", ""),
        ("reason", ""),
        ("reason", "=1+1"),
        ("reason", "two\x07bells"),
        ("decision", "shell"),  # of another stage
        ("stage", "extract"),
        ("date", "4.3.2026"),
    ],
)
def test_a_line_that_nobody_can_answer_for_is_refused(tmp_path: Path, column: str, value: str) -> None:
    wrong = Decision(**{**LINE.__dict__, column: value})
    with pytest.raises(CurationError):
        add_decision(tmp_path / "decisions.csv", wrong)
    path = tmp_path / "by_hand.csv"
    path.write_text(",".join(COLUMNS) + "\n" + ",".join(f'"{cell}"' for cell in wrong.__dict__.values()) + "\n")
    with pytest.raises(CurationError) as problem:
        read_decisions(path)
    assert not value or value not in str(problem.value).splitlines()[2]  # what was found is told by its place


def test_a_comma_in_a_reason_needs_quotes(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(",".join(COLUMNS) + "\n" + ",".join(LINE.__dict__.values()) + "\n")
    with pytest.raises(CurationError, match="9 cells in line 2"):
        read_decisions(path)


def test_evidence_follows_what_was_found_and_nothing_else() -> None:
    known = redact_evidence(KEY, "S-1", "text_uncertain", [BOX, {**BOX, "frame": 1}])
    assert known == redact_evidence(KEY, "S-1", "text_uncertain", [{**BOX, "frame": 1}, BOX])
    assert known == redact_evidence(KEY, "S-1", "text_uncertain", [{**BOX, "confidence": 0.41}, {**BOX, "frame": 1}])
    for other in ({"left": 3}, {"sure": True}, {"text_hash": "ce"}, {"name": "2.dcm"}):
        assert known != redact_evidence(KEY, "S-1", "text_uncertain", [{**BOX, **other}, {**BOX, "frame": 1}])
    assert known != redact_evidence(KEY, "S-1", "text_left", [BOX, {**BOX, "frame": 1}])
    assert known != redact_evidence(KEY, "S-2", "text_uncertain", [BOX, {**BOX, "frame": 1}])
    assert known != redact_evidence(Key(bytes(31) + b"1"), "S-1", "text_uncertain", [BOX, {**BOX, "frame": 1}])


def test_evidence_of_a_face_knows_what_the_tables_know() -> None:
    known = deface_evidence(KEY, "S-1", "head_unclear", {"decision": "head_unclear", "masked_voxels": 5})
    assert known == deface_evidence(
        KEY, "S-1", "head_unclear", {"decision": "head_unclear", "masked_voxels": 5, "fit": 0.3}
    )
    assert known != deface_evidence(KEY, "S-1", "head_unclear", {"decision": "head_unclear", "masked_voxels": 6})
