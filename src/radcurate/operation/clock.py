"""Times of files that lie ahead of the clock: Snakemake refuses what is made from them, whatever is in them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TOLERANCE = 2.0  # seconds: file systems round, and machines that share one differ a little
MOMENTS = ("seal.json", ".snakemake_timestamp")


def mend_times(results: Path, now: float | None = None) -> int:
    """Give files of a run that were written by a clock that was ahead the time `now`; how many there were.

    What they hold is compared by content, so nothing runs again for it. Only where a seal lies ahead all files are looked
    at; links and what fetch wrote, whose times stand for content, are left alone.

    Args:
        results: of the run; what isn't there has no times.
        now: seconds since 1970; the clock's when absent.
    """
    now = time.time() if now is None else now
    seals = (*results.glob("*/seal.json"), *results.glob("*/[0-9][0-9][0-9][0-9][0-9]/seal.json"))
    if not any(_is_ahead(path, now) for path in seals):
        return 0
    ahead = [path for path in _below(results) if _is_ahead(path, now)]
    for path in ahead:
        os.utime(path, (now, now))
    print(
        f"radcurate: {len(ahead)} files were written by a clock that is ahead: they have the time of now",
        file=sys.stderr,
    )
    return len(ahead)


def _is_ahead(path: Path, now: float) -> bool:
    try:
        return path.lstat().st_mtime > now + TOLERANCE
    except OSError:
        return False


def _below(results: Path) -> Iterator[Path]:
    """Files and folders of the stages, images of a chunk left out but for the mark of their folder."""
    for base, folders, files in os.walk(results):
        folders[:] = [name for name in folders if not (base == str(results) and name in ("fetch", "release"))]
        if Path(base).name == "dicom":
            folders[:], files = [], [name for name in files if name in MOMENTS]
        yield from (Path(base) / name for name in (*folders, *files) if not (Path(base) / name).is_symlink())
