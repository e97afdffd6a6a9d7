"""Equivalence classes of patients.

All rows of a patient carry one subject code, so an attacker sees them together: two patients are alike only when the
*sets* of their quasi-identifier tuples are equal. A class of that kind is never larger than the set of patients that
share any one of its tuples, so k over trajectories implies k over single rows, and several rows of one patient never
raise it.
"""

from __future__ import annotations

import numpy as np

from radcurate.privacy.coding import Ints, renumber, starts


def classes(subject: Ints, cell: Ints, *, counted: bool = False) -> Ints:
    """Class of each subject, shape (subject,), numbered from 0.

    Args:
        subject: shape (row,), whose row it is, every number from 0 to n - 1 at least once.
        cell: shape (row,), the code of what the row shows (see `coding.combine`).
        counted: compare multisets instead: an attacker who also counts rows.
    """
    n_subjects = int(subject.max(initial=-1)) + 1
    if subject.size > n_subjects:
        cell, width = renumber(cell)
        pairs = np.sort(subject * width + cell)
        if not counted:
            pairs = pairs[starts(pairs)]
        subject = pairs // width
        cell = pairs - subject * width
    if subject.size == n_subjects:
        alone = np.empty(n_subjects, dtype=np.int64)
        alone[subject] = cell
        return renumber(alone)[0]
    return _number_sequences(cell, np.bincount(subject))


def _number_sequences(cell: Ints, lengths: Ints) -> Ints:
    """Number equal sequences alike; sequence i is the next `lengths[i]` elements of `cell`.

    Position by position, among the sequences that are that long: those that ended keep a number from an earlier,
    disjoint range, so a prefix never equals its continuation.
    """
    start = np.cumsum(lengths) - lengths
    group = np.zeros(lengths.size, dtype=np.int64)
    width, offset = int(cell.max(initial=0)) + 1, 1
    active = np.arange(lengths.size)
    for position in range(int(lengths.max(initial=0))):
        active = active[lengths[active] > position]
        known = renumber(group[active])[0]
        number, found = renumber(known * width + cell[start[active] + position])
        group[active] = offset + number
        offset += found
    return renumber(group)[0]
