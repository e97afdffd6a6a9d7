"""What a cluster gets to know of a run: it stores each submission with its environment and its command line, unguarded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from radcurate.errors import CurationError


def keep_to_ourselves(variables: Iterable[str], options: object) -> None:
    """Take what leads to the export or the key out of the environment; jobs find it in the configuration by themselves.

    Args:
        variables: names to remove; those that aren't set don't matter.
        options: what Snakemake was told by --config; it repeats that in every job script.

    Raises:
        SystemExit: there are such options; it was explained on stderr, without them.
    """
    if options:
        error = CurationError(
            "configuration on the command line of a cluster run",
            wanted="all of it in files: a job script repeats the command line, and the cluster stores it",
            found="--config",
            fix="write it to a file and name that: snakemake --configfile FILE",
        )
        print(f"radcurate: {error}", file=sys.stderr)
        raise SystemExit(1)
    for name in variables:
        os.environ.pop(name, None)
