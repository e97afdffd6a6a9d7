"""Folders of a run, replaced as a whole where a stage owns them."""

from __future__ import annotations

import shutil
from pathlib import Path


def empty_folder(path: Path) -> Path:
    """An empty folder at `path`, replacing what was there."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


def entries(folder: Path) -> list[Path]:
    """What a stage wrote into `folder`, sorted; without the empty stamp that Snakemake leaves in folders it tracks."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name != ".snakemake_timestamp")
