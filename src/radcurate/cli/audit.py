"""`radcurate audit …`: the record of who did what on which data, and whether it is as it was written."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from radcurate.audit.chain import Entry
from radcurate.audit.check import Verdict
from radcurate.audit.check import verify as check
from radcurate.cli._record import record_key
from radcurate.cli._run import run_config
from radcurate.keys import Key, load_key

RESULTS = Path("results")
DIGITS = 12  # of a digest that are shown


def add(parser: argparse.ArgumentParser) -> None:
    """What can be asked."""
    whats = parser.add_subparsers(required=True, metavar="WHAT")
    for name, function, text in (
        ("verify", verify, "whether a line was edited, removed, inserted or moved, or the end cut off"),
        ("show", show, "the entries, one a line"),
    ):
        one = whats.add_parser(name, help=text, description=text)
        one.set_defaults(verb=function)
        one.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")
        one.add_argument("--crosswalk", type=Path, metavar="FOLDER", help="the broker's record of re-identifications")
        one.add_argument("--identity", type=Path, metavar="FILE", help="the broker's secret identity, for that record")


def verify(chosen: argparse.Namespace) -> int:
    """Print what is wrong; exit 1 if anything is."""
    verdict = _checked(chosen)
    for problem in verdict.problems:
        print(f"radcurate: {problem}", file=sys.stderr)
    for note in verdict.notes:
        print(f"note: {note}", file=sys.stderr)
    if not verdict.problems:
        last = verdict.entries[-1]
        print(f"the record holds: {len(verdict.entries)} entries, the last by {last.who} at {last.time}")
    return 1 if verdict.problems else 0


def show(chosen: argparse.Namespace) -> int:
    """Print the entries, and whether they can be relied on."""
    verdict = _checked(chosen)
    for entry in verdict.entries:
        print(_line(entry))
    if verdict.problems:
        print("radcurate: this record was changed: radcurate audit verify", file=sys.stderr)
    return 1 if verdict.problems else 0


def _checked(chosen: argparse.Namespace) -> Verdict:
    folder, key = _record_of(chosen)
    return check(folder, key)


def _record_of(chosen: argparse.Namespace) -> tuple[Path, Key]:
    if chosen.crosswalk and chosen.identity:
        return chosen.crosswalk, record_key(chosen.identity)
    return RESULTS, load_key(Path(run_config(chosen.configfile).key_file))


def _line(entry: Entry) -> str:
    facts = ", ".join(f"{name} {_shown(value)}" for name, value in sorted(entry.facts.items()))
    return f"{entry.number}  {entry.time}  {entry.who}  {entry.verb}" + (f": {facts}" if facts else "")


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {_shown(one)}' for name, one in sorted(value.items()))})"
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[:DIGITS]}…" if len(text) >= 2 * DIGITS and set(text) <= set("0123456789abcdef") else text
