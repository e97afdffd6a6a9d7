"""The `radcurate` command: verbs that are no stage, one module each."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from radcurate.errors import CurationError, place_of

# verb → its module, read when it is asked for, and what it is for
VERBS = {
    "keys": (
        "keys",
        "make, list, rotate and destroy project keys; print the public one; make the honest broker's identity",
    ),
    "demo": ("demo", "make the synthetic cohort and run the pipeline on it"),
    "retry": ("retry", "have made again what ran out of time or memory, or whose process was killed"),
    "summary": ("summary", "what the run in results/ came to"),
    "status": ("status", "how far the run in this folder is: series by stage and state, time left"),
    "doctor": ("doctor", "whether a run can work here: environment, key, disk, permissions, Slurm; with remedies"),
    "explain": ("explain", "why a rule would run, in words"),
    "report": (
        "report",
        "the page about the run, with every changed picture before and after; for the restricted zone",
    ),
    "verify-release": ("verify_release", "check a release against its checksums and its signature, offline"),
    "reextract": ("reextract", "compute every number of a release again from images, and compare"),
    "check-features": ("check_features", "hold features and engines of your own to the conformance suite"),
    "review": ("review", "what was blanked or set aside, for the steward who decides about it"),
    "approve": ("approve", "sign a paper for the tables of this run, or an exception that two people answer for"),
    "privacy": ("privacy", "who is at risk because of which columns, and what would help at which price"),
    "audit": ("audit", "the record of who did what on which data, and whether it is as it was written"),
    "recontact": ("recontact", "the patient behind a pseudonym; only the honest broker can ask"),
}


def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exit 0 when it did what was asked, 1 with an explanation otherwise."""
    arguments = sys.argv[1:] if arguments is None else arguments
    chosen = _parser(arguments).parse_args(arguments)
    try:
        sys.exit(chosen.verb(chosen))
    except CurationError as error:
        print(f"radcurate: {error}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:  # its message may quote a header value or a path, so only its place is told
        print(f"radcurate: unexpected error: {place_of(error)}", file=sys.stderr)
        if os.environ.get("RADCURATE_DEBUG"):
            raise
        sys.exit(1)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """All verbs, but the options only of those that are named: reading every module would take a second."""
    parser = argparse.ArgumentParser(prog="radcurate", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, (module, text) in VERBS.items():
        verb = verbs.add_parser(name, help=text, description=text)
        if name in arguments:
            import_module(f"radcurate.cli.{module}").add(verb)
    return parser
