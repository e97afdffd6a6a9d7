"""Members of a tar archive, plain or compressed, read from front to back in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from radcurate.sources.limits import Meter
from radcurate.sources.member import Member, Readable, blocks
from radcurate.sources.refusal import Refused

HEADERS = 1 << 20  # bytes that may lie between the contents of two members: names, extended headers
READ = 1 << 16  # bytes read at a time: less than HEADERS, for it reads ahead
MEMORY = 1 << 28  # bytes that an xz archive may ask for
KINDS = {tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard", tarfile.DIRTYPE: "folder"}
FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}


class Strict(tarfile.TarInfo):
    """A header as it must be. The library takes a damaged one, or none, for the end of the archive; zeros alone are."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Strict:
        """The header in a block of 512 bytes."""
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise Refused("archive_damaged") from None


class Xz:
    """An xz stream, within a limit of memory; the standard library's file object has none."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._unpack = raw, self._new()

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        while True:
            if self._unpack.eof:
                rest = self._unpack.unused_data or self._raw.read(1 << 16)
                if not rest.strip(b"\0"):  # padding between and after streams is zeros
                    return b""
                self._unpack = self._new()
                block = self._unpack.decompress(rest.lstrip(b"\0"), size)
            else:
                more = self._raw.read(1 << 16) if self._unpack.needs_input else b""
                if self._unpack.needs_input and not more:
                    raise EOFError
                block = self._unpack.decompress(more, size)
            if block:
                return block


class Budget:
    """A stream that counts, and gives no more than it is told to until it is told again."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self.count, self.most = stream, 0, 0

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes."""
        data = self._stream.read(size)
        self.count += len(data)
        if self.count > self.most:
            raise Refused("archive_damaged")
        return data

    def allow(self, count: int) -> None:
        """Let `count` more bytes pass from here."""
        self.most = self.count + count


def tar_members(path: Path, meter: Meter) -> Iterator[Member]:
    """The members in the order of the archive; the content of each must be read before the next.

    Raises:
        Refused: holes declared by a sparse member, headers without end.
        tarfile.TarError, EOFError, OSError, ...: damaged or cut off, also where it ends between two members.
    """
    with path.open("rb") as raw:
        budget = Budget(_unpacked(raw))
        budget.allow(HEADERS)
        with tarfile.open(fileobj=budget, mode="r|", tarinfo=Strict, errors="surrogateescape", bufsize=READ) as archive:  # type: ignore[call-overload]
            while True:
                budget.allow(HEADERS)
                info = archive.next()
                archive.members.clear()  # the library keeps them all otherwise
                if info is None:
                    break
                budget.allow(HEADERS + max(info.size, 0))
                yield _member(archive, info)
        _drain(budget, meter)


def _drain(budget: Budget, meter: Meter) -> None:
    """Read to the end of the compressed stream, whose check sum comes last."""
    while True:
        budget.allow(HEADERS)
        block = budget.read(HEADERS)
        if not block:
            return
        meter.bytes(len(block))


def _unpacked(raw: BinaryIO) -> Readable:
    """The stream without its compression, by the first bytes of it."""
    start = raw.read(6)
    raw.seek(0)
    if start[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=raw, mode="rb")
    if start[:3] == b"BZh":
        return bz2.BZ2File(raw)
    if start == b"\xfd7zXZ\0":
        return Xz(raw)
    if start[:4] == b"\x28\xb5\x2f\xfd":
        stream: Any = pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
        return stream  # type: ignore[no-any-return]
    return raw


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    def content() -> Iterator[bytes]:
        stream = archive.extractfile(info)
        if stream is not None:
            yield from blocks(stream)

    if info.issparse():
        raise Refused("archive_unsupported")
    kind = "file" if info.type in FILES else KINDS.get(info.type, "device")
    return Member(info.name, kind, info.size if kind == "file" else 0, content, info.linkname)
