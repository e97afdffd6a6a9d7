"""One screen about what a run came to: where the series went and why, the measures, the release, what to do next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH = 100
Json = Mapping[str, Any]


def render(results: Path) -> str:
    """The summary of the run under `results`, as plain text; says so where no run has come to the gate yet."""
    verdict = _read(results / "gate" / "verdict.json")
    refusal = _read(results / "gate" / "refusal.json")
    if verdict is None and refusal is None:
        return "no verdict yet: the run has not come to the gate. Logs: results/logs; go on with: snakemake"
    if refusal is not None:  # the gate removes it when a later run passes
        return "\n".join([*_funnel(refusal), *_measures(refusal), "", *_refused(refusal)])
    assert verdict is not None
    receipt = _read(results / "release" / "release.json")
    if receipt is not None and receipt.get("verdict") != _digest(results / "gate" / "verdict.json"):
        receipt = None  # of an earlier run
    return "\n".join([*_funnel(verdict), *_measures(verdict), "", *_released(verdict, receipt)])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _funnel(verdict: Json) -> list[str]:
    """Series by outcome, each with its reasons."""
    tallies: Sequence[Json] = verdict["conservation"]
    if not tallies:
        return []
    lines = [f"series   {verdict['inventoried']:>6}  found, in {verdict['found_files']} files" + _aside(verdict)]
    for outcome in dict.fromkeys(tally["outcome"] for tally in tallies):
        own = [tally for tally in tallies if tally["outcome"] == outcome]
        lines.append(f"         {sum(tally['series'] for tally in own):>6}  {outcome}")
        if outcome != "released":
            lines += [
                _clip(f"         {'':>6}    {tally['series']:>5}  {tally['stage']}: {tally['reason']}") for tally in own
            ]
    return lines


def _aside(verdict: Json) -> str:
    files = verdict["set_aside_files"]
    return (
        f"; {sum(files.values())} more set aside ({', '.join(f'{n} {reason}' for reason, n in files.items())})"
        if files
        else ""
    )


def _measures(verdict: Json) -> list[str]:
    protection = verdict["protection"]
    before, after = protection.get("before"), protection.get("after")
    if not before or not after:
        return []
    lines = [
        f"crowd    {_number(before['k']):>6}  patients at least look alike before protection, {_number(after['k'])} after"
    ]
    lines.append(
        f"left out {_number(protection.get('suppressed_subjects')):>6}  patients to protect them; "
        f"information lost {_number(protection.get('ncp'))} of 1"
    )
    return lines


def _refused(refusal: Json) -> list[str]:
    findings = [finding for finding in refusal["findings"] if not finding["holds"]]
    if findings and findings[0]["measure"] == "seals.broken":
        findings = findings[:1]
    lines = [f"REFUSED by policy {refusal['policy']}: nothing was released; earlier releases are as they were."]
    for finding in findings:
        detail = f" ({finding['detail']})" if finding["detail"] else ""
        lines.append(
            _clip(f"  {finding['name']}: {_number(finding['measured'])}{detail}, allowed {finding['allowed']}")
        )
        lines.append(f"    {finding['help']}")
    return [*lines, "next: do what helps, then: snakemake"]


def _released(verdict: Json, receipt: Json | None) -> list[str]:
    if receipt is None:
        return [f"policy {verdict['policy']} holds; the release is not written yet. Go on with: snakemake"]
    folder = f"results/release/{receipt['folder']}"
    return [
        f"RELEASED {folder} under policy {verdict['policy']}: {receipt['rows']} rows of {receipt['patients']} patients",
        f"  status: {verdict['legal']['status']}; {verdict['legal']['gdpr']}",
        f"next: read {folder}/DATA_CARD.md; check with: radcurate verify-release {folder}",
    ]


def _number(value: Any) -> str:
    if value is None:
        return "not measured"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _clip(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
