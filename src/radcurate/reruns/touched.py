"""The state of the input, in which a file that was only touched counts as it was.

Exports are copied again, and every file has another time then. What a later stage read is proved to be the same by the
digests that it noted; what only the inventory judged, by the digest of what that judged by. A proved file keeps the time
at which its content was first seen (its stamp), so that neither the inventory nor anything after it runs again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from radcurate import tables
from radcurate.dicom import fingerprint, judged
from radcurate.dicom.tree import Found, find_files
from radcurate.errors import CurationError
from radcurate.identity.files import write_private
from radcurate.keys import Key
from radcurate.seals import check_seal

NOTE = ".source.json"
MOST_BYTES = 20 << 30  # of touched files that a plan reads, minutes; of more, the inventory says what changed
Digests = tuple[str, str | None]  # BLAKE3 of the header, and of the pixels
Digest = Callable[[bytes], Digests]
Stamps = Mapping[tuple[str, int, int], int]  # (keyed code, size, time now) → time at which this content was first seen


@dataclass(frozen=True)
class Note:
    """What an earlier plan found: the raw state of the input, what it amounts to, and what was proved for that."""

    raw: str = ""
    state: str = ""
    stamps: Stamps = field(default_factory=dict)


@dataclass
class Known:
    """What the last run knows of a file."""

    size: int
    mtime_ns: int
    read: tuple[int, int, str] | None = None  # how many bytes the inventory judged by, first and last, and their digest
    used: bool = False  # permitted: a later stage reads all of it
    whole: Digests | None = None  # of what the later stage read


def source_state(source: Path, results: Path, key: Key, digest: Digest) -> str:
    """Digest of the input's files: names, sizes and the times at which their content was first seen.

    Args:
        source: the input folder, which is only read.
        results: of the run.
        key: of the project; files are noted by their keyed codes.
        digest: gives the digests of a DICOM file as deidentify notes them.
    """
    raw = fingerprint(source)
    note = read_note(results)
    if raw == note.raw:
        return note.state
    if not (results / "inventory" / "chunks").is_dir():
        return raw
    stamps = _prove(source, results, key, digest, note.stamps)
    state = fingerprint(source, lambda found: stamp_of(found, stamps, key)) if stamps else raw
    _write_note(results, Note(raw, state, stamps))
    return state


def stamp_of(found: Found, stamps: Stamps, key: Key) -> int:
    """The time at which a file's content was first seen, ns: its own time unless it was only touched since."""
    if not stamps:
        return found.mtime_ns
    return stamps.get((key.file_code(found.path), found.size, found.mtime_ns), found.mtime_ns)


def restamp(files: pa.Table, stamps: Stamps) -> pa.Table:
    """Rows of the inventory's files; those that were only touched get back the time at which they were first seen."""
    if not stamps:
        return files
    names = ("file", "size", "mtime_ns")
    now = zip(*(files[name].to_pylist() for name in names), strict=True)
    times = [stamps.get(one, one[2]) for one in now]
    return files.set_column(files.column_names.index("mtime_ns"), "mtime_ns", pa.array(times, pa.int64()))


def read_note(results: Path) -> Note:
    """The note of the last plan; an empty one where there is none that can be read."""
    try:
        content = json.loads((results / NOTE).read_text())
        stamps = {(str(code), int(size), int(now)): int(first) for code, size, now, first in content["stamps"]}
        return Note(str(content["raw"]), str(content["state"]), stamps)
    except (OSError, ValueError, KeyError, TypeError):
        return Note()


def remember_state(results: Path, state: str) -> None:
    """Note a state for the jobs of a cluster, which don't look at the whole export again."""
    if read_note(results).state != state:
        _write_note(results, Note(state, state))


def _write_note(results: Path, note: Note) -> None:
    """A disk that is full costs the next plan some time, and no run."""
    stamps = [[*now, first] for now, first in sorted(note.stamps.items())]
    content = {"raw": note.raw, "state": note.state, "stamps": stamps}
    with contextlib.suppress(OSError):
        write_private(results / NOTE, (json.dumps(content) + "\n").encode())


def _prove(source: Path, results: Path, key: Key, digest: Digest, earlier: Stamps) -> dict[tuple[str, int, int], int]:
    """Stamps of the files that have another time than the last run saw, and the same content."""
    known = _recorded(results, key)
    touched = [(found, code) for found, code in _files(source, key) if _is_touched(found, known.get(code))]
    if sum(found.size for found, _ in touched) > MOST_BYTES:
        return {}
    _add_evidence({code for _, code in touched}, known, results, key)
    stamps = {}
    for found, code in touched:
        now, first = (code, found.size, found.mtime_ns), known[code].mtime_ns
        if earlier.get(now) == first or _is_same(source / found.path, known[code], digest):
            stamps[now] = first
    return stamps


def _files(source: Path, key: Key) -> Iterator[tuple[Found, str]]:
    return ((found, key.file_code(found.path)) for found in find_files(source) if found.problem is None)


def _is_touched(found: Found, known: Known | None) -> bool:
    return known is not None and known.size == found.size and known.mtime_ns != found.mtime_ns


def _is_same(path: Path, known: Known, digest: Digest) -> bool:
    """Whether everything that was read of the file is as it was."""
    try:
        if known.read and (known.read[0] == known.size or not known.used):
            head, tail, noted = known.read
            with path.open("rb") as stream:
                return judged.of_file(stream, known.size, head, tail) == noted
        return known.whole is not None and digest(path.read_bytes()) == known.whole
    except Exception:  # a file that can't be read as before is not as before
        return False


def _recorded(results: Path, key: Key) -> dict[str, Known]:
    """What the inventory knows of every file, by its code."""
    known: dict[str, Known] = {}
    inventory = results / "inventory"
    for path in [*sorted((inventory / "chunks").glob("*/instances.parquet")), inventory / "unplaced.parquet"]:
        for row in _rows(path, key):
            known[row["file"]] = Known(row["size"], row["mtime_ns"], _judged(row))
    return known


def _judged(row: Mapping[str, Any]) -> tuple[int, int, str] | None:
    head, tail, digest = row["head_bytes"], row["tail_bytes"], row["digest"]
    return None if head is None or digest is None else (head, tail or 0, digest)


def _add_evidence(codes: set[str], known: dict[str, Known], results: Path, key: Key) -> None:
    """Which of the files later stages read, and what these noted of them."""
    for path in sorted((results / "consent" / "chunks").glob("*/instances.parquet")) if codes else ():
        here = {row["file"] for row in _rows(path, key)} & codes
        for code in here & known.keys():
            known[code].used = True
        cleaned = results / "deidentify" / path.parent.name / "instances.parquet"
        for row in _rows(cleaned, key) if here and cleaned.is_file() else ():
            if row["file"] in here & known.keys():
                known[row["file"]].whole = (row["header_source"], row["pixels_source"])


def _rows(path: Path, key: Key) -> Iterable[dict[str, Any]]:
    """Rows of a sealed table; none where the seal does not hold, and so no proof."""
    try:
        check_seal(path.parent, key)
        return tables.read_rows(path)
    except (CurationError, OSError, ValueError):
        return ()
