"""Fingerprint and site guess on 10,000 patients with 1,000 features: CPU time on one thread, and the fingerprint's memory.

The release is microaggregated (groups of eleven), so release and raw table are both matched, as in a public release.
"""

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
from radcurate.attack.fingerprint import attack_fingerprint
from radcurate.attack.records import Records
from radcurate.attack.reextraction import reextractions
from radcurate.attack.site import attack_site

ROOT = Path(__file__).resolve().parents[1]
PATIENTS, COLUMNS, GROUP, SITES, REPEATS = 10_000, 1_000, 11, 5, 3
MOST_SECONDS, MOST_SITE_SECONDS, MOST_MEGABYTES = 60.0, 30.0, 2_000.0


def figures() -> list[Figure]:
    """What both attacks cost."""
    size = f"{PATIENTS} × {COLUMNS}"
    return [
        Figure(f"fingerprint, {size}", median(cpu(_fingerprint()) for _ in range(REPEATS)), MOST_SECONDS, "CPU-s"),
        Figure(f"site guess, {size}", median(cpu(_site()) for _ in range(REPEATS)), MOST_SITE_SECONDS, "CPU-s"),
        Figure(f"fingerprint, {size}, memory", _memory(), MOST_MEGABYTES, "MB"),
    ]


def _fingerprint() -> Callable[[], object]:
    raw = _table(_values())
    released = _table(_grouped(raw.values))
    return lambda: attack_fingerprint(released, raw, reextractions(raw))


def _site() -> Callable[[], object]:
    values = _values()
    sites = {code: f"H{row % SITES}" for row, code in enumerate(_codes())}
    values[:, 3] = np.where(np.arange(PATIENTS) % SITES == 1, 0.1, values[:, 3])
    raw = _table(values)
    released = _table(_grouped(values))
    return lambda: attack_site(released, raw, sites)


def _values() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(0).standard_normal((PATIENTS, COLUMNS))


def _grouped(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    groups = np.minimum(np.arange(PATIENTS) // GROUP, PATIENTS // GROUP - 1)
    sums = np.zeros((groups[-1] + 1, COLUMNS))
    np.add.at(sums, groups, values)
    return (sums / np.bincount(groups)[:, None])[groups]


def _codes() -> tuple[str, ...]:
    return tuple(f"P{row:06d}" for row in range(PATIENTS))


def _table(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Records:
    codes, one, none = _codes(), ("CT",) * PATIENTS, np.empty((PATIENTS, 0))
    names = tuple(f"f{column:04d}" for column in range(COLUMNS))
    return Records(codes, codes, one, one, codes, names, values, ("",) * PATIENTS, (), none)


def _memory() -> float:
    """Largest resident set of a process that attacks once, in MB."""
    code = "from benchmarks import fingerprint; fingerprint.attacked()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def attacked() -> None:
    """Attack once and print the peak memory in MB."""
    _fingerprint()()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    print("\n".join(str(figure) for figure in figures()))
