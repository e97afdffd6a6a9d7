"""The `radcurate` command: verbs that are no stage, one module each."""

from __future__ import annotations

import argparse
import os
import sys

from radcurate.cli import demo, keys, recontact, results, review
from radcurate.errors import CurationError, place_of


def main(arguments: list[str] | None = None) -> None:
    """Run one verb; exit 0 when it did what was asked, 1 with an explanation otherwise."""
    chosen = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="radcurate", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for module in (keys, demo, results, review, recontact):
        module.add(verbs)
    return parser
