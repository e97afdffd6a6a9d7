"""k, distinct l, t and what follows from them, over classes of patients (see `classes`).

A patient's sensitive value is the set of the values in its rows; a missing value counts as a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Ints

TOLERANCE = 1e-12  # rounding of sums of shares
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sensitive:
    """A sensitive column by patient.

    `held`, shape (subject,): code of the patient's set of values. `owner` and `value`, shape (pair,): each distinct
    pair of a patient and one of its values.
    """

    held: Ints
    owner: Ints
    value: Ints

    def of(self, kept: Flags) -> Sensitive:
        """Only the patients flagged in `kept`, shape (subject,), renumbered."""
        number = np.cumsum(kept) - 1
        pairs = kept[self.owner]
        return Sensitive(self.held[kept], number[self.owner[pairs]], self.value[pairs])


def sensitive(subject: Ints, codes: Ints) -> Sensitive:
    """From the rows of a column: `subject` and `codes`, both shape (row,)."""
    width = int(codes.max(initial=0)) + 1
    pairs = np.unique(subject * width + codes)
    return Sensitive(classes(subject, codes), pairs // width, pairs % width)


def distinct_l(group: Ints, column: Sensitive) -> Ints:
    """Distinct sensitive values of each class, shape (class,), over patients (Machanavajjhala et al. 2007).

    A class in which all patients share a value tells that value for certain, so it has l = 1 whatever else they hold.
    """
    sizes = np.bincount(group)
    found = np.bincount(_split(group, column.held)[0], minlength=sizes.size)
    owner, _, count = _split(group[column.owner], column.value)
    told = np.zeros(sizes.size, dtype=bool)
    told[owner[count == sizes[owner]]] = True
    return np.where(told, 1, found).astype(np.int64)


def closeness(group: Ints, column: Sensitive) -> Reals:
    """Total variation distance ½ Σ|p − q| of each class from all given patients, shape (class,) (Li et al. 2007)."""
    sizes = np.bincount(group)
    owner, held, count = _split(group, column.held)
    overall = np.bincount(column.held) / max(group.size, 1)
    here = overall[held]
    # values that the class lacks add q each, and these sum to one less the q of the values it has
    present = np.bincount(owner, weights=np.abs(count / sizes[owner] - here) - here, minlength=sizes.size)
    return np.clip((present + 1) / 2, 0, 1)


def _split(left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """The distinct pairs of two columns and how often each occurs."""
    width = int(right.max(initial=0)) + 1
    pairs, count = np.unique(left * width + right, return_counts=True)
    return pairs // width, pairs % width, count


@dataclass(frozen=True)
class Risk:
    """What a table tells about its patients. `k` is 0 and the shares are 0 for a table of nobody; without a sensitive column `l` and `t` are None."""

    k: int
    l: int | None  # noqa: E741
    t: float | None
    n_subjects: int
    n_classes: int
    unique_share: float  # share of patients that are alone in their class
    prosecutor_max: float  # 1 / k
    prosecutor_mean: float  # mean over patients of 1 / class size = classes / patients
    discernibility: (
        int  # sum of squared class sizes, suppressed patients cost the whole cohort each (Bayardo & Agrawal 2005)
    )
    sensitive: dict[str, dict[str, float]]  # l and t of each sensitive column
    homogeneous_classes: int  # classes that tell a sensitive value of all their patients

    def document(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def risk(group: Ints, columns: Mapping[str, Sensitive], suppressed: int = 0) -> Risk:
    """Measure the classes `group`, shape (subject,), of a table from which `suppressed` patients were left out."""
    n = int(group.size)
    sizes = np.bincount(group) if n else np.zeros(0, dtype=np.int64)
    each_l = {name: distinct_l(group, column) for name, column in columns.items()} if n else {}
    each_t = {name: closeness(group, column) for name, column in columns.items()} if n else {}
    told = np.zeros(sizes.size, dtype=bool)
    for found in each_l.values():
        told |= found == 1
    lowest = int(sizes.min()) if n else 0
    return Risk(
        k=lowest,
        l=min((int(found.min()) for found in each_l.values()), default=None),
        t=max((float(found.max()) for found in each_t.values()), default=None),
        n_subjects=n,
        n_classes=int(sizes.size),
        unique_share=float((sizes == 1).sum() / n) if n else 0.0,
        prosecutor_max=1 / lowest if lowest else 0.0,
        prosecutor_mean=float(sizes.size / n) if n else 0.0,
        discernibility=int((sizes.astype(object) ** 2).sum()) + suppressed * (n + suppressed),
        sensitive={name: {"l": int(each_l[name].min()), "t": float(each_t[name].max())} for name in each_l},
        homogeneous_classes=int(told.sum()),
    )
