"""The cheapest ways out of a refusal: changes that `protect` tried out completely, and what helps against an attack."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radcurate.governance.policy import Criterion, Policy
from radcurate.governance.value import number

SHOWN = 3
_CROWD = {"protect.k", "protect.prosecutor_max", "protect.unique_share", "protect.unmet", "protect.l", "protect.t"}
_ATTACKED = {
    "attack.linkage": "drop or coarsen in config/columns.yaml what gives it away",
    "attack.journalist": "raise protect.k",
    "attack.marketer": "raise protect.k",
    "attack.singling_out": "raise protect.k",
    "attack.linkability": "raise protect.k",
    "attack.composite": "raise protect.k, or choose a policy for fewer recipients",
    "attack.fingerprint_top1": "protect.microaggregation: {k}, then no features belong to fewer than {k} patients",
    "attack.fingerprint_top5": "protect.microaggregation: {k5}, then the five nearest are as good as five guesses",
    "attack.fingerprint_same_scan": "protect.microaggregation: {k}, and declare protocol numbers as quasi-identifiers",
    "attack.site_excess": "switch harmonise on, drop the columns that give the hospital away, or microaggregate",
    "attack.differencing": "wait until more patients come or go at once, or withdraw the earlier release",
}


@dataclass(frozen=True)
class Way:
    """A change, and what it comes to. loss: mean NCP; suppressed: patients; None: not tried out."""

    change: str
    k: int | None = None
    loss: float | None = None
    suppressed: int | None = None

    def words(self) -> str:
        """The way in one line."""
        if self.k is None:
            return self.change
        n = self.suppressed or 0
        left = f"{n} {'patient' if n == 1 else 'patients'} left out" if n else "nobody left out"
        return f"{self.change}: k {self.k}, loss {number(self.loss) or 0:.3g}, {left}"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def ways_out(
    criterion: Criterion, policy: Policy, tried: Sequence[Mapping[str, Any]], subjects: int, attack: Mapping[str, Any]
) -> tuple[Way, ...]:
    """What would help a criterion that doesn't hold, cheapest first.

    Args:
        criterion: that doesn't hold.
        policy: it belongs to; a way must keep its limits on k, l and t.
        tried: rows of results/protect/ways.parquet.
        subjects: patients in the cohort.
        attack: attack.json.
    """
    if criterion.measure in _CROWD:
        return _by_protect(policy, tried, subjects)
    if criterion.measure in _ATTACKED:
        return _against(criterion, attack)
    return ()


def _by_protect(policy: Policy, tried: Sequence[Mapping[str, Any]], subjects: int) -> tuple[Way, ...]:
    wanted = _crowd_wanted(policy)
    if 0 < subjects < wanted:
        lack = wanted - subjects
        return (Way(f"add {lack} patients or more: there are {subjects}, and {wanted} must look alike"),)
    good = sorted((row for row in tried if _keeps(row, policy, wanted)), key=_cost)
    if good:
        return tuple(_way(row) for row in good[:SHOWN])
    best = max((int(row["k"]) for row in tried if number(row.get("k")) is not None), default=None)
    if best is None:
        return ()
    return (
        Way(f"add patients: no change of the columns that was tried keeps the policy; the largest k reached is {best}"),
    )


def _crowd_wanted(policy: Policy) -> int:
    """Patients that must look alike so that every limit on crowds can hold."""
    least = [one.min for one in policy.criteria if one.measure == "protect.k" and one.min is not None]
    most = [one.max for one in policy.criteria if one.measure == "protect.prosecutor_max" and one.max]
    return max([1, *(math.ceil(limit) for limit in least), *(math.ceil(1 / limit - 1e-9) for limit in most)])


def _keeps(row: Mapping[str, Any], policy: Policy, wanted: int) -> bool:
    """Whether a change that was tried keeps the policy's limits on crowds and on sensitive values."""
    reached = {"protect.l": number(row.get("l")), "protect.t": number(row.get("t"))}
    for one in policy.criteria:
        value = reached.get(one.measure)
        if value is not None and not one.allows(value):
            return False
    k = number(row.get("k"))
    return row.get("holds") is True and k is not None and k >= wanted


def _cost(row: Mapping[str, Any]) -> tuple[float, float, float, str]:
    """Least loss, then fewest left out, then the largest crowd; then by what is to be typed, so that it is the same every time."""
    loss, left = number(row.get("loss")), number(row.get("suppressed"))
    words = " ".join(str(row.get(name)) for name in ("change", "column", "setting"))
    return (math.inf if loss is None else loss, math.inf if left is None else left, -float(row["k"]), words)


def _way(row: Mapping[str, Any]) -> Way:
    typed = str(row.get("setting") or "").strip()
    change = typed or " ".join(str(row[name]) for name in ("change", "column") if row.get(name))
    left = number(row.get("suppressed"))
    return Way(change, int(row["k"]), number(row.get("loss")), None if left is None else int(left))


def _against(criterion: Criterion, attack: Mapping[str, Any]) -> tuple[Way, ...]:
    limit = criterion.max or 0
    k = math.ceil(1 / limit - 1e-9) if limit else 11
    name = criterion.measure.removeprefix("attack.").split("_")[0]
    found = (attack.get("attacks") or {}).get(name) or {}
    columns = [str(column) for column in (found.get("columns") or ())][:SHOWN]
    text = _ATTACKED[criterion.measure].format(k=k, k5=math.ceil(5 / limit - 1e-9) if limit else 11)
    return (Way(text + (f" ({', '.join(columns)})" if columns else "")),)
