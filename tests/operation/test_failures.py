"""Whose a failure is, told from the logs that a run leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radcurate.operation.failures import CLUSTER, DATA, MACHINE, PROGRAM, UNKNOWN, Failure, failures, render, tell

STAMP = "[Sun Nov 22 07:06:33 2026]"
STAGE_LOG = "results/logs/extract/00003.log"
SUBMISSION = ".snakemake/slurm_logs/rule_extract/00003/7.log"
EXPLAINED = (
    "extract: 3 series\nextract: a table is damaged\n  wanted: its digest\n  found:  another\n  fix:    remove it\n"
)
FINISHED = f"{STAMP}\nFinished jobid: 4 (Rule: extract)\n2 of 3 steps (66%) done\n"


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (STAGE_LOG, SUBMISSION):
        Path(name).parent.mkdir(parents=True)
    return tmp_path


def error(message: str, job: int = 4) -> str:
    """As Snakemake reports one failed job of extract."""
    return (
        f"{STAMP}\nError in rule extract:\n    message: {message}For further error details see the cluster/cloud log\n"
        f"    jobid: {job}\n    output: results/extract/00003/series.parquet\n"
        f"    log: {STAGE_LOG}, {Path(SUBMISSION).absolute()} (check log file(s) for error details)\n"
        "    shell:\n        python -m radcurate.stages.extract\n    external_jobid: 7\n"
        f"Trying to restart job {job}.\nSelect jobs to execute...\n"
    )


def status(name: str) -> str:
    return f"SLURM-job '7' failed, SLURM status is: '{name}'. Reason: Unknown."


def judged(text: str) -> list[Failure]:
    log = Path("2026-11-22T070604.901256.snakemake.log")
    log.write_text(f"Building DAG of jobs...\n{text}")
    return failures(log)


def only(text: str) -> Failure:
    [found] = judged(text)
    return found


def test_what_a_stage_explains_is_the_data_and_its_own_words_are_told() -> None:
    Path(STAGE_LOG).write_text(EXPLAINED)
    found = only(error(status("FAILED")))
    assert (found.whose, found.what) == (DATA, "extract of chunk 00003")
    assert (found.cause, found.fix) == ("a table is damaged (another)", "remove it")
    assert found.logs == (STAGE_LOG,)


def test_an_explanation_of_an_earlier_run_is_no_explanation() -> None:
    Path(STAGE_LOG).write_text(EXPLAINED)
    os.utime(STAGE_LOG, (1, 1))
    assert only(error(status("NODE_FAIL"))).whose == CLUSTER


def test_an_error_that_nobody_foresaw_is_radcurates() -> None:
    Path(STAGE_LOG).write_text("extract: unexpected error: KeyError at extract.py:7\n")
    found = only(error(status("FAILED")))
    assert (found.whose, found.cause) == (PROGRAM, "KeyError at extract.py:7")


def test_a_full_disk_is_the_machines() -> None:
    Path(STAGE_LOG).write_text(
        "extract: the operating system refused\n  wanted: to write\n  found:  No space left on device\n  fix:    free space\n"
    )
    assert only(error(status("FAILED"))).whose == MACHINE


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("OUT_OF_MEMORY", "out of memory"),
        ("TIMEOUT", "time limit"),
        ("NODE_FAIL", "its node failed"),
        ("CANCELLED", "cancelled"),
        ("PREEMPTED", "pushed aside by other jobs"),
    ],
)
def test_what_slurm_calls_the_end_is_the_clusters(name: str, cause: str) -> None:
    Path(STAGE_LOG).write_text("extract: 3 series\n")
    Path(SUBMISSION).touch()
    found = only(error(status(name)))
    assert (found.whose, found.cause) == (CLUSTER, cause)
    assert found.logs == (SUBMISSION,)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("slurmstepd: error: Exceeded job memory limit", "out of memory"),
        ("slurmstepd-n1: error: Detected 1 oom-kill event(s) in StepId=7.0", "out of memory"),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-22T07:06:33 DUE TO TIME LIMIT ***", "time limit"),
        (
            "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-22T07:06:33 DUE TO NODE FAILURE ***",
            "its node failed",
        ),
        ("slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2026-11-22T07:06:33 ***", "cancelled"),
    ],
)
def test_where_slurm_says_only_failed_the_log_of_the_submission_tells(line: str, cause: str) -> None:
    Path(SUBMISSION).write_text(f"Building DAG of jobs...\n{line}\n")
    found = only(error(status("FAILED")))
    assert (found.whose, found.cause) == (CLUSTER, cause)


def test_the_log_of_another_schedulers_submission_is_read_too() -> None:
    log = Path(".snakemake/cluster_logs/7.log")
    log.parent.mkdir(parents=True)
    log.write_text("slurmstepd: error: Exceeded job memory limit\n")
    found = only(error("").replace(f", {Path(SUBMISSION).absolute()}", ""))
    assert (found.whose, found.cause, found.logs) == (CLUSTER, "out of memory", (str(log),))


def test_a_refused_submission_says_why() -> None:
    refusal = (
        "SLURM sbatch failed. The error message was 'sbatch: error: CPU count per node can not be satisfied\nmore'.\n"
    )
    found = only(error(refusal + "    sbatch call:\n        sbatch --wrap=x\n"))
    assert found.whose == CLUSTER
    assert found.cause == "the cluster refused the submission (CPU count per node can not be satisfied)"


def in_group(log: str) -> str:
    """As Snakemake reports a submission of several jobs: with no word of why."""
    jobs = "".join(
        f"        rule {stage}:\n            jobid: {job}\n            log: results/logs/{stage}/00003.log\n"
        for job, stage in enumerate(("verify", "extract"), start=3)
    )
    return f"{STAMP}\n    message: Error in group chunk\n{log}    jobs:\n{jobs}"


@pytest.mark.parametrize(
    ("state", "whose", "cause"),
    [
        ("NODE_FAIL", CLUSTER, "its node failed"),
        ("CANCELLED by 1000", CLUSTER, "cancelled"),
        ("FAILED", UNKNOWN, "ended without a word (Slurm: FAILED)"),
        ("", UNKNOWN, "ended without a word"),
    ],
)
def test_where_no_log_tells_slurms_accounting_is_asked(
    state: str, whose: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(tmp_path, monkeypatch, f'[ "$7" = 7 ] && echo "{state}"')
    found = only(in_group(f"    log: {Path(SUBMISSION).absolute()} (check log file(s) for error details)\n"))
    assert (found.whose, found.cause, found.what) == (whose, cause, "chunk 00003")


def answers(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A sacct that does this."""
    program = folder / "bin" / "sacct"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_a_group_that_was_never_taken_is_the_clusters() -> None:
    found = only(in_group(""))
    assert (found.whose, found.cause) == (CLUSTER, "the cluster did not take the submission")
    assert "--groups none=none" in found.fix


def test_nothing_is_claimed_where_nothing_is_known() -> None:
    assert only(error(status("FAILED"))).whose == UNKNOWN


def test_attempts_count_once_and_what_ended_well_later_is_no_failure() -> None:
    lost = error(status("NODE_FAIL"))
    assert [found.mended for found in judged(lost + lost)] == [False]
    assert [found.mended for found in judged(lost + lost + FINISHED)] == [True, True]
    assert "FAILED" not in render(judged(lost + FINISHED))
    assert "lost and made again by this run: 1 its node failed" in render(judged(lost + FINISHED))


def test_another_jobs_end_mends_nothing() -> None:
    assert not only(error(status("NODE_FAIL"), job=5) + FINISHED).mended


def test_the_summary_keeps_them_apart() -> None:
    Path(STAGE_LOG).write_text(EXPLAINED)
    other = error(status("NODE_FAIL"), job=9).replace(STAGE_LOG, "results/logs/extract/00004.log")
    told = render(judged(error(status("FAILED")) + other))
    assert (
        told.index("of the data")
        < told.index("extract of chunk 00003: a table is damaged")
        < told.index("of the cluster")
    )
    assert told.count("FAILED") == 2


def test_a_run_without_failures_says_nothing() -> None:
    assert render(judged(FINISHED)) == ""
    assert failures(Path("no.log")) == []


def test_to_tell_of_failures_is_no_failure(tmp_path, monkeypatch, capsys) -> None:
    log = tmp_path / "2026-11-22T070604.901256.snakemake.log"
    log.write_text("")
    tell([str(log), str(tmp_path / "absent.log")])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("radcurate.operation.failures.failures", lambda _: 1 / 0)
    tell([str(log)])
    assert "can't be told: ZeroDivisionError" in capsys.readouterr().err
