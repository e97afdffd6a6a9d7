"""`radcurate verify-release`: whether a release is whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from radcurate.release.check import check_release


def add(parser: argparse.ArgumentParser) -> None:
    """The release's folder."""
    parser.add_argument("folder", type=Path)
    parser.set_defaults(verb=verify_release)


def verify_release(chosen: argparse.Namespace) -> int:
    """Every file of a release against SHA256SUMS; needs nothing but the folder."""
    problems = check_release(chosen.folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{chosen.folder}: " + (f"{len(problems)} problems" if problems else "every file is as released"))
    return 1 if problems else 0
