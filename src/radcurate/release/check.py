"""SHA256SUMS: written with a release, checked by whoever receives it. Needs nothing but the folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def files_of(folder: Path) -> list[str]:
    """Every file below `folder` but SHA256SUMS, in POSIX form, sorted."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(name for name in names if name != SUMS)


def sums(folder: Path) -> str:
    """The content of SHA256SUMS for `folder`: lines that `sha256sum -c` reads."""
    return "".join(f"{_digest(folder / name)}  {name}\n" for name in files_of(folder))


def digest_of(folder: Path) -> str:
    """SHA-256 of a release's SHA256SUMS: one number for the whole release."""
    return _digest(folder / SUMS)


def check_release(folder: Path) -> list[str]:
    """What differs from SHA256SUMS, one sentence each; an empty list where every file is as released."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS}: no such file, so nothing can be checked"]
    listed: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        match = LINE.fullmatch(line)
        if match is None or _outside(match[2]) or match[2] in listed:
            problems.append(f"{SUMS}: line {number} is not a checksum and a file name")
        else:
            listed[match[2]] = match[1]
    present = set(files_of(folder))
    problems += [f"{name}: missing" for name in sorted(set(listed) - present)]
    problems += [f"{name}: not part of the release" for name in sorted(present - set(listed))]
    problems += [
        f"{name}: {what}" for name in sorted(present & set(listed)) if (what := _compare(folder / name, listed[name]))
    ]
    return problems if listed or problems else [f"{SUMS}: empty, so nothing can be checked"]


def _compare(path: Path, digest: str) -> str:
    if path.is_symlink():
        return "a link, not a file"
    return "" if _digest(path) == digest else "changed"


def _outside(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/") or name == SUMS


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
