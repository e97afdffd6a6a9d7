"""What else could be done: changes of the configuration, each tried out completely, with what it reaches and costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from radcurate.privacy import report
from radcurate.privacy.choice import Choice, Method, Scene, choose, penalties, weights
from radcurate.privacy.search import Targets
from radcurate.privacy.vectors import Treatment

CROWDS = (2, 3, 5, 11)  # demands on k that policies make, beside the configured one
VALUES = ({"t": 0.3}, {"l": 2, "l_entropy": 2.0, "t": 0.2})  # and on sensitive values (controlled, public)
LARGE = 200_000  # rows above which only demands are tried, no change of a column


@dataclass(frozen=True)
class Way:
    """A change and what it leads to; see `tables.PROTECT_WAYS`."""

    change: str
    column: str | None
    setting: str
    targets: Targets
    choice: Choice

    def document(self) -> dict[str, Any]:
        """A row of ways.parquet."""
        found, n = self.choice.risk, max(int(self.choice.kept.size), 1)
        reached = {name: getattr(found, name) for name in ("k", "l", "l_entropy", "l_recursive", "t", "t_ordered")}
        return {
            "change": self.change,
            "column": self.column,
            "setting": self.setting,
            "asked_k": self.targets.k,
            "budget": self.targets.suppression,
            **reached,
            "loss": self.choice.loss,
            "suppressed": self.choice.suppressed,
            "suppressed_share": self.choice.suppressed / n,
            "holds": not report.unmet(self.targets, found, self.choice.within_budget),
        }


def ways(found: Scene, targets: Targets, treatment: Treatment, chosen: Choice, method: Method) -> list[Way]:
    """The configuration as it is, other demands, a larger budget, and single columns without their cap or left out.

    Args:
        chosen: what the configuration as it is leads to.
    """
    made = [Way("as_configured", None, "nothing to change", targets, chosen)]
    for name, demand in _demands(found, targets):
        choice = chosen if demand == targets else choose(found, demand, treatment, method)
        if demand != targets:
            made.append(Way("k" if demand.k != targets.k else "l_and_t", None, name, demand, choice))
        made += _more_suppressed(found, demand, treatment, choice, name, method)
        made.append(_other_method(found, demand, treatment, name, method))
        made += [
            Way("uncap", column, _joined(name, f"config/columns.yaml: {column} without `most`"), demand, tried)
            for column, tried in _tried(found, demand, treatment, method, capped=True)
        ]
    made += [
        Way("drop", column, f"config/columns.yaml: {column} with role identifier and no code", targets, tried)
        for column, tried in _tried(found, targets, treatment, method, beside=chosen)
    ]
    return made


def _demands(found: Scene, targets: Targets) -> Iterator[tuple[str, Targets]]:
    """What to type, and the demands that follow; the configured ones first."""
    for k in [targets.k, *(k for k in CROWDS if k != targets.k)]:
        own = "" if k == targets.k else f"protect.k: {k}"
        yield own, replace(targets, k=k)
        for more in VALUES if found.held else ():
            if k >= 5:
                stricter = {
                    name: (min if name == "t" else max)(value, getattr(targets, name)) for name, value in more.items()
                }
                if replace(targets, k=k, **stricter) != replace(targets, k=k):
                    yield _joined(own, ", ".join(_typed(stricter))), replace(targets, k=k, **stricter)


def _typed(demand: dict[str, float]) -> list[str]:
    kind = ["protect.l_kind: entropy"] if "l_entropy" in demand else []
    return [*kind, *(f"protect.{name}: {value:g}" for name, value in demand.items() if name != "l_entropy")]


def _more_suppressed(
    found: Scene, demand: Targets, treatment: Treatment, choice: Choice, name: str, method: Method
) -> Iterator[Way]:
    """The least loss whatever the budget, where that is another way."""
    free = choose(found, replace(demand, suppression=1.0), treatment, method)
    if free.suppressed and (not choice.within_budget or free.loss < choice.loss - 1e-9):
        share = ceil(100 * free.suppressed / max(free.kept.size, 1)) / 100
        wanted = replace(demand, suppression=max(share, demand.suppression))
        yield Way("suppression", None, _joined(name, f"protect.suppression: {share:g}"), wanted, free)


def _other_method(found: Scene, demand: Targets, treatment: Treatment, name: str, method: Method) -> Way:
    other: Method = "full_domain" if method == "mondrian" else "mondrian"
    setting = _joined(name, f"protect.method: {other}")
    return Way("method", None, setting, demand, choose(found, demand, treatment, other))


def _tried(
    found: Scene,
    demand: Targets,
    treatment: Treatment,
    method: Method,
    capped: bool = False,
    beside: Choice | None = None,
) -> Iterator[tuple[str, Choice]]:
    """Each quasi-identifier without its cap (`capped`), or left out, and what then is chosen.

    Nothing changes, and nothing is tried, where there is no cap, or where `beside` tells nothing of the column.
    """
    told = [True] * len(found.ladders) if beside is None else beside.levels.told(found)
    for place, ladder in enumerate(found.ladders):
        top = len(ladder.names) - 1
        if found.subject.size > LARGE or (capped and ladder.most == top) or not told[place]:
            continue
        other = replace(ladder, most=top) if capped else replace(ladder, least=top, most=top)
        steps = [*found.ladders[:place], replace(other, group=None), *found.ladders[place + 1 :]]
        yield ladder.column, choose(replace(found, ladders=steps), demand, treatment, method)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def gains(found: Scene, chosen: Choice, tried: list[Way]) -> dict[str, float]:
    """By how much the loss of all other columns falls when a quasi-identifier is left out; 0 where nothing was told."""
    own = {ladder.column: place for place, ladder in enumerate(found.ladders)}
    told = chosen.levels.told(found)
    nothing = {ladder.column: 0.0 for ladder, shown in zip(found.ladders, told, strict=True) if not shown}
    return nothing | {
        way.column: _rest(found, chosen, own[way.column]) - _rest(found, way.choice, own[way.column])
        for way in tried
        if way.change == "drop" and way.column is not None
    }


def _rest(found: Scene, choice: Choice, place: int) -> float:
    """Mean weighted penalty of all quasi-identifiers but one."""
    share = np.delete(weights(found), place)
    if not share.sum():
        return 0.0
    lost = np.array([float(lost.sum() / max(lost.size, 1)) for lost in penalties(found, choice)])
    return float(share @ np.delete(lost, place) / share.sum())
