"""What was lost to the machine is made again when somebody asks for it: the stage and chunk where it was lost, no other."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from radcurate import losses, tables
from radcurate.cli import retry
from radcurate.stages._again import STAGES, times

SCHEMAS = dict(
    zip(
        STAGES,
        (
            tables.DEIDENTIFY_SERIES,
            tables.REDACT_SERIES,
            tables.DEFACE_SERIES,
            tables.VERIFY_SERIES,
            tables.EXTRACT_SERIES,
        ),
        strict=True,
    )
)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two chunks; in the second, deface ran out of time with S-2, and the stages after it say so too."""
    monkeypatch.chdir(tmp_path)
    for stage, schema in SCHEMAS.items():
        after = stage in ("deface", "verify", "extract")
        lost = {"status": "failed", "reason": losses.TIMEOUT, "remedy": "raise it"} if after else {"status": "ok"}
        write(stage, "00001", schema, {"series": "S-1", "status": "failed", "reason": "unreadable"})
        write(stage, "00002", schema, {"series": "S-2", **lost}, {"series": "S-3", "status": "ok"})
    for chunk in ("00001", "00002"):
        (tmp_path / "results" / "consent" / "chunks" / chunk).mkdir(parents=True)
    return tmp_path / "results"


def write(stage: str, chunk: str, schema: tables.Schema, *rows: dict[str, str]) -> None:
    tables.write_rows(Path("results") / stage / chunk / "series.parquet", schema, rows)


def asked(results: Path) -> dict[str, str]:
    found = {f"{stage}/{chunk}": times(stage, chunk, results) for stage in STAGES for chunk in ("00001", "00002")}
    return {place: number for place, number in found.items() if number}


def test_only_where_it_was_lost_is_asked_for(results, capsys):
    assert retry.run(argparse.Namespace()) == 0
    assert asked(results) == {"deface/00002": "1"}
    assert "deface 00002: timeout 1" in capsys.readouterr().out
    retry.run(argparse.Namespace())
    assert asked(results) == {"deface/00002": "2"}


def test_what_is_wrong_with_the_data_is_not_asked_for(results, capsys):
    for stage in ("deface", "verify", "extract"):
        write(stage, "00002", SCHEMAS[stage], {"series": "S-2", "status": "ok"})
    retry.run(argparse.Namespace())
    assert asked(results) == {} and "nothing was lost" in capsys.readouterr().out


def test_a_second_loss_in_the_same_chunk_is_asked_for_where_it_happened(results):
    write("extract", "00001", tables.EXTRACT_SERIES, {"series": "S-1", "status": "failed", "reason": losses.MEMORY})
    retry.run(argparse.Namespace())
    assert asked(results) == {"deface/00002": "1", "extract/00001": "1"}
