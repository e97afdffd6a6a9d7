"""Which version a release gets, and how it comes into being: as a whole or not at all.

A folder is built under a hidden name beside the releases and renamed when it is complete. A release is never changed.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.release.check import SUMS

BUILDING = ".building-"


def numbered(folder: Path, name: str) -> dict[int, Path]:
    """The releases `<name>-<whole number>` in `folder`, by number."""
    found = {}
    for path in folder.glob(f"{name}-*"):
        version = path.name[len(name) + 1 :]
        if path.is_dir() and version.isdecimal() and str(int(version)) == version:
            found[int(version)] = path
    return dict(sorted(found.items()))


def previous(folder: Path, name: str, version: str) -> Path | None:
    """The release of that name that comes before `version`, whatever came after; None for a first one.

    Versions are ordered by the numbers in them: 2 before 10, 1.9 before 1.10.
    """
    found = [(_order(path.name[len(name) + 1 :]), path) for path in folder.glob(f"{name}-*") if (path / SUMS).is_file()]
    earlier = [(order, path) for order, path in found if order < _order(version)]
    return max(earlier)[1] if earlier else None


def _order(version: str) -> list[tuple[int, str]]:
    parts = re.findall(r"[0-9]+|[A-Za-z]+", version)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def new_building(folder: Path) -> Path:
    """An empty folder to build in, on the same file system; those of killed runs are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(f"{BUILDING}*"):
        shutil.rmtree(stale)
    building = folder / f"{BUILDING}{os.getpid()}"
    building.mkdir()
    return building


def publish(building: Path, target: Path) -> None:
    """Set modes (0644, 0755), flush to disk and rename `building` to `target`.

    Raises:
        CurationError: the target exists.
    """
    for path in sorted(building.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        _flush(path)
    building.chmod(0o755)
    _flush(building)
    if target.exists():
        raise taken(target.name)
    building.rename(target)
    _flush(target.parent)


def taken(name: str) -> CurationError:
    """The version exists and holds something else."""
    return CurationError(
        f"release {name} exists and has other content",
        wanted="a version that is not taken; a release is never changed",
        found="an earlier release of that name and version, left as it is",
        fix="set release.version to another version, or to auto",
    )


def damaged(name: str, problems: list[str]) -> CurationError:
    """A release on disk is no longer as it was released."""
    return CurationError(
        f"release {name} was changed after it was written",
        wanted="every file as its SHA256SUMS says",
        found="; ".join(problems[:3]) + ("; …" if len(problems) > 3 else ""),
        fix="put the original files back (radcurate verify-release tells which), or move that folder away",
    )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
