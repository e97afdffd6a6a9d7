"""A cross-validated guess of a label from numbers by decision trees, patients kept together.

The trees see ranks, so units and outliers don't matter. Half of them split all columns at random places (Geurts et al.
2006), half split the columns that tell most in the training part at the best place: one telling column among a
thousand, or a constant amid other values, would be lost to the first, many weak columns to the second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radcurate.attack.matrix import Floats, Ints

FOLDS, BINS, SCREENED, LEAF = 5, 8, 16, 2
ENOUGH = 10  # units of a label that a tree sees where it could see so many
Small = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """Rows to learn from.

    Attributes:
        ranks: shape (row, column), whole numbers from 0, missing first.
        bins: one per part of the ranks, 1 where a row lies in it, shape (bin, row, column).
        unit: of each row: what is guessed, such as a patient at a site; from 0 without gaps.
        patient: of each unit; units of a patient are left out together.
    """

    ranks: Small
    bins: Small
    unit: Ints
    patient: Ints


@dataclass(frozen=True)
class Outcome:
    """Guesses, each by trees that had not seen the patient.

    Attributes:
        guess: label of each unit, shape (unit,).
        early: the same by a fixed small number of trees: what is compared with shuffled labels.
        alone: balanced accuracy by each column alone, shape (column,).
        importance: share of the impurity that each column takes away, shape (column,).
    """

    guess: Ints
    early: Ints
    alone: Floats
    importance: Floats


def rows_of(values: Floats, unit: Ints, patient: Ints) -> Rows:
    """Prepare numbers, shape (row, column), NaN where missing."""
    ranks, bins = np.empty(values.shape, np.float32), np.empty(values.shape, np.int64)
    parts = int(np.clip(len(values) // 5, 2, BINS))
    for column in range(values.shape[1]):
        filled = np.where(np.isnan(values[:, column]), -np.inf, values[:, column])
        _, place, count = np.unique(filled, return_inverse=True, return_counts=True)
        ranks[:, column] = place
        bins[:, column] = ((np.cumsum(count) - count / 2) * parts / len(values))[place]
    flags = np.stack([bins == part for part in range(parts)]).astype(np.float32)
    return Rows(ranks, flags, unit, patient)


def cross_validated(
    rows: Rows, label: Ints, labels: int, trees: int, early: int, rng: np.random.Generator, repeats: int = 1
) -> Outcome:
    """Guess the label of every unit from the other patients' units.

    Args:
        rows: what is known.
        label: of each unit, from 0, shape (unit,); each has two patients at least.
        labels: how many there are.
        trees: per fold; the first `early` of the first repeat also give a guess of their own.
        rng: where chance comes from.
        repeats: how often patients are dealt to folds anew; a small cohort's guess depends on the deal.
    """
    votes, few = np.zeros((label.size, labels)), np.zeros((label.size, labels))
    hits, importance = np.zeros((labels, rows.ranks.shape[1])), np.zeros(rows.ranks.shape[1])
    for repeat in range(repeats):
        fold = folds(label, rows.patient, labels, rng)
        for part in np.unique(fold).tolist():
            held = fold[rows.unit] == part
            weight = _weights(rows, label, labels, held)
            told = _told(rows, label, labels, weight)
            hits += _hits(rows, label, labels, told, held) / repeats
            for tree in range(trees):
                own = _drawn(rows, label, weight, rng)
                screened = np.argsort(-told.score, kind="stable")[:SCREENED] if tree % 2 else None
                found, gain = _grown(rows, label, own, held, screened, int(rng.integers(2**31)))
                importance += gain
                np.add.at(votes, rows.unit[held], found)
                if tree < early and not repeat:
                    np.add.at(few, rows.unit[held], found)
    return Outcome(_first(votes), _first(few), hits.mean(axis=0), importance / max(importance.sum(), 1e-300))


def _first(votes: Floats) -> Ints:
    """The label with most votes, the first of equals: rounding errors follow the sizes of labels, and would tell them."""
    found: Ints = np.round(votes, 6).argmax(axis=1)
    return found


def folds(label: Ints, patient: Ints, labels: int, rng: np.random.Generator) -> Ints:
    """Deal patients to parts, label by label, so that each part holds its share of each label; shape (unit,)."""
    people, first = np.unique(patient, return_index=True)
    stratum = label[first]
    number = min(FOLDS, *np.bincount(stratum, minlength=labels)[np.unique(stratum)].tolist())
    order = rng.permutation(people.size)
    order = order[np.argsort(stratum[order], kind="stable")]
    dealt = np.empty(int(people.max()) + 1, np.int64)
    dealt[people[order]] = np.arange(people.size) % max(2, number)
    found: Ints = dealt[patient]
    return found


def balanced(guess: Ints, label: Ints, labels: int) -> float:
    """Mean over the labels of the share of their units that was guessed."""
    return float(np.mean([(guess[label == one] == one).mean() for one in range(labels)]))


def _weights(rows: Rows, label: Ints, labels: int, held: NDArray[np.bool_]) -> Floats:
    """Every label weighs as much as the others, every unit as much as the others of its label; held rows nothing."""
    there = np.bincount(rows.unit[~held], minlength=label.size)
    units = np.bincount(label[there > 0], minlength=labels)
    weight = 1 / np.maximum(there, 1) / np.maximum(units[label], 1)
    return np.where(held, 0.0, weight[rows.unit] * label.size / labels)


def _drawn(rows: Rows, label: Ints, weight: Floats, rng: np.random.Generator) -> Floats:
    """Weights of one tree: as many units of each label as of the smallest, `ENOUGH` at least where there are so many.

    A tree that saw all would ask first where most patients are from.
    """
    known = np.unique(rows.unit[weight > 0])
    order = known[rng.permutation(known.size)]
    sizes = np.bincount(label[known])
    most = max(int(sizes[sizes > 0].min()), ENOUGH)
    chosen = np.zeros(label.size, dtype=bool)
    for one in np.flatnonzero(sizes):
        chosen[order[label[order] == one][:most]] = True
    scale = np.maximum(1.0, sizes / most)[label]
    return np.where(chosen[rows.unit], weight * scale[rows.unit], 0.0)


@dataclass(frozen=True)
class _Told:
    """What single columns tell: the likeliest label in each part of the ranks, (bin, column); purity, (column,)."""

    label: Ints
    score: Floats


def _told(rows: Rows, label: Ints, labels: int, weight: Floats) -> _Told:
    which = (label[rows.unit][None, :] == np.arange(labels)[:, None]) * weight[None, :]
    counts = np.stack([which.astype(np.float32) @ part for part in rows.bins])  # (bin, label, column)
    whole = counts.sum(axis=1)
    purity = np.divide((counts**2).sum(axis=1), whole, out=np.zeros_like(whole), where=whole > 0)
    # rounded, so that the last bits of a sum don't order the columns
    return _Told(counts.argmax(axis=1), np.round(purity.sum(axis=0).astype(np.float64), 4))


def _hits(rows: Rows, label: Ints, labels: int, told: _Told, held: NDArray[np.bool_]) -> Floats:
    """Per label and column, the share of all its units that the column alone guesses among the held rows."""
    guess = np.zeros((int(held.sum()), rows.ranks.shape[1]), np.int64)
    for place, part in enumerate(rows.bins):
        guess += (part[held] > 0) * told.label[place]
    unit = rows.unit[held]
    share = 1 / np.bincount(rows.unit, minlength=label.size)[unit] / np.bincount(label, minlength=labels)[label[unit]]
    right = (guess == label[unit][:, None]) * share[:, None]
    return np.stack([right[label[unit] == one].sum(axis=0) for one in range(labels)])


def _grown(
    rows: Rows, label: Ints, weight: Floats, held: NDArray[np.bool_], columns: Ints | None, seed: int
) -> tuple[Floats, Floats]:
    """One tree: shares of the labels for the held rows, (row, label), and the impurity each column takes away."""
    from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier  # a second to import, which only this needs

    ranks = rows.ranks if columns is None else np.ascontiguousarray(rows.ranks[:, columns])
    kind = ExtraTreeClassifier if columns is None else DecisionTreeClassifier
    tree = kind(max_features="sqrt" if columns is None else 0.5, random_state=seed, min_samples_leaf=LEAF)
    tree.fit(ranks, label[rows.unit], sample_weight=weight, check_input=False)
    votes = tree.tree_.predict(np.ascontiguousarray(ranks[held]))
    gain = np.zeros(rows.ranks.shape[1])
    gain[slice(None) if columns is None else columns] = tree.feature_importances_
    found: Floats = votes / votes.sum(axis=1, keepdims=True)
    return found, gain
