"""What fetch has made so far, a part at a time: an archive, the links of a folder, a share of a server's studies.

A part is a folder below `parts/` with two tables and a seal. It is believed on the next run if its seal holds and its
source is the one it was made of; everything else is made again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.sources.refusal import Problem
from radcurate.sources.store import Stored, intact
from radcurate.stages._folders import write_json

FILES, PROBLEMS, ABOUT = "files.parquet", "problems.parquet", "about.json"


@dataclass(frozen=True)
class Part:
    """A part as it was written. about: what it was made of, as its maker noted it."""

    folder: Path
    about: Mapping[str, Any] = field(repr=False)

    def files(self) -> list[Stored]:
        """Its files, by paths below the folder of fetched files."""
        rows = tables.read_rows(self.folder / FILES, tables.FETCH_FILES)
        return [Stored(**row) for row in rows]

    def problems(self) -> list[dict[str, Any]]:
        """Its rows of FETCH_PROBLEMS."""
        return tables.read_rows(self.folder / PROBLEMS, tables.FETCH_PROBLEMS)


def write_part(
    folder: Path, files: Iterable[Stored], problems: Iterable[Problem], about: Mapping[str, Any], key: Key
) -> Part:
    """Write and seal a part in the place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder)
    tables.write_rows(folder / FILES, tables.FETCH_FILES, [vars(file) for file in files])
    tables.write_rows(folder / PROBLEMS, tables.FETCH_PROBLEMS, [problem_row(problem) for problem in problems])
    write_json(folder / ABOUT, about)
    seals.write_seal(folder, [FILES, PROBLEMS, ABOUT], key)
    for path in folder.iterdir():
        path.chmod(0o600)
    return Part(folder, about)


def read_part(folder: Path, key: Key) -> Part | None:
    """A part that was finished under this key; None where there is none that can be believed."""
    try:
        if set(seals.check_seal(folder, key)) != {FILES, PROBLEMS, ABOUT}:
            return None
        return Part(folder, json.loads((folder / ABOUT).read_text()))
    except (CurationError, ValueError):
        return None


def still_there(part: Part, files: Path, closely: bool) -> bool:
    """Whether every file of a part is as it was written: by size, and `closely` by content."""
    for file in part.files():
        path = files / file.path
        try:
            if not file.digest:
                continue  # a link; what it points at is the user's
            if path.lstat().st_size != file.size or (closely and not intact(path)):
                return False
        except OSError:
            return False
    return True


def problem_row(problem: Problem) -> dict[str, Any]:
    """A row of FETCH_PROBLEMS."""
    return {
        "name": problem.name,
        "reason": problem.reason,
        "size": problem.size,
        "series_instance_uid": problem.series,
        "sop_instance_uid": problem.sop,
    }
