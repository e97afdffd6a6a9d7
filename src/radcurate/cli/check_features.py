"""`radcurate check-features`: the conformance suite for features and engines of one's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from radcurate.features import extensions
from radcurate.features.extend import REGISTERED
from radcurate.features.suite import check


def add(parser: argparse.ArgumentParser) -> None:
    """The files that register them."""
    parser.add_argument("file", type=Path, nargs="+", help="a Python file as extract.extensions names it; it is run")
    parser.set_defaults(verb=check_features)


def check_features(chosen: argparse.Namespace) -> int:
    """Run the files and the suite; 1 where something doesn't conform."""
    extensions.load(chosen.file)
    problems = check()
    for problem in problems:
        print(problem, file=sys.stderr)
    features, engines = len(REGISTERED.tags), len(REGISTERED.engines)
    print(
        f"{features} features, {engines} engines, {len(REGISTERED.golden)} golden values: "
        + (f"{len(problems)} problems" if problems else "all conform")
    )
    return 1 if problems else 0
