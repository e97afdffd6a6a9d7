"""Archives for the tests, good and bad, and what became of them."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from radcurate import tables
from radcurate.keys import Key
from radcurate.settings import Fetch
from radcurate.stages import fetch

KEY = Key(bytes(range(32)))
Content = dict[str, bytes]


def zipped(path: Path, content: Content, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def tarred(path: Path, content: Content, mode: str = "w", more: Iterable[tarfile.TarInfo] = ()) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in more:
            archive.addfile(info)
    return path


def entry(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def fetched(source: Path, out: Path, threads: int = 1, **options: Any) -> Path:
    with mock.patch.object(os, "sync"):  # of the whole machine, which is busy with other tests
        fetch.run(Fetch(**options), str(source), out, KEY, threads)
    return out


def tree(out: Path) -> Content:
    """Fetched files by path."""
    files = out / "files"
    return {str(path.relative_to(files)): path.read_bytes() for path in sorted(files.rglob("*")) if path.is_file()}


def problems(out: Path) -> dict[str, str]:
    return {row["name"]: row["reason"] for row in tables.read_rows(out / "problems.parquet", tables.FETCH_PROBLEMS)}
