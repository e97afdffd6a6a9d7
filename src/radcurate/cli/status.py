"""`radcurate status`: how far the run in this folder is."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from radcurate.operation.progress import STATES, Progress, Stage, read_progress

BAR = 12


def add(parser: argparse.ArgumentParser) -> None:
    """The folder that the run works in."""
    parser.add_argument("--directory", type=Path, default=Path(), metavar="DIR", help="the run folder; default: here")
    parser.set_defaults(verb=status)


def status(chosen: argparse.Namespace) -> int:
    """Series by stage and state, jobs done, time left."""
    if not (chosen.directory / "results").is_dir():
        print("no run here: there is no results/. Start one with: snakemake")
        return 0
    print("\n".join(lines(read_progress(chosen.directory), time.time())))
    return 0


def lines(progress: Progress, now: float) -> Iterator[str]:
    """What is printed, line by line; `now` in seconds since 1970."""
    yield f"{'stage':<11} {'jobs':<{BAR + 12}}" + "".join(f"{state:>12}" for state in ("series ok", *STATES[1:]))
    for stage in progress.stages:
        cells = "".join(f"{stage.series.get(state, '') or '':>12}" for state in STATES)
        yield f"{stage.name:<11} {_jobs(stage):<{BAR + 12}}{cells}".rstrip()
    yield ""
    yield from _state(progress, now)


def _jobs(stage: Stage) -> str:
    if stage.jobs is None:
        return f"[{'.' * BAR}]  not known yet"
    filled = BAR * stage.done // stage.jobs if stage.jobs else BAR
    return f"[{'#' * filled}{'.' * (BAR - filled)}] {stage.done} of {stage.jobs}"


def _state(progress: Progress, now: float) -> Iterator[str]:
    steps = f"{progress.steps[0]} of {progress.steps[1]} jobs done" if progress.steps else "no job has ended yet"
    ahead = any(stage.jobs is None or stage.done < stage.jobs for stage in progress.stages)
    if progress.going:
        since = f", for {_spoken(now - progress.started)}" if progress.started else ""
        yield f"a run is going on{since}: {steps}. If it was killed: snakemake --unlock, then snakemake"
    elif ahead:
        yield "no run is going on; what is finished stays. Go on with: snakemake"
    else:
        yield "every stage is done. What it came to: radcurate summary"
    for rule, count in progress.broken.items():
        yield f"{count} of its {rule} jobs ended with an error: results/logs/{rule}*"
    if ahead:
        yield _left(progress)


def _left(progress: Progress) -> str:
    seconds, unknown = progress.remaining()
    told = f"time left: about {_spoken(seconds)}" if seconds else "time left: can't be told yet"
    return told + (f", and {', '.join(unknown)}: no job of these has ended yet" if unknown else "")


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
