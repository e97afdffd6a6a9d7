"""`radcurate summary` and `radcurate verify-release`: what a run came to, and whether a release is whole."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from radcurate.cli._verb import Verbs, verb

RESULTS = Path("results")


def add(verbs: Verbs) -> None:
    """The verbs and their options."""
    verb(verbs, "summary", summary, "what the run in results/ came to")
    check = verb(verbs, "verify-release", verify_release, "check a release against its checksums, offline")
    check.add_argument("folder", type=Path)


def summary(_chosen: argparse.Namespace) -> int:
    """One screen about the run in results/."""
    from radcurate.release.summary import render

    print(render(RESULTS))
    return 0


def verify_release(chosen: argparse.Namespace) -> int:
    """Every file of a release against SHA256SUMS; needs nothing but the folder."""
    from radcurate.release.check import check_release

    problems = check_release(chosen.folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{chosen.folder}: " + (f"{len(problems)} problems" if problems else "every file is as released"))
    return 1 if problems else 0
