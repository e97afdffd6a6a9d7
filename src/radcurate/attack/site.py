"""Can the hospital be told from the features of a region?

Scanners and protocols leave an accent, and degenerate features carry constants of a site. A linear classifier misses
both (a real cohort: 0.49 where a forest reaches 0.998), so trees guess the site of patients they have not seen, and
the same is done with shuffled sites. What can be told is judged by balanced accuracy: every site counts the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit

from radcurate.attack.forest import Outcome, Rows, balanced, cross_validated, rows_of
from radcurate.attack.found import (
    CONFIDENCE,
    PLANTED,
    RAW,
    SHUFFLED,
    Attack,
    Control,
    Share,
    at_chance,
    exact,
    nothing_to_attack,
)
from radcurate.attack.matrix import (
    Ints,
    Kept,
    Numbers,
    beside,
    column,
    marked,
    plain,
    seed_of,
    some_columns,
    some_rows,
)
from radcurate.attack.records import Records

PERMUTATIONS = 19  # the smallest p is 1/20
TREES, EARLY = 20, 8  # per fold; shuffled sites get the smaller number, and so does what is compared with them
REPEATS = 3
LEAST = 3  # patients of a site that can be told
MOST_PATIENTS, MOST_ROWS = 1000, 2000
SURE = 0.99999  # of the intervals that judge controls: a gate must not refuse a release by bad luck
NAMED = 20


@dataclass(frozen=True)
class Guess:
    """How well sites were guessed.

    Attributes:
        share: its rate is the balanced accuracy, its trials are patients by site, its successes those guessed right.
        p: share of shuffled tables, and this one, that do as well; 1 where none were made.
        null: balanced accuracy with each shuffling of the sites.
        columns: names that tell the site by themselves better than any column does when sites are shuffled, with their
            balanced accuracy; where there are none and p ≤ 0.05, those that the trees use most, with their importance.
        guessed: site guessed for each patient at a site, by (patient, site).
        sites: how many.
        left_out: patients of sites with too few patients to be told.
        degenerate: columns in which a site has one value that no other has.
        sampled: whether only some of the patients were used.
    """

    share: Share
    p: float
    null: tuple[float, ...]
    columns: tuple[tuple[str, float], ...]
    guessed: Mapping[tuple[str, str], str]
    sites: int
    left_out: int
    degenerate: int
    sampled: bool

    def surely(self) -> Share:
        """The same with the interval that judges controls; its bounds are further apart."""
        right = [(site, guess == site) for (_, site), guess in self.guessed.items()]
        low, high = interval(Counter(site for site, hit in right if hit), Counter(site for site, _ in right), SURE)
        return replace(self.share, low=low, high=high)


@dataclass(frozen=True)
class _Table:
    """Rows to learn from, with the site of each unit (a patient at a site)."""

    rows: Rows
    label: Ints
    units: Sequence[tuple[str, str]]
    sites: Sequence[str]
    names: Sequence[str]
    left_out: int
    sampled: bool
    seed: int


def guess_site(
    values: Numbers,
    names: Sequence[str],
    subject: Sequence[str],
    site: Sequence[str | None],
    permutations: int = PERMUTATIONS,
) -> Guess | str:
    """Guess the site of each patient from his rows, by trees that have not seen him.

    Args:
        values: shape (row, column), NaN where missing.
        names: of the columns.
        subject: patient of each row; a patient's rows are left out together.
        site: of each row; rows without one are left out.
        permutations: shufflings of the sites; 0: no p.

    Returns:
        What was found, or why it can't be tried. The order of rows and columns doesn't matter.
    """
    table = _prepared(values, names, subject, site)
    if isinstance(table, str):
        return table
    rng, number = np.random.default_rng([table.seed, 1]), len(table.sites)
    found = cross_validated(table.rows, table.label, number, TREES, EARLY, rng, REPEATS)
    null, most = [], [] if permutations else [1.0]
    for _ in range(permutations):
        mixed = rng.permutation(table.label)
        shuffled = cross_validated(table.rows, mixed, number, EARLY, EARLY, rng)
        null.append(balanced(shuffled.guess, mixed, number))
        most.append(float(shuffled.alone.max()))
    reached = balanced(found.early, table.label, number)
    p = (1 + sum(one >= reached for one in null)) / (1 + len(null))
    return Guess(
        _widened(_share(found, table), null),
        p,
        tuple(null),
        tuple(_telling(found, table.names, max(most), p)),
        {unit: table.sites[guess] for unit, guess in zip(table.units, found.guess.tolist(), strict=True)},
        number,
        table.left_out,
        _degenerate(table),
        table.sampled,
    )


def _prepared(
    values: Numbers, names: Sequence[str], subject: Sequence[str], site: Sequence[str | None]
) -> _Table | str:
    """Rows of sites that are large enough, in an order that doesn't depend on the one given."""
    columns = sorted(range(len(names)), key=lambda place: names[place])
    values = _sorted_columns(values, columns)
    bits = _bits(values)
    known = [(subject[row], name, bits[row], row) for row, name in enumerate(site) if name]
    order = [(who, where, row) for who, where, _, row in sorted(known)]
    units = sorted({(who, where) for who, where, _ in order})
    patients = Counter(where for _, where in units)
    sites = sorted(name for name, number in patients.items() if number >= LEAST)
    if len(sites) < 2:
        return f"the regions come from {len(patients)} sites, {len(sites)} of them with {LEAST} patients or more: two are needed"
    if not columns:
        return "there is no column to guess from"
    kept = [row for _, where, row in order if where in sites]
    seed = seed_of("site", values.only(np.array(kept)) if isinstance(values, Kept) else values[kept])
    chosen = _sampled([unit for unit in units if unit[1] in sites], len(kept), np.random.default_rng([seed, 0]))
    place = {unit: number for number, unit in enumerate(chosen)}
    rows = [(place[who, where], row) for who, where, row in order if (who, where) in place]
    patient = np.unique([who for who, _ in chosen], return_inverse=True)[1]
    return _Table(
        rows_of(some_rows(values, np.array([row for _, row in rows])), np.array([unit for unit, _ in rows]), patient),
        np.array([sites.index(where) for _, where in chosen]),
        chosen,
        sites,
        [names[column] for column in columns],
        len({who for who, _ in units}) - len({who for who, where in units if where in sites}),
        len(chosen) < sum(patients[name] for name in sites),
        seed,
    )


def _sorted_columns(values: Numbers, columns: Sequence[int]) -> Numbers:
    """Columns in this order; -0 is 0."""
    found = some_columns(values, columns)
    if isinstance(found, Kept):
        load = found.load
        return Kept(found.names, found.number, lambda name: plain(load(name)))
    return found + 0.0


def _bits(values: Numbers) -> list[bytes]:
    """Something that orders equal patients' rows whatever order they come in."""
    if isinstance(values, Kept):
        return marked(values, range(len(values.names)))
    return [row.tobytes() for row in values]


def _equal(first: Numbers, second: Numbers) -> bool:
    pairs = ((column(first, place), column(second, place)) for place in range(first.shape[1]))
    return first.shape == second.shape and all(np.array_equal(one, other, equal_nan=True) for one, other in pairs)


def _sampled(units: list[tuple[str, str]], rows: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """All of them, or as many as can be learnt from in seconds; every site keeps its share, and `LEAST` at least."""
    share = min(1.0, MOST_PATIENTS / len(units), MOST_ROWS / rows)
    if share == 1.0:
        return units
    found = []
    for site in sorted({where for _, where in units}):
        there = [unit for unit in units if unit[1] == site]
        number = min(len(there), max(LEAST, round(share * len(there))))
        found += [there[place] for place in rng.permutation(len(there))[:number]]
    return sorted(found)


def _share(found: Outcome, table: _Table) -> Share:
    number = len(table.sites)
    right = Counter(table.label[found.guess == table.label].tolist())
    low, high = interval(right, Counter(table.label.tolist()))
    rate = balanced(found.guess, table.label, number)
    return Share(table.label.size, right.total(), rate, min(low, rate), max(high, rate), 1 / number)


def _widened(share: Share, null: Sequence[float]) -> Share:
    """No narrower than what chance does to a whole table: guesses of one cohort depend on each other.

    Where nothing can be told, columns that seem to tell in the training part mislead in the rest, all of them at once
    (19 shufflings: Student's quantile times their standard deviation).
    """
    if len(null) < 2:
        return share
    half = float(stdtrit(len(null) - 1, 0.5 + CONFIDENCE / 2)) * float(np.std(null, ddof=1))
    low, high = min(share.low, share.rate - half), max(share.high, share.rate + half)
    return replace(share, low=max(0.0, low), high=min(1.0, high))


def interval(
    right: Mapping[Hashable, int], every: Mapping[Hashable, int], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Interval of a mean of shares, from the exact interval of each (MOVER: Zou and Donner, Stat Med 2008).

    Ends are b - sqrt(Σ (r - l)²) / S and b + sqrt(Σ (u - r)²) / S over the S sites with share r in [l, u], b their mean.

    Args:
        right: patients of each site whose site was guessed.
        every: all patients of each site.
        confidence: of the interval.
    """
    shares = [
        (right.get(site, 0) / number, exact(right.get(site, 0), number, confidence)) for site, number in every.items()
    ]
    middle = math.fsum(rate for rate, _ in shares) / len(shares)
    below = math.sqrt(math.fsum((rate - bounds.low) ** 2 for rate, bounds in shares)) / len(shares)
    above = math.sqrt(math.fsum((bounds.high - rate) ** 2 for rate, bounds in shares)) / len(shares)
    return max(0.0, middle - below), min(1.0, middle + above)


def _telling(found: Outcome, names: Sequence[str], most: float, p: float) -> list[tuple[str, float]]:
    alone = [(name, float(rate)) for name, rate in zip(names, found.alone, strict=True) if rate > most]
    used = [(name, float(gain)) for name, gain in zip(names, found.importance, strict=True) if gain > 0]
    return sorted(alone or (used if p <= 0.05 else []), key=lambda one: (-one[1], one[0]))[:NAMED]


def _degenerate(table: _Table) -> int:
    """Columns in which some site has one value that no other has."""
    ranks, label = table.rows.ranks, table.label[table.rows.unit]
    found = np.zeros(ranks.shape[1], dtype=bool)
    for site in range(len(table.sites)):
        own, other = ranks[label == site], ranks[label != site]
        found |= (own == own[0]).all(axis=0) & (other != own[0]).all(axis=0)
    return int(found.sum())


def attack_site(
    released: Records, raw: Records, site: Mapping[str, str], classes: Mapping[str, Hashable] | None = None
) -> Attack:
    """Guess the site of the released patients from their features, and from features and protocol.

    Args:
        released: the tables of the release.
        raw: the tables of the run, under the codes of the release.
        site: the true site of each region, by its code.
        classes: what the quasi-identifiers of the release tell of each patient; equal values, same class.
    """
    found = _of(released, site)
    if isinstance(found, str):
        return nothing_to_attack("site", found)
    with_protocol = _of(released, site, protocol=True)
    further = {"with_protocol": with_protocol.share} if isinstance(with_protocol, Guess) else {}
    return Attack(
        "site",
        _detail(found),
        found.share,
        _positive(found, released, raw, site),
        at_chance(_shuffled(found), SHUFFLED),
        found.columns,
        further,
        {
            "sites": found.sites,
            "p": found.p,
            "shuffled_mean": math.fsum(found.null) / len(found.null),
            "left_out": found.left_out,
            "degenerate_columns": found.degenerate,
            "sampled": found.sampled,
            **(given_site(found, classes) if classes is not None and not found.sampled else {}),
        },
    )


def _of(table: Records, site: Mapping[str, str], protocol: bool = False, permutations: int = 0) -> Guess | str:
    where = [site.get(code) for code in table.region]
    if not protocol:
        return guess_site(table.values, table.names, table.subject, where, PERMUTATIONS)
    if not table.extra_names:
        return "no protocol is released"
    both = beside(table.values, table.extra, table.extra_names)
    return guess_site(both, [*table.names, *table.extra_names], table.subject, where, permutations)


def _detail(found: Guess) -> str:
    """What was done, in one sentence."""
    sampled = " (a sample, so that it ends in seconds)" if found.sampled else ""
    left = f"; {found.left_out} patients of sites with fewer than {LEAST} are left out" if found.left_out else ""
    return (
        f"the site of {found.share.trials} patients at {found.sites} sites{sampled} is guessed from their features by "
        f"cross-validated trees, {len(found.null)} times with shuffled sites; rate: balanced accuracy; "
        f"the interval covers which patients were treated, and is no narrower than with shuffled sites{left}"
    )


def _shuffled(found: Guess) -> Share:
    """Mean over the shufflings, with an interval from their spread (Student)."""
    number = len(found.null)
    middle = math.fsum(found.null) / number
    spread = math.sqrt(math.fsum((one - middle) ** 2 for one in found.null) / max(1, number - 1))
    half = float(stdtrit(max(1, number - 1), 0.5 + SURE / 2)) * spread / math.sqrt(number)
    trials = number * found.share.trials
    return Share(trials, middle * trials, middle, max(0.0, middle - half), min(1.0, middle + half), found.share.chance)


def _positive(found: Guess, released: Records, raw: Records, site: Mapping[str, str]) -> Control:
    """On the raw table where sites can be told from it, or else on a planted one."""
    same = released.region == raw.region and _equal(released.values, raw.values)
    where = [site.get(code) for code in raw.region]
    here = found if same else guess_site(raw.values, raw.names, raw.subject, where, permutations=0)
    if isinstance(here, Guess) and here.surely().low > here.share.chance:
        return Control(here.surely(), True, RAW)
    there = _planted()
    return Control(there, there.low > there.chance, PLANTED)


def _planted() -> Share:
    """Three sites, one of the columns with a constant for each that lies amid what the others have."""
    patients, columns = 60, 30
    values = np.random.default_rng(seed_of("planted", np.zeros(0))).standard_normal((patients, columns))
    where = np.arange(patients) % 3
    values[:, 7] = np.where(where == 0, 0.25, np.where(where == 1, -0.25, values[:, 7]))
    names = [f"f{column:02d}" for column in range(columns)]
    codes = [f"P-{row:02d}" for row in range(patients)]
    found = guess_site(values, names, codes, [f"H-{one}" for one in where], permutations=0)
    assert isinstance(found, Guess)
    return found.surely()


def given_site(found: Guess, classes: Mapping[str, Hashable]) -> dict[str, int | None]:
    """What k is left for an attacker who adds the guessed site to the quasi-identifiers.

    Returns:
        `k_before`: patients in the smallest class; `k_given_guess`: patients in the smallest class whose guessed site
        is the same, over patients whose site was guessed right; `alone_given_guess`: how many of them are alone.
        None where no site was guessed right.
    """
    whole = Counter(classes[who] for who, _ in found.guessed if who in classes)
    split = Counter((classes[who], guess) for (who, _), guess in found.guessed.items() if who in classes)
    right = [
        split[classes[who], site] for (who, site), guess in found.guessed.items() if guess == site and who in classes
    ]
    return {
        "k_before": min(whole.values(), default=None),
        "k_given_guess": min(right, default=None),
        "alone_given_guess": sum(size == 1 for size in right),
    }
