"""What files said, kept on disk: the next run, after a kill or with new files, reads only what it doesn't know.

A record is believed where the project key's seal over it, over this version of the reader and over its format holds, and a
file in it where path, size, time of change and time of status change are what they were. The last is set by the system and by
nobody else, so that a file which was changed under its old size and time is read again. What can't be noticed (a disk
altered behind the system's back) is noticed by deidentify, which compares the bytes that were read here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radcurate import dicom
from radcurate.dicom.plain import from_plain, to_plain
from radcurate.dicom.scan import Batch
from radcurate.dicom.tree import Found
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder
from radcurate.keys import Key

FORMAT = 1
MAC, MARK = 32, 8  # bytes: of a seal, of a file's mark
_HEAD = struct.Struct("<LL")  # bytes of the marks, of the content
PASSING = frozenset(("unreadable", "unreadable_folder", "vanished", "changed"))  # may be otherwise the next time


@dataclass(frozen=True)
class Records:
    """The records in a folder of mode 0700, one file a batch, each 0600."""

    folder: Path
    key: Key = field(repr=False)

    def keep(self, files: Sequence[Found], batch: Batch) -> str:
        """Write the record of a batch; its name. One that names a passing problem serves this run only."""
        marks = marks_of(files, self.key)
        name = hashlib.blake2b(marks, digest_size=16).hexdigest()
        passing = any(one.reason in PASSING for one in batch.unusable) or any(
            h.reason in PASSING for h in batch.headers
        )
        write_new(self.folder / name, [pack(self.key, b"" if passing else marks, batch)])
        return name

    def load(self, name: str) -> Batch:
        """A batch that was kept.

        Raises:
            CurationError: it isn't what was written.
        """
        found = unpack(self.key, (self.folder / name).read_bytes())
        if found is None:
            raise _altered()
        return found[1]()

    def names(self) -> list[str]:
        """All records there are, sorted; not what an interrupted run left half written."""
        return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))

    def forget(self, keep: set[str]) -> None:
        """Remove what no file of the input stands behind any more."""
        for path in self.folder.iterdir():
            if path.name not in keep:
                path.unlink()


@dataclass
class Known:
    """Which files stand in which record: 12 bytes a file, whatever their number."""

    names: list[str]  # of records
    marks: npt.NDArray[np.uint64]  # of files, sorted
    owners: npt.NDArray[np.int32]  # index of each one's record
    sizes: npt.NDArray[np.int64]  # files in each record

    @classmethod
    def read(cls, records: Records) -> Known:
        """Marks of all records whose seal holds; the others are deleted."""
        names, parts = [], []
        for name in records.names():
            found = unpack(records.key, (records.folder / name).read_bytes())
            if found is None or not found[0]:
                (records.folder / name).unlink()
                continue
            names.append(name)
            parts.append(np.frombuffer(found[0], np.uint64))
        sizes = np.array([len(part) for part in parts], np.int64)
        marks = np.concatenate(parts) if parts else np.empty(0, np.uint64)
        owners = np.repeat(np.arange(len(names), dtype=np.int32), sizes)
        order = np.argsort(marks, kind="stable")
        return cls(names, marks[order], owners[order], sizes)

    def owners_of(self, marks: bytes) -> npt.NDArray[np.int32]:
        """The record of each file; -1 where there is none."""
        asked = np.frombuffer(marks, np.uint64)
        if not len(self.marks):
            return np.full(len(asked), -1, np.int32)
        place = np.minimum(np.searchsorted(self.marks, asked), len(self.marks) - 1)
        return np.where(self.marks[place] == asked, self.owners[place], np.int32(-1))

    def whole(self, blocks: Iterable[bytes]) -> npt.NDArray[np.bool_]:
        """Which records have all their files still there: what identifies a patient was gathered over all of them."""
        counts = np.zeros(len(self.names), np.int64)
        for marks in blocks:
            owners = self.owners_of(marks)
            counts += np.bincount(owners[owners >= 0], minlength=len(self.names))
        return np.asarray(counts == self.sizes)


def open_records(folder: Path, key: Key) -> Records:
    """The records in `folder`, which is made where it is missing."""
    return Records(private_folder(folder), key)


def marks_of(files: Iterable[Found], key: Key) -> bytes:
    """A keyed mark of eight bytes for each file: of its path, its size, its two times and what is wrong with it."""
    secret, marks = _secret(key), []
    for file in files:
        line = f"{file.path}\0{file.size}\0{file.mtime_ns}\0{file.ctime_ns}\0{file.problem}"
        marks.append(hashlib.blake2b(line.encode("utf-8", "surrogateescape"), digest_size=MARK, key=secret).digest())
    return b"".join(marks)


def pack(key: Key, marks: bytes, batch: Batch) -> bytes:
    """A sealed record: its seal, two lengths, marks of files, and the batch as compressed JSON."""
    content = zlib.compress(json.dumps(to_plain(batch), separators=(",", ":")).encode(), 1)
    body = _HEAD.pack(len(marks), len(content)) + marks + content
    return _seal(key, body) + body


@dataclass(frozen=True)
class _Content:
    """A sealed record's content, unpacked when asked for."""

    raw: bytes = field(repr=False)

    def __call__(self) -> Batch:
        return from_plain(json.loads(zlib.decompress(self.raw)))


def unpack(key: Key, data: bytes) -> tuple[bytes, _Content] | None:
    """Marks and content of one record; None where the seal doesn't hold, before anything in it is looked at."""
    body = data[MAC:]
    if len(body) < _HEAD.size or not hmac.compare_digest(data[:MAC], _seal(key, body)):
        return None
    marks, _ = _HEAD.unpack_from(body)
    return body[_HEAD.size : _HEAD.size + marks], _Content(body[_HEAD.size + marks :])


def unpack_all(key: Key, path: Path) -> Iterator[Batch]:
    """The records that were appended to a file, one after the other.

    Raises:
        CurationError: one isn't what was written.
    """
    with path.open("rb") as stream:
        while head := stream.read(MAC + _HEAD.size):
            lengths = _HEAD.unpack(head[MAC:]) if len(head) == MAC + _HEAD.size else (0, 0)
            found = unpack(key, head + stream.read(sum(lengths)))
            if found is None:
                raise _altered()
            yield found[1]()


def write_new(path: Path, parts: Iterable[bytes]) -> None:
    """A file of mode 0600, there as a whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.writelines(parts)
    temporary.replace(path)


def append(path: Path, part: bytes) -> None:
    """Add to a file of mode 0600."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
        stream.write(part)


def _seal(key: Key, body: bytes) -> bytes:
    return key.digest("inventory-record", str(FORMAT), reader_version(), hashlib.sha256(body).hexdigest())


@cache
def _secret(key: Key) -> bytes:
    return key.digest("inventory-mark")


@cache
def reader_version() -> str:
    """Digest of the code that reads headers, with the versions of the libraries that it reads with."""
    digest = hashlib.sha256()
    for name in ("pydicom", "nibabel", "numpy"):
        digest.update(f"{name} {version(name)}\n".encode())
    for path in sorted(Path(dicom.__file__).parent.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _altered() -> CurationError:
    return CurationError(
        "what was read of the input was altered while the inventory worked with it",
        wanted="results/inventory/headers as this job wrote it",
        found="a file that is missing, torn or not of this run's key",
        fix="run snakemake again; if it happens again, look at the disk that results/ lies on",
    )
