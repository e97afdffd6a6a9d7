"""Features, and how alike patients look: numbers with plots."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from radcurate.report import page, plots
from radcurate.report.artefact import Artefact, Json
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
