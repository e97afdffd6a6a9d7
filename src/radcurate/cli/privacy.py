"""`radcurate privacy explain`: who is at risk because of which columns, and what would help at which price."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError

RESULTS = Path("results")
SETS, PATIENTS, WIDTH = 15, 10, 60
Row = Mapping[str, Any]


def add(parser: argparse.ArgumentParser) -> None:
    """Its own verb and options."""
    verbs = parser.add_subparsers(required=True, metavar="WHAT")
    text = "who is at risk because of which columns, and the cheapest changes that reach a policy"
    verb = verbs.add_parser("explain", help=text, description=text)
    verb.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="of the run (results)")
    verb.add_argument("--k", type=int, metavar="K", help="only changes that reach this crowd, cheapest first")
    verb.add_argument(
        "--patients", type=int, default=PATIENTS, metavar="N", help=f"how many patients are listed ({PATIENTS}; 0: all)"
    )
    verb.set_defaults(verb=explain)


def explain(chosen: argparse.Namespace) -> int:
    """Print three tables; codes are those of the run, so the output stays inside."""
    folder = chosen.results / "protect"
    try:
        found = json.loads((folder / "measures.json").read_text())
    except (OSError, ValueError):
        raise CurationError(
            "there is nothing to explain yet",
            wanted="results/protect of a run that came to protect",
            found="no measures.json in it",
            fix="run snakemake; name the results of another run with --results",
        ) from None
    risky = tables.read_rows(folder / "at_risk.parquet", tables.PROTECT_AT_RISK)
    ways = tables.read_rows(folder / "ways.parquet", tables.PROTECT_WAYS)
    lines = [_state(found), "", *_sets(risky, found), "", *_people(risky, chosen.patients), "", *_ways(ways, chosen.k)]
    print("\n".join(lines))
    return 0


def _state(found: Row) -> str:
    before, after, asked = found["before"], found["after"], found["required"]
    return (
        f"k {asked['k']} asked, {before['k']} before, {after['k']} after: "
        f"{'holds' if found['holds'] else 'does not hold (' + ', '.join(found['unmet']) + ')'}; "
        f"{found['suppressed_subjects']} of {found['n_subjects']} patients left out, loss {found['ncp']:.3f}"
    )


def _sets(risky: Sequence[Row], found: Row) -> list[str]:
    """Sets of columns, those that tell most patients first."""
    k = found["required"]["k"]
    if not risky:
        return [f"no patient is in a crowd smaller than {k}, even at the finest levels"]
    people: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in risky:
        people[tuple(row["columns"]) if row["minimal"] else ("more than three together",)].append(row)
    order = sorted(people, key=lambda columns: (-len(people[columns]), columns))
    body = [
        (
            " + ".join(columns),
            len(people[columns]),
            min(row["size"] for row in people[columns]),
            _left_out(people[columns]),
        )
        for columns in order[:SETS]
    ]
    title = f"columns that leave patients in a crowd smaller than {k}, at the finest levels that may be released"
    return [
        title,
        *_table(("columns", "patients", "smallest crowd", "left out"), body),
        *_more(len(order) - SETS, "sets"),
    ]


def _left_out(rows: Iterable[Row]) -> int:
    return sum(not row["released"] for row in rows)


def _people(risky: Sequence[Row], n: int) -> list[str]:
    """Patients who need fewest columns to be told, first."""
    own: dict[str, list[Row]] = defaultdict(list)
    for row in risky:
        own[row["subject"]].append(row)
    ease = {subject: min((row["size"], len(row["columns"])) for row in rows) for subject, rows in own.items()}
    order = sorted(own, key=lambda subject: (ease[subject], subject))
    shown = order[:n] if n > 0 else order
    body = [
        (subject, ease[subject][0], _because(own[subject]), "released" if own[subject][0]["released"] else "left out")
        for subject in shown
    ]
    if not body:
        return []
    return [
        "patients at risk, by their codes in the run",
        *_table(("patient", "crowd", "because of", "now"), body),
        *_more(len(order) - len(shown), "patients (--patients 0)"),
    ]


def _because(rows: Sequence[Row]) -> str:
    ordered = sorted(rows, key=lambda row: (len(row["columns"]), row["size"], row["columns"]))
    texts = [" + ".join(row["columns"]) if row["minimal"] else "more than three together" for row in ordered]
    whole = " | ".join(texts)
    if len(whole) <= WIDTH:
        return whole
    kept = next(n for n in range(len(texts), -1, -1) if len(" | ".join(texts[:n])) <= WIDTH - 10) or 1
    return " | ".join(texts[:kept]) + (f" | {len(texts) - kept} more" if len(texts) > kept else "")


def _ways(ways: Sequence[Row], k: int | None) -> list[str]:
    """What could be done, by the crowd that is asked for, cheapest first."""
    if k is not None:
        ways = [row for row in ways if row["holds"] and row["k"] >= k]
        if not ways:
            return [f"no change that was tried reaches k {k}: more patients, or fewer quasi-identifiers, are needed"]
        ways = sorted(ways, key=lambda row: (row["loss"], row["suppressed"], row["setting"]))
    else:
        ways = sorted(ways, key=lambda row: (row["asked_k"], not row["holds"], row["loss"], row["setting"]))
    several = any(row["l"] is not None for row in ways)
    heads = ("what to set", "k", *(("l", "t") if several else ()), "loss", "left out", "holds")
    body = [_way(row, several) for row in ways]
    return ["what could be done: each was tried out; loss 0 keeps everything, 1 nothing", *_table(heads, body)]


def _way(row: Row, several: bool) -> list[Any]:
    values = [row["l"], "" if row["t"] is None else f"{row['t']:.3f}"] if several else []
    left_out = f"{row['suppressed']} ({row['suppressed_share']:.0%})"
    return [row["setting"], row["k"], *values, f"{row['loss']:.3f}", left_out, "yes" if row["holds"] else "no"]


def _table(heads: Sequence[str], body: Sequence[Sequence[Any]]) -> list[str]:
    """Columns of text side by side; numbers to the right."""
    rows = [list(heads), *[["" if cell is None else str(cell) for cell in row] for row in body]]
    widths = [max(len(row[place]) for row in rows) for place in range(len(heads))]
    right = [all(isinstance(row[place], int) for row in body) for place in range(len(heads))]
    return ["  " + _line(row, widths, right) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    each = zip(row, widths, right, strict=True)
    return "  ".join(cell.rjust(width) if number else cell.ljust(width) for cell, width, number in each).rstrip()


def _more(n: int, what: str) -> list[str]:
    return [f"  and {n} more {what}"] if n > 0 else []
