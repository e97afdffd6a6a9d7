"""What somebody else would measure of the same regions: from the ranges of a run, or simulated where it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from radcurate.attack.matrix import Floats, Ints, column
from radcurate.attack.records import Records
from radcurate.attack.scores import points_of, scores_by
from radcurate.errors import CurationError
from radcurate.tables import MEAN, VARIANCE
from radcurate.tables.stored import Large

# Test–retest correlation where none was measured: the least that is called excellent (Koo and Li 2016). What repeats
# better is found again more easily, so most features of the literature would be harder to match than this.
ASSUMED = 0.9


@dataclass(frozen=True)
class Ranged:
    """Values of one column and modality whose spread was measured.

    Attributes:
        rows: shape (row,); `column`: their column.
        mean, spread: of the perturbed values, in the unit of the column, shape (row,).
        points, scores: normal scores of the values as measured in this modality, by value, shape (point,).
    """

    rows: Ints
    column: int
    mean: Floats
    spread: Floats
    points: Floats
    scores: Floats

    def placed(self, noise: Floats) -> Floats:
        """Normal scores of new values."""
        found: Floats = np.interp(self.mean + self.spread * noise, self.points, self.scores)
        return found


@dataclass(frozen=True)
class Reextractions:
    """How the regions of a table vary when they are measured again.

    Attributes:
        rows: of the table, those that are measured again, shape (row,).
        scores: normal scores of these regions among all of their modality, shape (row, column).
        correlation: test–retest correlation of the columns by modality.
        ranged: where it was measured how values spread.
        assumed: the correlation everywhere else.
    """

    rows: Ints
    scores: Floats
    correlation: Mapping[str, Floats]
    ranged: Sequence[Ranged]
    assumed: float

    def drawn(self, rng: np.random.Generator) -> Floats:
        """Normal scores of one more measurement of every region, errors of columns independent; (row, column)."""
        noise = rng.standard_normal(self.scores.shape)
        found: Floats = self.assumed * self.scores + np.sqrt(1 - self.assumed**2) * noise
        for part in self.ranged:
            found[part.rows, part.column] = part.placed(noise[part.rows, part.column])
        return found

    @property
    def measured(self) -> float:
        """Share of the values whose spread was measured."""
        values = int((~np.isnan(self.scores)).sum())
        return sum(part.rows.size for part in self.ranged) / values if values else 0.0


def reextractions(
    raw: Records,
    ranges: Large | None = None,
    stability: pa.Table | None = None,
    assumed: float = ASSUMED,
    rows: Ints | None = None,
) -> Reextractions:
    """How the regions of a run would come out when somebody else measures them.

    Args:
        raw: the regions as measured, under the codes of the release.
        ranges: extract's table of ranges, `roi` under the same codes; columns without a range are simulated.
        stability: ICC by `feature` and `modality`.
        assumed: test–retest correlation where none was measured, 0 to 1.
        rows: that are measured again, ascending; None: all.

    Raises:
        CurationError: a correlation outside 0 to 1.
    """
    if not 0 <= assumed <= 1:
        raise CurationError(
            "a test–retest correlation is a number from 0 to 1",
            wanted="0 ≤ attack.assumed_correlation ≤ 1",
            found="another number",
            fix="correct attack.assumed_correlation",
        )
    chosen = np.arange(len(raw.region)) if rows is None else rows
    scores = scores_by(raw.values, raw.modality, chosen)
    measured = _measured(raw, chosen, ranges) if ranges is not None and ranges.num_rows else []
    return Reextractions(chosen, scores, _correlations(raw, stability, assumed), measured, assumed)


def _correlations(raw: Records, stability: pa.Table | None, assumed: float) -> dict[str, Floats]:
    """ICC of each column by modality; one below 0 is 0, and what has none has the assumed one."""
    known = {(row["feature"], row["modality"]): row["icc"] for row in stability.to_pylist()} if stability else {}
    found = {}
    for modality in sorted(set(raw.modality)):
        iccs = [known.get((name, modality)) for name in raw.names]
        found[modality] = np.array([assumed if icc is None or icc != icc else max(icc, 0.0) for icc in iccs])
    return found


def _measured(raw: Records, rows: Ints, ranges: Large) -> list[Ranged]:
    place = {code: row for row, code in enumerate(ranges["roi"].to_pylist())}
    taken = pa.array([place.get(raw.region[row]) for row in rows.tolist()], pa.int64())
    modality, found = np.array(raw.modality), []
    for number, name in enumerate(raw.names):
        if name + MEAN in ranges.column_names:
            mean, variance = (_taken(ranges, name + end, taken) for end in (MEAN, VARIANCE))
            spread, values = np.sqrt(variance), column(raw.values, number)
            usable = np.isfinite(mean) & np.isfinite(spread) & ~np.isnan(values[rows])
            for word in sorted(set(raw.modality)):
                chosen = np.flatnonzero(usable & (modality[rows] == word))
                if chosen.size:
                    points, scores = points_of(values[modality == word])
                    found.append(Ranged(chosen, number, mean[chosen], spread[chosen], points, scores))
    return found


def _taken(content: Large, name: str, rows: pa.Array) -> Floats:
    return np.asarray(content[name].combine_chunks().take(rows).to_numpy(zero_copy_only=False), dtype=np.float64)
