"""What a large cohort costs: planning 1e5 and 1e6 series, and a whole run's disk, overhead and two cores against one.

The other figures at this size print themselves: `python -m benchmarks.inventory` reads files, and the stages after extract
have a benchmark each.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import scale_run
from benchmarks.figure import Figure
from benchmarks.scale_plan import QUIET, Plan


@dataclass(frozen=True)
class Goal:
    """A cohort and what its plan may cost."""

    series: int
    per_chunk: int
    cpu: float  # seconds
    memory: float  # MB


GOALS = (Goal(100_000, 64, 20, 400), Goal(1_000_000, 256, 60, 800))


def figures() -> list[Figure]:
    """Plans first, then a run of the demo."""
    return [*plans(), *scale_run.figures()]


def plans() -> Iterator[Figure]:
    """Dry runs: nothing behind consent was made, and everything was."""
    for goal in GOALS:
        with tempfile.TemporaryDirectory() as name:
            plan = Plan(Path(name) / "plan", goal.series, goal.per_chunk)
            plan.make()
            yield from _plan(plan, goal, "fresh")
            plan.finish()
            yield from _plan(plan, goal, "finished")


def _plan(plan: Plan, goal: Goal, state: str) -> Iterator[Figure]:
    spent = plan.snakemake("--dry-run", *QUIET)
    if bool(spent.jobs) != (state == "fresh"):
        raise RuntimeError(f"{spent.jobs} jobs were planned of a run that is {state}")
    name = f"plan of {goal.series:.0e} series, {state}"
    yield Figure(f"{name}: CPU", spent.cpu, goal.cpu, "CPU-s")
    yield Figure(f"{name}: memory", spent.memory, goal.memory, "MB")


if __name__ == "__main__":
    print("\n".join(map(str, figures())))
