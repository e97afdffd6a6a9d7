"""Whom the data speak for, who pays for privacy, and what harmonisation changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from radcurate.report import page, plots
from radcurate.report.artefact import Artefact, Json, percent
from radcurate.report.facts import Facts, section, words


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
    parts += [_groups(source), _protected(source), _pays(facts.counted)]
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
            f"{one['axis']}: {one['group']}",
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


def _pays(counted: Artefact) -> str:
    """What protection cost each group: patients left out, information lost, features changed."""
    rows = [
        (
            words(one["column"]),
            page.text("unknown" if one.get("value") is None else str(one["value"])),
            _value(counted, "pays", n, "subjects"),
            _value(counted, "pays", n, "suppressed"),
            _percent(counted, "pays", n, "loss"),
            _value(counted, "pays", n, "distortion"),
        )
        for n, one in enumerate(counted.at("pays") or [])
    ]
    head = ("column", "group", "patients", "left out", "information lost", "features changed by (standard deviations)")
    return page.grid("What protection cost each group", head, rows, right=(2, 3, 4, 5)) if rows else ""


def _percent(source: Artefact, *at: str | int) -> str:
    return source.number(*at, form="percent", linked=False) if isinstance(source.at(*at), int | float) else ""


def harmonised(facts: Facts) -> str:
    """What harmonisation changed: the site guess and biological effects before and after."""
    source = facts.harmonise
    if source is None or not source.content:
        return ""
    head = (
        f"<p>Features were harmonised ({words(source.at('method') or 'ComBat')}) so that the scanner's accent goes: "
        f"{source.link()}. The site can still tell itself by other ways; the attack above guesses on what is released.</p>"
    )
    return section("harmonised", "Harmonisation", [head, _site_guess(source), _effects(source), _rest(source)])


def _site_guess(source: Artefact) -> str:
    """Balanced accuracy of the site guess before and after, with chance."""
    guess = source.at("site_guess") or {}
    lines = [
        plots.Line(
            f"site guess {side}",
            [plots.Span(kind, one["rate"], one["low"], one["high"], f"{side}: {percent(one['rate'])}")],
            one.get("chance"),
        )
        for side, kind in (("before", "positive"), ("after", "release"))
        if isinstance(one := guess.get(side) or {}, Mapping)
        and all(isinstance(one.get(key), int | float) for key in ("rate", "low", "high"))
    ]
    if not lines:
        return ""
    told = "; ".join(
        f"{side} {source.number('site_guess', side, 'rate', form='percent')}"
        for side in ("before", "after")
        if isinstance(source.at("site_guess", side, "rate"), int | float)
    )
    caption = f"How often a classifier names the right site (balanced accuracy, 95 % interval; dashed: chance): {told}."
    return plots.figure(plots.intervals("Site guess before and after harmonisation", lines, legend=False), caption)


def _effects(source: Artefact) -> str:
    """Biological effects, which have to survive."""
    rows = [
        (
            words(" ".join(str(value) for value in (one.get("kind") or {}).values() if value)),
            words(effect.get("term")),
            *(_value(source, "groups", n, "effects", m, key) for key in ("features", "before", "after", "correlation")),
        )
        for n, one in enumerate(source.at("groups") or [])
        for m, effect in enumerate(one.get("effects") or [])
    ]
    head = ("regions", "covariate", "features", "effect before", "effect after", "correlation of the two")
    return page.grid("Effects that have to survive", head, rows, right=(2, 3, 4, 5)) if rows else ""


def _value(source: Artefact, *at: str | int) -> str:
    return source.number(*at, linked=False) if isinstance(source.at(*at), int | float) else ""


def _rest(source: Artefact) -> str:
    """All other numbers of the report, as they are named there."""
    rows = [
        (words(" / ".join(map(str, path))), source.number(*path, linked=False))
        for path in numbers(source.content)
        if path[0] != "site_guess" and "effects" not in path
    ]
    return page.grid("Further numbers", ("measured", "value"), rows[:60], right=(1,)) if rows else ""


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
