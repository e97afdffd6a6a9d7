"""Measures of the attack stage: how far somebody came who tried to break what is about to be released.

What is held against a limit is the upper end of the confidence interval (requirement G08), never the rate itself. An attack
whose control fails proves nothing, whatever its rate; `attack.controls_failed` is owed by every policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from radcurate.governance.conservation import Outcome
from radcurate.governance.evidence import Evidence
from radcurate.governance.measure import Measure
from radcurate.governance.value import Value, number

ATTACKS = ("linkage", "fingerprint", "site", "differencing")
_ARTEFACT = "results/attack/attack.json"
_ROUNDING = 1e-9


def _part(content: Any, *names: str) -> Mapping[str, Any]:
    """A mapping within the document; empty where there is none."""
    for name in names:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content if isinstance(content, Mapping) else {}


def _share(found: Mapping[str, Any]) -> dict[str, float] | None:
    """Rate, interval and chance of an attack; None unless they are shares and the interval holds the rate."""
    read = {name: number(found.get(name)) for name in ("rate", "low", "high", "chance")}
    known = {name: value for name, value in read.items() if value is not None}
    if len(known) < len(read) or not all(-_ROUNDING <= value <= 1 + _ROUNDING for value in known.values()):
        return None
    return known if known["low"] - _ROUNDING <= known["rate"] <= known["high"] + _ROUNDING else None


def _measured(attack: str, *within: str, read: Callable[[dict[str, float]], float]) -> Callable[..., Value]:
    """A number of one attack: absent, not applicable or unreadable where it can't be given."""

    def measure(evidence: Evidence, _: list[Outcome]) -> Value:
        whole = _part(evidence.attack, "attacks", attack)
        if not whole:
            return Value(None, "the attack was not run")
        if whole.get("applies") is False:
            return Value(None, str(whole.get("detail") or "the attack doesn't say why"), applies=False)
        share = _share(_part(whole, *within))
        if share is None:
            return Value(None, "no rate with an interval that holds it")
        return Value(read(share), f"rate {share['rate']:.3g}, chance {share['chance']:.3g}{_columns(whole)}")

    return measure


def _columns(attack: Mapping[str, Any]) -> str:
    found = [entry[0] if isinstance(entry, (list, tuple)) else entry for entry in attack.get("columns") or ()]
    names = [str(entry["column"] if isinstance(entry, Mapping) else entry) for entry in found]
    return f"; given away by {', '.join(names[:3])}" if names else ""


def _upper(share: dict[str, float]) -> float:
    return share["high"]


def _excess(share: dict[str, float]) -> float:
    return max(0.0, share["high"] - share["chance"])


def _same_scan(evidence: Evidence, ends: list[Outcome]) -> Value:
    """The fingerprint of somebody who holds the very scan; as the plain one where the protocol was not measured apart."""
    apart = "same_scan" in _part(evidence.attack, "attacks", "fingerprint", "further")
    within = ("further", "same_scan") if apart else ()
    return _measured("fingerprint", *within, read=_upper)(evidence, ends)


def _revealed(evidence: Evidence, _: list[Outcome]) -> Value:
    """Patients whom this release and the earlier ones reveal together."""
    found = _part(evidence.attack, "attacks", "differencing")
    if not found:
        return Value(None, "the attack was not run")
    detail = str(found.get("detail") or "")
    if found.get("applies") is False:
        return Value(None, detail or "the attack doesn't say why", applies=False)
    return Value(number(found.get("successes")), detail)


def _controls(evidence: Evidence, _: list[Outcome]) -> Value:
    """Controls that don't hold, as the attack says and as they are read again; an attack that is absent counts."""
    attacks = _part(evidence.attack, "attacks")
    if not attacks:
        return Value(None, "no attack was run")
    failed = [f"{name} was not run" for name in ATTACKS if name not in attacks]
    for name in sorted(attacks):
        failed += [f"{name}: {control}" for control in _failed(_part(attacks, name))]
    return Value(float(len(failed)), "; ".join(failed))


def _failed(attack: Mapping[str, Any]) -> list[str]:
    """Names of the controls of one attack that don't hold; one that applies owes both."""
    controls = _part(attack, "controls")
    owed = set(controls) | ({"positive", "negative"} if attack.get("applies") is not False else set())
    unproven = {name for name in owed if _part(controls, name).get("passed") is not True}
    return sorted(unproven | {str(name) for name in attack.get("controls_failed") or ()})


def _risk(*names: str) -> Callable[[Evidence, list[Outcome]], Value]:
    """A number of the risks beside the attacks; where it is a share with an interval, its upper end."""

    def measure(evidence: Evidence, _: list[Outcome]) -> Value:
        risk = _part(evidence.attack, "risk")
        found = _part(risk, *names[:-1]).get(names[-1])
        if isinstance(found, Mapping):
            if found.get("applies") is False:
                return Value(None, str(found.get("detail") or "no reason is given"), applies=False)
            found = found.get("high", found.get("value"))
        return Value(number(found))

    return measure


def _inference(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Where no column is sensitive there is nothing to infer."""
    found = _risk("inference")(evidence, ends)
    if found.number is None and evidence.attack and not _part(evidence.protection, "after", "sensitive"):
        return Value(None, "no sensitive attribute is declared", applies=False)
    return found


def _composite(evidence: Evidence, ends: list[Outcome]) -> Value:
    """R for the recipients of this policy; as the attack stage gives it where it doesn't tell recipients apart."""
    if _part(evidence.attack, "risk", "composite", "scenarios"):
        return _risk("composite", "scenarios", evidence.tier, "R")(evidence, ends)
    return _risk("composite", "R")(evidence, ends)


def _m(name: str, meaning: str, read: Callable[[Evidence, list[Outcome]], Value]) -> Measure:
    return Measure(f"attack.{name}", _ARTEFACT, meaning, read)


ATTACKING = [
    _m("linkage", "share of patients that a registry leads to, upper bound", _measured("linkage", read=_upper)),
    _m("marketer", "share of patients that somebody names who links them all", _risk("marketer")),
    _m("journalist", "largest chance of naming a patient who may be in the data", _risk("journalist")),
    _m(
        "fingerprint_top1",
        "share of patients whose own features find them, upper bound",
        _measured("fingerprint", read=_upper),
    ),
    _m(
        "fingerprint_top5",
        "share of patients who are among the five that their own features find, upper bound",
        _measured("fingerprint", "further", "top5", read=_upper),
    ),
    _m(
        "fingerprint_same_scan",
        "share of patients whose own scan finds them, for somebody who holds its protocol too, upper bound",
        _same_scan,
    ),
    _m("site_excess", "how much better than chance features tell the hospital", _measured("site", read=_excess)),
    _m("differencing", "patients revealed by differences with earlier releases", _revealed),
    _m("singling_out", "risk of singling out (WP216)", _risk("singling_out")),
    _m("linkability", "risk of linkability (WP216)", _risk("linkability")),
    _m("inference", "risk of inference (WP216)", _inference),
    _m("uniqueness", "share of patients that look like nobody else", _risk("uniqueness", "sample")),
    _m("composite", "composite risk R = p_ri^alpha u^beta s^gamma, for these recipients", _composite),
    _m("controls_failed", "controls of attacks that don't hold", _controls),
]
