"""Two jobs that would write the same: the second waits for the first, which a kill of Snakemake may have left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from radcurate.errors import CurationError
from radcurate.stages import _lock
from radcurate.stages._lock import only_writer

HOLDS = """
import sys, time
from pathlib import Path
from radcurate.stages._lock import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def job_log(tmp_path: Path) -> Path:
    return tmp_path / "results" / "logs" / "extract" / "00003.log"


@pytest.fixture
def orphan(job_log: Path):
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(job_log)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()


def test_a_job_waits_for_the_orphan_of_a_killed_run(orphan, job_log, caplog, monkeypatch):
    def ends(_seconds: float) -> None:
        orphan.kill()
        orphan.wait()

    monkeypatch.setattr(time, "sleep", ends)
    with only_writer(job_log):
        assert orphan.poll() is not None
    assert "waits for a process of an earlier run" in caplog.text


def test_nobody_waits_for_ever(orphan, job_log, monkeypatch):
    monkeypatch.setattr(_lock, "PATIENCE", 0)
    with pytest.raises(CurationError, match="another process still writes"), only_writer(job_log):
        raise AssertionError("not reached")


def test_another_job_waits_for_nobody(orphan, job_log, monkeypatch):
    monkeypatch.setattr(_lock, "PATIENCE", 0)
    with only_writer(job_log.with_name("00004.log")), only_writer(job_log.parents[1] / "protect.log"):
        pass


def test_without_a_lock_both_would_write(orphan, job_log, monkeypatch):
    """The check can fail: with the lock taken out, the second gets in."""
    monkeypatch.setattr(_lock, "_taken", lambda _handle: True)
    with only_writer(job_log):
        assert orphan.poll() is None
