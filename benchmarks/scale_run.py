"""A whole run watched: disk at the worst moment, wall time against the work of its stages, and two cores against one.

`python -m benchmarks.scale_run` takes the demo; `python -m benchmarks.scale_run EXPORT CONSENT WAIVER` any other cohort.
What is measured, and how, is told in docs/explanation/scaling.md.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.figure import Figure
from benchmarks.scale_disk import Watched, blocks, watch
from radcurate.demo import make_cohort
from radcurate.keys import create_key

PROJECT = Path(__file__).resolve().parents[1]
CORES = 2
SERIAL = ("consent", "harmonise", "protect", "attack", "gate", "release")  # one job, one process
REPEATS = 3


@dataclass(frozen=True)
class Cohort:
    """An export with what consent needs."""

    export: Path
    consent: Path
    waiver: Path


@dataclass(frozen=True)
class Stage:
    """Jobs of a stage and the seconds that they took, start of Python and imports among them."""

    name: str
    jobs: int
    seconds: float


def figures() -> list[Figure]:
    """Of the demo."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_cohort(folder / "demo")
        cohort = Cohort(folder / "demo" / "export", folder / "demo" / "consent.csv", folder / "demo" / "waiver.yaml")
        return of_cohort("demo", cohort, folder / "run")


def of_cohort(name: str, cohort: Cohort, run: Path) -> list[Figure]:
    """Run the whole pipeline on a cohort in the new folder `run`."""
    command = prepare(cohort, run)
    watched = watch(command, run / "results", run)
    stages = work(run / "results" / "logs")
    least = ideal(stages, CORES)
    _tell(stages, watched, least)
    source = blocks(cohort.export)
    found = [
        Figure(f"{name}: disk beyond the source at most, per byte of it", watched.most / source, 1.3, "×"),
        Figure(f"{name}: disk beyond the source at the end, per byte of it", watched.last / source, 1.3, "×"),
        Figure(f"{name}: wall time over the work of its stages on {CORES} cores", watched.wall / least, 1.25, "×"),
    ]
    return found + [
        Figure(f"{name}: {stage}, two chunks on two cores, speed over one on one", gain, 1.8, "×", at_most=False)
        for stage, gain in (("deidentify", two_cores(run, "deidentify")), ("extract", two_cores(run, "extract")))
    ]


def prepare(cohort: Cohort, run: Path) -> list[str]:
    """A run folder with a key beside it; the command that runs there."""
    run.mkdir(parents=True)
    key = run.with_name(run.name + ".key")
    create_key(key)
    options = {
        "input": str(cohort.export),
        "key_file": str(key),
        "consent": {"table": str(cohort.consent), "waiver": str(cohort.waiver), "purpose": "research"},
        "inventory": {"n_chunks": 8},
        "gate": {"policy": "internal"},
        "protect": {"k": 1},
    }
    (run / "run.yaml").write_text(yaml.safe_dump(options))
    command = [sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--cores", str(CORES)]
    return [*command, "--profile", str(PROJECT / "profiles" / "default"), "--configfile", "run.yaml"]


def work(logs: Path) -> list[Stage]:
    """What Snakemake noted of each job in results/logs, by stage."""
    seconds: dict[str, list[float]] = {}
    for path in sorted(logs.rglob("*.tsv")):
        stage = path.relative_to(logs).parts[0].removesuffix(".tsv")
        with path.open() as stream:
            seconds.setdefault(stage, []).append(float(next(csv.DictReader(stream, delimiter="\t"))["s"]))
    return [Stage(name, len(found), sum(found)) for name, found in seconds.items()]


def ideal(stages: Sequence[Stage], cores: int) -> float:
    """Seconds that the stages' own work takes with a pool of so many cores and nothing between the jobs.

    Jobs of chunks share the cores; a job that no other can run beside takes what it took: inventory has all cores itself,
    the stages behind extract have one.
    """
    alone = {"inventory", "fetch", *SERIAL}
    return sum(stage.seconds / (1 if stage.name in alone else cores) for stage in stages)


def _tell(stages: Sequence[Stage], watched: Watched, least: float) -> None:
    for stage in sorted(stages, key=lambda stage: -stage.seconds):
        print(f"{stage.name}: {stage.jobs} jobs, {stage.seconds:.1f} s", file=sys.stderr)
    print(f"{watched.wall:.1f} s in all, {least:.1f} s by the stages' work", file=sys.stderr)


def two_cores(run: Path, stage: str) -> float:
    """How much more two jobs of a stage do side by side than one by itself, on the largest chunk; median.

    So does a cluster, or a machine with many chunks: processes share memory, caches and the disk, nothing else.
    """
    chunk = max((run / "results" / "logs" / stage).glob("*.tsv"), key=_seconds).stem
    gains = []
    for _ in range(REPEATS):
        one, two = _together(run, stage, chunk, 1), _together(run, stage, chunk, 2)
        gains.append(2 * one / two)
    return statistics.median(gains)


def _seconds(path: Path) -> float:
    with path.open() as stream:
        return float(next(csv.DictReader(stream, delimiter="\t"))["s"])


def _together(run: Path, stage: str, chunk: str, count: int) -> float:
    """Wall seconds of so many equal jobs at once."""
    options = yaml.safe_load((run / "run.yaml").read_text())
    environment = {**os.environ, "RADCURATE_KEY_FILE": options["key_file"], "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(dir=run) as name:
        start = time.monotonic()
        jobs = [
            subprocess.Popen(
                _command(stage, chunk, options["input"], Path(name) / str(number)),
                cwd=run,
                env=environment,
                stderr=subprocess.DEVNULL,
            )
            for number in range(count)
        ]
        codes = [job.wait() for job in jobs]
        wall = time.monotonic() - start
    if any(codes):
        raise RuntimeError(f"{stage} failed")
    return wall


def _command(stage: str, chunk: str, source: str, out: Path) -> list[str]:
    parts: dict[str, object] = {"settings": json.dumps({}), "chunk": f"results/consent/chunks/{chunk}", "threads": 1}
    parts["out"] = out / chunk
    (out / chunk).mkdir(parents=True)
    config = PROJECT / "config"
    if stage == "deidentify":
        parts |= {"source": source, "allowlist": config / "allowlist", "vocabulary": config / "vocabulary.yaml"}
    else:
        parts |= {"source": f"results/deface/{chunk}", "subjects": f"results/deidentify/{chunk}"}
        parts |= {"verified": f"results/verify/{chunk}", "export": source, "profiles": config / "extraction"}
    words = [word for name, value in parts.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", f"radcurate.stages.{stage}", *words]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        export, consent, waiver = (Path(word).resolve() for word in sys.argv[1:4])
        with tempfile.TemporaryDirectory() as temporary:
            shown = of_cohort(export.name, Cohort(export, consent, waiver), Path(temporary) / "run")
    else:
        shown = figures()
    print("\n".join(map(str, shown)))
