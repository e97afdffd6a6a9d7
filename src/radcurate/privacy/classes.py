"""Equivalence classes of patients.

All rows of a patient carry one subject code, so an attacker sees them together: two patients are alike only when the
*sets* of their quasi-identifier tuples are equal. A class of that kind is never larger than the set of patients that
share any one of its tuples, so k over trajectories implies k over single rows, and several rows of one patient never
raise it.
"""

from __future__ import annotations

import numpy as np

from radcurate.privacy.coding import Ints


def classes(subject: Ints, cell: Ints, *, counted: bool = False) -> Ints:
    """Class of each subject, shape (subject,), numbered from 0.

    Args:
        subject: shape (row,), whose row it is, every number from 0 to n - 1 at least once.
        cell: shape (row,), the code of what the row shows (see `coding.combine`).
        counted: compare multisets instead: an attacker who also counts rows.
    """
    order = np.lexsort((cell, subject))
    subject, cell = subject[order], cell[order]
    if not counted and subject.size:
        first = np.ones(subject.size, dtype=bool)
        first[1:] = (subject[1:] != subject[:-1]) | (cell[1:] != cell[:-1])
        subject, cell = subject[first], cell[first]
    lengths = np.bincount(subject).astype(np.int64)
    return _number_sequences(np.unique(cell, return_inverse=True)[1].astype(np.int64), lengths)


def _number_sequences(cell: Ints, lengths: Ints) -> Ints:
    """Number equal sequences alike; sequence i is the next `lengths[i]` elements of `cell`.

    Position by position, among the sequences that are that long: those that ended keep a number from an earlier,
    disjoint range, so a prefix never equals its continuation.
    """
    start = np.cumsum(lengths) - lengths
    group = np.zeros(lengths.size, dtype=np.int64)
    width, offset = int(cell.max(initial=0)) + 1, 1
    for position in range(int(lengths.max(initial=0))):
        active = np.flatnonzero(lengths > position)
        joint = group[active] * width + cell[start[active] + position]
        found, inverse = np.unique(joint, return_inverse=True)
        group[active] = offset + inverse
        offset += found.size
    return np.unique(group, return_inverse=True)[1].astype(np.int64)
