"""Canaries: identifiers of invented patients that ride along in every run. What is left of them tells what a run is worth.

Two things are proven with each: that the search sees the identifier in the file as it was invented (else it would see
nothing anywhere), and that it is gone from the file that deidentify made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from radcurate.errors import CurationError
from radcurate.verify.days import explained
from radcurate.verify.examine import Report, Searcher, examine, examine_bytes
from radcurate.verify.needles import Needles, make_needles

LEAST_SEEN = 0.95  # share of the planted identifiers that the search has to see before they are cleaned


def judge(specimens: Iterable[Any], folder: Path, shortest: int) -> list[dict[str, Any]]:
    """What became of each kind of plant: rows of the table of canaries.

    Args:
        specimens: the files as they were invented, each with name, data and plants (category, value, hipaa, kind).
        folder: with the files that deidentify made of them, by name; refused ones are absent.
        shortest: fewest characters that count inside of a longer text.
    """
    totals: dict[tuple[str, str], Counter[str]] = {}
    for specimen in specimens:
        needles = make_needles(_rows(specimen.plants), shortest)
        before = _found(examine_bytes(specimen.data, f"{specimen.name}.dcm", Searcher(needles)), needles, raw=True)
        path = folder / f"{specimen.name}.dcm"
        after = _found(examine(path, "canary.dcm", Searcher(needles)), needles) if path.is_file() else None
        for number, plant in enumerate(specimen.plants):
            total = totals.setdefault((plant.hipaa, plant.kind), Counter())
            total["planted"] += 1
            total["seen_before"] += str(number) in before
            total["cleaned"] += after is not None
            total["left"] += after is not None and str(number) in after
    names = ("planted", "seen_before", "cleaned", "left")
    return [
        {"hipaa": hipaa, "kind": kind} | {name: total[name] for name in names}
        for (hipaa, kind), total in sorted(totals.items())
    ]


def _rows(plants: Sequence[Any]) -> list[Mapping[str, str]]:
    """The plants as identifiers, each under its number, so that a find tells which it is."""
    return [
        {"category": plant.category, "keyword": str(number), "value": plant.value}
        for number, plant in enumerate(plants)
    ]


def _found(report: Report, needles: Needles, raw: bool = False) -> set[str]:
    """Numbers of the plants that were found. In a file as it was invented, dates are where dates belong."""
    finds = report.finds
    found = {hit.keyword for hit in finds.hits}
    if raw or not explained(finds.written, needles.days):
        days = {day for _, day in finds.written}
        found |= {keyword for keyword, own in needles.days.items() if own & days}
    return found


def insist(rows: Sequence[Mapping[str, Any]]) -> None:
    """Stop the run if a canary came through, or if the search doesn't see them where they are.

    Raises:
        CurationError: one of the two.
    """
    total = {name: sum(row[name] for row in rows) for name in ("planted", "seen_before", "cleaned", "left")}
    if total["left"]:
        kinds = sorted({row["kind"] for row in rows if row["left"]})
        raise CurationError(
            "identifiers of invented patients came through",
            wanted="none left in any cleaned canary",
            found=f"{total['left']} left, in places of the kind " + ", ".join(kinds[:5]),
            fix="undo the last change of allow-list or vocabulary; results/verify/*/canary.parquet tells the kinds of places",
        )
    if total["seen_before"] < LEAST_SEEN * total["planted"] or not total["cleaned"]:
        raise CurationError(
            "the search can't be trusted: it doesn't see canaries where they are",
            wanted=f"at least {LEAST_SEEN:.0%} of {total['planted']} seen before cleaning, and cleaned ones to look at",
            found=f"{total['seen_before']} seen, {total['cleaned']} in cleaned files",
            fix="delete results/deidentify of this chunk and run again; if it stays, report it",
        )
