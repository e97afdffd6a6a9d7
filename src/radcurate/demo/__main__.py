"""`python -m radcurate.demo OUT [--seed N] [--patients N]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from radcurate.demo.cohort import make_cohort
from radcurate.errors import CurationError


def main() -> None:
    """Write the cohort; end with 1 where that can't be."""
    parser = argparse.ArgumentParser(prog="python -m radcurate.demo", description="Write the synthetic cohort.")
    parser.add_argument("out", type=Path, help="folder to write export/, consent.csv, waiver.yaml and truth.json into")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--patients", type=int, default=28)
    arguments = parser.parse_args()
    try:
        make_cohort(arguments.out, arguments.seed, arguments.patients)
    except CurationError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
