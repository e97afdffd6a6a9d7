"""Attacks with their controls and limits, and the risks that follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radcurate.report import page, plots
from radcurate.report.artefact import Artefact, Json, percent
from radcurate.report.facts import Facts, section, words

ATTACKS = {
    "linkage": ("linkage", "Somebody has a list of people with sex, age, date and hospital, and looks for them here."),
    "fingerprint": ("fingerprint", "Somebody has an image of a patient, computes the features and looks for the row."),
    "site": ("site guess", "Somebody guesses the hospital from the features alone."),
    "differencing": ("differencing", "Somebody lays this release beside earlier ones and looks at what differs."),
}


def attacks(facts: Facts) -> str:
    """Each attack with its interval, its controls and the policy's limit."""
    source = facts.attack
    found: Mapping[str, Json] = source.at("attacks") if source else {}
    if not source or not found:
        return ""
    limits = {
        "linkage": facts.limit("attack.linkage"),
        "fingerprint": facts.limit("attack.fingerprint_top1"),
        "site": _plus(facts.limit("attack.site_excess"), source.at("attacks", "site", "chance")),
    }
    lines = [
        plots.Line(
            ATTACKS.get(name, (name, ""))[0],
            _spans(one),
            one.get("chance") if one["applies"] else None,
            limits.get(name),
        )
        for name, one in _ordered(found)
        if _spans(one)
    ]
    explained = "".join(
        f"<li><b>{page.text(ATTACKS.get(name, (name, ''))[0].capitalize())}.</b> {page.text(ATTACKS.get(name, ('', ''))[1])} "
        f"<span class='soft'>{page.text(_sentence(one.get('detail', '')))}</span></li>"
        for name, one in _ordered(found)
    )
    caption = (
        "Rate of success with its 95 % interval. Each attack is also made where it must succeed and where it must not: "
        f"an attack whose controls fail proves nothing, and the gate refuses. From {source.link()}."
    )
    return section(
        "attacks",
        "We attacked it ourselves",
        [
            f"<ul>{explained}</ul>",
            plots.figure(plots.intervals("Attacks and their controls", lines), caption) if lines else "",
            _attack_table(source, found),
            _giving_away(found),
            _risks(source),
        ],
    )


def _ordered(found: Mapping[str, Json]) -> list[tuple[str, Json]]:
    """Attacks in the order in which they are explained; others last."""
    place = {name: n for n, name in enumerate(ATTACKS)}
    return sorted(found.items(), key=lambda item: (place.get(item[0], len(place)), item[0]))


def _plus(limit: float | None, chance: Any) -> float | None:
    return limit + chance if limit is not None and isinstance(chance, int | float) else None


def _spans(one: Json) -> list[plots.Span]:
    parts = [("release", one)] if one.get("applies") else []
    parts += sorted((one.get("controls") or {}).items(), reverse=True)
    return [
        plots.Span(
            kind, part["rate"], part["low"], part["high"], f"{kind}: {percent(part['rate'])} ({percent(part['low'])} to {percent(part['high'])})"
        )
        for kind, part in parts
        if all(isinstance(part.get(key), int | float) for key in ("rate", "low", "high"))
    ]  # fmt: skip


def _attack_table(source: Artefact, found: Mapping[str, Json]) -> str:
    rows: list[Sequence[str]] = []
    for name, one in _ordered(found):
        title = page.text(ATTACKS.get(name, (name, ""))[0])
        if not one["applies"]:
            rows.append((title, "does not apply", "", "", "", ""))
            continue
        at = ("attacks", name)
        rows.append(
            (
                title,
                f"{source.number(*at, 'successes', linked=False)} of {source.number(*at, 'trials', linked=False)}",
                source.number(*at, "rate", form="percent", linked=False),
                source.number(*at, "high", form="percent", linked=False),
                source.number(*at, "chance", form="percent", linked=False),
                "<br>".join(_control(source, name, kind) for kind in sorted(one.get("controls") or {}, reverse=True)),
            )
        )
        rows += [tuple(_further(source, name, kind)) for kind in sorted(one.get("further") or {})]
    head = ("attack", "succeeded", "rate", "at most (95 %)", "by chance", "controls")
    return page.grid("Attacks", head, rows, right=(1, 2, 3, 4))


KINDS = {"positive": "must succeed", "negative": "must not"}
FURTHER = {
    "top5": "among the five nearest",
    "same_scan": "with the very scan in hand",
    "synthesised": "invented people only",
}


def _further(source: Artefact, name: str, kind: str) -> Sequence[str]:
    """A line for another share of an attack, such as top-5."""
    at = ("attacks", name, "further", kind)
    return (
        f'<span class="soft">… {page.text(FURTHER.get(kind, kind.replace("_", " ")))}</span>',
        f"{source.number(*at, 'successes', linked=False)} of {source.number(*at, 'trials', linked=False)}",
        *(source.number(*at, key, form="percent", linked=False) for key in ("rate", "high", "chance")),
        "",
    )


def _control(source: Artefact, name: str, kind: str) -> str:
    at = ("attacks", name, "controls", kind)
    passed = source.at(*at, "passed")
    sign = '<span class="yes">✓ works</span>' if passed else '<span class="no">✗ failed</span>'
    on = f" on the {page.text(str(source.at(*at, 'on')))}" if source.at(*at, "on") else ""
    return f"{KINDS.get(kind, words(kind))}{on}: {source.number(*at, 'rate', form='percent', linked=False)} {sign}"


def _giving_away(found: Mapping[str, Json]) -> str:
    parts = []
    for name, one in _ordered(found):
        columns = [entry if isinstance(entry, str) else entry[0] for entry in one.get("columns") or []]
        if columns and one["applies"]:
            shown = ", ".join(f"<code>{page.text(column)}</code>" for column in columns[:10])
            more = f" and {len(columns) - 10} more" if len(columns) > 10 else ""
            parts.append(
                f"<p>What gives most away in the {page.text(ATTACKS.get(name, (name, ''))[0])} attack: {shown}{more}.</p>"
            )
    return "".join(parts)


RISK_WORDS = {
    "prosecutor": "prosecutor: chance of naming somebody known to be in the data, at most",
    "journalist": "journalist: chance of naming somebody out of the population, at most",
    "marketer": "marketer: share of all records that could be named",
    "singling_out": "singling out (WP216): patients whom what outsiders may know leaves alone",
    "linkability": "linkability (WP216): records that an outsider joined with his own",
    "inference": "inference (WP216): more right guesses of a sensitive value than without the release",
}
MODELS = {"pitman": "Pitman", "zayatz": "Zayatz", "snb": "SNB"}


def _risks(source: Artefact) -> str:
    risk = source.at("risk") or {}
    rows = [
        (page.text(name), _share(source, "risk", "before", key), _share(source, "risk", key))
        for key, name in RISK_WORDS.items()
        if isinstance(risk.get(key), int | float | Mapping)
    ]
    models = risk.get("uniqueness") or {}
    for model, name in MODELS.items():
        one = models.get(model)
        if isinstance(one, Mapping):
            at = ("risk", "uniqueness", model, "value")
            shown = _share(source, *at) if one.get("converged") else "no number: the model does not fit"
            rows.append((f"alone in the population, by the model of {name}", "", shown))
    rows += [
        (
            f"R = p_ri^α · u^β · s^γ, for a recipient called {words(tier)}",
            _number(source, "risk", "before", "composite", "scenarios", tier, "R"),
            _number(source, "risk", "composite", "scenarios", tier, "R"),
        )
        for tier in (risk.get("composite") or {}).get("scenarios") or {}
    ]
    head = ("risk", "before protection", "of the release")
    return page.grid("Risks", head, rows, right=(1, 2)) if rows else ""


def _share(source: Artefact, *at: str) -> str:
    """A share as a percentage; of a document that doesn't apply, that it doesn't."""
    value = source.at(*at)
    if isinstance(value, Mapping):
        if value.get("applies") is False:
            return '<span class="soft">does not apply</span>'
        return next((_share(source, *at, key) for key in ("value", "rate") if key in value), "")
    return source.number(*at, form="percent", linked=False) if isinstance(value, int | float) else ""


def _number(source: Artefact, *at: str) -> str:
    return source.number(*at, linked=False) if isinstance(source.at(*at), int | float) else ""


def _sentence(detail: Any) -> str:
    """A detail with a capital and a stop."""
    told = str(detail).strip()
    return told and told[0].upper() + told[1:] + ("" if told.endswith(".") else ".")
