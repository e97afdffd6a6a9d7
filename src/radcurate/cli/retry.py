"""`radcurate retry`: have made again what was lost to the machine, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

from radcurate.stages._again import ask_again, lost_work

RESULTS = Path("results")


def add(parser: argparse.ArgumentParser) -> None:
    """Options of the verb."""
    parser.set_defaults(verb=run)


def run(_options: argparse.Namespace) -> int:
    """Mark the chunks and say which; the next run of snakemake makes them again."""
    lost = lost_work(RESULTS)
    if not lost:
        print("nothing was lost: no series ran out of time or memory, and no process was killed twice")
        return 0
    for (stage, chunk), reasons in lost.items():
        ask_again(RESULTS, stage, chunk)
        print(f"{stage} {chunk}: " + ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())))
    print("they are made again by the next run: snakemake")
    return 0
