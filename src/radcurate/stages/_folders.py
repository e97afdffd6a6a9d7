"""Folders of a run, replaced as a whole where a stage owns them, and the documents in them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def empty_folder(path: Path) -> Path:
    """An empty folder at `path`, replacing what was there."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder below `parent` that goes afterwards; what a killed run left of its own is removed first."""
    for left in parent.glob(".scratch-*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=parent) as name:
        yield Path(name)


def entries(folder: Path) -> list[Path]:
    """What a stage wrote into `folder`, sorted; without the empty stamp that Snakemake leaves in folders it tracks."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name != ".snakemake_timestamp")


def chosen_chunks(results: Path) -> list[str]:
    """Chunks of this run: the folders that consent wrote."""
    return [path.name for path in entries(results / "consent" / "chunks")]


def files_in(folder: Path) -> list[Path]:
    """The files of a series, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def link_files(files: Sequence[Path], folder: Path) -> None:
    """Hard links of the files in `folder` (copies where the file system has none), in the place of what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        target = folder / path.name
        target.unlink(missing_ok=True)
        try:
            os.link(path, target)
        except OSError:
            shutil.copy2(path, target)


def link_series(source: Path, target: Path) -> None:
    """The whole folder of a series, untouched."""
    if source.is_dir():
        link_files(files_in(source), target)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A document with sorted keys, written as a whole or not at all; a number that is none is a defect of its stage."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")
    temporary.replace(path)
