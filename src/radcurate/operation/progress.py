"""How far a run is: series by stage and state, jobs, time left. Read from what the run has written; it is not asked."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from radcurate import tables

CHUNKED = ("deidentify", "redact", "deface", "verify", "extract")  # a job a chunk
WHOLE = ("protect", "attack", "gate", "release")  # one job; inventory and consent come before there are chunks
STATES = (tables.OK, tables.EXCLUDED, tables.QUARANTINED, tables.FAILED)
STEPS = re.compile(r"^(\d+) of (\d+) steps", re.M)
BROKEN = re.compile(r"^Error in (?:rule|checkpoint) (\w+)", re.M)


@dataclass(frozen=True)
class Timed:
    """A job that ended: seconds it took and when it ended (seconds since 1970)."""

    seconds: float
    ended: float


@dataclass(frozen=True)
class Stage:
    """One stage: its jobs, what became of its series, and how long its jobs took."""

    name: str
    done: int
    jobs: int | None  # None: not known before consent has run
    series: Mapping[str, int] = field(default_factory=dict)  # by state
    timed: Sequence[Timed] = ()


@dataclass(frozen=True)
class Progress:
    """A run as it is now.

    Args:
        stages: in the order of the pipeline.
        steps: jobs done and planned as Snakemake counts them; None where no run has left a log.
        going: the run folder is locked: a run goes on, or was killed.
        started: when the newest run began, seconds since 1970.
        broken: jobs of the newest run that ended with an error, by rule.
    """

    stages: Sequence[Stage]
    steps: tuple[int, int] | None
    going: bool
    started: float | None
    broken: Mapping[str, int]

    def remaining(self) -> tuple[float, Sequence[str]]:
        """Seconds of the clock until the end at the pace so far, and stages to come of which no job has ended yet:
        these are not in the seconds."""
        ahead = [stage for stage in self.stages if stage.jobs is None or stage.done < stage.jobs]
        known = [(stage.timed, stage.jobs - stage.done) for stage in ahead if stage.timed and stage.jobs is not None]
        work = sum(jobs * sum(job.seconds for job in timed) / len(timed) for timed, jobs in known)
        unknown = [stage.name for stage in ahead if not stage.timed or stage.jobs is None]
        return work / self.pace(), unknown

    def pace(self) -> float:
        """Seconds of jobs' work in a second of the clock, since the run began; at least 1."""
        begun = self.started or 0.0
        spans = sorted(
            (max(begun, job.ended - job.seconds), job.ended)
            for stage in self.stages
            for job in stage.timed
            if job.ended > begun
        )
        covered, end = 0.0, 0.0
        for start, stop in spans:
            covered += max(0.0, stop - max(start, end))
            end = max(end, stop)
        return max(1.0, sum(stop - start for start, stop in spans) / covered) if covered else 1.0


def read_progress(folder: Path) -> Progress:
    """The run in `folder` (with results/ and .snakemake/ in it)."""
    results, records = folder / "results", folder / ".snakemake"
    newest = max((records / "log").glob("*.snakemake.log"), key=lambda path: path.name, default=None)
    said = newest.read_text(errors="replace") if newest else ""
    steps = STEPS.findall(said)
    locks = records / "locks"
    return Progress(
        stages=list(_stages(results)),
        steps=(int(steps[-1][0]), int(steps[-1][1])) if steps else None,
        going=locks.is_dir() and any(locks.iterdir()),
        started=_begun(newest) if newest else None,
        broken=Counter(BROKEN.findall(said)),
    )


def _begun(log: Path) -> float:
    """When a run began: its log's first line was written then, but only the name still tells."""
    try:
        return datetime.strptime(log.name.split(".")[0], "%Y-%m-%dT%H%M%S").timestamp()
    except ValueError:
        return log.stat().st_mtime


def _stages(results: Path) -> Iterator[Stage]:
    consented = results / "consent" / "chunks"
    chunks = sorted(path.name for path in consented.iterdir() if path.is_dir()) if consented.is_dir() else None
    first = ("fetch",) if (results / "fetch").is_dir() else ()
    for name in (*first, "inventory", "consent"):
        done = (results / name / "seal.json").is_file()
        listed = sorted((results / name / "chunks").glob("*/series.parquet")) if name == "inventory" else ()
        series = _states(listed or [results / name / "series.parquet"])
        yield Stage(name, int(done), 1, series, _timed([results / "logs" / f"{name}.tsv"]))
    for name in CHUNKED:
        ended = [chunk for chunk in chunks or () if (results / name / chunk / "seal.json").is_file()]
        series = _states(results / name / chunk / "series.parquet" for chunk in ended)
        logs = (results / "logs" / name / f"{chunk}.tsv" for chunk in ended)
        yield Stage(name, len(ended), len(chunks) if chunks is not None else None, series, _timed(logs))
    harmonise = ("harmonise",) if (results / "harmonise").is_dir() else ()
    for name in (*harmonise, *WHOLE):
        end = "release.json" if name == "release" else "seal.json"
        done = (results / name / end).is_file()
        yield Stage(name, int(done), 1, {}, _timed([results / "logs" / f"{name}.tsv"]))


def _states(paths: Iterable[Path]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for path in paths:
        try:
            column = pq.read_table(path, columns=["status"])["status"]
        except (OSError, pa.ArrowInvalid, KeyError):  # not there, or being written
            continue
        counts.update({entry["values"]: entry["counts"] for entry in column.value_counts().to_pylist()})
    return {state: counts[state] for state in STATES if counts[state]}


def _timed(paths: Iterable[Path]) -> list[Timed]:
    """What Snakemake's benchmark files say."""
    found = []
    for path in paths:
        try:
            rows: list[dict[str, Any]] = list(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))
            found.append(Timed(float(rows[0]["s"]), path.stat().st_mtime))
        except (OSError, IndexError, KeyError, ValueError):  # not there, or being written
            continue
    return found
