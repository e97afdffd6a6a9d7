"""What a cluster gets to know of a run: it stores each submission with its environment and its command line, unguarded."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from radcurate.errors import CurationError

ENVIRONMENT = ".environment"  # in results/, for its owner alone


def keep_to_ourselves(variables: Iterable[str], options: object, results: Path) -> str:
    """Take what leads to the export or the key out of the environment; jobs find it in the configuration by themselves.

    Args:
        variables: names to remove; those that aren't set don't matter.
        options: what Snakemake was told by --config; it repeats that in every job script.
        results: the folder of the run, which keeps them for rules that are not submitted.

    Returns:
        A shell command that sets them again, to stand before the commands of such rules.

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
    told = {name: os.environ.pop(name) for name in variables if name in os.environ}
    results.mkdir(exist_ok=True)
    kept = results / ENVIRONMENT
    kept.unlink(missing_ok=True)
    with open(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123
        file.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in told.items())
    return f". {shlex.quote(str(kept))}; " if kept.is_absolute() else f". ./{shlex.quote(str(kept))}; "
