"""One process at a time writes what a job writes, whoever started it.

Snakemake's own lock ends with `--unlock`, but after a kill -9 its jobs go on writing. A job of the next run waits for them
here; the system gives a lock back when the last process that holds it has gone, which some file servers only learn
when a dead machine is up again, so no job waits for ever.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radcurate.errors import CurationError

FOLDER, LOGS = ".locks", "logs"
PATIENCE, PAUSE = 1800, 0.5  # seconds: for how long to wait, and between two looks
log = logging.getLogger("radcurate")


@contextmanager
def only_writer(job_log: Path | None) -> Iterator[None]:
    """Hold the lock of the job that writes this log, results/logs/<job>.log; without a log there is none.

    Raises:
        CurationError: another process has not let go of it.
    """
    place = None if job_log is None else _place(job_log)
    if place is None:
        yield
        return
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with place.open("a") as stream:
        _take(stream.fileno())
        yield


def _place(job_log: Path) -> Path | None:
    parts = job_log.parts
    if LOGS not in parts:
        return None
    at = len(parts) - 1 - parts[::-1].index(LOGS)
    return Path(*parts[:at]) / FOLDER / "-".join(Path(*parts[at + 1 :]).with_suffix("").parts)


def _take(handle: int) -> None:
    until = time.monotonic() + PATIENCE
    told = False
    while not _taken(handle):
        if time.monotonic() >= until:
            raise CurationError(
                "another process still writes what this job is to write",
                wanted="one writer",
                found=f"a process of an earlier run, for {PATIENCE // 60} minutes",
                fix="end it (`ps` shows its stage) and run snakemake again; if its machine is gone, delete results/.locks first",
            )
        if not told:
            log.warning("waits for a process of an earlier run, which outlived a kill and still writes here")
            told = True
        time.sleep(PAUSE)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: then Snakemake's own has to do
        log.info("this file system knows no locks")
    return True
