"""`radcurate summary`: what a run came to."""

from __future__ import annotations

import argparse
from pathlib import Path

from radcurate.release.summary import render

RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """No options."""
    parser.set_defaults(verb=summary)


def summary(_chosen: argparse.Namespace) -> int:
    """One screen about the run in results/."""
    print(render(RESULTS))
    return 0
