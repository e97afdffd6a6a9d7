"""Which jobs of a run failed, and why: a stage that ends with an error leaves a note beside its log.

A job that was killed leaves none, since nobody could write it: what is neither finished nor noted ended from outside.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path

from radcurate.errors import CurationError, place_of

NOTE = ".failed"
MACHINE = frozenset(
    getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO", "ENOMEM", "EMFILE", "ENFILE", "ESTALE")
)
FIXES = {
    errno.ENOSPC: "free space where results/ and the temporary folder lie, then run snakemake again: what is finished stays",
    errno.EDQUOT: "free space within your quota, then run snakemake again: what is finished stays",
    errno.EACCES: "give this user the right to read the input and to write results/",
    errno.EROFS: "work in a folder that can be written to: snakemake --directory DIR",
    errno.ENOENT: "a file vanished while it was worked on: see that nobody moves the input or results/, then run snakemake again",
    errno.EIO: "the disk fails: look at it (dmesg), then run snakemake again",
}


@dataclass(frozen=True)
class Fault:
    """Why a job failed. machine: the computer's doing, so that the same data may pass another time."""

    job: str  # its log below results/logs, without ending: extract/00003, protect
    problem: str
    found: str
    fix: str
    machine: bool


def explained(error: BaseException) -> CurationError | None:
    """What went wrong, in words without values and paths; None where it is an error of the program."""
    if isinstance(error, CurationError):
        return error
    if isinstance(error, MemoryError):
        return CurationError(
            "there was not enough memory",
            wanted="memory for the tables or images of this job",
            found=f"none left ({place_of(error)})",
            fix="run fewer jobs at a time (--cores) or give them more (--set-resources), then run snakemake again",
        )
    if isinstance(error, OSError):
        number = error.errno or 0
        return CurationError(
            "the operating system refused",
            wanted="to read the input and write the results",
            found=f"{os.strerror(number)} ({place_of(error)})",
            fix=FIXES.get(number, "see what the system says, then run snakemake again"),
        )
    return None


def note(job_log: Path | None, error: BaseException | None) -> None:
    """Leave the note of a job that failed, or remove an earlier one; a disk that is full must not hide why."""
    if job_log is None:
        return
    place = job_log.with_suffix(NOTE)
    try:
        if error is None:
            place.unlink(missing_ok=True)
            return
        told = explained(error)
        machine = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in MACHINE)
        content = {
            "problem": told.problem if told else "unexpected error",
            "found": told.found if told else place_of(error),
            "fix": told.fix if told else "report the place",
            "machine": machine,
        }
        place.write_text(json.dumps(content, sort_keys=True) + "\n")
    except OSError:
        pass


def failed_jobs(results: Path) -> list[Fault]:
    """The notes of a run, by job; of chunks that hold nothing any more, none."""
    logs, found = results / "logs", []
    for path in sorted(logs.rglob(f"*{NOTE}")):
        job = path.relative_to(logs).with_suffix("").as_posix()
        chunk = job.partition("/")[2]
        if chunk and not (results / "consent" / "chunks" / chunk).is_dir():
            continue
        try:
            content = json.loads(path.read_text())
            problem, reason, fix = (str(content[name]) for name in ("problem", "found", "fix"))
            found.append(Fault(job, problem, reason, fix, bool(content["machine"])))
        except (OSError, ValueError, KeyError, TypeError):
            found.append(Fault(job, "no space for the reason", "an empty note", f"see results/logs/{job}.log", True))
    return found


def render(faults: list[Fault]) -> str:
    """Which jobs failed and why, machine and data apart; equal reasons together."""
    lines = []
    for machine, title in ((False, "failed because of data or settings"), (True, "failed because of the machine")):
        reasons: dict[tuple[str, str, str], list[str]] = {}
        for fault in faults:
            if fault.machine == machine:
                reasons.setdefault((fault.problem, fault.found, fault.fix), []).append(fault.job)
        lines += [f"{title}:"] if reasons else []
        for (problem, found, fix), jobs in reasons.items():
            more = f" and {len(jobs) - 5} more" if len(jobs) > 5 else ""
            lines += [f"  {', '.join(jobs[:5])}{more}: {problem}", f"    found: {found}", f"    fix:   {fix}"]
    return "\n".join(lines)
