"""Who is nearest: patients measured again against patients released, all regions of a patient taken together.

Memory: the numbers, and one block of queries against the rows of a kind that a slice of the released patients has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from radcurate.attack.matrix import Floats, Ints
from radcurate.attack.records import Records
from radcurate.attack.scores import Scores, absence, absent, bounded, patterns, weighted

BLOCK = 256  # patients asked at a time
SLICE = 8192  # released patients that they are compared with at a time
TOLERANCE = 1e-9  # distances that differ by less, relative to their terms, are ties


@dataclass(frozen=True)
class Kind:
    """Regions of one modality and label, ready to be compared.

    Attributes:
        asked: rows of the query table, shape (row,).
        query: their numbers, shape (row, column); `target`: those of the released rows, rows of a patient together.
        scale: of the first columns of `query` against normal scores; the others, which tell what is missing, are fixed.
        first: place of the first row of each patient in `target`; `patients`: their places among the patients.
        neutral: squared distance of two people on average; it stands for a patient without such a region.
        query_known, target_known: what whoever has the scan knows (protocol, provenance), equal numbers where it is
            equal; shape (what, row).
    """

    asked: Ints
    query: Floats
    target: Floats
    scale: Floats
    first: Ints
    patients: Ints
    neutral: float
    query_known: Ints
    target_known: Ints

    def again(self, scores: Floats) -> Kind:
        """The same regions measured again: normal scores of all query rows, shape (any row, column)."""
        query = self.query.copy()
        query[:, : self.scale.size] = np.nan_to_num(scores[self.asked]) * self.scale
        return replace(self, query=query)

    def costs(self, rows: Ints) -> tuple[Floats, Floats, Floats]:
        """Least squared distance of some rows of `query` to each patient's rows, less `neutral`.

        Returns:
            Distances by numbers, and by numbers and protocol, shape (row, patient); largest term of each row, (row,).
        """
        query, long = self.query[rows], (self.target**2).sum(axis=1)
        own = (query**2).sum(axis=1)
        found = own[:, None] + long[None, :] - 2 * (query @ self.target.T)
        least: Floats = np.minimum.reduceat(found, self.first, axis=1) - self.neutral
        other = (self.query_known[:, rows, None] != self.target_known[:, None, :]).sum(axis=0)
        if not other.any():
            return least, least, own + long.max()
        found += 2 * self.neutral * other  # whoever has the scan can rule out the others
        return least, np.minimum.reduceat(found, self.first, axis=1) - self.neutral, own + long.max()


def patterns_of(asked: Records, asked_scores: Floats, released: Records, scores: Scores) -> dict[tuple[str, str], Ints]:
    """Columns that stand for the patterns of missing values, over both tables, by modality and label."""
    before, after = asked.by_kind(), released.by_kind()
    return {
        kind: patterns(
            np.concatenate([asked_scores[before[kind], place], scores[after[kind], place]])
            for place in range(scores.shape[1])
        )
        for kind in set(before) & set(after)
    }


def kinds_of(
    asked: Records,
    asked_scores: Floats,
    released: Records,
    scores: Floats,
    correlation: Mapping[str, Floats],
    missing: Mapping[tuple[str, str], Ints] | None = None,
) -> list[Kind]:
    """Pair the rows of both tables by modality and label.

    Args:
        asked: regions that the attacker knows; `asked_scores`: their normal scores as measured, shape (row, column).
        released: regions of the release; `scores`: theirs; both tables in the order of `Records`.
        correlation: test–retest correlation of the columns by modality.
        missing: `patterns_of` the tables that these are parts of; None: they are whole.
    """
    place = {code: number for number, code in enumerate(released.patients)}
    known, shown = _numbered([(asked.protocol, released.protocol), (asked.origin, released.origin)])
    who = np.array([place[code] for code in released.subject], dtype=np.int64)
    found, before, after = [], asked.by_kind(), released.by_kind()
    for kind in sorted(set(before) & set(after)):
        ours, theirs = before[kind], after[kind]
        query, target, scale = weighted(asked_scores[ours], scores[theirs], correlation[kind[0]])
        gaps = absence(asked_scores[ours], scores[theirs])
        if missing is not None:
            gaps = absent(asked_scores[ours], missing[kind]), absent(scores[theirs], missing[kind])
        patients, first = np.unique(who[theirs], return_index=True)
        query, target = np.hstack([query, gaps[0]]), np.hstack([target, gaps[1]])
        neutral = apart(correlation[kind[0]])
        found.append(Kind(ours, query, target, scale, first, patients, neutral, known[:, ours], shown[:, theirs]))
    return found


def _numbered(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> tuple[Ints, Ints]:
    """Words of two tables as numbers, equal where they are equal; what a table lacks is left out; (what, row) each."""
    known, shown = [], []
    for first, second in pairs:
        if first and second:
            words = {word: number for number, word in enumerate(sorted({*first, *second}))}
            known.append([words[word] for word in first])
            shown.append([words[word] for word in second])
    return np.array(known, dtype=np.int64), np.array(shown, dtype=np.int64)


def apart(correlation: Floats) -> float:
    """Mean squared distance of two people whose scores are standard normal: Σ (1 + ρ²) / (1 - ρ²)."""
    rho = bounded(correlation)
    return float(((1 + rho**2) / (1 - rho**2)).sum())


@dataclass(frozen=True)
class Ranks:
    """Where the right patient stands for each patient asked; shape (patient,).

    Attributes:
        nearer: patients that are nearer than the right one.
        ties: patients that are as near, the right one among them.
    """

    nearer: Ints
    ties: Ints

    def within(self, first: int) -> Floats:
        """Chance that the right one is among the `first`, ties broken by lot."""
        found: Floats = np.clip((first - self.nearer) / self.ties, 0.0, 1.0)
        return found


@dataclass(frozen=True)
class Found:
    """Ranks by numbers alone, and by numbers and protocol, of one truth."""

    numbers: Ranks
    protocol: Ranks


@dataclass(frozen=True)
class Slices:
    """The released patients in slices, each of which is made when it is looked at.

    Attributes:
        bounds: first patient of each slice, and the number of patients.
        kinds: what was measured, and what was released of the patients of a slice, by its number.
    """

    bounds: Sequence[int]
    kinds: Callable[[int], Sequence[Kind]]

    def __iter__(self) -> Iterator[tuple[range, Sequence[Kind]]]:
        for number, (start, stop) in enumerate(pairwise(self.bounds)):
            yield range(start, stop), self.kinds(number)


def ranked(slices: Slices, subject: Sequence[str], truths: Sequence[Ints]) -> list[Found]:
    """Ranks of the patients asked under several truths.

    Args:
        slices: what they measured, and what was released.
        subject: patient of each query row, sorted.
        truths: per truth, the place among the released patients of the one that counts as right, by patient asked.
    """
    number = {code: place for place, code in enumerate(sorted(set(subject)))}
    who = np.array([number[code] for code in subject], dtype=np.int64)
    own = [_own_costs(slices, who, truth) for truth in truths] if len(slices.bounds) > 2 else None
    parts = [_Counted.nobody(len(number)) for _ in truths]
    for those, kinds in slices:
        for start in range(0, len(number), BLOCK):
            block = np.arange(start, min(start + BLOCK, len(number)))
            costs = _costs(kinds, who, block, len(those))
            for place, (part, truth) in enumerate(zip(parts, truths, strict=True)):
                right = costs.of(truth[block]) if own is None else own[place][:, block]
                part.add(block, costs, right)
    return [part.found() for part in parts]


@dataclass(frozen=True)
class _Costs:
    """Distances of some patients asked to released ones, shape (patient, patient released); rounding errors, (patient,)."""

    numbers: Floats
    protocol: Floats
    rounding: Floats

    def of(self, truth: Ints) -> Floats:
        """Those of one released patient for each, by numbers and by numbers and protocol, shape (2, patient)."""
        rows = np.arange(truth.size)
        return np.stack([self.numbers[rows, truth], self.protocol[rows, truth]])


@dataclass(frozen=True)
class _Counted:
    """How many are nearer than the right one, and as near, by numbers and by numbers and protocol; shape (2, patient)."""

    nearer: Ints
    within: Ints

    @staticmethod
    def nobody(number: int) -> _Counted:
        return _Counted(np.zeros((2, number), dtype=np.int64), np.zeros((2, number), dtype=np.int64))

    def add(self, block: Ints, costs: _Costs, right: Floats) -> None:
        """Count the patients of a slice; `right`: costs of the right ones."""
        for place, found in enumerate((costs.numbers, costs.protocol)):
            low, high = (right[place] - costs.rounding)[:, None], (right[place] + costs.rounding)[:, None]
            self.nearer[place, block] += (found < low).sum(axis=1)
            self.within[place, block] += (found <= high).sum(axis=1)

    def found(self) -> Found:
        """As ranks. The right one is as near as itself, also where it was computed twice."""
        ties = np.maximum(self.within - self.nearer, 1)
        return Found(*(Ranks(nearer, tied) for nearer, tied in zip(self.nearer, ties, strict=True)))


def _own_costs(slices: Slices, who: Ints, truth: Ints) -> Floats:
    """Distances to the right ones, shape (2, patient asked)."""
    found = np.empty((2, truth.size))
    for those, kinds in slices:
        chosen = np.flatnonzero((truth >= those.start) & (truth < those.stop))
        for start in range(0, chosen.size, BLOCK):
            block = chosen[start : start + BLOCK]
            found[:, block] = _costs(kinds, who, block, len(those)).of(truth[block] - those.start)
    return found


def _costs(kinds: Sequence[Kind], who: Ints, block: Ints, released: int) -> _Costs:
    """Sums over the regions of each patient asked whose number is in `block`."""
    place = np.full(int(who.max(initial=-1)) + 1, -1, dtype=np.int64)
    place[block] = np.arange(block.size)
    size, costs = np.zeros(block.size), np.zeros((block.size, released))
    exact = costs
    for kind in kinds:
        chosen = np.flatnonzero(place[who[kind.asked]] >= 0)
        if not chosen.size:
            continue
        mine, first = np.unique(place[who[kind.asked[chosen]]], return_index=True)
        plain, ruled_out, largest = kind.costs(chosen)
        if ruled_out is not plain and exact is costs:
            exact = costs.copy()
        where = np.ix_(mine, kind.patients)
        if exact is not costs:
            exact[where] += np.add.reduceat(ruled_out, first, axis=0)
        costs[where] += np.add.reduceat(plain, first, axis=0)
        size[mine] += np.add.reduceat(largest, first)
    return _Costs(costs, exact, TOLERANCE * size)
