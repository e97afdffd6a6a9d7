"""Folders of a run: private where they hold identity, replaced as a whole where a stage owns them."""

from __future__ import annotations

import shutil
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make `path` (and parents) if needed and set it to 0700, whatever the umask."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def empty_folder(path: Path) -> Path:
    """An empty folder at `path`, replacing what was there."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path
