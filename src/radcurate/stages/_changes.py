"""CHANGES.md and changes.json of a release that is being built, from its own files and those of the release before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from radcurate.release import check, versions
from radcurate.release.changes import Edition, compare
from radcurate.release.changes_text import changes_text
from radcurate.tables.stored import Stored

FILES = ("provenance.json", "features.parquet", "acquisition.parquet")
MORE = ("verdict.json", "risk.json")  # releases of older versions have none


def write_changes(building: Path, releases: Path, name: str, version: str, crowd: int) -> None:
    """Compare what lies in `building` with the release of that name before `version` in `releases`.

    Raises:
        CurationError: that release is no longer as it was released.
    """
    earlier = versions.previous(releases, name, version)
    before = None if earlier is None else _earlier(earlier)
    found = compare(before, _edition(building, f"{name}-{version}", ""), crowd)
    (building / "changes.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (building / "CHANGES.md").write_text(changes_text(found), encoding="utf-8")


def _earlier(folder: Path) -> Edition:
    problems = check.check_files(folder, [*FILES, *(name for name in MORE if (folder / name).exists())])
    if problems:
        raise versions.damaged(folder.name, problems)
    return _edition(folder, folder.name, check.digest_of(folder))


def _edition(folder: Path, name: str, digest: str) -> Edition:
    return Edition(
        name=name,
        digest=digest,
        about=_read(folder / "provenance.json"),
        verdict=_read(folder / "verdict.json"),
        risk=_read(folder / "risk.json"),
        features=Stored(folder / "features.parquet"),
        acquisition=Stored(folder / "acquisition.parquet"),
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
