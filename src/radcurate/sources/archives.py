"""An archive as plain files: all that is in it, or a reason why nothing of it is used.

An archive that can't be read to its end is not used at all: what is missing of a series at its end leaves no gap, and a
volume without its last slices looks like any other.
"""

from __future__ import annotations

import errno
import lzma
import posixpath
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radcurate.sources.limits import Meter
from radcurate.sources.member import Member
from radcurate.sources.names import Names, Parts, parts_of
from radcurate.sources.origin import is_archive
from radcurate.sources.peek import ENOUGH, instance_of
from radcurate.sources.refusal import Problem, Refused
from radcurate.sources.store import Stored, write
from radcurate.sources.tars import tar_members
from radcurate.sources.zips import zip_members

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    NotImplementedError,  # zipfile's word for a compression that it doesn't know
    LookupError,
    OverflowError,
    RecursionError,
    MemoryError,
)


@dataclass
class Unpacked:
    """What came out of an archive, by paths below the folder it was unpacked into."""

    files: list[Stored] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def unpack(archive: Path, folder: Path, meter: Meter, depth: int = 0) -> Unpacked:
    """Write all members of `archive` below `folder`, archives within it as folders of their names.

    Raises:
        Refused: with the reason; what was written so far is of no use.
        OSError: reading the archive or writing failed.
        CurationError: the disk is full.
    """
    try:
        return _unpack(archive, folder, meter, depth)
    except DAMAGE:
        raise Refused("archive_damaged") from None
    except OSError as error:
        if error.errno not in (
            None,
            errno.EINVAL,
        ):  # none: of a decompressor; EINVAL: the archive points outside itself
            raise
        raise Refused("archive_damaged") from None


def _unpack(archive: Path, folder: Path, meter: Meter, depth: int) -> Unpacked:
    done, names, links = Unpacked(), Names(), list[tuple[str, Member]]()
    for member in _members(archive, meter):
        if member.kind == "folder":
            continue
        meter.file()
        parts = parts_of(member.name)
        if member.kind != "file":
            links.append((written(member.name), member))
        elif parts is None:
            done.problems.append(_outside(member, meter))
        else:
            _take(member, names.give(parts), folder, meter, done, depth)
    kept = names.files
    done.problems += [Problem(name, _link_reason(member, kept)) for name, member in links]
    return done


def _members(archive: Path, meter: Meter) -> Iterator[Member]:
    with archive.open("rb") as stream:
        start = stream.read(4)
    return zip_members(archive, meter) if start[:2] == b"PK" else tar_members(archive, meter)


def _take(member: Member, parts: Parts, folder: Path, meter: Meter, done: Unpacked, depth: int) -> None:
    """Write one member; if it is an archive itself, what is in it."""
    path = "/".join(parts)
    target = folder.joinpath(*parts)
    size, digest = write(target, _metered(member.content(), meter))
    if not is_archive(parts[-1]):
        done.files.append(Stored(path, size, digest))
        return
    packed = target.with_name(f".{digest}")  # its place is for the folder
    target.rename(packed)
    try:
        if depth >= meter.limits.depth:
            raise Refused("archive_too_deep")
        inner = unpack(packed, target, meter, depth + 1)
        done.files += [Stored(f"{path}/{file.path}", file.size, file.digest) for file in inner.files]
        done.problems += [Problem(f"{path}/{p.name}", p.reason, p.size, p.series, p.sop) for p in inner.problems]
    except Refused as refused:
        if refused.reason == "archive_too_large":  # then the archive around it is
            raise
        shutil.rmtree(target, ignore_errors=True)
        done.problems.append(Problem(path, refused.reason, size))
    finally:
        packed.unlink()


def _metered(content: Iterable[bytes], meter: Meter) -> Iterator[bytes]:
    for block in content:
        meter.bytes(len(block))
        yield block


def _outside(member: Member, meter: Meter) -> Problem:
    """A member whose name leads elsewhere. It is read to learn which series lacks an instance without it."""
    start = bytearray()
    for block in _metered(member.content(), meter):
        start += block[: max(ENOUGH - len(start), 0)]
    series, sop = instance_of(bytes(start))
    return Problem(written(member.name), "member_outside", member.size, series, sop)


def written(name: str) -> str:
    """A name for a table of problems, where it opens nothing: bytes that are no text are spelt out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _link_reason(member: Member, kept: set[str]) -> str:
    if member.kind == "device":
        return "not_a_file"
    where = posixpath.dirname(member.name) if member.kind == "link" else ""
    parts = parts_of(posixpath.normpath(posixpath.join(where, member.target))) if member.target else None
    if parts is None:
        return "link_outside"
    names = Names()
    names.give(parts)
    return "link" if names.files <= kept else "broken_link"
