"""How much may come out of an archive: bytes, files, ratio, and what the disk has left."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.errors import CurationError
from radcurate.sources.refusal import Refused

GIGABYTE = 1 << 30
LOOK_EVERY = 1 << 28  # bytes between two looks at the disk
SPARE = 1 << 28  # bytes that are always left to others


@dataclass(frozen=True)
class Limits:
    """Of an archive with all that is nested in it.

    bytes: that may come out. files: that may come out. ratio: bytes out for one byte of the archive, looked at once more
    than a gigabyte came out (an empty mask packs a thousandfold). depth: archives within archives.
    """

    bytes: int
    files: int
    ratio: float
    depth: int


@dataclass
class Meter:
    """Counts what comes out of an archive of `packed` bytes into `folder`."""

    limits: Limits
    packed: int
    folder: Path = field(repr=False)
    out: int = 0
    files: int = 0
    looked: int = 0

    def file(self) -> None:
        """One more file.

        Raises:
            Refused: there are too many.
        """
        self.files += 1
        if self.files > self.limits.files:
            raise Refused("archive_too_large")

    def bytes(self, count: int) -> None:
        """`count` more bytes are about to be written.

        Raises:
            Refused: there are too many, or too many for the size of the archive.
            CurationError: the disk is full.
        """
        self.out += count
        if self.out > self.limits.bytes or (self.out > GIGABYTE and self.out > self.limits.ratio * self.packed):
            raise Refused("archive_too_large")
        if self.out >= self.looked + LOOK_EVERY:
            self.looked = self.out
            need_space(self.folder, 0)

    def announced(self, count: int) -> None:
        """What the archive says will come out.

        Raises:
            Refused, CurationError: as `bytes`, before anything was written.
        """
        before = self.out, self.looked
        self.bytes(count)
        self.out, self.looked = before
        need_space(self.folder, count)


def need_space(folder: Path, count: int) -> None:
    """Insist that `count` bytes fit on the disk of `folder`.

    Raises:
        CurationError: they don't.
    """
    free = shutil.disk_usage(folder).free - SPARE
    if free < count:
        raise CurationError(
            "there is not enough room to unpack the input",
            wanted=f"{count / GIGABYTE:.1f} GB more where results/ lies, and 0.25 GB to spare",
            found=f"{max(free + SPARE, 0) / GIGABYTE:.1f} GB free",
            fix="make room, or work on another disk (snakemake --directory DIR), and run again: what is fetched stays",
        )
