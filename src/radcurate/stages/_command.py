"""A stage as a command: `python -m radcurate.stages.<stage> --option value …`, made from the signature of its `run`.

`Path` parameters become `--name PATH`, lists of paths `--name PATH …`, integers `--name N`, a settings section
`--settings JSON`, a `Key` is read from the file that RADCURATE_KEY_FILE names.
"""

from __future__ import annotations

import argparse
import errno
import gc
import inspect
import logging
import os
import sys
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate.errors import CurationError, place_of
from radcurate.keys import Key, key_from_environment
from radcurate.settings import Section
from radcurate.stages._lock import only_writer

log = logging.getLogger("radcurate")


class _NoPandas:
    """pyarrow imports pandas with its first table where it finds it: half a second and 50 MB that serve no stage."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Say that there is no pandas; say nothing of other modules."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


def command(run: Callable[..., None]) -> None:
    """Parse the command line for `run`, call it, and end the process: 0 done, 1 a problem that was explained."""
    os.umask(0o077)
    # what imports left stays until the end: not to look through it for garbage again and again saves a tenth of a stage's
    # CPU time (extract on the sarcoma cohort 1.86 s, with this 1.65 s), and forked workers share its memory
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    sys.meta_path.insert(0, _NoPandas())
    pa.set_memory_pool(pa.system_memory_pool())  # 17 MB less than its own for tables of a chunk
    kinds = typing.get_type_hints(run)
    kinds.pop("return", None)
    parser = argparse.ArgumentParser(description=inspect.getdoc(run))
    parser.add_argument("--log", type=Path, help="also write the log here")
    for name, parameter in inspect.signature(run).parameters.items():
        _add(parser, name, kinds[name], parameter.default)
    arguments = vars(parser.parse_args())
    job_log = arguments.pop("log")
    stage = Path(sys.argv[0]).stem
    try:
        _start_log(job_log)
        for name, kind in kinds.items():
            if kind is Key:
                arguments[name] = key_from_environment()
            elif inspect.isclass(kind) and issubclass(kind, Section):
                arguments[name] = kind.model_validate_json(arguments[name])
        with only_writer(job_log):
            run(**arguments)
    except Exception as error:  # its message may quote a header value, so only its place is told
        told = _explained(error)
        log.error("%s: %s", stage, told or f"unexpected error: {place_of(error)}")
        if told is None and os.environ.get("RADCURATE_DEBUG"):
            raise
        sys.exit(1)


FIXES = {
    errno.ENOSPC: "free space where results/ and the temporary folder lie, then run snakemake again: what is finished stays",
    errno.EDQUOT: "free space within your quota, then run snakemake again: what is finished stays",
    errno.EACCES: "give this user the right to read the input and to write results/",
    errno.EROFS: "work in a folder that can be written to: snakemake --directory DIR",
    errno.ENOENT: "see that nobody moves files of the input or of results/ meanwhile, then run snakemake again",
    errno.EIO: "look at the disk, which fails (dmesg), then run snakemake again",
}


def _explained(error: BaseException) -> CurationError | None:
    """What went wrong, in words without values and paths; None where it is an error of the program."""
    if isinstance(error, CurationError):
        return error
    if isinstance(error, MemoryError):
        return CurationError(
            "there was not enough memory",
            wanted="memory for the tables or images of this job",
            found=f"none left ({place_of(error)})",
            fix="run fewer jobs at a time (--cores) or give them more (--set-resources), then run snakemake again",
        )
    if isinstance(error, OSError):
        return CurationError(
            "the operating system refused",
            wanted="to read the input and write the results",
            found=f"{os.strerror(error.errno or 0)} ({place_of(error)})",
            fix=FIXES.get(error.errno or 0, "see what the system says, then run snakemake again"),
        )
    return None


def _add(parser: argparse.ArgumentParser, name: str, kind: Any, default: Any) -> None:
    if kind is Key:
        return
    option = "--" + name.replace("_", "-")
    required = default is inspect.Parameter.empty
    if inspect.isclass(kind) and issubclass(kind, Section):
        parser.add_argument(option, required=required, help="its section of the configuration, as JSON")
    elif typing.get_origin(kind) in (list, Sequence):
        parser.add_argument(
            option, type=typing.get_args(kind)[0], nargs="*", required=required, default=None if required else default
        )
    else:
        plain = next((a for a in typing.get_args(kind) if a is not type(None)), kind)  # Path | None → Path
        parser.add_argument(option, type=plain, required=required, default=None if required else default)


def _start_log(path: Path | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w"))
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)
    for noisy in ("pydicom", "radiomics"):  # they quote header values
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk is told by what fails, not by a traceback of its log
    logging.getLogger("py.warnings").setLevel(logging.CRITICAL + 1)
