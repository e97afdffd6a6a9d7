"""Fetched files on disk: 0600, written once, with a time that is made from their content."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from blake3 import blake3

BLOCK = 1 << 20
FIRST = 315_532_800_000_000_000  # 1 January 1980, in nanoseconds: what every file system can store
SPAN = 1 << 60  # 36 years


@dataclass(frozen=True)
class Stored:
    """A file below the folder of fetched files.

    path: relative, POSIX form. digest: BLAKE3 of its content; None for a file of the input folder that is only linked.
    mtime_ns: of a linked file.
    """

    path: str = field(repr=False)
    size: int
    digest: str | None
    mtime_ns: int | None = None


def stamp(digest: str) -> int:
    """A time in nanoseconds made from a content's digest.

    Equal content has an equal time whenever it was fetched, so a table with times is the same too and runs nothing again;
    other content of the same size has another time; and a file that a power cut tore does not fit its time.
    Whole microseconds: what every file system that matters keeps.
    """
    return FIRST + int(digest[:16], 16) % SPAN // 1000 * 1000


def write(path: Path, content: Iterable[bytes]) -> tuple[int, str]:
    """Write a new file of mode 0600, its folders 0700; size in bytes and digest. Never over another one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = blake3(), 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
        for block in content:
            digest.update(block)
            size += len(block)
            stream.write(block)
    told = digest.hexdigest()
    os.utime(path, ns=(stamp(told), stamp(told)))
    return size, told


def digest_of(path: Path) -> str:
    """BLAKE3 of a file's content, hexadecimal."""
    digest = blake3()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def intact(path: Path, size: int | None = None) -> bool:
    """Whether a fetched file is what was written: its time fits its content."""
    try:
        status = path.lstat()
        if size is not None and status.st_size != size:
            return False
        return status.st_mtime_ns == stamp(digest_of(path))
    except OSError:
        return False
