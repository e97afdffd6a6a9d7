"""Features, crowds, attacks, harmonisation: numbers with plots."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from radcurate.report import page, plots
from radcurate.report.artefact import Artefact, Json, percent
from radcurate.report.facts import Facts, section, words

GRADES = ("excellent", "good", "moderate", "poor", "unknown")
RISKS = (  # keys of measures.json, in words
    ("k", "patients that look alike, at least (k)", "plain"),
    ("l", "different sensitive values in a crowd, at least (l)", "plain"),
    ("t", "distance of a crowd's sensitive values from everybody's, at most (t)", "plain"),
    ("unique_share", "patients that look like nobody else", "percent"),
    ("prosecutor_max", "chance of naming a patient known to be in the data, at most", "percent"),
    ("n_classes", "crowds", "plain"),
)
ATTACKS = {
    "linkage": ("linkage", "Somebody has a list of people with sex, age, date and hospital, and looks for them here."),
    "fingerprint": ("fingerprint", "Somebody has an image of a patient, computes the features and looks for the row."),
    "site": ("site guess", "Somebody guesses the hospital from the features alone."),
    "differencing": ("differencing", "Somebody lays this release beside earlier ones and looks at what differs."),
}


def features(facts: Facts) -> str:
    """Conformance to IBSI and stability."""
    found = facts.counted
    if not found.at("features"):
        return ""
    parts = [
        f"<p>{found.number('features', 'rows')} regions with {found.number('features', 'columns')} features each.</p>"
    ]
    kinds: Mapping[str, int] = found.at("features", "conformance") or {}
    if kinds:
        rows = [(words(kind), found.number("features", "conformance", kind, linked=False)) for kind in kinds]
        parts.append(page.grid("Conformance to the IBSI reference values", ("features", "how many"), rows, right=(1,)))
    parts += [_stability(found), _crosscheck(found)]
    return section("features", "Features", parts)


def _stability(found: Artefact) -> str:
    grades: Mapping[str, Mapping[str, int]] = found.at("features", "stability") or {}
    if not grades:
        return '<p class="soft">Stability was not measured: extract.ranges is off.</p>'
    rows = [(modality, [(grade, own.get(grade, 0)) for grade in GRADES]) for modality, own in sorted(grades.items())]
    table = page.grid(
        "Features by stability",
        ("modality", *GRADES),
        [
            (
                words(modality),
                *(
                    found.number("features", "stability", modality, grade, linked=False) if grade in own else "0"
                    for grade in GRADES
                ),
            )
            for modality, own in sorted(grades.items())
        ],
        right=range(1, 6),
    )
    caption = "Features graded by the low end of the 95 % interval of their ICC under perturbation (Koo and Li 2016)."
    return plots.figure(plots.stacked("Features by stability", rows), caption) + table


def _crosscheck(found: Artefact) -> str:
    if not found.at("features", "crosscheck"):
        return ""
    return (
        f"<p>A second engine measured a sample too: {found.number('features', 'crosscheck', 'agree')} of "
        f"{found.number('features', 'crosscheck', 'shared')} shared features agree in every region.</p>"
    )


def crowds(facts: Facts) -> str:
    """Classes of patients that look alike, before and after protection."""
    protection = facts.verdict.at("protection") or {}
    before, after = protection.get("before"), protection.get("after")
    if not before or not after:
        return ""
    rows = [
        (text, _risk(facts, "before", key, form), _risk(facts, "after", key, form))
        for key, text, form in RISKS
        if before.get(key) is not None or after.get(key) is not None
    ]
    parts = [
        page.grid("Risk before and after protection", ("measure", "before", "as released"), rows, right=(1, 2)),
        _sizes(facts, before, after),
        f"<p>To reach this, {facts.verdict.number('protection', 'suppressed_subjects')} patients were left out and "
        f"{facts.verdict.number('protection', 'ncp', form='percent')} of the information in what outsiders may know was given up.</p>",
        _levels(facts, protection),
    ]
    return section("crowds", "How alike patients look", parts)


def _risk(facts: Facts, side: str, key: str, form: str) -> str:
    return facts.verdict.number("protection", side, key, form=form, linked=False)


def _sizes(facts: Facts, before: Json, after: Json) -> str:
    found = [one.get("sizes") or {} for one in (before, after)]
    if not any(found):
        return ""
    spans = len({size for one in found for size in one}) > 12
    drawn = [_people(one, spans) for one in found]
    least = facts.limit("protect.k") or facts.verdict.at("protection", "required", "k")
    svg = plots.sizes("Patients by the size of their crowd", drawn[0], drawn[1], int(least) if least else None)
    caption = (
        f"Patients by the size of the crowd that they disappear in; numbers from {facts.verdict.link()}, /protection."
    )
    return plots.figure(svg, caption)


EDGES = (1, 2, 3, 5, 11, 21, 51, 101, 501, 1001, 10**12)


def _people(sizes: Mapping[str, int], spans: bool) -> list[tuple[str, int]]:
    """Patients by size of class, or by spans of sizes where there are many."""
    found = sorted((int(size), int(size) * int(n)) for size, n in sizes.items())
    if not spans:
        return [(str(size), n) for size, n in found]
    told = [
        (_span(low, high), sum(n for size, n in found if low <= size < high)) for low, high in itertools.pairwise(EDGES)
    ]
    return [(name, n) for name, n in told if n]


def _span(low: int, high: int) -> str:
    if high - low == 1:
        return str(low)
    return f"{low}+" if high > 10**9 else f"{low}–{high - 1}"


def _levels(facts: Facts, protection: Json) -> str:
    levels = protection.get("levels") or {}
    lost = protection.get("utility_loss") or {}
    rows = [
        (
            words(name),
            "not told at all" if level == "*" else words(level),
            facts.verdict.number("protection", "utility_loss", name, form="percent", linked=False)
            if name in lost
            else "",
        )
        for name, level in sorted(levels.items())
    ]
    return (
        page.grid("How coarsely each column is told", ("column", "told as", "information lost"), rows, right=(2,))
        if rows
        else ""
    )


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
        for name, one in found.items()
        if _spans(one)
    ]
    explained = "".join(
        f"<li><b>{page.text(ATTACKS.get(name, (name, ''))[0].capitalize())}.</b> {page.text(ATTACKS.get(name, ('', ''))[1])} "
        f"{page.text(str(one.get('detail', '')))}</li>"
        for name, one in found.items()
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


def _plus(limit: float | None, chance: Any) -> float | None:
    return limit + chance if limit is not None and isinstance(chance, int | float) else None


def _spans(one: Json) -> list[plots.Span]:
    parts = [("release", one)] if one.get("applies") else []
    parts += [(name, control) for name, control in (one.get("controls") or {}).items()]
    return [
        plots.Span(
            kind, part["rate"], part["low"], part["high"], f"{kind}: {percent(part['rate'])} ({percent(part['low'])} to {percent(part['high'])})"
        )
        for kind, part in parts
        if all(isinstance(part.get(key), int | float) for key in ("rate", "low", "high"))
    ]  # fmt: skip


def _attack_table(source: Artefact, found: Mapping[str, Json]) -> str:
    rows = []
    for name, one in found.items():
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
                "; ".join(_control(source, name, kind) for kind in one.get("controls") or {}),
            )
        )
    head = ("attack", "succeeded", "rate", "at most (95 %)", "by chance", "controls")
    return page.grid("Attacks", head, rows, right=(1, 2, 3, 4))


def _control(source: Artefact, name: str, kind: str) -> str:
    at = ("attacks", name, "controls", kind)
    passed = source.at(*at, "passed")
    sign = '<span class="yes">✓ works</span>' if passed else '<span class="no">✗ failed</span>'
    on = f" on the {page.text(str(source.at(*at, 'on')))}" if source.at(*at, "on") else ""
    return f"{words(kind)}{on}: {source.number(*at, 'rate', form='percent', linked=False)} {sign}"


def _giving_away(found: Mapping[str, Json]) -> str:
    parts = []
    for name, one in found.items():
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
    "singling_out": "singling out (WP216)",
    "linkability": "linkability (WP216)",
    "inference": "inference (WP216)",
}


def _risks(source: Artefact) -> str:
    risk = source.at("risk") or {}
    rows = [
        (page.text(name), source.number("risk", key, form="percent", linked=False))
        for key, name in RISK_WORDS.items()
        if isinstance(risk.get(key), int | float)
    ]
    models = risk.get("uniqueness") or {}
    for model in ("pitman", "zayatz", "snb"):
        one = models.get(model)
        if isinstance(one, Mapping):
            shown = (
                source.number("risk", "uniqueness", model, "value", form="percent", linked=False)
                if one.get("converged")
                else "no number: the model does not fit"
            )
            rows.append((f"unique in the population ({page.text(model.capitalize())})", shown))
    composite = risk.get("composite") or {}
    if isinstance(composite.get("R"), int | float):
        rows.append(("composite R = p_ri^α · u^β · s^γ", source.number("risk", "composite", "R", linked=False)))
    return page.grid("Risks", ("risk", "measured"), rows, right=(1,)) if rows else ""


def harmonised(facts: Facts) -> str:
    """What harmonisation changed: the site guess and a biological effect before and after; whatever else its report tells."""
    source = facts.harmonise
    if source is None or not source.content:
        return ""
    rows = [(words(".".join(map(str, path))), source.number(*path, linked=False)) for path in numbers(source.content)]
    head = f"<p>Features were harmonised ({words(source.at('method') or 'ComBat')}): {source.link()}.</p>"
    return section(
        "harmonised",
        "Harmonisation",
        [head, page.grid("Harmonisation, before and after", ("measured", "value"), rows[:60], right=(1,))],
    )


def numbers(content: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths to all numbers of a document, in its order."""
    if isinstance(content, bool) or content is None or isinstance(content, str):
        return []
    if isinstance(content, int | float):
        return [path]
    inner: Sequence[tuple[str | int, Any]] = (
        list(content.items()) if isinstance(content, Mapping) else list(enumerate(content))
    )
    return [found for step, value in inner for found in numbers(value, (*path, step))]


def fairness(facts: Facts) -> str:
    """Who is in it, who is not, and whom each step loses more often than others."""
    source = facts.fairness
    if source is None or not source.content:
        return ""
    parts = [
        f"<p>{source.number('flagged')} differences between groups are larger than chance explains, of "
        f"{source.number('tested')} that were tested (all tests together err once in 20 runs).</p>"
    ]
    flags = source.at("flags") or []
    if flags:
        rows = [
            (
                words(one["step"]),
                words(one["axis"]),
                page.text(str(one["group"])),
                source.number("flags", n, "rate", form="percent", linked=False),
                source.number("flags", n, "others", form="percent", linked=False),
                source.number("flags", n, "p", linked=False),
            )
            for n, one in enumerate(flags)
        ]
        head = ("at", "axis", "group", "of the group", "of the others, or expected", "p")
        parts.append(page.grid("Flagged differences", head, rows, right=(3, 4, 5)))
    parts += [_groups(source), _protected(source)]
    return section("groups", "Whom the data speak for", parts)


def _groups(source: Artefact) -> str:
    axes: Mapping[str, Mapping[str, Json]] = source.at("axes") or {}
    rows = []
    for axis, groups in axes.items():
        for name, one in groups.items():
            at = ("axes", axis, name)
            rows.append(
                (
                    words(axis),
                    page.text(name),
                    source.number(*at, "patients", linked=False),
                    source.number(*at, "released", linked=False),
                    source.number(*at, "share", form="percent", linked=False) if one.get("share") is not None else "",
                    source.number(*at, "expected", form="percent", linked=False)
                    if one.get("expected") is not None
                    else "",
                )
            )
    if not rows:
        return ""
    head = ("axis", "group", "patients found", "released", "share of the release", "share expected")
    return page.grid("Groups", head, rows, right=(2, 3, 4, 5))


def _protected(source: Artefact) -> str:
    """Who pays for privacy: the share of each group that was left out to protect it, with its interval."""
    own = [(n, one) for n, one in enumerate(source.at("comparisons") or []) if one["step"] == "protect"]
    if not own:
        return ""
    lines = [
        plots.Line(
            f"{one['axis']}: {one['group']}"[:34],
            [
                plots.Span(
                    "release", one["rate"], one["low"], one["high"], f"{one['hit']} of {one['patients']} left out"
                )
            ],
        )
        for _, one in own
    ]
    caption = f"Who pays for privacy: share of each group's patients that protection left out, with 95 % intervals, from {source.link()}."
    svg = plots.intervals("Share of each group that protection left out", lines, legend=False)
    return plots.figure(svg, caption)
