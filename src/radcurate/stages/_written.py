"""The image files that a stage wrote, by size and digest, so that the next one works on these and no others.

A disk may lose bytes, a power cut may tear files, a person may edit them. Each series is held to the list by the process
that is about to read it, which costs a tenth of a millisecond for a slice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from blake3 import blake3

from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.stages._folders import entries, files_in
from radcurate.tables.written import STAGE_FILES

FILES, DICOM = "files.parquet", "dicom"
BLOCK = 1 << 20  # bytes


class Written(NamedTuple):
    """Of a file: bytes, and BLAKE3 of the first `split` of them and of the others.

    In two parts, since deidentify has hashed header and pixels already.
    """

    size: int
    split: int
    head: bytes
    rest: bytes


Listing = Mapping[str, Mapping[str, Written]]  # by folder and name


def written_as(path: Path, split: int | None = None) -> Written:
    """Size and digests of a file as it is now; all of it is `head` where no `split` is given."""
    head, rest, size = blake3(), blake3(), 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            here = len(block) if split is None else max(0, min(len(block), split - size))
            head.update(block[:here])
            rest.update(block[here:])
            size += len(block)
    return Written(size, size if split is None else split, head.digest(), rest.digest())


def list_files(dicom: Path, known: tuple[Path, Listing] | None = None) -> Listing:
    """Of all files below a folder of series' folders.

    Args:
        dicom: holds a folder for each series.
        known: the folder of the stage before and its listing, which a file that is linked from there keeps unread.
    """
    source, listing = known or (None, {})
    return {
        folder.name: {
            path.name: _linked(path, source, listing.get(folder.name, {})) or written_as(path)
            for path in files_in(folder)
        }
        for folder in entries(dicom)
        if folder.is_dir()
    }


def _linked(path: Path, source: Path | None, listing: Mapping[str, Written]) -> Written | None:
    before = source and source / path.parent.name / path.name
    return listing[path.name] if before and path.name in listing and before.exists() and path.samefile(before) else None


def seal(out: Path, names: Iterable[str], key: Key, listing: Listing | None = None) -> None:
    """Write the list of the files below out/dicom and the seal over it and the named tables.

    Args:
        out: folder of a stage and chunk.
        names: of its other tables.
        key: the project key.
        listing: of the files; None: they are read.
    """
    listing = list_files(out / DICOM) if listing is None else listing
    rows = (
        {"folder": folder, "name": name, **written._asdict()}
        for folder in listing
        for name, written in listing[folder].items()
    )
    tables.write_rows(out / FILES, STAGE_FILES, rows)
    seals.write_seal(out, [*names, FILES], key)


def sealed_listing(folder: Path, key: Key) -> Listing:
    """The listing that the seal of a stage's folder holds.

    Raises:
        CurationError: the seal doesn't hold, or there is no list.
    """
    if FILES not in seals.check_seal(folder, key):
        raise CurationError(
            f"{seals.named(folder)} has no list of its files", wanted=FILES, found="none", fix=seals.remedy(folder)
        )
    found: dict[str, dict[str, Written]] = {}
    for row in tables.read_rows(folder / FILES, STAGE_FILES):
        found.setdefault(row["folder"], {})[row["name"]] = Written(row["size"], row["split"], row["head"], row["rest"])
    return found


def insist(folder: Path, listing: Mapping[str, Written] | None) -> None:
    """Hold the folder of a series, <stage>/<chunk>/dicom/<series>, to what its stage wrote.

    Raises:
        CurationError: a file differs, is gone or is one too many.
    """
    listing = listing or {}
    there = {path.name for path in files_in(folder)} if folder.is_dir() else set()
    counts = {
        "gone": len(listing.keys() - there),
        "more than there were": len(there - listing.keys()),
        "that differ": sum(_differs(folder / name, listing[name]) for name in sorted(there & listing.keys())),
    }
    if any(counts.values()):
        stage = folder.parent.parent
        raise CurationError(
            f"files of {seals.named(stage)} are not as they were written",
            wanted=f"{len(listing)} files as {stage.parent.name} wrote them",
            found=", ".join(f"{count} {what}" for what, count in counts.items() if count),
            fix=seals.remedy(stage),
            where=("series", folder.name),
        )


def _differs(path: Path, written: Written) -> bool:
    return path.stat().st_size != written.size or written_as(path, written.split) != written


def written_of(parts: Sequence[bytes | memoryview], digests: tuple[str, str | None]) -> Written:
    """Of a file that was written in these parts, with what is known of them: BLAKE3 of header and pixels, hexadecimal."""
    size = sum(map(len, parts))
    if len(parts) == 2 and digests[1] is not None:
        return Written(size, len(parts[0]), bytes.fromhex(digests[0]), bytes.fromhex(digests[1]))
    whole = blake3()
    for part in parts:
        whole.update(part)
    return Written(size, size, whole.digest(), blake3().digest())
