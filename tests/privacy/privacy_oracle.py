"""k, l, t and the optimum once more, slowly, with dictionaries and sets; shares no code with the package but the labels."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

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


def l_of(group: set, values: Mapping[object, frozenset]) -> int:
    told = frozenset.intersection(*(values[subject] for subject in group))
    return 1 if told else len({values[subject] for subject in group})


def t_of(group: set, values: Mapping[object, frozenset]) -> float:
    p, q = Counter(values[subject] for subject in group), Counter(values.values())
    return 0.5 * sum(abs(p[value] / len(group) - q[value] / len(values)) for value in q)


def measure(
    rows: Sequence[Row], quasi: Sequence[str], sensitive: Sequence[str]
) -> tuple[int, int | None, float | None]:
    found = groups(rows, quasi)
    values = [held(rows, column) for column in sensitive]
    return (
        min(len(group) for group in found),
        min((l_of(group, each) for group in found for each in values), default=None),
        max((t_of(group, each) for group in found for each in values), default=None),
    )


def suppress(rows: Sequence[Row], quasi: Sequence[str], sensitive: Sequence[str], k: int, l: int, t: float) -> set:  # noqa: E741
    """Patients left when classes that break a demand go, again and again."""
    left = {row["subject"] for row in rows}
    while left:
        mine = [row for row in rows if row["subject"] in left]
        values = [held(mine, column) for column in sensitive]
        bad = [
            group
            for group in groups(mine, quasi)
            if len(group) < k or any(l_of(group, each) < l or t_of(group, each) > t + 1e-12 for each in values)
        ]
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


def optimum(rows, quasi, labels, levels, weights, sensitive, k, l, t, budget):  # noqa: E741
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
        left = suppress(shown, quasi, sensitive, k, l, t)
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
        if n - len(left) <= budget * n + 1e-12 and (within is None or loss < within):
            within = loss
    return within, anyhow
