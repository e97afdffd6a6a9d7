"""Media with a DICOMDIR: which files the index names, and which of them are not there (PS3.3 annex F).

The index is held to what lies there, not the other way round: files that it doesn't name are taken as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pydicom import dcmread
from pydicom.config import disable_value_validation

LARGEST = 64 << 20  # bytes of an index that is read: some 150,000 records
WANTED = ["DirectoryRecordSequence", "OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity"]


@dataclass(frozen=True)
class Named:
    """A file that an index names. path: below the folder of the index, as written there; series and sop where it says."""

    path: str = field(repr=False)
    series: str | None = field(repr=False)
    sop: str | None = field(repr=False)


@dataclass(frozen=True)
class _Record:
    kind: str
    place: int
    next: int
    lower: int
    file: tuple[str, ...]
    series: str | None
    sop: str | None


def named_files(index: Path) -> list[Named]:
    """The files that a DICOMDIR names; none where it can't be read, which the inventory tells of its header."""
    try:
        if index.stat().st_size > LARGEST:
            return []
        with disable_value_validation():
            dataset = dcmread(index, specific_tags=list(WANTED))
            records = [_record(item) for item in dataset.get("DirectoryRecordSequence") or ()]
    except Exception:  # pydicom raises many kinds on what is damaged
        return []
    series = _series_of(records)
    return [
        Named("/".join(record.file), series.get(record.place), record.sop)
        for record in records
        if record.file and ".." not in record.file
    ]


def missing_files(index: Path) -> Iterator[Named]:
    """Those of `named_files` that aren't there, by names without regard to case and to what discs add to them."""
    folders: dict[PurePosixPath, dict[str, str]] = {}
    for named in named_files(index):
        if _find(index.parent, PurePosixPath(named.path), folders) is None:
            yield named


def _record(item: Any) -> _Record:
    file = item.get("ReferencedFileID") or ()
    parts = (file,) if isinstance(file, str) else file
    return _Record(
        kind=str(item.get("DirectoryRecordType") or ""),
        place=int(getattr(item, "seq_item_tell", 0) or 0),
        next=int(item.get("OffsetOfTheNextDirectoryRecord") or 0),
        lower=int(item.get("OffsetOfReferencedLowerLevelDirectoryEntity") or 0),
        file=tuple(name for part in parts if (name := str(part).strip(" \0").replace("/", "_")) not in ("", ".")),
        series=str(item.get("SeriesInstanceUID") or "") or None,
        sop=str(item.get("ReferencedSOPInstanceUIDInFile") or "") or None,
    )


def _series_of(records: list[_Record]) -> dict[int, str]:
    """SeriesInstanceUID by place of the records below it: along the chain of offsets, or else the series before it."""
    by_place = {record.place: record for record in records}
    found: dict[int, str] = {}
    for record in records:
        if record.kind != "SERIES" or not record.series:
            continue
        place = record.lower
        while place in by_place and place not in found and by_place[place].kind != "SERIES":
            found[place] = record.series
            place = by_place[place].next
    last: str | None = None
    for record in records:
        if record.kind in ("PATIENT", "STUDY", "SERIES"):
            last = record.series
        elif last:
            found.setdefault(record.place, last)
    return found


def _find(root: Path, path: PurePosixPath, folders: dict[PurePosixPath, dict[str, str]]) -> Path | None:
    """The file at `path`, each name looked up in the listing of its folder."""
    here = PurePosixPath()
    for part in path.parts:
        names = folders.get(here)
        if names is None:
            names = folders[here] = _listing(root / here)
        name = names.get(_plain(part))
        if name is None:
            return None
        here /= name
    return root / here


def _listing(folder: Path) -> dict[str, str]:
    try:
        return {_plain(path.name): path.name for path in sorted(folder.iterdir())}
    except OSError:
        return {}


def _plain(name: str) -> str:
    """A name as ISO 9660 knows it: capitals, without version and final dot."""
    return name.split(";")[0].rstrip(".").upper()
