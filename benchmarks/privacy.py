"""Measures, optimal search and Mondrian: CPU time and memory, on tables made for it. Run: python -m benchmarks.privacy"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.figure import Figure
from benchmarks.measure import cpu
from benchmarks.tables import adult_like, hospital, pandas_measures

ROOT = Path(__file__).resolve().parents[1]
MILLION, TIMES = 1_000_000, 5


def figures() -> list[Figure]:
    """The promised figures of the privacy measures and of the search for what to release."""
    measured, peer = _measures()
    adult = [_search(adult_like(), 5, 1.0), _search(adult_like(), 11, 0.05)]
    return [
        Figure("privacy: k, three l and two t, 1e6 rows", measured, 0.3, "CPU-s"),
        Figure("privacy: the same against pandas group-by", peer / measured, 4, "times", at_most=False),
        Figure("privacy: optimal search, 30,162 rows like Adult, 6,480 nodes", max(adult), 0.15, "CPU-s"),
        Figure(
            "privacy: optimal search, 1e6 rows, 6 quasi-identifiers", _search(hospital(MILLION), 5, 0.1), 1.5, "CPU-s"
        ),
        Figure("privacy: memory of that search", _peak(), 800, "MB"),
        Figure("privacy: Mondrian, 1e6 rows, 6 quasi-identifiers", _mondrian(hospital(MILLION)), 1.0, "CPU-s"),
    ]


def _middle(work: Callable[[], object], times: int = TIMES) -> float:
    work()
    return median(cpu(work) for _ in range(times))


def _measures() -> tuple[float, float]:
    from radcurate.privacy.classes import classes
    from radcurate.privacy.coding import combine
    from radcurate.privacy.measures import risk, sensitive

    cohort = hospital(MILLION)
    coarse = {"age": 5, "date": 12}  # as a release would show them
    codes = [
        values // coarse.get(ladder.column, 1) for ladder, values in zip(cohort.ladders, cohort.values, strict=True)
    ]
    hidden = (codes[0] + np.random.default_rng(2).integers(0, 4, MILLION)) % 10
    rank = np.arange(10)

    def ours() -> tuple[float, ...]:
        group = classes(cohort.subject, combine(codes, MILLION))
        found = risk(group, {"s": sensitive(cohort.subject, hidden, rank)})
        return found.k, *found.sensitive["s"].values()

    peer = lambda: pandas_measures(codes, hidden, c=3.0)  # noqa: E731
    assert np.allclose(ours(), peer()), "the two disagree"
    return _middle(ours), _middle(peer, 3)


def _search(cohort, k: int, suppression: float) -> float:  # type: ignore[no-untyped-def]
    from radcurate.privacy.search import Board, Targets, search

    return _middle(lambda: search(Board(cohort), Targets(k, suppression=suppression)))


def _mondrian(cohort) -> float:  # type: ignore[no-untyped-def]
    from radcurate.privacy.mondrian import mondrian
    from radcurate.privacy.search import Targets

    return _middle(lambda: mondrian(cohort, Targets(5)), 3)


def _peak() -> float:
    """Largest resident set in MB of a process that makes the table and searches it."""
    code = "from benchmarks import privacy; privacy.searched()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def searched() -> None:
    """Search a million rows once and print the peak memory in MB."""
    from radcurate.privacy.search import Board, Targets, search

    search(Board(hospital(MILLION)), Targets(5, suppression=0.1))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    print("\n".join(str(figure) for figure in figures()))
