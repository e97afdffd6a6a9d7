"""The files of the input as they were when the stage began, on disk, so that memory doesn't grow with their number."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from radcurate.dicom.tree import Found, find_files

BLOCK = 4096  # files a line


@dataclass(frozen=True)
class Listing:
    """One look at the input: all of a run speaks of the same files, whatever is written there meanwhile."""

    path: Path
    total: int

    def blocks(self) -> Iterator[list[Found]]:
        """The files in the order of `find_files`, some thousand at a time."""
        with self.path.open() as stream:
            for line in stream:
                yield [Found(*entry) for entry in json.loads(line)]


def list_files(source: Path, path: Path, largest: int, linked: str | None = None) -> Listing:
    """Write down all files below `source`, with size and times; `path` is made with mode 0600.

    Those of more than `largest` bytes are named too_large, and so never opened. Links into the folder `linked` that fetch
    made are files too.
    """
    total, files = 0, (_bounded(found, largest) for found in find_files(source, linked))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        while block := list(islice(files, BLOCK)):
            stream.write(json.dumps(block, separators=(",", ":")) + "\n")
            total += len(block)
    return Listing(path, total)


def _bounded(found: Found, largest: int) -> Found:
    return found._replace(problem="too_large") if found.size > largest and not found.problem else found
