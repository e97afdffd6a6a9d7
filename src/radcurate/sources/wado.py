"""Instances of a DICOMweb server as files (WADO-RS, PS3.18 section 10.4), each written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.sources.multipart import BLOCK, Multipart
from radcurate.sources.peek import ENOUGH, instance_of
from radcurate.sources.store import Stored, write
from radcurate.sources.web import Answer, Server

ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'  # as it is stored


@dataclass
class Shelf:
    """Where the instances of one series go.

    folder: theirs. waiting: for files that are not yet known to be whole; on the same disk. prefix: of the paths.
    series: its SeriesInstanceUID. wanted: SOPInstanceUIDs that are still to come; what comes is taken out.
    """

    folder: Path = field(repr=False)
    waiting: Path = field(repr=False)
    prefix: str = field(repr=False)
    series: str = field(repr=False)
    wanted: set[str] = field(repr=False)
    files: list[Stored] = field(default_factory=list, repr=False)

    def take(self, body: Iterable[bytes]) -> None:
        """Keep an instance if it is one of those wanted; anything else is read and dropped."""
        start = bytearray()
        temporary = self.waiting / "arriving"
        temporary.unlink(missing_ok=True)
        size, digest = write(temporary, _noting(body, start))
        series, sop = instance_of(bytes(start))
        if series != self.series or sop not in self.wanted:
            temporary.unlink()
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.replace(self.folder / f"{sop}.dcm")
        self.wanted.discard(sop)
        self.files.append(Stored(f"{self.prefix}/{sop}.dcm", size, digest))


def fetch_series(server: Server, study: str, shelf: Shelf) -> None:
    """Ask for a whole series in one answer, once; what is whole of it is kept even if the answer breaks off.

    Raises:
        Absent, Unanswered, CurationError: as `Server.attempts`.
    """
    server.attempts(f"/studies/{study}/series/{shelf.series}", ACCEPT, _keeping(shelf), retries=0)


def fetch_instance(server: Server, study: str, sop: str, shelf: Shelf) -> None:
    """Ask for one instance.

    Raises:
        Absent, Unanswered, CurationError: as `Server.attempts`.
    """
    server.attempts(f"/studies/{study}/series/{shelf.series}/instances/{sop}", ACCEPT, _keeping(shelf))


def _keeping(shelf: Shelf) -> Callable[[Answer], None]:
    def read(answer: Answer) -> None:
        for body in _bodies(answer):
            shelf.take(body)

    return read


def _bodies(answer: Answer) -> Iterator[Iterable[bytes]]:
    """The instances in an answer: parts of it, or the one that it is."""
    boundary = answer.kind.get_param("boundary")
    if answer.kind.get_content_maintype() == "multipart" and isinstance(boundary, str):
        yield from Multipart(answer.read, boundary).parts()
        while answer.read(BLOCK):  # what follows the last boundary
            pass
    else:
        yield _whole(answer)


def _whole(answer: Answer) -> Iterator[bytes]:
    count = 0
    while block := answer.read(BLOCK):
        count += len(block)
        yield block
    if answer.length is not None and count < answer.length:
        raise EOFError


def _noting(body: Iterable[bytes], start: bytearray) -> Iterator[bytes]:
    for block in body:
        start += block[: max(ENOUGH - len(start), 0)]
        yield block
