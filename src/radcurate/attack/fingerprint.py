"""Can a patient be found in the release by measuring his scan again?

An attacker has a scan of a patient from elsewhere, measures the same features and takes the released patient who is
nearest, all regions of a patient together, each feature weighted by how well it repeats (its ICC). Every released
patient is attacked, so what is uncertain is what the attacker measures: the intervals cover the draws of
re-extractions. Draws are independent, their chances of success differ by patient; the exact binomial interval then is
too wide rather than too narrow (Hoeffding 1956).

Errors of features are drawn independently of each other: the attacker has as many witnesses as there are features.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from radcurate.attack.found import PLANTED, RAW, SHUFFLED, Attack, Control, at_chance, nothing_to_attack, share
from radcurate.attack.matching import SLICE, Kind, Slices, kinds_of, patterns_of, ranked
from radcurate.attack.matrix import Floats, Ints, Kept, Numbers, column, marks, plain, seed_of, some_columns
from radcurate.attack.phases import another_series
from radcurate.attack.records import Records
from radcurate.attack.reextraction import Reextractions, reextractions
from radcurate.attack.scores import Scores, scored, weighted
from radcurate.tables import HIGH, LOW

TRIALS, MOST_DRAWS = 2000, 50
PRODUCTS = 2e11  # rows sought × rows released × columns beyond which only some patients are sought
SURE = 0.99999  # of the intervals that judge controls: a gate must not refuse a release by bad luck
NAMED = 20  # columns that are named
PLANTED_SHAPE = (40, 24)


@dataclass(frozen=True)
class Matched:
    """One table attacked with one set of re-extractions; numbers are sums over patients and draws.

    Attributes:
        patients: how many were sought; `trials`: patients × draws.
        top1, top5: how often the right one was nearest, among the five nearest.
        same_scan: how often the right one was nearest for an attacker who has the very scan.
        shuffled: top1 with the released patients shuffled.
        each: top1 of each patient sought, as a share of the draws, shape (patient,).
        alike: per patient of both tables, how many released patients have the same numbers.
        alike_protocol: and the same protocol and provenance.
        telling: per column of the release, covariance of what is measured and what is released: what it tells.
    """

    patients: int
    trials: int
    top1: float
    top5: float
    same_scan: float
    shuffled: float
    each: Floats
    alike: Sequence[int]
    alike_protocol: Sequence[int]
    telling: Floats


def attack_fingerprint(released: Records, raw: Records, again: Reextractions, draws: int = 0) -> Attack:
    """Seek every released patient by measuring him again.

    Args:
        released: the tables of the release.
        raw: the tables of the run, under the codes of the release.
        again: how `raw` comes out when it is measured again.
        draws: re-extractions of each patient; 0: as many as give about 2,000 trials, 50 at most.
    """
    why = _nothing(released, raw)
    if why:
        return nothing_to_attack("fingerprint", why)
    found = match(released, raw, again, draws)
    control = found if _equal(released, raw) else match(raw, raw, again, draws)
    others = len(released.patients)
    top1 = share(found.top1, found.trials, 1 / others, _at_most(found.alike, 1))
    further = {"top5": share(found.top5, found.trials, min(1.0, 5 / others), _at_most(found.alike, 5))}
    if len(set(released.protocol)) > 1 or len(set(released.origin)) > 1:
        bound = _at_most(found.alike_protocol, 1)
        further["same_scan"] = share(found.same_scan, found.trials, 1 / others, bound)
    by_shape = another_series(released, raw)
    further |= {"phases": by_shape} if by_shape else {}
    telling = sorted(zip(released.names, found.telling.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
    return Attack(
        "fingerprint",
        _detail(released, found, again),
        top1,
        _positive(control, len(raw.patients), draws),
        at_chance(share(found.shuffled, found.trials, 1 / others, confidence=SURE), SHUFFLED),
        [(name, weight) for name, weight in telling[:NAMED] if weight > 0],
        further,
        {
            "patients": found.patients,
            "draws": found.trials // found.patients,
            "found_mostly": int((found.each > 0.5).sum()),  # a small share may be a few patients who stand out
            "smallest_class": min(found.alike),
            "features": len(released.names),
            "measured_share": again.measured,
            "assumed_correlation": again.assumed,
        },
    )


def sought_rows(released: Records, raw: Records) -> Ints:
    """Rows of `raw` that are measured again: all or, where that would take long, those of some released patients.

    The work grows with the rows sought, the rows released and the columns; `PRODUCTS` of them take some minutes. The
    patients of a large release are drawn, so the intervals cover which were.
    """
    known = set(released.subject)
    rows = np.array([row for row, code in enumerate(raw.subject) if code in known], dtype=np.int64)
    share = PRODUCTS / max(1, rows.size * len(released.region) * max(1, len(released.names)))
    patients = sorted({raw.subject[row] for row in rows.tolist()})
    number = max(TRIALS, int(share * len(patients)))
    if share >= 1 or number >= len(patients):
        return np.arange(len(raw.region))
    rng = np.random.default_rng(seed_of("sought", raw.values))
    chosen = {patients[place] for place in rng.choice(len(patients), number, replace=False).tolist()}
    return np.array([row for row in rows.tolist() if raw.subject[row] in chosen], dtype=np.int64)


def match(released: Records, raw: Records, again: Reextractions, draws: int = 0) -> Matched:
    """Seek the patients of `released` whom `again` measures; see `attack_fingerprint`."""
    known = set(released.subject)
    held = np.array([place for place, row in enumerate(again.rows.tolist()) if raw.subject[row] in known], np.int64)
    asked, patients = _about(raw, again.rows[held]), released.patients
    columns, source = _shared(released, raw)
    target = replace(
        released,
        names=tuple(released.names[place] for place in columns),
        values=some_columns(released.values, columns),
    )
    alike, both = _alike(target, sorted(known & set(raw.subject)))
    shown, seen = _scored(target), again.scores[np.ix_(held, source)]
    kept = _kept(asked, seen, target, shown)
    correlation = {word: rho[source] * kept[word] for word, rho in again.correlation.items() if word in kept}
    field = _Field(asked, seen, target, shown, correlation)
    sought = asked.patients
    position = {code: place for place, code in enumerate(patients)}
    truth = np.array([position[code] for code in sought], dtype=np.int64)
    rng = np.random.default_rng(seed_of("fingerprint", raw.values))
    number = draws or max(1, min(MOST_DRAWS, math.ceil(TRIALS / len(sought))))
    sums, each = np.zeros(4), np.zeros(len(sought))
    telling = np.zeros(len(released.names))
    for draw in range(number):
        scores = again.drawn(rng)[np.ix_(held, source)]
        false = rng.permutation(len(patients))[truth]
        right, wrong = ranked(field.slices(scores), asked.subject, [truth, false])
        wins = [right.numbers.within(1), right.numbers.within(5), right.protocol.within(1), wrong.numbers.within(1)]
        sums += [math.fsum(win.tolist()) for win in wins]
        each += wins[0]
        if not draw:
            telling[columns] = field.telling(scores)
    top1, top5, same_scan, shuffled = sums.tolist()
    tried = len(sought) * number
    return Matched(len(sought), tried, top1, top5, same_scan, shuffled, each / number, alike, both, telling)


def _about(table: Records, rows: Ints) -> Records:
    """What rows are about, without their numbers."""
    return replace(table, values=np.empty((len(table.region), 0)), extra=np.empty((len(table.region), 0))).only(rows)


@dataclass(frozen=True)
class _Field:
    """Who is sought where: what `kinds_of` needs, for all patients of the release."""

    asked: Records
    seen: Floats
    target: Records
    shown: Scores
    correlation: Mapping[str, Floats]

    def slices(self, scores: Floats) -> Slices:
        """The released patients in slices; `scores`: what is measured of the asked, shape (row, column)."""
        places, first = np.unique(np.array(self.target.subject), return_index=True)
        starts = np.append(first, len(self.target.subject))  # rows of a patient lie together
        bounds = [*range(0, places.size, SLICE), places.size]
        missing = patterns_of(self.asked, self.seen, self.target, self.shown)

        def kinds(number: int) -> list[Kind]:
            rows = np.arange(starts[bounds[number]], starts[bounds[number + 1]])
            part, shown = _about(self.target, rows), self.shown[rows[0] : rows[-1] + 1]
            found = kinds_of(self.asked, self.seen, part, shown, self.correlation, missing)
            return [kind.again(scores) for kind in found]

        return Slices(bounds, kinds)

    def telling(self, scores: Floats) -> Floats:
        """Covariance, over the regions that are in both, of what is measured and what is released, per column.

        The squared distance to another patient is larger than that to the right one by twice this sum, on average.
        """
        place = {code: row for row, code in enumerate(self.target.region)}
        total, before, after = np.zeros(len(self.target.names)), self.asked.by_kind(), self.target.by_kind()
        for kind in sorted(set(before) & set(after)):
            there = set(after[kind].tolist())
            pairs = [(row, place.get(self.asked.region[row], -1)) for row in before[kind].tolist()]
            both = [(ours, theirs) for ours, theirs in pairs if theirs in there]
            if both:
                ours, theirs = (list(part) for part in zip(*both, strict=True))
                query, shown, _ = weighted(scores[ours], self.shown[theirs], self.correlation[kind[0]])
                total += ((query - query.mean(axis=0)) * (shown - shown.mean(axis=0))).sum(axis=0)
        return total / max(1, len(self.asked.region))


def _nothing(released: Records, raw: Records) -> str:
    if len(released.patients) < 2:
        return "fewer than two patients are released: nobody to confuse a patient with"
    if not set(released.patients) & set(raw.patients):
        return "the run has no patient of the release"
    if not _shared(released, raw)[0].size:
        return "the release has no features"
    return ""


def _shared(released: Records, raw: Records) -> tuple[Ints, Ints]:
    """Columns of the release that can be measured again, and the columns of `raw` that are measured for them."""
    place = {name: column for column, name in enumerate(raw.names)}
    bases = [name if name in place else name.removesuffix(LOW).removesuffix(HIGH) for name in released.names]
    known = [column for column, base in enumerate(bases) if base in place]
    return np.array(known, dtype=np.int64), np.array([place[bases[column]] for column in known], dtype=np.int64)


def _scored(table: Records) -> Scores:
    """Normal scores of each region among those of its modality."""
    return scored(table.values, table.modality)


def _kept(asked: Records, seen: Floats, target: Records, shown: Scores) -> dict[str, Floats]:
    """Per modality and column, correlation of what was measured and what is released: how much it was made coarser.

    An attacker could know it from how the release was made, and reads coarser columns less closely.
    """
    place = {code: row for row, code in enumerate(target.region)}
    found = {}
    for word in sorted(set(asked.modality) & set(target.modality)):
        rows = [row for row, code in enumerate(asked.region) if asked.modality[row] == word and code in place]
        first = np.nan_to_num(seen[rows])
        second = np.nan_to_num(shown[[place[asked.region[row]] for row in rows]])
        found[word] = _correlation(first, second)
    return found


def _correlation(first: Floats, second: Floats) -> Floats:
    """Of columns, shape (column,), 0 to 1; 1 where there is nothing to tell it by, 0 where one of them is constant."""
    if len(first) < 3:
        return np.ones(first.shape[1])
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    size = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    found: Floats = np.divide((first * second).sum(axis=0), size, out=np.zeros(size.shape), where=size > 0)
    return np.clip(found, 0.0, 1.0)


def _equal(released: Records, raw: Records) -> bool:
    parts = ("region", "names", "protocol", "origin")
    if not all(getattr(released, part) == getattr(raw, part) for part in parts):
        return False
    columns = range(len(raw.names))
    pairs = ((column(table.values, place) for table in (released, raw)) for place in columns)
    return all(np.array_equal(first, second, equal_nan=True) for first, second in pairs)


def _alike(table: Records, patients: Sequence[str]) -> tuple[list[int], list[int]]:
    """Patients with the same set of regions, for each of some; then those who also share protocol and provenance.

    It bounds what anybody can find: s alike are told apart by lot.
    """
    numbers = marks(_plain(table.values), range(table.values.shape[1])).T
    about = [
        _numbered(table.modality),
        _numbered(table.label),
        *(np.unique(part, return_inverse=True)[1] for part in numbers),
    ]
    further = [_numbered(part) for part in (table.protocol, table.origin) if part]
    return _crowds(table, about, patients), _crowds(table, [*about, *further], patients)


def _numbered(words: Iterable[str]) -> Ints:
    """A number for each word, equal where they are equal, from 0; without an array of texts, which pads all to the longest."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int64)


def _plain(values: Numbers) -> Numbers:
    """Equal numbers with equal bits."""
    if isinstance(values, Kept):
        return Kept(values.names, values.number, lambda name: plain(values.load(name)))
    return plain(values)


def _crowds(table: Records, about: Sequence[Ints], patients: Sequence[str]) -> list[int]:
    """How many patients have the same set of regions; regions are equal where all of `about` is."""
    number = np.zeros(len(table.subject), dtype=np.int64)
    for part in about:
        number = np.unique(number * (part.max(initial=0) + 1) + part, return_inverse=True)[1]
    who = _numbered(table.subject)
    order = np.lexsort((number, who))
    sorted_who, number = who[order], number[order]
    new = (np.diff(sorted_who, prepend=-1) != 0) | (np.diff(number, prepend=-1) != 0)  # a set has each region once
    bounds = np.searchsorted(sorted_who[new], np.arange(sorted_who.max(initial=-1) + 2))
    number = number[new]
    whole = [number[start:stop].tobytes() for start, stop in pairwise(bounds.tolist())]
    count = Counter(whole)
    place = dict(zip(table.subject, who.tolist(), strict=True))
    return [count[whole[place[code]]] for code in patients]


def _at_most(alike: Sequence[int], first: int) -> float:
    return math.fsum(min(1.0, first / size) for size in alike) / len(alike)


def _detail(released: Records, found: Matched, again: Reextractions) -> str:
    """What was done, in one sentence."""
    if again.measured:
        source = f"drawn from the measured ranges of {100 * again.measured:.0f} % of the values"
        source += f", the others with a test–retest correlation of {again.assumed:g}" if again.measured < 1 else ""
    else:
        source = f"simulated with a test–retest correlation of {again.assumed:g}, since no ranges were measured"
    bound = min(found.alike)
    shared = f"; each patient has the same numbers as {bound - 1} others at least, which bounds it" if bound > 1 else ""
    sample = len(found.alike) > found.patients
    whom = (
        f"each of {found.patients} patients, drawn from {len(found.alike)},"
        if sample
        else f"each of {found.patients} released patients"
    )
    return (
        f"{whom} is sought by {found.trials // found.patients} re-extractions, {source}; "
        f"nearest of {len(released.patients)} by {len(released.names)} features weighted by their reliability; "
        f"the interval covers the draws{' of patients and of re-extractions' if sample else ''}{shared}"
    )


def _positive(found: Matched, patients: int, draws: int) -> Control:
    """On the raw table where that tells patients apart, or else on a planted one."""
    chance = 1 / patients
    here = share(found.top1, found.trials, chance, confidence=SURE)
    if here.low > chance:
        return Control(here, True, RAW)
    planted = _planted()
    there = match(planted, planted, reextractions(planted), draws)
    shown = share(there.top1, there.trials, 1 / len(planted.patients), confidence=SURE)
    return Control(shown, shown.low > shown.chance, PLANTED)


def _planted() -> Records:
    """Patients whom anybody could tell apart by their features."""
    rows, columns = PLANTED_SHAPE
    values = np.random.default_rng(seed_of("planted", np.zeros(0))).standard_normal(PLANTED_SHAPE)
    codes = tuple(f"P-{row:02d}" for row in range(rows))
    one, none = ("",) * rows, np.empty((rows, 0))
    names = tuple(f"f{column:02d}" for column in range(columns))
    return Records(codes, codes, one, one, codes, names, values, one, (), none)
