"""The demo: how long from nothing to a release on two cores, and how large and how fast its cohort is."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure
from radcurate.demo import make_cohort
from radcurate.keys import create_key

PROJECT = Path(__file__).resolve().parents[1]


def figures(repeats: int = 3) -> list[Figure]:
    """Wall seconds of the chain, CPU seconds and megabytes of the cohort."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        make_cohort(folder / "demo")
        cohort_cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime - start
        size = sum(path.stat().st_size for path in (folder / "demo").rglob("*") if path.is_file()) / 1e6
        create_key(folder / "key")
        walls = [_wall(folder, repeat) for repeat in range(repeats)]
    return [
        Figure("demo: cohort made", cohort_cpu, 30, "CPU-s"),
        Figure("demo: cohort size", size, 150, "MB"),
        Figure("demo: export to release, 2 cores", statistics.median(walls), 240, "s"),
    ]


def _wall(folder: Path, repeat: int) -> float:
    run = folder / f"run{repeat}"
    run.mkdir()
    command = [sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--directory", str(run)]
    command += ["--profile", str(PROJECT / "profiles" / "default"), "--cores", "2"]
    command += ["--configfile", str(PROJECT / "config" / "demo.yaml"), "--config"]
    command += [f"input={folder / 'demo' / 'export'}", f"key_file={folder / 'key'}"]
    command += [
        f"consent={{table: {folder / 'demo' / 'consent.csv'}, waiver: {folder / 'demo' / 'waiver.yaml'}, purpose: research}}"
    ]
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - start
