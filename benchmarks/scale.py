"""What a large cohort costs, part by part: `python -m benchmarks.scale [plan|run|inventory|protect|release …]`, all of
them without a word.

plan: dry runs of 1e5 and 1e6 series; run: a whole run's disk, its overhead, two cores against one; inventory: 1e5 files;
protect, release: the stages after extract on 1e6 regions of 200 features.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import inventory_scale, scale_protect, scale_release, scale_run
from benchmarks.figure import Figure
from benchmarks.scale_plan import QUIET, Plan


@dataclass(frozen=True)
class Goal:
    """A cohort and what its plan may cost."""

    series: int
    per_chunk: int
    cpu: float  # seconds
    memory: float  # MB
    finished: bool = False  # plan the finished run too


# the first two as FINDINGS measured them (fresh plans only), then what docs/explanation/scaling.md recommends
GOALS = (
    Goal(100_000, 64, 20, 400),
    Goal(1_000_000, 256, 60, 800),
    Goal(100_000, 128, 20, 400, finished=True),
    Goal(1_000_000, 384, 60, 800, finished=True),
)


def figures() -> list[Figure]:
    """All parts."""
    return [figure for part in PARTS.values() for figure in part()]


def plans() -> Iterator[Figure]:
    """Dry runs: nothing behind consent was made, and everything was."""
    for goal in GOALS:
        with tempfile.TemporaryDirectory() as name:
            plan = Plan(Path(name) / "plan", goal.series, goal.per_chunk)
            plan.make()
            yield from _plan(plan, goal, "fresh")
            if goal.finished:
                plan.finish()
                yield from _plan(plan, goal, "finished")


PARTS: dict[str, Callable[[], Iterable[Figure]]] = {
    "plan": plans,
    "run": scale_run.figures,
    "inventory": inventory_scale.figures,
    "protect": scale_protect.figures,
    "release": scale_release.figures,
}


def _plan(plan: Plan, goal: Goal, state: str) -> Iterator[Figure]:
    spent = plan.snakemake("--dry-run", *QUIET)
    if bool(spent.jobs) != (state == "fresh"):
        raise RuntimeError(f"{spent.jobs} jobs were planned of a run that is {state}")
    name = f"plan of {goal.series:.0e} series in chunks of {goal.per_chunk}, {state}"
    yield Figure(f"{name}: CPU", spent.cpu, goal.cpu, "CPU-s")
    yield Figure(f"{name}: memory", spent.memory, goal.memory, "MB")


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        for figure in PARTS[part]():
            print(figure, flush=True)
