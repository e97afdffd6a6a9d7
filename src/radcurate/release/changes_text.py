"""CHANGES.md: the differences in words. Every number stands in changes.json; nothing else is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Json = Mapping[str, Any]


def changes_text(found: Json) -> str:
    """The page in Markdown, from the content of changes.json."""
    if found["previous"] is None:
        return f"# {found['release']}\n\nThe first release of this name: there is nothing to compare it with.\n"
    earlier = found["previous"]["release"]
    lines = [f"# Changes from {earlier} to {found['release']}", ""]
    lines += [f"Found by comparing the files of both; the numbers stand in `changes.json`. {earlier} had the checksum"]
    lines += [f"`{found['previous']['digest']}`.", ""]
    lines += ["## What changed", "", *_what(found["what"]), ""]
    lines += ["## Why", "", *_why(found["why"]), ""]
    lines += ["## Effect", "", *_effect(found["effect"]), ""]
    lines += ["## Do the new patients look like the earlier ones?", "", *_drift(found["drift"])]
    return "\n".join(lines) + "\n"


def _what(what: Json) -> list[str]:
    lines = ["| | before | now | left | joined |", "|---|---|---|---|---|"]
    for name in ("patients", "regions"):
        own = what[name]
        lines.append(f"| {name} | {own['before']} | {own['now']} | {own['left']} | {own['joined']} |")
    regions = what["regions"]
    lines += ["", f"Of {regions['in_both']} regions in both, {regions['changed']} have another value somewhere."]
    for table, columns in what["columns"].items():
        for kind, words in (("gone", "no longer in"), ("new", "new in"), ("other_type", "of another type in")):
            if columns[kind]:
                lines += ["", f"Columns {words} {table}: {_names(columns[kind])}."]
    if what["levels"]:
        lines += ["", "How coarse columns are:", "", *_table(what["levels"], "column")]
    if what["series"]:
        lines += ["", "Where series went, where that differs:", ""]
        lines += ["| outcome | decided at | reason | before | now |", "|---|---|---|---|---|"]
        lines += [
            f"| {row['outcome']} | {row['stage']} | {row['reason']} | {row['before']} | {row['now']} |"
            for row in what["series"]
        ]
    return lines


def _why(why: Json) -> list[str]:
    lines: list[str] = []
    for kind, title, column in (
        ("settings", "Settings that differ:", "option"),
        ("policy", "Another policy:", "policy"),
        ("limits", "Criteria with other limits:", "criterion"),
        ("packages", "Packages of other versions:", "package"),
        ("overrides", "Criteria that people overrode:", "criterion"),
    ):
        if why[kind]:
            lines += [title, "", *_table(why[kind], column), ""]
    lines += [f"The program of these stages differs: {', '.join(why['code'])}."] if why["code"] else []
    lines += ["The environment (uv.lock) differs."] if why["environment"] else []
    lines += ["The project key is another one, so all codes are, too."] if why["key"] else []
    lines += ["The source files differ, or others of them were chosen."] if why["source_files"] else []
    lines += ["Consent says something else about some series."] if why["consent"] else []
    while lines and not lines[-1]:
        lines.pop()
    return lines or ["Nothing that the releases tell about their making differs."]


def _effect(effect: Json) -> list[str]:
    lines: list[str] = []
    for kind, title, column in (
        ("protection", "Crowds, risk and loss:", "measure"),
        ("attacks", "Attacks:", "attack"),
        ("criteria", "Measured for the policy:", "measure"),
    ):
        if effect[kind]:
            lines += [title, "", *_table(effect[kind], column), ""]
    return [*lines, *_features(effect["features"])]


def _features(found: Json) -> list[str]:
    if not found["compared"]:
        return [f"Feature values were not compared: {found.get('detail', 'no feature is in both')}."]
    lines = [
        f"{found['unchanged']} of {found['compared']} features have the same values in all regions that both hold."
    ]
    if found["changed"]:
        lines += ["", "Those that changed most, as shares of the larger value:", ""]
        lines += ["| feature | regions with another value | median change | largest |", "|---|---|---|---|"]
        lines += [
            f"| `{row['feature']}` | {row['regions']} | {row['median']:.3g} | {row['largest']:.3g} |"
            for row in found["changed"]
        ]
    return lines


def _drift(found: Json) -> list[str]:
    if not found["measured"]:
        return [f"Not measured: {found['detail']}."]
    lines = [
        f"{found['new_patients']} new patients against {found['patients_before']} earlier ones, {found['compared']} "
        f"features by modality and region: {found['flagged']} drifted ({found['detail']})."
    ]
    if found["features"]:
        lines += ["", "| region | feature | distance | p | shift, in standard deviations |", "|---|---|---|---|---|"]
        lines += [
            f"| {row['group']} | `{row['feature']}` | {row['distance']:.3g} | {row['p']:.2g} | {_number(row['standardised'])} |"
            for row in found["features"]
        ]
    moved = [row for row in found["categories"] if row["flagged"]]
    lines += [
        f"\nThe column `{row['column']}` is distributed otherwise: distance {row['distance']:.3g}." for row in moved
    ]
    return lines


def _table(rows: Iterable[Json], title: str) -> list[str]:
    lines = [f"| {title} | before | now |", "|---|---|---|"]
    return lines + [f"| {row['name']} | {_number(row['before'])} | {_number(row['now'])} |" for row in rows]


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _names(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(f"`{name}`" for name in shown[:30]) + (f" and {len(shown) - 30} more" if len(shown) > 30 else "")
