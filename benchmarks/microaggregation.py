"""What microaggregation costs in CPU time, one thread, and what it leaves of made-up features: 40 factors and noise."""

from __future__ import annotations

import statistics
import time

import numpy as np

from benchmarks.figure import Figure
from radcurate.privacy.microaggregation import microaggregate

PATIENTS, FEATURES, FACTORS, RUNS = 10_000, 1_000, 40, 3


def figures() -> list[Figure]:
    """CPU seconds for 10,000 patients with 1,000 features, in groups of 5 and of 11."""
    values = table()
    subject, kind = np.arange(PATIENTS), np.zeros(PATIENTS, dtype=np.int64)
    return [_figure(values, subject, kind, k) for k in (5, 11)]


def table() -> np.ndarray:
    """shape (patient, feature)."""
    chance = np.random.default_rng(0)
    factors = chance.normal(size=(PATIENTS, FACTORS)) @ chance.normal(size=(FACTORS, FEATURES))
    return factors + 0.3 * chance.normal(size=(PATIENTS, FEATURES))


def _figure(values: np.ndarray, subject: np.ndarray, kind: np.ndarray, k: int) -> Figure:
    seconds = []
    for _ in range(RUNS):
        begin = time.process_time()
        microaggregate(values, subject, kind, k)
        seconds.append(time.process_time() - begin)
    return Figure(f"microaggregation, k {k}, 1e4 patients x 1e3 features", statistics.median(seconds), 10, "CPU-s")


if __name__ == "__main__":
    print("\n".join(str(figure) for figure in figures()))
