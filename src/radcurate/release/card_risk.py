"""The part of the data card about risk: crowds, what attacks found, what people decided. Numbers from the verdict only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def risk_section(verdict: Json) -> str:
    """Crowds before and after, and every criterion of the policy."""
    protection = verdict["protection"]
    before, after = protection["before"], protection["after"]
    rows = [
        ("patients that look alike, at least (k)", "k"),
        ("different sensitive values in a crowd, at least (l)", "l"),
        ("distance of a crowd's sensitive values from everybody's, at most (t)", "t"),
        ("share of patients that look like nobody else", "unique_share"),
        ("chance of naming a patient known to be in the data, at most", "prosecutor_max"),
    ]
    lines = [
        "## Risk of recognising a patient",
        "",
        "| measure | before protection | as released |",
        "|---|---|---|",
        *(f"| {text} | {_risk_number(before, key)} | {_risk_number(after, key)} |" for text, key in rows),
        "",
        f"Patients left out to protect them: {number(protection['suppressed_subjects'])} "
        f"({number(protection['suppressed_share'])} of all). Information lost by making values coarser: "
        f"{number(protection['ncp'])} on a scale from 0 to 1.",
        "",
        _holding(verdict),
        "",
        "| criterion | measured | allowed | source |",
        "|---|---|---|---|",
        *(_criterion(finding) for finding in verdict["findings"]),
    ]
    return "\n".join(lines)


def _risk_number(risk: Json, key: str) -> str:
    if key in ("l", "t") and not risk.get("sensitive"):
        return "no sensitive column"
    return number(risk.get(key))


def _criterion(finding: Json) -> str:
    measured = number(finding["measured"]) if finding["applies"] else "does not apply"
    return f"| {finding['name']} | {measured} | {finding['allowed']} | {finding['source']} |"


def _holding(verdict: Json) -> str:
    overridden = [one for one in verdict["findings"] if one.get("overridden")]
    if not overridden:
        return "Criteria of the policy, all of which hold:"
    return f"Criteria of the policy. {len(overridden)} did not hold and were overridden by people, who are named below:"


def attack_section(risk: Json) -> list[str]:
    """What attacks on the release found; nothing where none was made."""
    if not risk.get("attacks"):
        return []
    lines = [
        "## What attacks on it found",
        "",
        "Each attack was made on these very tables, and as a control where it must succeed and where it must not. "
        "`risk.json` has all numbers.",
        "",
        "| attack | success | 95 % interval | by chance | controls |",
        "|---|---|---|---|---|",
        *(_attack(name, attack) for name, attack in sorted(risk["attacks"].items())),
    ]
    told = {**risk.get("risk", {}), "R": risk.get("risk", {}).get("composite", {}).get("R")}
    singles = [(words, told.get(key)) for words, key in KINDS]
    lines += ["", "; ".join(f"{words}: {_single(value)}" for words, value in singles) + "."]
    return ["\n".join(lines)]


KINDS = (
    ("singling out", "singling_out"),
    ("linkability", "linkability"),
    ("inference", "inference"),
    ("prosecutor", "prosecutor"),
    ("journalist", "journalist"),
    ("marketer", "marketer"),
    ("composite R", "R"),
)


def _single(value: Any) -> str:
    """One risk: a number, or a document that tells whether it applies and how often it succeeded."""
    if not isinstance(value, Mapping):
        return number(value)
    return number(value.get("rate")) if value.get("applies", True) else "does not apply"


def _attack(name: str, attack: Json) -> str:
    if not attack.get("applies"):
        return f"| {name} | does not apply: {attack.get('detail', '')} | | | |"
    controls = attack.get("controls", {})
    passed = ", ".join(f"{kind} {'held' if one.get('passed') else 'FAILED'}" for kind, one in sorted(controls.items()))
    interval = f"{number(attack.get('low'))} to {number(attack.get('high'))}"
    return (
        f"| {name} | {number(attack.get('rate'))} | {interval} | {number(attack.get('chance'))} | {passed or 'none'} |"
    )


def decision_section(verdict: Json) -> list[str]:
    """What people signed and what they overrode; nothing where nobody did."""
    lines = []
    for one in verdict.get("overrides") or []:
        people = "; ".join(_person(person) for person in one.get("people", []))
        lines.append(
            f"- Overridden: {one.get('name')} (measured {number(one.get('measured'))}, allowed {one.get('allowed')}), by {people}."
        )
    for one in verdict.get("documents") or []:
        if one.get("status") == "signed" or one.get("state") == "signed":
            lines.append(f"- Signed: {one.get('kind') or one.get('paper')}, by {_person(one)}.")
    dpia = verdict.get("dpia") or {}
    if dpia.get("risks"):
        worst = max(dpia["risks"], key=lambda one: one.get("residual") or 0)
        lines.append(
            f"- Data protection impact assessment: {len(dpia['risks'])} risks; the largest that is left is "
            f"{number(worst.get('residual'))} ({worst.get('name')})."
        )
    return ["\n".join(["## What people decided", "", *lines])] if lines else []


def _person(one: Json) -> str:
    told = [str(one.get(key)) for key in ("by", "role", "date", "reason") if one.get(key)]
    return ", ".join(told)


def number(value: Any) -> str:
    """A number as text: whole ones as they are, others to four significant digits; why there is none, where there is none."""
    if value is None or isinstance(value, str):
        return value or "not measured"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return str(int(value))
