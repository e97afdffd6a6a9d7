"""How far a run is, read from what it wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from radcurate.cli.status import lines
from radcurate.operation.progress import Progress, Stage, Timed, read_progress

BEGIN = 1_700_000_000.0


def written(results: Path, stage: str, chunk: str, states: list[str], seconds: float, ended: float) -> None:
    folder = results / stage / chunk
    folder.mkdir(parents=True)
    pq.write_table(
        pa.table({"series": [str(i) for i in range(len(states))], "status": states}), folder / "series.parquet"
    )
    (folder / "seal.json").write_text("{}")
    timing(results / "logs" / stage / f"{chunk}.tsv", seconds, ended)


def timing(path: Path, seconds: float, ended: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\n{seconds}\t0:00:00\n")
    os.utime(path, (ended, ended))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two chunks: deidentify ended on both, redact on one."""
    results = tmp_path / "results"
    for chunk in ("00000", "00001"):
        (results / "consent" / "chunks" / chunk).mkdir(parents=True)
        written(results, "deidentify", chunk, ["ok", "quarantined"], 10, BEGIN + 10)
    (results / "consent" / "chunks" / ".snakemake_timestamp").touch()
    for stage in ("inventory", "consent"):
        (results / stage).mkdir(exist_ok=True)
        (results / stage / "seal.json").write_text("{}")
        timing(results / "logs" / f"{stage}.tsv", 1, BEGIN - 50)
    written(results, "redact", "00000", ["ok"], 30, BEGIN + 40)
    return tmp_path


def by_name(progress: Progress) -> dict[str, Stage]:
    return {stage.name: stage for stage in progress.stages}


def test_jobs_and_series_by_stage(run: Path) -> None:
    stages = by_name(read_progress(run))
    assert stages["deidentify"].series == {"ok": 2, "quarantined": 2}
    assert [(stages[name].done, stages[name].jobs) for name in ("deidentify", "redact", "deface", "release")] == [
        (2, 2),
        (1, 2),
        (0, 2),
        (0, 1),
    ]


def test_before_consent_nobody_knows_how_many_jobs(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    progress = read_progress(tmp_path)
    assert by_name(progress)["deface"].jobs is None and progress.steps is None and not progress.going
    assert "not known yet" in "\n".join(lines(progress, BEGIN))


def test_a_table_that_is_being_written_counts_for_nothing(run: Path) -> None:
    (run / "results" / "redact" / "00000" / "series.parquet").write_bytes(b"PAR1")
    assert by_name(read_progress(run))["redact"].series == {}


def test_the_log_tells_steps_errors_and_the_beginning(run: Path) -> None:
    log = run / ".snakemake" / "log" / "2026-01-02T030405.123456.snakemake.log"
    log.parent.mkdir(parents=True)
    log.write_text("3 of 9 steps (33%) done\nError in rule redact:\n4 of 12 steps (33%) done\nError in rule redact:\n")
    (log.parent / "2026-01-01T030405.123456.snakemake.log").write_text("9 of 9 steps (100%) done\n")
    (run / ".snakemake" / "locks").mkdir()
    (run / ".snakemake" / "locks" / "0.input.lock").write_text("x\n")
    progress = read_progress(run)
    assert progress.steps == (4, 12) and progress.going and progress.broken == {"redact": 2}
    told = "\n".join(lines(progress, (progress.started or 0) + 180))
    assert "going on, for 3 min: 4 of 12 jobs done" in told and "2 of its redact jobs ended with an error" in told


def test_time_left_is_work_over_pace() -> None:
    stages = [
        Stage("deidentify", 4, 4, {}, [Timed(10, BEGIN + 10 * end) for end in (1, 1, 2, 2)]),  # two at a time
        Stage("redact", 1, 4, {}, [Timed(20, BEGIN + 40)]),
        Stage("deface", 0, 4),
    ]
    progress = Progress(stages, None, True, BEGIN, {})
    assert progress.pace() == pytest.approx(60 / 40)
    seconds, unknown = progress.remaining()
    assert seconds == pytest.approx(3 * 20 / 1.5) and unknown == ["deface"]
    assert "about 40 s, and deface: no job of these has ended yet" in "\n".join(lines(progress, BEGIN))


def test_jobs_of_an_earlier_run_say_how_long_not_how_many_at_a_time() -> None:
    old = [Timed(10, BEGIN - 100)] * 4
    assert Progress([Stage("redact", 0, 4, {}, old)], None, True, BEGIN, {}).pace() == 1
    assert Progress([Stage("redact", 0, 4, {}, old)], None, True, BEGIN, {}).remaining() == (40, [])


def test_all_done() -> None:
    told = "\n".join(lines(Progress([Stage("release", 1, 1)], (9, 9), False, BEGIN, {}), BEGIN))
    assert "every stage is done" in told and "time left" not in told
