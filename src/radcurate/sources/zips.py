"""Members of a zip archive, one after another, in bounded memory."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from struct import unpack_from
from typing import BinaryIO

from radcurate.sources.limits import Meter
from radcurate.sources.member import Member, blocks
from radcurate.sources.refusal import Refused

METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}  # LZMA asks for as much memory as a file says
LARGEST_INDEX = 1 << 28  # bytes of the table of contents, which is read as a whole: some two million members


def zip_members(path: Path, meter: Meter) -> Iterator[Member]:
    """The members in the order of the table of contents.

    Raises:
        Refused: encrypted, packed in a way that isn't read here, too large.
        zipfile.BadZipFile: damaged or cut off; a member's content is held to its check sum.
    """
    with path.open("rb") as stream:
        _check_index(stream)
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            _check(infos, meter)
            for info in infos:
                yield _member(archive, info)


def _check_index(stream: BinaryIO) -> None:
    """Refuse a table of contents that would fill the memory (PKWARE APPNOTE 4.3.14 to 4.3.16)."""
    end = stream.seek(0, 2)
    stream.seek(max(end - 66_000, 0))
    tail = stream.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + 22 > len(tail):
        raise Refused("archive_damaged")
    size = unpack_from("<L", tail, at + 12)[0]
    if size == 0xFFFFFFFF:
        wide = tail.rfind(b"PK\6\6", 0, at)
        size = unpack_from("<Q", tail, wide + 40)[0] if 0 <= wide <= len(tail) - 48 else end
    if size > LARGEST_INDEX:
        raise Refused("archive_too_large")
    stream.seek(0)


def _check(infos: list[zipfile.ZipInfo], meter: Meter) -> None:
    if any(info.flag_bits & 0x1 or info.compress_type == 99 for info in infos):
        raise Refused("archive_encrypted")
    if any(info.compress_type not in METHODS for info in infos):
        raise Refused("archive_unsupported")
    meter.announced(sum(info.file_size for info in infos))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16 if info.create_system == 3 else 0  # 3: made on Unix

    def content() -> Iterator[bytes]:
        with archive.open(info) as stream:
            yield from blocks(stream)

    if info.is_dir() or stat.S_ISDIR(mode):
        kind = "folder"
    elif stat.S_ISLNK(mode):
        kind = "link"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        kind = "device"
    else:
        kind = "file"
    target = b"".join(content()).decode("utf-8", "replace") if kind == "link" and info.file_size < 4096 else ""
    return Member(info.filename, kind, info.file_size, content, target)
