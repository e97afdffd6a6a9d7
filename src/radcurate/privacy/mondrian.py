"""Mondrian: patients cut into regions, each as small as the demands allow (LeFevre et al. 2006).

Each region shows one label per quasi-identifier, in every row of its patients, so a region is inside one class. A
region is cut at the median of the column in which it is widest (share of the column's places, times its weight), else
of the next, until no cut leaves both halves what is asked for. All regions are cut at once, round by round, so time
goes with rows times rounds. Less is lost than with levels that hold for the whole column; the price is that labels of
different patients overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.privacy.boxes import Line, Shown, line, shown
from radcurate.privacy.coding import Flags, Ints, Reals, combine, renumber
from radcurate.privacy.search import Cohort, Targets, keep
from radcurate.privacy.sensitive import Sensitive, cells

Places = npt.NDArray[np.int16] | npt.NDArray[np.int32]
TOLERANCE = 1e-12
_DENSE = 8


@dataclass(frozen=True)
class Regions:
    """A partition.

    Attributes:
        region: shape (subject,), -1 for a suppressed patient.
        shown: for each quasi-identifier label and penalty of each region, see `boxes.Shown`.
        kept: shape (subject,), who is in a region.
        lost: for each quasi-identifier the mean penalty over rows, a suppressed row counts 1.
        loss: their weighted mean.
        within_budget: not more patients are suppressed than may be.
    """

    region: Ints
    shown: list[Shown]
    kept: Flags
    lost: list[float]
    loss: float
    within_budget: bool

    @property
    def labels(self) -> list[np.ndarray[tuple[int], np.dtype[np.object_]]]:
        """For each quasi-identifier the label of each region, shape (region,)."""
        return [each.labels for each in self.shown]

    @property
    def penalty(self) -> list[Reals]:
        """For each quasi-identifier the penalty of each region, shape (region,)."""
        return [each.loss for each in self.shown]


def mondrian(cohort: Cohort, targets: Targets) -> Regions:
    """Cut the patients of a cohort into regions that keep `targets`.

    Patients are suppressed only where the coarsest labels allowed keep too few together.
    """
    lines = [line(ladder) for ladder in cohort.ladders]
    low, high = _extent(cohort, lines)
    start = _capped(cohort, lines, low)
    kept = _fits(lines, low, high)
    kept[kept] = _keep(cohort, targets, start, kept)
    while True:
        parts = _cut(cohort, targets, low, high, start, kept)
        seen = [shown(*each) for each in zip(lines, parts.low, parts.high, strict=True)]
        again = _together(cohort, targets, parts.region, seen)
        if np.array_equal(again, kept):
            return _regions(cohort, targets, parts.region, seen)
        kept = again


def _together(cohort: Cohort, targets: Targets, region: Ints, seen: list[Shown]) -> Flags:
    """Who can stay, shape (subject,): regions with the same labels are one class, whose values are judged once more."""
    kept = region >= 0
    if targets.about_values and kept.any():
        same = combine([each.code for each in seen], int(region.max()) + 1)
        kept[kept] = _keep(cohort, targets, same[region], kept)
    return kept


def _keep(cohort: Cohort, targets: Targets, group: Ints, among: Flags) -> Flags:
    """Which of the patients flagged in `among` can stay in their groups, shape (flagged,)."""
    here = {name: one.at(among) for name, one in cohort.sensitive.items()}
    return keep(group[among], here, targets)


def _extent(cohort: Cohort, lines: list[Line]) -> tuple[Places, Places]:
    """First and last place of each patient's values, both shape (column, subject); one array where each has one row."""
    n = cohort.n_subjects
    kind = np.int16 if all(found.size < 2**15 for found in lines) else np.int32
    low = np.zeros((len(lines), n), dtype=kind)
    places = [found.place.astype(kind)[codes] for found, codes in zip(lines, cohort.values, strict=True)]
    if cohort.subject.size == n:
        for row, place in enumerate(places):
            low[row, cohort.subject] = place
        return low, low
    high = np.zeros_like(low)
    for row, (found, place) in enumerate(zip(lines, places, strict=True)):
        low[row] = found.size
        np.minimum.at(low[row], cohort.subject, place)
        np.maximum.at(high[row], cohort.subject, place)
    return low, high


def _capped(cohort: Cohort, lines: list[Line], low: Places) -> Ints:
    """The regions to begin with, shape (subject,): no region may need a coarser label than is allowed."""
    tops = [found.ladder.groups(found.ladder.most)[found.example] for found in lines]
    limited = [top[each] for top, each in zip(tops, low, strict=True) if top.max(initial=0) > 0]
    return renumber(combine(limited, cohort.n_subjects))[0]


def _fits(lines: list[Line], low: Places, high: Places) -> Flags:
    """Patients whose own rows can be shown by one label that is allowed, shape (subject,)."""
    fits = np.ones(low.shape[1], dtype=bool)
    for found, first, last in zip(lines, low, high, strict=True):
        group = found.ladder.groups(found.ladder.most)[found.example]
        if group.max(initial=0) > 0 and low is not high:
            fits &= group[first] == group[last]
    return fits


def _regions(cohort: Cohort, targets: Targets, region: Ints, seen: list[Shown]) -> Regions:
    rows = region[cohort.subject]
    size = np.bincount(rows[rows >= 0], minlength=int(region.max(initial=-1)) + 1)
    n_rows = max(int(rows.size), 1)
    out = int((rows < 0).sum())
    lost = [(float(each.loss @ size) + out) / n_rows for each in seen]
    weights = [ladder.weight for ladder in cohort.ladders]
    total = sum(weights)
    loss = sum(w * part for w, part in zip(weights, lost, strict=True)) / total if total else out / n_rows
    kept = region >= 0
    budget = targets.suppression * kept.size + TOLERANCE
    return Regions(region, seen, kept, lost, float(loss), int((~kept).sum()) <= budget)


@dataclass(frozen=True)
class _Parts:
    """Region of each patient, shape (subject,), -1 for nobody's; first and last place of each region, (column, region)."""

    region: Ints
    low: Ints
    high: Ints


def _cut(cohort: Cohort, targets: Targets, low: Places, high: Places, start: Ints, kept: Flags) -> _Parts:
    """Cut the patients flagged in `kept`, beginning with the regions `start`, both shape (subject,)."""
    region = np.full(kept.size, -1, dtype=np.int64)
    if not kept.any():
        nothing = np.zeros((len(cohort.ladders), 0), dtype=np.int64)
        return _Parts(region, nothing, nothing)
    asked = list(cohort.sensitive.values()) if targets.about_values else []
    here = np.flatnonzero(kept)
    item, example = _alike([*low, *([] if low is high else high), start, *(one.held for one in asked)], here)
    first = low[:, example]
    weights = np.array([ladder.weight for ladder in cohort.ladders])
    work = _Work(
        first,
        first if low is high else high[:, example],
        np.bincount(item),
        renumber(start[example])[0],
        [one.at(example) for one in asked],
        targets,
        weights / np.array([max(int(each.max(initial=0)), 1) for each in high]) if weights.size else weights,
    )
    region[here] = work.run()[item]
    return _Parts(region, np.concatenate(work.ends[0], axis=1), np.concatenate(work.ends[1], axis=1))


def _alike(columns: list[npt.NDArray[Any]], here: Ints) -> tuple[Ints, Ints]:
    """Item of each patient in `here`, and a patient of each item: patients with equal `columns` are one item.

    Where there are so many values that hardly any are equal, each patient is an item.
    """
    if prod(int(column.max(initial=0)) + 1 for column in columns) > _DENSE * here.size:
        return np.arange(here.size), here
    item, n_items = renumber(combine([column[here] for column in columns], here.size))
    example = np.empty(n_items, dtype=np.int64)
    example[item] = here
    return item, example


class _Work:
    """Items (patients alike in everything that matters), sorted by region, and the regions that may still be cut.

    `low`, `high`, shape (column, item); `people`, `region`, shape (item,); `scale`, shape (column,): what a place is
    worth. `ends`: first and last places of the regions that are done.
    """

    def __init__(
        self,
        low: Places,
        high: Places,
        people: Ints,
        region: Ints,
        columns: list[Sensitive],
        targets: Targets,
        scale: Reals,
    ) -> None:
        self.everybody, self.columns, self.targets, self.scale = people, columns, targets, scale[:, None]
        self.done = np.full(region.size, -1, dtype=np.int64)
        self.n_done = 0
        self.ends: tuple[list[Ints], list[Ints]] = ([], [])
        self.low, self.high, self.people, self.item, self.region = low, high, people, np.arange(region.size), region
        self._take(np.argsort(region, kind="stable"), np.sort(region))

    def run(self) -> Ints:
        """Final region of each item, shape (item,)."""
        spent = np.zeros((self.low.shape[0], int(self.region.max()) + 1), dtype=bool)
        while self.region.size:
            spent = self._round(np.flatnonzero(np.diff(self.region, prepend=-1)), spent)
        return self.done

    def _round(self, first: Ints, spent: Flags) -> Flags:
        """Cut every region once, or note that a column can't cut it, or that it is done.

        `first`, shape (region,): its first item. `spent`, shape (column, region): columns that can't cut it; what comes
        of a region can't be cut by them either. Gives `spent` of the regions left.
        """
        people = np.add.reduceat(self.people, first)
        low = np.minimum.reduceat(self.low, first, axis=1)
        high = np.maximum.reduceat(self.high, first, axis=1)
        width = np.where(spent, 0.0, (high - low) * self.scale)
        ended = (people < 2 * self.targets.least_size) | (width.max(axis=0, initial=0) <= 0)
        region = np.repeat(np.arange(first.size), np.diff(np.append(first, self.region.size)))
        self._finish(region, ended, low, high)
        if ended.all():
            self._take(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
            return spent[:, :0]
        return self._split(first, region, people, width.argmax(axis=0), ended, spent.copy())

    def _split(self, first: Ints, region: Ints, people: Ints, column: Ints, ended: Flags, spent: Flags) -> Flags:
        value = self.low.ravel()[column[region] * region.size + np.arange(region.size)]
        cut, least = _medians(value, first, region, self.people, people)
        right = value > cut[region]
        holds = ~ended & (least >= self.targets.least_size)
        if self.columns and holds.any():
            holds &= self._keeps(region, right, holds)
        failed = np.flatnonzero(~holds & ~ended)
        spent[column[failed], failed] = True
        right &= holds[region]
        order, number, source = _halves(right, first, ~ended)
        self._take(order, number)
        return np.asarray(spent[:, source], dtype=bool)

    def _keeps(self, region: Ints, right: Flags, holds: Flags) -> Flags:
        """Regions whose halves both keep what is asked of sensitive values, shape (region,)."""
        group, n_groups = renumber(region * 2 + (right & holds[region]))
        owner = np.empty(n_groups, dtype=np.int64)
        owner[group] = region
        rest = np.flatnonzero(self.done >= 0)  # t compares with everybody: who is done is a class of its own
        rest = rest[~np.isin(rest, self.item)]
        group = np.append(group, np.full(rest.size, n_groups))
        item, people = np.append(self.item, rest), np.append(self.people, self.everybody[rest])
        bad = np.zeros(n_groups, dtype=bool)
        for one in self.columns:
            bad |= self.targets.breaks(cells(group, one.at(item), people))[:n_groups]
        good = np.ones(holds.size, dtype=bool)
        good[owner[bad]] = False
        return good

    def _finish(self, region: Ints, ended: Flags, low: Places, high: Places) -> None:
        number = np.cumsum(ended) - 1 + self.n_done
        over = ended[region]
        self.done[self.item[over]] = number[region[over]]
        self.n_done += int(ended.sum())
        for ends, places in zip(self.ends, (low, high), strict=True):
            ends.append(places[:, ended].astype(np.int64))

    def _take(self, order: Ints, region: Ints) -> None:
        alone = self.high is self.low
        self.low = _taken(self.low, order)
        self.high = self.low if alone else _taken(self.high, order)
        self.people, self.item, self.region = self.people[order], self.item[order], region


def _taken(places: Places, order: Ints) -> Places:
    """Columns of a matrix in another order; row by row, which is several times faster."""
    out = np.empty((places.shape[0], order.size), dtype=places.dtype)
    for row, source in zip(out, places, strict=True):
        np.take(source, order, out=row, mode="clip")
    return out


def _halves(right: Flags, first: Ints, live: Flags) -> tuple[Ints, Ints, Ints]:
    """The left half of each live region, then its right one: items in that order, half of each, region of each half.

    `right`, shape (item,), is not set in regions that aren't live; a half without items has no number.
    """
    size = np.diff(np.append(first, right.size))
    n_right = np.add.reduceat(right, first, dtype=np.int64)
    counts = np.stack([size - n_right, n_right], axis=1)[live].ravel()
    to_right = np.repeat(np.tile([False, True], counts.size // 2), counts)
    order = np.empty(to_right.size, dtype=np.int64)
    order[~to_right] = np.flatnonzero(~right & np.repeat(live, size))
    order[to_right] = np.flatnonzero(right)
    full = counts > 0
    number = np.repeat(np.arange(int(full.sum())), counts[full])
    return order, number, np.repeat(np.flatnonzero(live), 2)[full]


def _medians(value: Places, first: Ints, region: Ints, weight: Ints, people: Ints) -> tuple[Ints, Ints]:
    """For each region the last value of its left half, and the people of the smaller half, both shape (region,).

    Of the two cuts next to the median the one with the larger smaller half, if equal the lower one.
    """
    low = np.minimum.reduceat(value, first).astype(np.int64)
    spans = np.maximum.reduceat(value, first) - low + 1
    start = np.cumsum(spans) - spans
    bins = np.bincount((start - low)[region] + value, weights=weight, minlength=int(spans.sum()))
    upto = np.cumsum(bins)
    before = np.cumsum(people) - people
    middle = np.searchsorted(upto, before + people / 2)
    upper = upto[middle] - before
    lower = np.where(middle > start, upto[np.maximum(middle - 1, 0)] - before, 0)
    take_upper = np.minimum(upper, people - upper) > np.minimum(lower, people - lower)
    cut = low + (middle - start) - np.where(take_upper, 0, 1)
    smaller = np.where(take_upper, np.minimum(upper, people - upper), np.minimum(lower, people - lower))
    return cut, smaller.astype(np.int64)
