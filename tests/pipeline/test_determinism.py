"""The same input, configuration and key give the same bytes: on any number of cores, after a kill or not."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from pipeline_tools import tree_digest

pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.slow]


def test_one_core_and_two_give_the_same_release(finished, new_project):
    other = new_project()
    other.snakemake(cores=1)
    assert tree_digest(other.release) == tree_digest(finished.release)


def test_a_run_that_is_killed_in_stage_after_stage_comes_to_the_same_release(finished, new_project):
    project = new_project()
    for stage in ("deidentify", "redact", "deface", "extract"):
        kill_during(project, stage)
        assert not (project.results / "release" / "release.json").exists()
        project.snakemake("--unlock")
    project.snakemake()
    assert tree_digest(project.release) == tree_digest(finished.release)


def kill_during(project, stage: str) -> None:
    """Start a run and kill -9 the whole process group once `stage` has begun."""
    process = subprocess.Popen(
        project.command(),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        logs = project.results / "logs" / stage
        before = set(logs.glob("*.log"))  # of a job that was killed before, too
        while process.poll() is None and not set(logs.glob("*.log")) - before:
            time.sleep(0.05)
        assert process.poll() is None, "the run ended before it could be killed"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
