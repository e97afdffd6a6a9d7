"""All headers of the input, read or known from before, sorted by chunk on disk: what a run keeps in memory is who is who."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radcurate.dicom.header import Unusable
from radcurate.dicom.nifti import Mask
from radcurate.dicom.patients import Register
from radcurate.dicom.scan import Batch, scan_batch
from radcurate.dicom.tree import Found
from radcurate.stages._listing import Listing
from radcurate.stages._pool import map_items
from radcurate.stages._records import Known, Records, append, marks_of, pack, unpack_all

log = logging.getLogger("radcurate")
BATCH, WAVE = 256, 64  # files a task, tasks between two lines of progress
APART = "apart"  # files of no series


@dataclass
class Scan:
    """What is kept in memory of the whole input; headers and facts wait on disk, by chunk."""

    folder: Path
    register: Register
    n_chunks: int
    masks: list[Mask] = field(default_factory=list)
    chunks: set[str] = field(default_factory=set)

    def take(self, batch: Batch) -> None:
        """Sort a batch's headers and facts by chunk and put them on disk."""
        self.masks.extend(batch.masks)
        self.register.enter(batch.headers)
        parts: dict[str, Batch] = defaultdict(Batch)
        for header in batch.headers:
            parts[self.chunk(header.patient_id)].headers.append(header)
        for patient, facts in batch.facts.items():
            parts[self.chunk(patient[0])].facts[patient] = facts
        self.chunks.update(parts)
        if batch.unusable:
            parts[APART] = Batch(unusable=batch.unusable)
        for chunk, part in parts.items():
            append(self.folder / chunk, pack(self.register.key, b"", part))

    def chunk(self, patient_id: str) -> str:
        """Chunk of a patient, five digits. The issuer is left out: it may be missing in some of the files."""
        key = self.register.key
        return f"{key.chunk(key.subject(patient_id), self.n_chunks):05d}"

    def read(self, chunk: str) -> Batch:
        """All that was put on disk for a chunk, in the order of the files' paths, whatever order they were read in."""
        whole = Batch()
        for part in unpack_all(self.register.key, self.folder / chunk):
            whole.headers.extend(part.headers)
            for patient, facts in part.facts.items():
                whole.facts.setdefault(patient, set()).update(facts)
        whole.headers.sort(key=lambda header: header.file.path)
        return whole

    def unusable(self) -> Iterator[list[Unusable]]:
        """Files that are no object of a series, some hundred at a time, in no particular order."""
        if (self.folder / APART).exists():
            for part in unpack_all(self.register.key, self.folder / APART):
                yield part.unusable


def scan_files(scan: Scan, source: Path, listing: Listing, records: Records, threads: int) -> set[str]:
    """Take all files of the listing into `scan`: from the records where they are known, else by reading them.

    Returns:
        Names of the records that now stand for the input.
    """
    known = Known.read(records)
    whole = known.whole(marks_of(block, records.key) for block in listing.blocks())
    used = {name for name, there in zip(known.names, whole, strict=True) if there}
    for name in sorted(used):
        scan.take(records.load(name))
    done = here = int(known.sizes[whole].sum())
    if here:
        log.info("inventory: %d of %d files are as they were when they were last read", here, listing.total)
    waiting = _batches(file for block in listing.blocks() for file in _new(block, known, whole, records))
    while wave := list(islice(waiting, WAVE)):
        read = partial(_read, source=source, records=records)
        for name in map_items(read, wave, threads, "inventory: reading headers"):
            scan.take(records.load(name))
            used.add(name)
        done += sum(len(batch) for batch in wave)
        if done < listing.total:
            log.info("inventory: %d of %d files read", done, listing.total)
    log.info("inventory: %d files read, %d known from before", listing.total - here, here)
    return used


def _new(block: list[Found], known: Known, whole: npt.NDArray[np.bool_], records: Records) -> Iterator[Found]:
    """The files of a block that no whole record stands for."""
    for file, owner in zip(block, known.owners_of(marks_of(block, records.key)).tolist(), strict=True):
        if owner < 0 or not whole[owner]:
            yield file


def _read(files: list[Found], source: Path, records: Records) -> str:
    """Read a batch and keep what it says; the name of its record."""
    return records.keep(files, scan_batch(files, source))


def _batches(files: Iterator[Found]) -> Iterator[list[Found]]:
    while batch := list(islice(files, BATCH)):
        yield batch
