"""k, l and t of a table and what follows from them, over classes of patients (see `classes`, `diversity`, `distance`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from radcurate.privacy.coding import Flags, Ints, Reals
from radcurate.privacy.distance import ordered, variation
from radcurate.privacy.diversity import distinct, entropy, recursive
from radcurate.privacy.sensitive import Sensitive, cells, ranks, sensitive

__all__ = [
    "TOLERANCE",
    "C",
    "Diversity",
    "Flags",
    "Ints",
    "Reals",
    "Risk",
    "Sensitive",
    "closeness",
    "distinct_l",
    "diversity",
    "ranks",
    "risk",
    "sensitive",
]

TOLERANCE = 1e-12  # rounding of sums of shares
C = 3.0  # of recursive (c, l): with l = 2, no value that three quarters of a class have


def distinct_l(group: Ints, column: Sensitive) -> Ints:
    """Distinct sensitive values of each class `group`, shape (subject,); shape (class,). See `diversity.distinct`."""
    return distinct(cells(group, column))


def closeness(group: Ints, column: Sensitive) -> Reals:
    """Total variation distance of each class from all given patients, shape (class,). See `distance.variation`."""
    return variation(cells(group, column))


@dataclass(frozen=True)
class Diversity:
    """l and t of a sensitive column, the worst class of each kind, and the classes that tell a value of all."""

    l: int  # noqa: E741
    l_entropy: float
    l_recursive: int
    t: float
    t_ordered: float
    told: Flags

    def document(self) -> dict[str, float]:
        """As plain data, without the classes."""
        return {name: getattr(self, name) for name in KINDS}


KINDS = ("l", "l_entropy", "l_recursive", "t", "t_ordered")


def diversity(group: Ints, column: Sensitive, c: float = C) -> Diversity:
    """Measure the classes `group`, shape (subject,), of at least one patient."""
    found = cells(group, column)
    values = distinct(found)
    return Diversity(
        l=int(values.min()),
        l_entropy=float(entropy(found).min()),
        l_recursive=int(recursive(found, c).min()),
        t=float(variation(found).max()),
        t_ordered=float(ordered(found).max()),
        told=values == 1,
    )


@dataclass(frozen=True)
class Risk:
    """What a table tells about its patients. `k` is 0 and the shares are 0 for a table of nobody; without a sensitive column every l and t is None."""

    k: int
    l: int | None  # noqa: E741
    l_entropy: float | None
    l_recursive: int | None
    t: float | None
    t_ordered: float | None
    n_subjects: int
    n_classes: int
    unique_share: float  # share of patients that are alone in their class
    prosecutor_max: float  # 1 / k
    prosecutor_mean: float  # mean over patients of 1 / class size = classes / patients
    discernibility: (
        int  # sum of squared class sizes, suppressed patients cost the whole cohort each (Bayardo & Agrawal 2005)
    )
    sensitive: dict[str, dict[str, float]]  # every l and t of each sensitive column
    homogeneous_classes: int  # classes that tell a sensitive value of all their patients

    def document(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def risk(group: Ints, columns: Mapping[str, Sensitive], suppressed: int = 0, c: float = C) -> Risk:
    """Measure the classes `group`, shape (subject,), of a table from which `suppressed` patients were left out.

    `c` is that of recursive (c, l).
    """
    n = int(group.size)
    sizes = np.bincount(group) if n else np.zeros(0, dtype=np.int64)
    found = {name: diversity(group, column, c) for name, column in columns.items()} if n else {}
    told = np.zeros(sizes.size, dtype=bool)
    for each in found.values():
        told |= each.told
    lowest = int(sizes.min()) if n else 0
    return Risk(
        k=lowest,
        l=min((each.l for each in found.values()), default=None),
        l_entropy=min((each.l_entropy for each in found.values()), default=None),
        l_recursive=min((each.l_recursive for each in found.values()), default=None),
        t=max((each.t for each in found.values()), default=None),
        t_ordered=max((each.t_ordered for each in found.values()), default=None),
        n_subjects=n,
        n_classes=int(sizes.size),
        unique_share=float((sizes == 1).sum() / n) if n else 0.0,
        prosecutor_max=1 / lowest if lowest else 0.0,
        prosecutor_mean=float(sizes.size / n) if n else 0.0,
        discernibility=int(sizes @ sizes) + suppressed * (n + suppressed),
        sensitive={name: each.document() for name, each in found.items()},
        homogeneous_classes=int(told.sum()),
    )
