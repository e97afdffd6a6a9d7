"""k, l, t and the optimum once more, slowly, with dictionaries and sets; shares no code with the package but the labels."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

Row = Mapping[str, object]


def same(value: object) -> object:
    """A missing value is a value of its own."""
    return None if isinstance(value, float) and math.isnan(value) else value


def groups(rows: Iterable[Row], quasi: Sequence[str]) -> list[set]:
    """Patients with the same set of tuples."""
    shown = defaultdict(set)
    for row in rows:
        shown[row["subject"]].add(tuple(same(row[name]) for name in quasi))
    alike = defaultdict(set)
    for subject, seen in shown.items():
        alike[frozenset(seen)].add(subject)
    return list(alike.values())


def held(rows: Iterable[Row], column: str) -> dict[object, frozenset]:
    found = defaultdict(set)
    for row in rows:
        found[row["subject"]].add(same(row[column]))
    return {subject: frozenset(values) for subject, values in found.items()}


def readings(group: set, values: Mapping[object, frozenset]) -> dict[object, list[int]]:
    """For each value of the class: sizes of the buckets when all sets with it are one bucket, largest first."""
    sets = Counter(values[subject] for subject in group)
    return {
        value: sorted(
            [
                sum(n for each, n in sets.items() if value in each),
                *(n for each, n in sets.items() if value not in each),
            ],
            reverse=True,
        )
        for value in frozenset().union(*sets)
    }


def l_of(group: set, values: Mapping[object, frozenset]) -> int:
    return min(len(buckets) for buckets in readings(group, values).values())


def l_entropy_of(group: set, values: Mapping[object, frozenset]) -> float:
    n = len(group)
    return min(
        math.exp(-math.fsum(b / n * math.log(b / n) for b in buckets)) for buckets in readings(group, values).values()
    )


def l_recursive_of(group: set, values: Mapping[object, frozenset], c: float) -> int:
    found = readings(group, values)
    holders = {value: sum(value in values[subject] for subject in group) for value in found}
    most = [found[value] for value in found if holders[value] == max(holders.values())]
    return min(
        max([1, *(l for l in range(1, len(b) + 1) if b[0] < c * sum(b[l - 1 :]) - 1e-9)])  # noqa: E741
        for b in most
    )


def t_of(group: set, values: Mapping[object, frozenset], q: Counter | None = None) -> float:
    p, q = Counter(values[subject] for subject in group), q or Counter(values.values())
    return 0.5 * sum(abs(p[value] / len(group) - q[value] / len(values)) for value in q)


def spread(group: Iterable, values: Mapping[object, frozenset]) -> dict[object, Fraction]:
    """Share of each single value, a patient's mass spread evenly over its values."""
    found: dict[object, Fraction] = defaultdict(Fraction)
    people = list(group)
    for subject in people:
        for value in values[subject]:
            found[value] += Fraction(1, len(values[subject]) * len(people))
    return found


def t_ordered_of(group: set, values: Mapping[object, frozenset], q: Mapping | None = None) -> float:
    """Over the order of the values themselves; None is missing."""
    p, q = spread(group, values), q or spread(values, values)
    scale = sorted(value for value in q if value is not None)
    known_p, known_q = 1 - p.get(None, 0), 1 - q.get(None, 0)
    line = Fraction(0)
    if known_p and len(scale) > 1:
        sums = [
            abs(sum(p.get(v, 0) for v in scale[:i]) / known_p - sum(q[v] for v in scale[:i]) / known_q)
            for i in range(1, len(scale))
        ]
        line = sum(sums) / (len(scale) - 1)
    return float(abs(known_p - known_q) + min(known_p, known_q) * line)


def measure(
    rows: Sequence[Row], quasi: Sequence[str], sensitive: Sequence[str], c: float = 3.0
) -> dict[str, float | None]:
    found = groups(rows, quasi)
    values = [held(rows, column) for column in sensitive]
    pairs = [(group, each) for group in found for each in values]
    all_sets = [Counter(each.values()) for each in values]
    all_values = [spread(each, each) for each in values]
    return {
        "k": min(len(group) for group in found),
        "l": min((l_of(*pair) for pair in pairs), default=None),
        "l_entropy": min((l_entropy_of(*pair) for pair in pairs), default=None),
        "l_recursive": min((l_recursive_of(*pair, c) for pair in pairs), default=None),
        "t": max((t_of(group, *pair) for group in found for pair in zip(values, all_sets, strict=True)), default=None),
        "t_ordered": max(
            (t_ordered_of(group, *pair) for group in found for pair in zip(values, all_values, strict=True)),
            default=None,
        ),
    }


def breaks(group: set, values: list, demands) -> bool:
    """Whether a class breaks `demands` (with the fields of Targets)."""
    return len(group) < demands.k or any(
        l_of(group, each) < demands.l
        or t_of(group, each) > demands.t + 1e-12
        or (demands.l_entropy > 1 and l_entropy_of(group, each) < demands.l_entropy - 1e-9)
        or (demands.l_recursive > 1 and l_recursive_of(group, each, demands.c) < demands.l_recursive)
        or (demands.t_ordered < 1 and t_ordered_of(group, each) > demands.t_ordered + 1e-12)
        for each in values
    )


def suppress(rows: Sequence[Row], quasi: Sequence[str], sensitive: Sequence[str], demands) -> set:
    """Patients left when classes that break a demand go, again and again."""
    left = {row["subject"] for row in rows}
    while left:
        mine = [row for row in rows if row["subject"] in left]
        values = [held(mine, column) for column in sensitive]
        bad = [group for group in groups(mine, quasi) if breaks(group, values, demands)]
        if not bad:
            break
        left -= set().union(*bad)
    return left


def ncp(labels: Sequence[str | None], finest: Sequence[str | None]) -> list[float]:
    """Penalty of each value: finest labels under its label, less one, over all, less one."""
    under = defaultdict(set)
    for label, fine in zip(labels, finest, strict=True):
        under[label].add(fine)
    whole = len(set(finest)) - 1
    return [(len(under[label]) - 1) / whole if whole else 0.0 for label in labels]


def optimum(rows, quasi, labels, levels, weights, sensitive, demands):
    """Least loss over all nodes within budget (or None), and over all nodes.

    `labels[name][rung]` maps a value to its label; `levels[name]` lists the rungs that are allowed.
    """
    within, anyhow = None, math.inf
    n = len({row["subject"] for row in rows})
    for node in itertools.product(*(levels[name] for name in quasi)):
        shown = [
            {**row, **{name: labels[name][rung][same(row[name])] for name, rung in zip(quasi, node, strict=True)}}
            for row in rows
        ]
        left = suppress(shown, quasi, sensitive, demands)
        each = [0.0] * len(rows)
        for name, rung in zip(quasi, node, strict=True):
            values = list(labels[name][0])
            cost = dict(
                zip(
                    values,
                    ncp([labels[name][rung][v] for v in values], [labels[name][0][v] for v in values]),
                    strict=True,
                )
            )
            for place, row in enumerate(rows):
                each[place] += weights[name] / sum(weights.values()) * cost[same(row[name])]
        loss = sum(cost if row["subject"] in left else 1.0 for row, cost in zip(rows, each, strict=True)) / len(rows)
        anyhow = min(anyhow, loss)
        if n - len(left) <= demands.suppression * n + 1e-12 and (within is None or loss < within):
            within = loss
    return within, anyhow
