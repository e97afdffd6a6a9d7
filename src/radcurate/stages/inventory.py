"""inventory: find every file, read headers, group into series, link contours to images, quarantine the rest."""

from __future__ import annotations

import logging
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa

from radcurate import seals, tables
from radcurate.dicom import judged
from radcurate.dicom.chunk import MaskPlan, Patient, grids, patients, place_masks, settle
from radcurate.dicom.header import Header, Unusable
from radcurate.dicom.identifiers import Fact, keep_private, path_facts
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
from radcurate.dicom.scan import Batch
from radcurate.dicom.series import file_digest
from radcurate.errors import CurationError
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.reruns.touched import Stamps, read_note, restamp
from radcurate.settings import Inventory
from radcurate.stages._command import command
from radcurate.stages._fetched import Missing, read_fetched
from radcurate.stages._folders import empty_folder
from radcurate.stages._listing import Listing, list_files
from radcurate.stages._records import open_records
from radcurate.stages._scan import Scan, scan_files

log = logging.getLogger("radcurate")
LARGEST_JUDGED, MOST_JUDGED = 4 << 20, 1 << 30  # bytes of a file that belongs to no series, and of all of them
SCHEMA = tables.INVENTORY_INSTANCES
MILLION = 10**6


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


def run(settings: Inventory, source: Path, out: Path, key: Key, threads: int, fetched: Sequence[Path] = ()) -> None:
    """Write the tables of all series and files below `source`, which is only ever read, to `out`.

    `fetched`: the seal of fetch, where it made the files below `source`.
    """
    _check_source(source)
    given = read_fetched(fetched, source, key)
    private_folder(out)
    records = open_records(out / "headers", key)
    waiting, fresh = empty_folder(out / ".scan"), empty_folder(out / ".new")
    try:
        for folder in (waiting, fresh):
            private_folder(folder)
        listing = _list_files(source, waiting / "files", settings.largest_file * MILLION, given.root)
        scan = Scan(waiting, Register(key), settings.n_chunks)
        used = scan_files(scan, source, listing, records, threads)
        tally = _write(scan, settings, source, fresh, key, given.missing, read_note(out.parent).stamps)
        tally.files = listing.total
        _summarise(tally)
        _insist_on_contours(tally)
        _publish(fresh, out)
        records.forget(keep=used)
    finally:
        for folder in (waiting, fresh):
            shutil.rmtree(folder, ignore_errors=True)


def _check_source(source: Path) -> None:
    """Insist on a folder that can be listed.

    Raises:
        CurationError: no folder, no permission.
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


def _list_files(source: Path, path: Path, largest: int, linked: str | None) -> Listing:
    """All files there are; links into the folder `linked` are files too.

    Raises:
        CurationError: there is none.
    """
    listing = list_files(source, path, largest, linked)
    if not listing.total:
        fix = "put the export there, or correct `input`"
        wanted = "a folder with a DICOM export"
        raise CurationError("the input folder can't be used", wanted=wanted, found="an empty folder", fix=fix)
    return listing


def _write(
    scan: Scan, settings: Inventory, source: Path, out: Path, key: Key, missing: Missing, stamps: Stamps
) -> Tally:
    """Write the tables of every chunk and of the files that belong to none."""
    tally, plan = Tally(), _place_masks(scan, settings, source)
    apart = _Apart(key, source)
    for files in scan.unusable():
        apart.add(files)
        missing.look(files, source)
    apart.add([Unusable(mask.file, reason) for mask, reason in plan.unplaced])
    for chunk in sorted(scan.chunks):
        content = _Chunk(chunk, key, stamps)
        batch = scan.read(chunk)
        facts = _facts(batch, scan.register)
        for patient in _patients(batch.headers, scan.register, settings, source):
            missing.mark(patient)
            settle(patient, plan)
            content.add(patient, plan, facts[patient.subject])
            apart.add([Unusable(stray.file, reason) for stray, reason in patient.strays])
        content.write(out / "chunks" / chunk)
        tally.series.update((_what(row["kind"]), row["reason"]) for row in content.series)
    apart.add(missing.unusable())
    _private_tables(out, [("unplaced", restamp(apart.table(), stamps))], key)
    tally.apart = apart.reasons
    return tally


def _patients(headers: list[Header], register: Register, settings: Inventory, source: Path) -> Iterator[Patient]:
    """Patients of a chunk, with what is too large to be worked with."""
    for patient in patients(headers, register, settings.gap_tolerance, partial(file_digest, source)):
        for series in patient.series:
            if series.samples > settings.largest_image * MILLION:
                series.problems.add("too_large")
        yield patient


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


def _facts(batch: Batch, register: Register) -> dict[str, set[Fact]]:
    """What identifies each patient of a chunk, by pseudonym."""
    found: dict[str, set[Fact]] = defaultdict(set)
    for patient, facts in batch.facts.items():
        found[register.subject(patient)] |= facts
    return found


@dataclass
class _Apart:
    """Rows of files that belong to no series, in columns: there may be a million of them."""

    key: Key
    source: Path
    budget: int = MOST_JUDGED  # bytes that are still read for digests
    parts: list[pa.Table] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, files: list[Unusable]) -> None:
        if files:
            self.reasons.update(file.reason for file in files)
            rows = [unusable_row(file, self.key) | self._digest(file) for file in files]
            self.parts.append(tables.table(SCHEMA, rows))

    def _digest(self, file: Unusable) -> Row:
        """Of the whole file, so that one that was only touched is known again; large ones are not worth it."""
        found = file.file
        if found.problem or not 0 <= found.size <= min(self.budget, LARGEST_JUDGED):
            return {}
        self.budget -= found.size
        try:
            with (self.source / found.path).open("rb") as stream:
                digest = judged.of_file(stream, found.size, found.size, 0)
        except OSError:
            return {}
        return {"head_bytes": found.size, "tail_bytes": 0, "digest": digest}

    def table(self) -> pa.Table:
        return tables.sort(SCHEMA, pa.concat_tables(self.parts)) if self.parts else tables.table(SCHEMA, [])


@dataclass
class _Chunk:
    """Rows of a chunk's three tables."""

    name: str
    key: Key
    stamps: Stamps
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
            content = [
                ("series", tables.table(tables.INVENTORY_SERIES, self.series)),
                ("instances", restamp(tables.table(SCHEMA, self.instances), self.stamps)),
                ("identifiers", tables.table(tables.INVENTORY_IDENTIFIERS, self.identifiers)),
            ]
            _private_tables(folder, content, self.key)


def _private_tables(folder: Path, content: Iterable[tuple[str, pa.Table]], key: Key) -> None:
    private_folder(folder.parent)
    private_folder(folder)
    names = []
    for name, table in content:
        path = folder / f"{name}.parquet"
        tables.write(path, table)
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
