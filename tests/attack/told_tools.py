"""Small tables for the linkage attack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radcurate.attack.told import Told, raw_told, released_told


def regions(n: int) -> list[str]:
    return [f"R-{row:04}" for row in range(n)]


def raw_of(*rows: tuple) -> Told:
    """Rows (patient, sex, age, date, site)."""
    patient, values = split(rows)
    return raw_told(patient, regions(len(rows)), values)


def released_of(raw: Told, *rows: tuple) -> Told:
    """Rows as in `raw_of`, the same regions in the same order."""
    patient, values = split(rows)
    return released_told(patient, regions(len(rows)), values, raw)


def split(rows: Sequence[tuple]) -> tuple[np.ndarray, dict[str, list]]:
    values = {name: [row[place] for row in rows] for place, name in enumerate(("sex", "age", "date", "site"), 1)}
    return np.array([row[0] for row in rows], dtype=np.int64), values


def cohort(n: int, seed: int = 1) -> list[tuple]:
    """Rows of patients, one or two visits each."""
    chance = np.random.default_rng(seed)
    rows = []
    for patient in range(n):
        sex, site, age = chance.choice(["M", "F"]), chance.choice(["North", "South"]), int(chance.integers(20, 90))
        for visit in range(int(chance.integers(1, 3))):
            day = f"{chance.integers(2012, 2018)}-{chance.integers(1, 13):02}-{chance.integers(1, 29):02}"
            rows.append((patient, str(sex), float(age + visit), day, str(site)))
    return rows
