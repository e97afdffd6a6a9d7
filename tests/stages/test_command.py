"""A stage as a command: options from the signature, explanations instead of tracebacks."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from radcurate.errors import CurationError
from radcurate.keys import KEY_FILE_VARIABLE, Key, create_key
from radcurate.settings import Protect
from radcurate.stages._command import command


def called(monkeypatch: pytest.MonkeyPatch, function, *arguments: str) -> int:
    """Exit code of `function` as a command."""
    monkeypatch.setattr(sys, "argv", ["stage.py", *arguments])
    try:
        command(function)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_options_follow_the_signature(monkeypatch, tmp_path):
    create_key(tmp_path / "key")
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(tmp_path / "key"))
    seen = {}

    def run(
        settings: Protect, parts: list[Path], out: Path, key: Key, threads: int, waiver: Path | None = None
    ) -> None:
        seen.update(k=settings.k, parts=parts, out=out, key=key.key_id, threads=threads, waiver=waiver)

    code = called(
        monkeypatch,
        run,
        "--settings",
        '{"k": 7}',
        "--parts",
        "a",
        "b",
        "--out",
        "o",
        "--threads",
        "2",
        "--log",
        str(tmp_path / "log"),
    )
    assert code == 0
    assert (
        seen["k"] == 7 and seen["parts"] == [Path("a"), Path("b")] and seen["threads"] == 2 and seen["waiver"] is None
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CurationError("bad", wanted="w", found="f", fix="x"), "fix:    x"),
        (OSError(errno.ENOSPC, "No space left", "/export/Meier^Hans"), "No space left"),
        (PermissionError(errno.EACCES, "denied", "/export/Meier^Hans"), "the right to read"),
        (ValueError("could not parse Meier^Hans"), "ValueError"),
    ],
)
def test_errors_end_with_an_explanation_that_quotes_nothing(monkeypatch, tmp_path, error, expected):
    def run(out: Path) -> None:
        raise error

    assert called(monkeypatch, run, "--out", "o", "--log", str(tmp_path / "log")) == 1
    text = (tmp_path / "log").read_text()
    assert expected in text and "Meier" not in text and "Traceback" not in text


def test_a_stage_without_a_key_says_so(monkeypatch, tmp_path):
    monkeypatch.delenv(KEY_FILE_VARIABLE, raising=False)

    def run(key: Key) -> None:
        raise AssertionError("not reached")

    assert called(monkeypatch, run, "--log", str(tmp_path / "log")) == 1
    assert "no key" in (tmp_path / "log").read_text()
