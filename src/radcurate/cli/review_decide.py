"""`radcurate review decide`: a named person's decision about a series that was set aside, for the next run."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

from radcurate.cli._record import record
from radcurate.cli._run import decisions_file, run_config
from radcurate.cli._set_aside import STAGES, SetAside, set_aside
from radcurate.errors import CurationError
from radcurate.governance.decisions import DECISIONS, Decision, add_decision
from radcurate.identity.files import write_private
from radcurate.keys import load_key

RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.set_defaults(verb=decide)
    parser.add_argument("series", help="pseudonym, as on the page")
    parser.add_argument("--stage", choices=STAGES, help="that set it aside, where both did")
    parser.add_argument("--decision", required=True, choices=sorted(frozenset().union(*DECISIONS.values())))
    parser.add_argument("--by", required=True, metavar="NAME", help="who answers for it")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="what was seen; no name or number of a patient")
    parser.add_argument(
        "--date", default=datetime.date.today().isoformat(), metavar="YYYY-MM-DD", help="today by default"
    )
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="as the run was told; later files win")


def decide(chosen: argparse.Namespace) -> int:
    """Add the line."""
    config = run_config(chosen.configfile)
    key = load_key(Path(config.key_file), run_folder=Path.cwd())
    one = _chosen(set_aside(RESULTS, key), chosen.series, chosen.stage)
    path = decisions_file(config, one.stage)
    line = Decision(
        one.chunk,
        one.series,
        one.stage,
        chosen.decision,
        one.evidence,
        chosen.by.strip(),
        chosen.date,
        chosen.reason.strip(),
    )
    content = add_decision(path, line)
    told = {"series": one.series, "stage": one.stage, "decision": chosen.decision, "evidence": one.evidence}
    record(key, "review decide", {**told, "by": line.by})
    write_private(path, content)
    print(f"{one.series}: {chosen.decision} ({one.stage}, {one.row['reason']}); run snakemake again", file=sys.stderr)
    return 0


def _chosen(waiting: list[SetAside], series: str, stage: str | None) -> SetAside:
    found = [one for one in waiting if one.series == series and stage in (None, one.stage)]
    if len(found) != 1:
        raise CurationError(
            "no such series waits for a person" if not found else "two stages set this series aside",
            wanted="a series of `radcurate review pictures`",
            found="none" if not found else ", ".join(one.stage for one in found),
            fix="see the index of the review" if not found else "name the stage: --stage",
        )
    return found[0]
