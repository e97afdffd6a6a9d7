"""Options of PS3.15 E.3: which of them the settings ask for, and what that makes of a row of the allow-list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from radcurate.settings import Deidentify

# name in the allow-list → DICOM code and meaning (PS3.16 CID 7050)
OPTIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "clean_structured_content": ("113104", "Clean Structured Content Option"),
        "clean_descriptors": ("113105", "Clean Descriptors Option"),
        "modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
        "patient_characteristics": ("113108", "Retain Patient Characteristics Option"),
        "device_identity": ("113109", "Retain Device Identity Option"),
        "safe_private": ("113111", "Retain Safe Private Option"),
    }
)
DEFAULT_LIMITS = "-1e6..1e6"  # a longer number in a technical text attribute is more likely an identifier
DECAY = "decay"  # value of a time's row: with years only it stays, because decay and dynamics can't do without
STEPS = MappingProxyType({"PatientWeight": "5", "PatientSize": "0.05"})  # kg, m
_CHARACTERISTICS = MappingProxyType(
    {"PatientSex": "sex", "PatientAge": "age", "PatientSize": "size", "PatientWeight": "weight"}
)


@dataclass(frozen=True)
class Rule:
    """What happens to one attribute, at any depth."""

    tag: int
    keyword: str
    action: str
    value: str
    option: str
    reason: str
    source: str

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest number that `keep` and `generalise` let stand: those of the row, or a million either way."""
        low, _, high = (self.value.partition("/")[0] or DEFAULT_LIMITS).partition("..")
        return float(low), float(high)


def configured(rule: Rule, settings: Deidentify) -> Rule | None:
    """The rule under these settings; None where its option isn't asked for, as if the row weren't there."""
    choice = getattr(settings, _CHARACTERISTICS.get(rule.keyword, ""), "keep") if rule.option else "keep"
    if choice == "remove":
        return _without_option(rule)
    if choice == "rounded":
        return replace(rule, action="generalise", value=f"{rule.value}/{STEPS[rule.keyword]}")
    if rule.option == "device_identity" and not settings.device_identity:
        return None
    if rule.option == "modified_dates" and settings.dates == "year":
        return _with_years(rule)
    return rule


def _with_years(rule: Rule) -> Rule | None:
    """Without the option, a date stays as its year where a dummy may stand, and a time only where decay needs it."""
    basic = rule.source.partition(": ")[2]
    if rule.value == DECAY:
        return rule
    if rule.action == "date":
        return replace(rule, option="") if set(basic) & {"Z", "D"} else None
    if "Z" in basic:
        return replace(rule, action="empty", option="")
    return replace(rule, action="replace", value="000000", option="") if "D" in basic else None


def _without_option(rule: Rule) -> Rule | None:
    """What the basic profile does: an attribute that has to be present (Z) becomes empty, another goes."""
    needed = rule.source.partition(": ")[2].startswith("Z")
    return replace(rule, action="empty", value="", option="") if needed else None


def claimed(rules: Iterable[Rule], settings: Deidentify) -> tuple[str, ...]:
    """Options that at least one active row relies on, sorted. Years alone are no modified dates (PS3.15 E.3.6)."""
    found = {rule.option for rule in rules if rule.option}
    if settings.dates == "year":
        found.discard("modified_dates")
    if settings.safe_private:
        found.add("safe_private")
    return tuple(sorted(found))
