"""Dry runs without starting Python and importing Snakemake each time: a process that has imported them forks for each.

Start: `python planner.py`. One JSON object a line on stdin, {"folder", "arguments"}; one a line on stdout, {"code", "told"}.
The project's own modules are imported in the fork, from the folder's copy.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path

import cryptography.hazmat.primitives.serialization
import numpy
import pyarrow.parquet
import pydantic
import pydicom
import snakemake.cli
import snakemake.executors.dryrun
import snakemake.persistence.file
import snakemake.scheduling.greedy
import yaml

PRELOADED = (cryptography, numpy, pyarrow, pydantic, pydicom, snakemake, yaml)


def plan(folder: str, arguments: list[str]) -> int:
    """In the fork: run Snakemake on `arguments` within `folder`."""
    os.chdir(folder)
    sys.path.insert(0, str(Path(folder) / "src"))
    sys.dont_write_bytecode = True
    os.environ["PYTHONPATH"] = str(Path(folder) / "src")
    try:
        snakemake.cli.main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 99
    return 0


def answer(folder: str, arguments: list[str]) -> dict[str, object]:
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            code = plan(folder, arguments)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        out.seek(0)
        return {"code": os.waitstatus_to_exitcode(status), "told": out.read().decode(errors="replace")}


if __name__ == "__main__":
    if any(name.split(".")[0] == "radcurate" for name in sys.modules):
        raise SystemExit("the package must be imported from the project's copy")
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(answer(asked["folder"], asked["arguments"])), flush=True)
