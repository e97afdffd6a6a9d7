"""How much disk a run takes beyond its source: blocks below results/, hard links counted once, at the worst moment."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radcurate.dicom.tree import entries_below

PAUSE = 0.5  # seconds between looks; a look at some thousand files takes hundredths


@dataclass(frozen=True)
class Watched:
    """A run that was watched: bytes at most and at its end, beyond what was there before; wall seconds."""

    most: int
    last: int
    wall: float


def blocks(folder: Path) -> int:
    """Bytes that the files below a folder occupy; a file of several names once."""
    seen: dict[tuple[int, int], int] = {}
    for entry in entries_below(folder):
        with contextlib.suppress(FileNotFoundError):  # removed while it was looked at
            if entry:
                found = entry.stat(follow_symlinks=False)
                seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def watch(command: Sequence[str], results: Path, cwd: Path) -> Watched:
    """Run a command and look at `results` meanwhile.

    Raises:
        RuntimeError: it failed.
    """
    start = time.monotonic()
    with (cwd / "watched.log").open("w") as log:
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT)
        most = 0
        while process.poll() is None:
            most = max(most, blocks(results) if results.is_dir() else 0)
            time.sleep(PAUSE)
    wall = time.monotonic() - start
    if process.returncode:
        raise RuntimeError((cwd / "watched.log").read_text()[-2000:])
    last = blocks(results)
    return Watched(max(most, last), last, wall)


if __name__ == "__main__":
    run = watch(sys.argv[2:], Path(sys.argv[1]), Path.cwd())
    print(f"peak {run.most / 1e6:.1f} MB, at the end {run.last / 1e6:.1f} MB, {run.wall:.0f} s")
