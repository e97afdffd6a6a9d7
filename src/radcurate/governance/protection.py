"""Measures of `protect`: crowds, sensitive values in them, losses; k counted again from the tables that would go out."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from radcurate.governance.conservation import Outcome
from radcurate.governance.evidence import Evidence
from radcurate.governance.measure import Measure
from radcurate.governance.value import Value, number
from radcurate.tables.stored import Large, texts


def _unmet(evidence: Evidence, _: list[Outcome]) -> Value:
    holds = evidence.protection.get("holds")
    return Value(None if not isinstance(holds, bool) else float(not holds))


def _after(name: str) -> Callable[[Evidence, list[Outcome]], Value]:
    """A number that `protect` measured on the table it would release."""

    def read(evidence: Evidence, _: list[Outcome]) -> Value:
        after = evidence.protection.get("after")
        return Value(number(after.get(name) if isinstance(after, Mapping) else None))

    return read


def _crowd(evidence: Evidence, ends: list[Outcome]) -> Value:
    """The k that `protect` reports, or what counting the released rows again comes to, if that is less."""
    reported = _after("k")(evidence, ends).number
    counted = smallest_crowd(evidence)
    reach = evidence.protection.get("reachable")
    best = reach.get("k") if isinstance(reach, Mapping) else None
    detail = f"{counted} counted again in the tables" + (
        f"; without leaving patients out at most {best}" if best else ""
    )
    return Value(None if reported is None else min(reported, float(counted)), detail)


def _prosecutor(evidence: Evidence, ends: list[Outcome]) -> Value:
    reported = _after("prosecutor_max")(evidence, ends).number
    counted = smallest_crowd(evidence)
    return Value(None if reported is None or not counted else max(reported, 1 / counted))


def smallest_crowd(evidence: Evidence) -> int:
    """Patients in the smallest group that shares all quasi-identifiers of the two released tables; 0 without rows.

    Counted without the code of `protect`: a patient is the set of its rows' values, a series' acquisition among them.
    """
    roles = evidence.protection.get("roles", {})
    quasi = {name for name, role in roles.items() if role == "quasi_identifier"}
    if not {"subject", "series"} <= set(evidence.features.column_names):
        return 0
    own = [name for name in evidence.features.column_names if name in quasi]
    linked = [name for name in evidence.acquisition.column_names if name in quasi]
    by_series = dict(_cells(evidence.acquisition, "series", linked)) if linked else {}
    known: dict[str, frozenset[tuple[Any, ...]]] = {}
    same: dict[Any, Any] = {}  # equal values once, since a million rows have few
    subjects = evidence.features["subject"].to_pylist()
    for subject, (series, cells) in zip(subjects, _cells(evidence.features, "series", own), strict=True):
        whole = cells + by_series.get(series, ())
        seen = known.get(subject, frozenset()) | {same.setdefault(whole, whole)}
        known[subject] = same.setdefault(seen, seen)
    return min(Counter(known.values()).values(), default=0)


def _cells(content: Large, key: str, names: list[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Of each row its key and its values of some columns."""
    values = (texts(content[name]) for name in names)
    cells = zip(*values, strict=True) if names else itertools.repeat(())
    return zip(content[key].to_pylist(), cells, strict=False)  # no column: as often as there are keys


def _sensitive(name: str) -> Callable[[Evidence, list[Outcome]], Value]:
    """The same, where a sensitive attribute is declared."""
    read_after = _after(name)

    def read(evidence: Evidence, ends: list[Outcome]) -> Value:
        after = evidence.protection.get("after")
        if isinstance(after, Mapping) and not after.get("sensitive"):
            return Value(None, "no sensitive attribute is declared", applies=False)
        return read_after(evidence, ends)

    return read


def _whole(name: str) -> Callable[[Evidence, list[Outcome]], Value]:
    return lambda evidence, _: Value(number(evidence.protection.get(name)))


_PROTECT = "results/protect/measures.json"
PROTECTION = [
    Measure("protect.unmet", _PROTECT, "demands of the protect stage that don't hold", _unmet),
    Measure("protect.k", _PROTECT, "fewest patients that look alike", _crowd),
    Measure(
        "protect.prosecutor_max",
        _PROTECT,
        "largest chance of naming a patient known to be in the data",
        _prosecutor,
    ),
    Measure("protect.unique_share", _PROTECT, "share of patients that look like nobody else", _after("unique_share")),
    Measure("protect.l", _PROTECT, "fewest sensitive values in a crowd", _sensitive("l")),
    Measure("protect.t", _PROTECT, "how far a crowd's sensitive values differ from everybody's", _sensitive("t")),
    Measure(
        "protect.suppressed_share", _PROTECT, "share of patients left out to protect them", _whole("suppressed_share")
    ),
    Measure("protect.ncp", _PROTECT, "information lost by generalising (normalised certainty penalty)", _whole("ncp")),
    Measure("protect.l_entropy", _PROTECT, "fewest sensitive values in a crowd, by entropy", _sensitive("l_entropy")),
    Measure(
        "protect.l_recursive",
        _PROTECT,
        "fewest sensitive values in a crowd, recursive (c, l)",
        _sensitive("l_recursive"),
    ),
    Measure(
        "protect.t_ordered",
        _PROTECT,
        "how far a crowd's sensitive values differ from everybody's, where their order counts",
        _sensitive("t_ordered"),
    ),
]
