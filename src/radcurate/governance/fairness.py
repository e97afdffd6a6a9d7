"""Who is represented, and whom the pipeline loses: counts per subgroup, with a test on each difference.

The unit is the patient: series of one patient are no independent observations. At each stage a patient counts as lost
when at least one of its series ended there (excluded, quarantined, failed), and as having reached it when at least one
came so far. A group is compared with all other patients of the axis by Fisher's exact test (two-sided); its rate has
Wilson's interval (1927). Representation is compared with a reference, where there is one, by the exact binomial test
(one-sided: fewer than expected).

So many comparisons are held to one error rate of 5 % by Tarone (1990): Bonferroni's division counts only comparisons
that could reach significance at all, which matters in small cohorts. Nothing refuses here: a flag is for people.
"""

from __future__ import annotations

import csv
import functools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from radcurate.errors import CurationError
from radcurate.governance.conservation import RELEASED, Outcome
from radcurate.governance.evidence import WALK, Evidence
from radcurate.governance.series_rows import member_table
from radcurate.tables.stored import texts

AXES = ("sex", "age", "site", "manufacturer")
UNKNOWN = "unknown"
LEVEL = 0.05
TIE = 1e-7  # equal probabilities differ in their last bits
Reals = npt.NDArray[np.float64]
STEPS = ("inventory", *WALK)
BEFORE_HEADERS = ("inventory", "consent")  # nobody has read sex, age and scanner of who ends here
Reference = Mapping[str, Mapping[str, float]]
Groups = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True)
class Comparison:
    """A group held against the others of its axis, or its share against the reference.

    `step` is a stage, `released` (not in the release at all) or `representation`.
    """

    step: str
    axis: str
    group: str
    patients: int  # of the group that reached the step; all patients for representation
    hit: int  # of these, lost there; of the group for representation
    rate: float
    low: float  # ends of the 95 % interval
    high: float
    others: float  # rate of the others; share in the reference for representation
    p: float
    least_p: float  # the smallest that these counts could have given
    flagged: bool = False


def fairness(evidence: Evidence, ends: Sequence[Outcome], reference: Reference | None) -> dict[str, Any]:
    """Counts and flags as plain data for fairness.json; no patient is named in it.

    Args:
        evidence: `subgroups` tells the groups of each patient, `members` whose a series is.
        ends: outcome of every series.
        reference: axis -> group -> share of the population that the release is to speak for.
    """
    members = member_table(evidence.members)
    owner = dict(zip(members["series"].to_pylist(), texts(members["subject"]), strict=True))
    walks = _walks(ends, owner)
    groups = {subject: evidence.subgroups.get(subject, {}) for subject in walks}
    compared = flag([*_losses(walks, groups), *_represented(walks, groups, reference or {})])
    return {
        "level": LEVEL,
        "patients": len(walks),
        "released": sum(walk.released for walk in walks.values()),
        "axes": _counts(walks, groups, reference or {}),
        "comparisons": [asdict(one) for one in compared],
        "tested": len(compared),
        "threshold": threshold(compared),
        "reference": reference is not None,
        "flagged": sum(one.flagged for one in compared),
        "flags": [asdict(one) for one in compared if one.flagged],
    }


def public(found: Mapping[str, Any], least: int) -> dict[str, Any]:
    """What may be told outside: no site's code, no exact rate, nothing about a group of fewer than `least` patients.

    Shares of an axis are told only when each of its groups has that many, since a rest can be computed.
    """
    axes = {
        axis: {
            name: {"share": round(one["share"], 2), "expected": one["expected"]}
            for name, one in groups.items()
            if one["share"] is not None and one["released"]
        }
        for axis, groups in found["axes"].items()
        if axis != "site" and all(one["released"] >= least for one in groups.values() if one["patients"])
    }
    flags = [
        {"step": one["step"], "axis": one["axis"], "group": "one of them" if one["axis"] == "site" else one["group"]}
        | {"rate": _coarse(one["rate"]), "others": _coarse(one["others"])}
        for one in found["flags"]
        if one["patients"] >= least and found["patients"] - one["patients"] >= least
    ]
    return {"flagged": found["flagged"], "tested": found["tested"], "flags": flags, "axes": axes, "least": least}


def _coarse(rate: float) -> float:
    """To a twentieth."""
    return round(20 * rate) / 20


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a patient came: places in `STEPS` up to which it has series, and at which it lost one."""

    reached: int
    lost: frozenset[str]
    released: bool


def _walks(ends: Iterable[Outcome], owner: Mapping[str, str]) -> dict[str, Walk]:
    own: dict[str, list[Outcome]] = defaultdict(list)
    for end in ends:
        own[owner.get(end.series, end.series)].append(end)
    place = {stage: n for n, stage in enumerate(STEPS)}
    return {
        subject: Walk(
            max(place.get(end.stage, len(STEPS)) for end in found),
            frozenset(end.stage for end in found if end.outcome != RELEASED),
            any(end.outcome == RELEASED for end in found),
        )
        for subject, found in sorted(own.items())
    }


def _of(groups: Mapping[str, Sequence[str]], axis: str) -> Sequence[str]:
    return groups.get(axis) or (UNKNOWN,)


def _counts(walks: Mapping[str, Walk], groups: Groups, reference: Reference) -> dict[str, Any]:
    """Patients found and released of each group, with shares of those whose group is known."""
    found: dict[str, Any] = {}
    for axis in AXES:
        all_of, out = Counter[str](), Counter[str]()
        for subject, walk in walks.items():
            all_of.update(_of(groups[subject], axis))
            out.update(_of(groups[subject], axis) if walk.released else ())
        known = sum(walk.released and _of(groups[subject], axis) != (UNKNOWN,) for subject, walk in walks.items())
        expected = reference.get(axis, {})
        names = sorted({*all_of, *expected}, key=lambda name: (name == UNKNOWN, name))
        found[axis] = {
            name: {
                "patients": all_of[name],
                "released": out[name],
                "share": out[name] / known if known and name != UNKNOWN else None,
                "expected": expected.get(name),
            }
            for name in names
        }
    return found


def _losses(walks: Mapping[str, Walk], groups: Groups) -> list[Comparison]:
    """Each group against the others of its axis, at each step at which somebody was lost."""
    found: list[Comparison] = []
    for place, step in enumerate((*STEPS, "released")):
        if step == "released":
            there, lost = list(walks), {subject for subject, walk in walks.items() if not walk.released}
        else:
            there = [subject for subject, walk in walks.items() if walk.reached >= place]
            lost = {subject for subject in there if step in walks[subject].lost}
        early = step in BEFORE_HEADERS or step == "released"
        for axis in AXES if lost else ():
            judged = [s for s in there if _of(groups[s], axis) != (UNKNOWN,)] if early else there
            found += _against_others(step, axis, judged, lost, groups)
    return found


def _against_others(
    step: str, axis: str, judged: Sequence[str], lost: set[str], groups: Groups
) -> Iterable[Comparison]:
    """Counted in one pass, since a cohort may have a hundred thousand patients and a hundred sites."""
    size, hit = Counter[str](), Counter[str]()
    for subject in judged:
        names = _of(groups[subject], axis)
        size.update(names)
        hit.update(names if subject in lost else ())
    total, hits = len(judged), sum(subject in lost for subject in judged)
    if not hits or len(size) < 2:
        return
    worst = max(sorted(size), key=lambda name: hit[name] / size[name])
    twins = len(size) == 2 and size.total() == total  # one comparison, told of the worse group
    for name in [worst] if twins else sorted(size):
        n, a = size[name], hit[name]
        if n < total:
            p, least = fisher(a, n, hits - a, total - n)
            low, high = wilson(a, n)
            yield Comparison(step, axis, name, n, a, a / n, low, high, (hits - a) / (total - n), p, least)


def _represented(walks: Mapping[str, Walk], groups: Groups, reference: Reference) -> Iterable[Comparison]:
    """Released patients of each group against the share that the reference tells."""
    for axis, shares in reference.items():
        held = [_of(groups[subject], axis) for subject, walk in walks.items() if walk.released]
        held = [names for names in held if tuple(names) != (UNKNOWN,)]
        for name, share in sorted(shares.items()):
            n, x = len(held), sum(name in names for names in held)
            if n:
                low, high = wilson(x, n)
                p, least = _at_most(x, n, share), _at_most(0, n, share)
                yield Comparison("representation", axis, name, n, x, x / n, low, high, share, p, least)


def threshold(compared: Sequence[Comparison], level: float = LEVEL) -> float:
    """Tarone's level for each comparison: `level` over the least K such that at most K comparisons could reach level / K."""
    for divisor in range(1, len(compared) + 1):
        if sum(one.least_p <= level / divisor for one in compared) <= divisor:
            return level / divisor
    return level


def flag(compared: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons, those flagged whose p is at most `threshold` and that do the group harm: it loses more, or is rarer."""
    limit = threshold(compared)
    return [
        Comparison(**{**asdict(one), "flagged": one.p <= limit and _harmed(one)})
        for one in sorted(compared, key=lambda one: (one.step, one.axis, one.group))
    ]


def _harmed(one: Comparison) -> bool:
    return one.rate < one.others if one.step == "representation" else one.rate > one.others


def fisher(a: int, n: int, b: int, m: int) -> tuple[float, float]:
    """Fisher's exact test on `a` of `n` against `b` of `m`: two-sided p, and the smallest p that these margins allow."""
    hits = a + b
    x = np.arange(max(0, hits - m), min(n, hits) + 1)
    logs = _log_choose(n, x) + _log_choose(m, hits - x) - _log_choose(n + m, np.array([hits]))
    own, low = logs[a - x[0]], min(logs[0], logs[-1])
    return _sum(logs[logs <= own + TIE]), _sum(logs[logs <= low + TIE])


def _sum(logs: Reals) -> float:
    """Sum of probabilities told by their logarithms, to nine digits: the rest differs with the processor."""
    return float(f"{min(1.0, float(np.exp(logs).sum())):.9g}")


def wilson(x: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's 95 % interval of a share `x` of `n`."""
    if not n:
        return 0.0, 1.0
    middle = (x + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(x * (n - x) / n + z * z / 4)
    return (0.0 if x == 0 else max(0.0, middle - half)), (1.0 if x == n else min(1.0, middle + half))


def _at_most(x: int, n: int, share: float) -> float:
    """Chance of at most `x` of `n` where each has chance `share`."""
    if share <= 0 or share >= 1:
        return 1.0 if share <= 0 or x >= n else 0.0
    i = np.arange(x + 1)
    return _sum(_log_choose(n, i) + i * math.log(share) + (n - i) * math.log1p(-share))


def _log_choose(n: int, k: npt.NDArray[np.int64]) -> Reals:
    table = _log_factorials(1 << n.bit_length())
    found: Reals = table[n] - table[k] - table[n - k]
    return found


@functools.cache
def _log_factorials(size: int) -> Reals:
    """log 0!, log 1!, … below `size`."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size)))])


def age_band(age: float | None) -> str | None:
    """20 years wide up to 79, as in the hierarchy of ages; None where the age isn't known."""
    if age is None or not math.isfinite(age) or age < 0:
        return None
    return "80+" if age >= 80 else f"{int(age) // 20 * 20}-{int(age) // 20 * 20 + 19}"


def read_reference(path: Path) -> dict[str, dict[str, float]]:
    """Shares of a population, from a CSV file with the columns axis, group, share.

    Axes are sex (M, F, O), age (0-19, 20-39, 40-59, 60-79, 80+), site (H-…) and manufacturer. An axis may be left out.

    Raises:
        CurationError: no such file, other columns, an unknown axis, a group told twice, or shares that sum to more than 1.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unusable("a CSV file in UTF-8", type(error).__name__) from None
    found: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows, start=2):
        if not {"axis", "group", "share"} <= set(row):
            raise _unusable("the columns axis, group, share", "other columns")
        axis, group, share = (row["axis"] or "").strip(), (row["group"] or "").strip(), _share(row["share"])
        if axis not in AXES or not group or share is None:
            raise _unusable(
                f"an axis ({', '.join(AXES)}), a group, a share from 0 to 1", f"something else in line {number}"
            )
        if group in found.setdefault(axis, {}):
            raise _unusable("each group once", f"a group for the second time in line {number}")
        found[axis][group] = share
    if not found:
        raise _unusable("at least one line", "none")
    for axis, shares in found.items():
        if sum(shares.values()) > 1 + 1e-6 and axis in ("sex", "age"):
            raise _unusable(f"shares of {axis} that sum to 1 at most", f"{sum(shares.values()):g}")
    return found


def _share(word: str | None) -> float | None:
    try:
        value = float(word or "")
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _unusable(wanted: str, found: str) -> CurationError:
    return CurationError(
        "the reference of gate.reference can't be used",
        wanted=wanted,
        found=found,
        fix="lines such as: sex,F,0.51 below a head axis,group,share",
    )
