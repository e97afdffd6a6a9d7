"""Small tables of regions for tests of attacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from radcurate.attack.records import Records


def table(
    values: NDArray[np.float64],
    subject: Sequence[str] | None = None,
    label: Sequence[str] | None = None,
    protocol: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Records:
    """Rows by patient, as `Records` wants them; a region per patient where nothing else is said."""
    rows = len(values)
    who = list(subject or [f"P{row:03d}" for row in range(rows)])
    order = np.argsort(np.array(who), kind="stable")
    kinds, words = list(label or ["tumour"] * rows), list(protocol or [""] * rows)
    return Records(
        subject=tuple(who[row] for row in order),
        region=tuple(f"{who[row]}-{place:03d}" for place, row in enumerate(order)),
        modality=("CT",) * rows,
        label=tuple(kinds[row] for row in order),
        series=tuple(f"S{place:03d}" for place in range(rows)),
        names=tuple(names or [f"f{column:03d}" for column in range(values.shape[1])]),
        values=np.asarray(values, dtype=np.float64)[order],
        protocol=tuple(words[row] for row in order),
        extra_names=(),
        extra=np.empty((rows, 0)),
    )


def people(patients: int, columns: int, seed: int = 0) -> NDArray[np.float64]:
    """Patients who differ, one row each."""
    return np.random.default_rng(seed).standard_normal((patients, columns))


def in_groups(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Each row the mean of its group of at least `size` rows."""
    groups = np.minimum(np.arange(len(values)) // size, len(values) // size - 1)
    return np.stack([values[groups == group].mean(axis=0) for group in groups])
