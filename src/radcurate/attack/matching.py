"""Who is nearest: patients measured again against patients released, all regions of a patient taken together.

Memory: two copies of the numbers and one block of queries against all rows of a kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from radcurate.attack.records import Floats, Ints, Records
from radcurate.attack.scores import absence, bounded, weighted

BLOCK = 256  # patients asked at a time
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


def kinds_of(
    asked: Records, asked_scores: Floats, released: Records, scores: Floats, correlation: Mapping[str, Floats]
) -> list[Kind]:
    """Pair the rows of both tables by modality and label.

    Args:
        asked: regions that the attacker knows; `asked_scores`: their normal scores as measured, shape (row, column).
        released: regions of the release; `scores`: theirs; both tables in the order of `Records`.
        correlation: test–retest correlation of the columns by modality.
    """
    place = {code: number for number, code in enumerate(released.patients)}
    known, shown = _numbered([(asked.protocol, released.protocol), (asked.origin, released.origin)])
    who = np.array([place[code] for code in released.subject], dtype=np.int64)
    found, before, after = [], asked.by_kind(), released.by_kind()
    for kind in sorted(set(before) & set(after)):
        ours, theirs = before[kind], after[kind]
        query, target, scale = weighted(asked_scores[ours], scores[theirs], correlation[kind[0]])
        gaps = absence(asked_scores[ours], scores[theirs])
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


def ranked(
    kinds: Sequence[Kind], subject: Sequence[str], patients: Sequence[str], truths: Sequence[Ints]
) -> list[Found]:
    """Ranks of the patients asked under several truths.

    Args:
        kinds: what they measured, and what was released.
        subject: patient of each query row, sorted.
        patients: released patients, sorted; each patient asked is one of them.
        truths: per truth, the place in `patients` of the one that counts as right, by patient asked.
    """
    asked = sorted(set(subject))
    number = {code: place for place, code in enumerate(asked)}
    who = np.array([number[code] for code in subject], dtype=np.int64)
    parts: list[list[Found]] = [[] for _ in truths]
    for start in range(0, len(asked), BLOCK):
        block = slice(start, min(start + BLOCK, len(asked)))
        costs, exact, rounding = _costs(kinds, who, block, len(patients))
        for part, truth in zip(parts, truths, strict=True):
            plain = _ranks(costs, truth[block], rounding)
            part.append(Found(plain, plain if exact is costs else _ranks(exact, truth[block], rounding)))
    return [Found(_joined([one.numbers for one in part]), _joined([one.protocol for one in part])) for part in parts]


def _costs(kinds: Sequence[Kind], who: Ints, block: slice, released: int) -> tuple[Floats, Floats, Floats]:
    """Sums over the regions of each patient asked, shape (patient, patient released), and their rounding errors."""
    rows = [np.flatnonzero((who[kind.asked] >= block.start) & (who[kind.asked] < block.stop)) for kind in kinds]
    size, costs = np.zeros(block.stop - block.start), np.zeros((block.stop - block.start, released))
    exact = costs
    for kind, chosen in zip(kinds, rows, strict=True):
        if not chosen.size:
            continue
        mine, first = np.unique(who[kind.asked[chosen]] - block.start, return_index=True)
        plain, ruled_out, largest = kind.costs(chosen)
        if ruled_out is not plain and exact is costs:
            exact = costs.copy()
        where = np.ix_(mine, kind.patients)
        if exact is not costs:
            exact[where] += np.add.reduceat(ruled_out, first, axis=0)
        costs[where] += np.add.reduceat(plain, first, axis=0)
        size[mine] += np.add.reduceat(largest, first)
    return costs, exact, TOLERANCE * size


def _ranks(costs: Floats, truth: Ints, rounding: Floats) -> Ranks:
    right = costs[np.arange(truth.size), truth]
    nearer = (costs < (right - rounding)[:, None]).sum(axis=1)
    return Ranks(nearer, (costs <= (right + rounding)[:, None]).sum(axis=1) - nearer)


def _joined(parts: Sequence[Ranks]) -> Ranks:
    return Ranks(np.concatenate([one.nearer for one in parts]), np.concatenate([one.ties for one in parts]))
