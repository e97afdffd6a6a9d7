"""What failed in a run, and whose it is: the data's, radcurate's own, the machine's or the cluster's.

Three records tell it. Snakemake's log names the jobs that failed, with what the cluster says about each submission,
unless it was one of several jobs. The log of a stage holds `wanted`, `found` and `fix` where the stage itself gave up. The
log of a submission holds what Slurm's daemons wrote when they ended it; where they wrote nothing, its accounting is asked.
A job that was killed from outside leaves no word in its stage's log.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from radcurate.errors import place_of
from radcurate.operation.cluster import end_of

DATA, PROGRAM, MACHINE, CLUSTER, UNKNOWN = "data", "radcurate", "machine", "cluster", "unexplained"
TAIL = 65_536  # bytes of a log that are read: the reason stands at its end
LOGS = re.compile(r"results/logs/(?:(?P<stage>\w+)/(?P<chunk>\d{5})|(?P<single>\w+))\.log")
BLOCK = re.compile(r"^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]$", re.M)
JOB = re.compile(r"^\s+jobid: (\d+)$", re.M)
FINISHED = re.compile(r"^Finished jobid: (\d+) ", re.M)
EXTERNAL = re.compile(r"^    external_jobid: (\w+)$", re.M)
GROUP = re.compile(r"^    jobs:$", re.M)
SUBMITTED = re.compile(r"/slurm_logs/\S*?(\d+)\.log")
OTHERS_LOGS = ".snakemake/cluster_logs"  # where profiles/cluster-generic has a scheduler write
STATUS = re.compile(r"SLURM status is:\s+'([A-Z_]+)")
REFUSED = re.compile(r"sbatch failed\. The error message was '(?:sbatch: error: )?([^\n']*)")
EXPLAINED = re.compile(r"^\w+: (?P<problem>.+)\n  wanted: .*\n  found:  (?P<found>.*)\n  fix:    (?P<fix>.*)$", re.M)
UNEXPECTED = re.compile(r"^\w+: unexpected error: (?P<place>.+)$", re.M)
# how a stage explains a full disk or a missing right, too little memory, and a process that a kill left behind
MACHINES_OWN = (
    "the operating system refused",
    "there was not enough memory",
    "another process still writes what this job is to write",
)

MORE_MEMORY = (
    "give its stage more memory: set-resources in the profile; the chunks may be smaller too (inventory.n_chunks)"
)
MORE_TIME = "raise runtime in the profile, or make the chunks smaller (inventory.n_chunks)"
AGAIN = "nothing is wrong with the data: run snakemake again, what is finished stays"
ASK_LESS = "ask for what the cluster has: partition, account, cores, memory and runtime in the profile"
# what Slurm calls the end of a submission: (in words, what to do)
ENDS = {
    "OUT_OF_MEMORY": ("out of memory", MORE_MEMORY),
    "TIMEOUT": ("time limit", MORE_TIME),
    "DEADLINE": ("time limit", MORE_TIME),
    "NODE_FAIL": ("its node failed", AGAIN),
    "BOOT_FAIL": ("its node failed", AGAIN),
    "CANCELLED": ("cancelled", AGAIN),
    "PREEMPTED": ("pushed aside by other jobs", AGAIN),
}
# how the daemons put it in the submission's log; without cgroups the status is FAILED for too much memory as well
DAEMONS = (
    (re.compile(r"oom.kill|out of memory|exceeded (?:job )?memory limit|exceeds? memory", re.I), "OUT_OF_MEMORY"),
    (re.compile(r"DUE TO TIME LIMIT"), "TIMEOUT"),
    (re.compile(r"DUE TO NODE FAILURE"), "NODE_FAIL"),
    (re.compile(r"DUE TO PREEMPTION"), "PREEMPTED"),
    (re.compile(r"\*\*\* (?:JOB|STEP) \S+ ON \S+ CANCELLED AT"), "CANCELLED"),
)


@dataclass(frozen=True)
class Failure:
    """A job, or a submission of several, that did not end well.

    Args:
        what: stage and chunk, or stages where nobody knows which of a submission.
        whose: data, radcurate, machine, cluster or unexplained.
        cause: one line; never a header value or a path of the export.
        fix: what to do.
        logs: where to read more, relative to the run folder.
        mended: a later attempt of the same run ended well.
    """

    what: str
    whose: str
    cause: str
    fix: str
    logs: tuple[str, ...]
    mended: bool = False


@dataclass(frozen=True)
class _Block:
    """What Snakemake's log says about one failed submission."""

    text: str
    jobs: frozenset[str]
    stages: tuple[tuple[str, str], ...]  # (stage, its log relative to the run folder)


def tell(logs: Sequence[str]) -> None:
    """On stderr, what failed in the run that wrote Snakemake's `logs`, and whose it is; nothing where nothing did."""
    try:
        told = "\n".join(filter(None, (render(failures(Path(log))) for log in logs)))
    except Exception as error:  # to tell of failures must not be one more
        told = f"radcurate: what failed can't be told: {place_of(error)}"
    if told:
        print(told, file=sys.stderr)


def failures(snakemake_log: Path) -> list[Failure]:
    """What failed in the run that wrote this log, in order; a job that failed at each of its attempts counts once.

    Paths of stage logs in it are taken relative to the working directory.
    """
    text = _tail(snakemake_log, limit=None)
    began = _began(snakemake_log)
    found: dict[frozenset[str], list[Failure]] = {}
    for block, rest in _blocks(text):
        mended = block.jobs <= set(FINISHED.findall(rest))
        found.setdefault(block.jobs, []).append(_judge(block, began, mended))
    return [failure for attempts in found.values() for failure in _counted(attempts)]


def render(found: Sequence[Failure]) -> str:
    """Lines for the end of a run: whose the failures are, each with its cause and remedy; what was made again, counted."""
    lines = []
    final = [failure for failure in found if not failure.mended]
    for whose in (DATA, PROGRAM, MACHINE, CLUSTER, UNKNOWN):
        own = [failure for failure in final if failure.whose == whose]
        if own:
            lines.append(f"FAILED: {len(own)} of {TITLES[whose]}")
            for failure in own[:SHOWN]:
                lines += [f"  {failure.what}: {failure.cause}", f"    fix: {failure.fix}"]
                lines += [f"    log: {', '.join(failure.logs)}"] if failure.logs else []
            lines += [f"  … and {len(own) - SHOWN} more"] if len(own) > SHOWN else []
    mended = [failure for failure in found if failure.mended]
    if mended:
        causes = [failure.cause for failure in mended]
        told = ", ".join(f"{causes.count(cause)} {cause}" for cause in dict.fromkeys(causes))
        lines.append(f"lost and made again by this run: {told}")
    return "\n".join(lines)


SHOWN = 10
TITLES = {
    DATA: "the data: a stage could not go on with what it found",
    PROGRAM: "radcurate itself: an error that nobody foresaw",
    MACHINE: "this machine or its file system",
    CLUSTER: "the cluster: the data are not to blame",
    UNKNOWN: "unknown cause: ended from outside, or before the stage could say why",
}


def _blocks(text: str) -> Iterator[tuple[_Block, str]]:
    """Each report of a failed job, and all that comes after it."""
    starts = [match.start() for match in BLOCK.finditer(text)]
    for start, end in zip(starts, [*starts, len(text)][1:], strict=True):
        part = text[start:end]
        body = part.split("\n", 1)[-1]
        if not body.startswith(("Error in rule", "Error in group", "    message:", "    jobs:")):
            continue
        logs = {match[0]: match["stage"] or match["single"] for match in LOGS.finditer(body)}
        stages = tuple((stage, log) for log, stage in logs.items())
        yield _Block(body, frozenset(JOB.findall(body)), stages), text[end:]


def _judge(block: _Block, began: float, mended: bool) -> Failure:
    own = _explained(block.stages, began)
    if own is not None:
        what, whose, cause, fix, log = own
        return Failure(what, whose, cause, fix, (log,), mended)
    submission = re.findall(r"\S+/slurm_logs/\S+?\.log", block.text)
    submission += [f"{OTHERS_LOGS}/{name}.log" for name in EXTERNAL.findall(block.text) if not submission]
    logs = tuple(dict.fromkeys(_shown(Path(name)) for name in submission if Path(name).exists()))
    cause, fix, whose = _of_cluster(block.text, "".join(_tail(Path(name)) for name in submission))
    return Failure(_named(block.stages), whose, cause, fix, logs or tuple(log for _, log in block.stages), mended)


def _explained(stages: Iterable[tuple[str, str]], began: float) -> tuple[str, str, str, str, str] | None:
    """What a stage itself said in a log that it wrote in this run: (what, whose, cause, fix, log)."""
    for stage, log in stages:
        path = Path(log)
        if not path.is_file() or path.stat().st_mtime < began:
            continue
        text = _tail(path)
        if told := list(EXPLAINED.finditer(text)):
            last = told[-1]
            whose = MACHINE if last["problem"] in MACHINES_OWN else DATA
            return _named([(stage, log)]), whose, f"{last['problem']} ({last['found']})", last["fix"], log
        if places := list(UNEXPECTED.finditer(text)):
            fix = "tell the developers this line; the other chunks are not touched by it"
            return _named([(stage, log)]), PROGRAM, places[-1]["place"], fix, log
    return None


def _of_cluster(message: str, daemons: str) -> tuple[str, str, str]:
    """(cause, fix, whose) of a submission that no stage said anything about."""
    if refused := REFUSED.search(message):
        return f"the cluster refused the submission ({refused[1]})", ASK_LESS, CLUSTER
    submissions = EXTERNAL.findall(message) or SUBMITTED.findall(message)
    if GROUP.search(message) and not submissions:  # of a group Snakemake doesn't say why
        fix = f"{ASK_LESS}; `snakemake --groups none=none` shows its words"
        return "the cluster did not take the submission", fix, CLUSTER
    status = STATUS.search(message)
    end = status[1] if status else ""
    if end not in ENDS:
        end = next((name for pattern, name in DAEMONS if pattern.search(daemons)), end)
    if end not in ENDS:
        end = next(filter(None, map(end_of, dict.fromkeys(submissions))), end)
    if end in ENDS:
        return *ENDS[end], CLUSTER
    fix = "read the log, then run snakemake again"
    return f"ended without a word{f' (Slurm: {end})' if end else ''}", fix, UNKNOWN


def _counted(attempts: list[Failure]) -> list[Failure]:
    """Of the attempts at one submission: all of them where a later one ended well, else the last."""
    return attempts if attempts[-1].mended else attempts[-1:]


def _named(stages: Sequence[tuple[str, str]]) -> str:
    """`extract of chunk 00003`; of several stages, the chunks."""
    chunks = dict.fromkeys(match["chunk"] for _, log in stages if (match := LOGS.search(log)) and match["chunk"])
    names = ", ".join(dict.fromkeys(stage for stage, _ in stages)) or "a job"
    if not chunks:
        return names
    several = "chunk" if len(chunks) == 1 else "chunks"
    return f"{several} {', '.join(chunks)}" if len(stages) > 1 else f"{names} of {several} {', '.join(chunks)}"


def _began(log: Path) -> float:
    """When the run began, which the log's name tells; 0 where it doesn't."""
    try:
        return datetime.strptime(log.name.split(".")[0], "%Y-%m-%dT%H%M%S").timestamp()
    except ValueError:
        return 0.0


def _shown(path: Path) -> str:
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else path.name


def _tail(path: Path, limit: int | None = TAIL) -> str:
    """The end of a log, or nothing where there is none."""
    try:
        with path.open("rb") as file:
            if limit is not None:
                file.seek(max(0, path.stat().st_size - limit))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
