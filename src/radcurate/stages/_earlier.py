"""Earlier releases as the differencing attack sees them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from radcurate.attack.views import View, view
from radcurate.errors import CurationError
from radcurate.release import check
from radcurate.seals import sha256
from radcurate.tables.stored import Stored

READ = ("acquisition.parquet", "dictionary.json", "features.parquet")


def earlier_releases(folder: Path, quasi: Iterable[str], also: Iterable[Path] = ()) -> dict[str, View]:
    """The releases in `folder` (results/release) and the release folders `also`, by name, in the order of their numbers.

    Each is seen with the quasi-identifiers of today and those it was made with.

    Raises:
        CurationError: one can't be read, or isn't as it was released.
    """
    own = [path for path in folder.glob("[!.]*") if path.is_dir()] if folder.is_dir() else []
    return {path.name: _read(path, list(quasi)) for path in sorted([*own, *also], key=_order)}


def _order(path: Path) -> tuple[str, int, str]:
    name, _, number = path.name.rpartition("-")
    return name, int(number) if number.isdecimal() else 0, path.name


def _read(release: Path, quasi: list[str]) -> View:
    _unchanged(release)
    lines = json.loads((release / "dictionary.json").read_text(encoding="utf-8"))
    then = [line["name"] for line in lines if line["role"] == "quasi_identifier"]
    names = list(dict.fromkeys([*quasi, *then]))
    return view(Stored(release / "features.parquet"), Stored(release / "acquisition.parquet"), names)


def _unchanged(release: Path) -> None:
    sums = release / check.SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    told = {match[2]: match[1] for match in map(check.LINE.fullmatch, lines) if match}
    for name in READ:
        path = release / name
        if not path.is_file() or told.get(name) != sha256(path):
            raise CurationError(
                f"release {release.name} is not as it was released",
                wanted="its tables as its SHA256SUMS says: outsiders hold them, so a new release is compared with them",
                found=f"{name} differs" if path.is_file() else f"no {name}",
                fix="put the original files back, or move that folder away if it never left the house",
            )
