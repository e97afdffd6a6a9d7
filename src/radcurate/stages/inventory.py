"""inventory: find every file, read headers, group into series, link contours to images, quarantine the rest."""

from __future__ import annotations

import logging
import pickle
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from radcurate import seals, tables
from radcurate.dicom.chunk import MaskPlan, Patient, grids, patients, place_masks, settle
from radcurate.dicom.header import Header, Unusable
from radcurate.dicom.identifiers import Fact, keep_private, path_facts
from radcurate.dicom.nifti import Mask
from radcurate.dicom.patients import Register
from radcurate.dicom.rows import (
    Row,
    fact_rows,
    instance_rows,
    mask_instance_row,
    mask_row,
    series_row,
    unusable_row,
)
from radcurate.dicom.scan import Batch, scan_batch
from radcurate.dicom.series import file_digest
from radcurate.dicom.tree import Found, count_files, find_files
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.stages._command import command
from radcurate.stages._folders import empty_folder
from radcurate.stages._pool import map_items

log = logging.getLogger("radcurate")
BATCH, WAVE = 256, 64  # files a task, tasks between two writes to disk: what bounds the memory


@dataclass
class Scan:
    """What is kept in memory of the whole input; headers and facts wait on disk, by chunk."""

    folder: Path
    register: Register
    n_chunks: int
    unusable: list[Unusable] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    chunks: set[str] = field(default_factory=set)

    def take(self, batch: Batch) -> None:
        """Sort a batch's headers and facts by chunk and put them on disk."""
        self.unusable.extend(batch.unusable)
        self.masks.extend(batch.masks)
        self.register.enter(batch.headers)
        parts: dict[str, Batch] = defaultdict(Batch)
        for header in batch.headers:
            parts[self.chunk(header.patient_id)].headers.append(header)
        for patient, facts in batch.facts.items():
            parts[self.chunk(patient[0])].facts[patient] = facts
        for chunk, part in parts.items():
            self.chunks.add(chunk)
            with (self.folder / chunk).open("ab") as stream:
                pickle.dump(part, stream)

    def chunk(self, patient_id: str) -> str:
        """Chunk of a patient, five digits. The issuer is left out: it may be missing in some of the files."""
        key = self.register.key
        return f"{key.chunk(key.subject(patient_id), self.n_chunks):05d}"

    def read(self, chunk: str) -> Batch:
        """All that was put on disk for a chunk."""
        whole = Batch()
        with (self.folder / chunk).open("rb") as stream:
            while stream.peek(1):
                part: Batch = pickle.load(stream)
                whole.headers.extend(part.headers)
                for patient, facts in part.facts.items():
                    whole.facts.setdefault(patient, set()).update(facts)
        return whole


@dataclass
class Tally:
    """Counts for the summary and for the error when nothing is left."""

    files: int = 0
    series: Counter[tuple[str, str | None]] = field(default_factory=Counter)  # (image | contour | other, reason)
    apart: Counter[str] = field(default_factory=Counter)  # files of no series, by reason

    def usable(self, what: str) -> int:
        """Series of a sort that go on."""
        return self.series[what, None]

    def quarantined(self) -> list[str]:
        """Such as "slice_gap 2", most frequent first."""
        reasons: Counter[str] = Counter()
        for (_, reason), count in self.series.items():
            if reason:
                reasons[reason] += count
        return [f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]


def run(settings: Inventory, source: Path, out: Path, key: Key, threads: int) -> None:
    """Write the tables of all series and files below `source`, which is only ever read, to `out`."""
    total = _check_source(source)
    private_folder(out)
    waiting, fresh = empty_folder(out / ".scan"), empty_folder(out / ".new")
    try:
        for folder in (waiting, fresh):
            private_folder(folder)
        scan = _scan(source, Scan(waiting, Register(key), settings.n_chunks), total, threads)
        tally = _write(scan, settings, source, fresh, key)
        tally.files = total
        _summarise(tally)
        _insist_on_contours(tally)
        _publish(fresh, out)
    finally:
        for folder in (waiting, fresh):
            shutil.rmtree(folder, ignore_errors=True)


def _check_source(source: Path) -> int:
    """How many files there are.

    Raises:
        CurationError: no folder, no permission, no file.
    """
    problem = "the input folder can't be used"
    if not source.is_dir():
        found = "a file" if source.exists() else "nothing there"
        raise CurationError(problem, wanted="a folder with a DICOM export", found=found, fix="correct `input`")
    try:
        next(source.iterdir(), None)
    except OSError:
        fix = "give this user read permission on the folder and everything in it"
        raise CurationError(problem, wanted="a folder that may be read", found="no permission", fix=fix) from None
    total = count_files(source)
    if not total:
        fix = "put the export there, or correct `input`"
        raise CurationError(problem, wanted="a folder with a DICOM export", found="an empty folder", fix=fix)
    return total


def _scan(source: Path, scan: Scan, total: int, threads: int) -> Scan:
    """Read all files, a wave at a time, so that memory does not grow with their number."""
    files, done = find_files(source), 0
    while wave := list(islice(_batches(files), WAVE)):
        for batch in map_items(partial(scan_batch, source=source), wave, threads, "inventory: reading headers"):
            scan.take(batch)
        done += sum(len(batch) for batch in wave)
        if done < total:
            log.info("inventory: %d of %d files read", done, total)
    return scan


def _batches(files: Iterator[Found]) -> Iterator[list[Found]]:
    while batch := list(islice(files, BATCH)):
        yield batch


def _write(scan: Scan, settings: Inventory, source: Path, out: Path, key: Key) -> Tally:
    """Write the tables of every chunk and of the files that belong to none."""
    tally, plan = Tally(), _place_masks(scan, settings, source)
    unplaced = [unusable_row(file, key) for file in scan.unusable]
    unplaced += [unusable_row(Unusable(mask.file, reason), key) for mask, reason in plan.unplaced]
    for chunk in sorted(scan.chunks):
        content = _Chunk(chunk, key)
        batch = scan.read(chunk)
        for patient in _patients(batch.headers, scan.register, settings, source):
            settle(patient, plan)
            content.add(patient, plan, _facts_of(patient.subject, batch, scan.register))
            unplaced += [unusable_row(Unusable(stray.file, reason), key) for stray, reason in patient.strays]
        content.write(out / "chunks" / chunk)
        tally.series.update((_what(row["kind"]), row["reason"]) for row in content.series)
    _private_tables(out, [("unplaced", tables.INVENTORY_INSTANCES, unplaced)], key)
    tally.apart.update(str(row["reason"]) for row in unplaced)
    return tally


def _patients(headers: list[Header], register: Register, settings: Inventory, source: Path) -> Iterator[Patient]:
    return patients(headers, register, settings.gap_tolerance, partial(file_digest, source))


def _place_masks(scan: Scan, settings: Inventory, source: Path) -> MaskPlan:
    """Compare NIfTI masks with the grids of the whole export, which takes a pass of its own."""
    if not scan.masks:
        return MaskPlan()
    found = [
        grid
        for chunk in sorted(scan.chunks)
        for patient in _patients(scan.read(chunk).headers, scan.register, settings, source)
        for grid in grids(patient)
    ]
    return place_masks(scan.masks, found)


def _facts_of(subject: str, batch: Batch, register: Register) -> set[Fact]:
    return {fact for patient, facts in batch.facts.items() if register.subject(patient) == subject for fact in facts}


@dataclass
class _Chunk:
    """Rows of a chunk's three tables."""

    name: str
    key: Key
    series: list[Row] = field(default_factory=list)
    instances: list[Row] = field(default_factory=list)
    identifiers: list[Row] = field(default_factory=list)

    def add(self, patient: Patient, plan: MaskPlan, facts: set[Fact]) -> None:
        for series in patient.series:
            row = series_row(series, patient.subject, self.name, patient.identity, self.key)
            self.series.append(row)
            self.instances += instance_rows(series, self.key)
            for mask in plan.by_image.get(series.uid, ()):
                self.series.append(mask_row(mask, row, self.key))
                self.instances.append(mask_instance_row(mask, self.key))
                facts.update(mask.facts, path_facts(mask.file.path))
        if patient.series:
            self.identifiers += fact_rows(patient.subject, keep_private(facts))

    def write(self, folder: Path) -> None:
        if self.series:
            content: list[tuple[str, tables.Schema, list[Row]]] = [
                ("series", tables.INVENTORY_SERIES, self.series),
                ("instances", tables.INVENTORY_INSTANCES, self.instances),
                ("identifiers", tables.INVENTORY_IDENTIFIERS, self.identifiers),
            ]
            _private_tables(folder, content, self.key)


def _private_tables(folder: Path, content: Iterable[tuple[str, tables.Schema, list[Row]]], key: Key) -> None:
    private_folder(folder.parent)
    private_folder(folder)
    names = []
    for name, schema, rows in content:
        path = folder / f"{name}.parquet"
        tables.write_rows(path, schema, rows)
        path.chmod(0o600)
        names.append(path.name)
    seals.write_seal(folder, names, key)
    (folder / seals.SEAL).chmod(0o600)


def _what(kind: str) -> str:
    return kind if kind in ("image", "picture", "other") else "contour"


def _summarise(tally: Tally) -> None:
    apart = sum(tally.apart.values())
    log.info(
        "inventory: %d files, %d series; usable: %d image series, %d contours, %d series of pictures; quarantined: %s; %d files of no series%s",
        tally.files,
        sum(tally.series.values()),
        tally.usable("image"),
        tally.usable("contour"),
        tally.usable("picture"),
        ", ".join(tally.quarantined()) or "none",
        apart,
        f" ({_listed(tally.apart)})" if apart else "",
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda i: (-i[1], i[0])))


def _insist_on_contours(tally: Tally) -> None:
    """Without one usable contour there is nothing to extract.

    Raises:
        CurationError: no contour could be linked to a usable image.
    """
    if tally.usable("contour"):
        return
    counts: Counter[str] = Counter()
    for (what, _), count in tally.series.items():
        counts[what] += count
    raise CurationError(
        "no image series has a contour",
        wanted="at least one RTSTRUCT, SEG or NIfTI mask that belongs to a CT, MR or PET series",
        found=f"{tally.files} files with {counts['image']} image series, {counts['contour']} contour series, "
        f"{counts['picture'] + counts['other']} other series; quarantined: {', '.join(tally.quarantined()) or 'none'}; "
        f"files of no series: {_listed(tally.apart) or 'none'}",
        fix="export the contours together with their images; the reasons above say what kept the others out",
    )


def _publish(fresh: Path, out: Path) -> None:
    """Move the new tables into place, once all of them are written."""
    for path in sorted(fresh.iterdir()):
        if (out / path.name).is_dir():
            shutil.rmtree(out / path.name)
        path.replace(out / path.name)


if __name__ == "__main__":
    command(run)
