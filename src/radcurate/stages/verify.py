"""Read everything that was written about a chunk, search it for every original identifier, and hold it to its sources."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from radcurate import losses, seals, tables
from radcurate.canary import specimens
from radcurate.errors import CurationError, place_of
from radcurate.keys import Key
from radcurate.settings import Verify
from radcurate.stages._command import command
from radcurate.stages._folders import empty_folder, entries
from radcurate.stages._pool import map_items
from radcurate.stages._written import Listing, insist, sealed_listing
from radcurate.verify import canaries, marks
from radcurate.verify.outside import Allowed, Rectangle
from radcurate.verify.subject import REMEDIES, Cell, Job, Verdict, as_rows, attribute_rows, judge
from radcurate.verify.twins import Twin

log = logging.getLogger("radcurate")
# what the program writes in words of its own: a patient called Head is not leaked by the code head_with_face
PROGRAM = frozenset(["status", "reason", "remedy", "decision", "action", "keyword", "tag", "kind", "face", "link"])
TABLES = ("series.parquet", "hits.parquet", "attributes.parquet", "canary.parquet")
ROWS = 4096  # of a table, looked at together
DEVICES = "device_identity"
RUNS_ANEW = "delete results/verify of this chunk and run again; if it stays, report the code after the colon"


@dataclass(frozen=True)
class Folders:
    """What is read. chunk: results/consent/chunks/<chunk>; deidentified, redacted and cleaned: results/deidentify, redact and
    deface/<chunk>."""

    source: Path
    chunk: Path
    deidentified: Path
    redacted: Path | None
    cleaned: Path


def run(
    settings: Verify,
    source: Path,
    chunk: Path,
    deidentified: Path,
    cleaned: Path,
    safe_private: list[Path],
    out: Path,
    key: Key,
    threads: int,
    redacted: Sequence[Path] = (),
) -> None:
    """Verify one chunk.

    Args:
        settings: section verify of the configuration.
        source: the export, whose headers and pixels are read again.
        chunk: results/consent/chunks/<chunk>, the original identifiers.
        deidentified: results/deidentify/<chunk>.
        cleaned: results/deface/<chunk>, whose files are read whole.
        safe_private: the table of private attributes that may stay, or nothing.
        out: results/verify/<chunk>.
        key: the project key.
        threads: processes, one patient each.
        redacted: results/redact/<chunk>, or nothing where no box may have been filled.

    Raises:
        CurationError: a seal doesn't hold, there are files that belong to no series, or a canary came through.
    """
    folders = Folders(source, chunk, deidentified, redacted[0] if redacted else None, cleaned)
    listing = sealed_listing(cleaned, key)
    for folder in (chunk, deidentified, *redacted):
        seals.check_seal(folder, key)
    rows = [
        row for row in tables.read_rows(cleaned / "series.parquet", tables.DEFACE_SERIES) if row["status"] == tables.OK
    ]
    _require_known_folders(cleaned)
    sung = canaries.judge(specimens(), deidentified / "canary", settings.shortest)
    safe = frozenset(place for path in safe_private for place in marks.safe_private(path.read_text("utf-8")))
    jobs = _jobs(rows, folders, settings, safe, key)
    judged = map_items(partial(_judged, listing), jobs, threads, "verify", _lost, lambda job: len(job.series))
    verdicts = {verdict.series: verdict for found in judged for verdict in found}
    empty_folder(out)
    done = [_row(row, verdicts[row["series"]]) for row in rows]
    _write(out, done, list(verdicts.values()), sung, key)
    canaries.insist(sung)


def _write(
    out: Path, done: list[dict[str, Any]], verdicts: list[Verdict], sung: list[dict[str, Any]], key: Key
) -> None:
    hits = [hit for verdict in verdicts for hit in as_rows(verdict)]
    attributes = [row for verdict in verdicts for row in attribute_rows(verdict)]
    tables.write_rows(out / "series.parquet", tables.VERIFY_SERIES, done)
    tables.write_rows(out / "hits.parquet", tables.VERIFY_HITS, hits)
    tables.write_rows(out / "attributes.parquet", tables.VERIFY_ATTRIBUTES, attributes)
    tables.write_rows(out / "canary.parquet", tables.VERIFY_CANARY, sung)
    seals.write_seal(out, list(TABLES), key)
    log.info(
        "verify: %d series, %d files, %d equal to their sources, %d hits, %d failed; %d canaries, %d left",
        len(done), sum(row["files"] for row in done), sum(row["paired"] for row in done), len(hits),
        sum(row["status"] != tables.OK for row in done),
        sum(row["planted"] for row in sung), sum(row["left"] for row in sung),
    )  # fmt: skip


def _require_known_folders(cleaned: Path) -> None:
    """A folder or file beside the series' own would escape the search of any patient."""
    known = {
        row["folder"] or row["series"] for row in tables.read_rows(cleaned / "series.parquet", tables.DEFACE_SERIES)
    }
    found = {path.name for path in entries(cleaned / "dicom")}
    if found - known:
        raise CurationError(
            "there are files of no series",
            wanted="one folder for each series of the chunk",
            found=f"{len(found - known)} more",
            fix="delete results/deface of this chunk and run snakemake again",
        )


def _jobs(rows: list[dict[str, Any]], folders: Folders, settings: Verify, safe: marks.Safe, key: Key) -> list[Job]:
    identifiers: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in tables.read_rows(folders.chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS):
        identifiers[row["subject"]].append({name: row[name] or "" for name in ("category", "keyword", "value")})
    cells: dict[str, list[Cell]] = defaultdict(list)
    for folder in filter(None, (folders.deidentified, folders.redacted, folders.cleaned)):
        for cell in _cells(folder):
            cells[cell.series].append(cell)
    twins, allowed = _twins(folders), _allowed(folders)
    devices = DEVICES in _options(folders.deidentified)
    jobs = []
    for subject in sorted({row["subject"] for row in rows}):
        if not identifiers[subject]:
            raise _nothing_to_search()
        mine = [row for row in rows if row["subject"] == subject]
        own = {row["series"]: row["n_instances"] or 0 for row in mine}
        job = Job(
            subject=subject,
            identifiers=identifiers[subject],
            series=own,
            folder=folders.cleaned / "dicom",
            cells=[cell for series in own for cell in cells[series]] + _shared(cells[""], own),
            shortest=settings.shortest,
            harmless=frozenset(word.casefold() for word in settings.harmless),
            twins={(series, name): twin for series in own for name, twin in twins.get(series, {}).items()},
            allowed={place: found for place, found in allowed.items() if place[0] in own},
            kinds={row["series"]: row["kind"] for row in mine},
            reread={series: _sample(key, series, twins.get(series, {}), settings.reread) for series in own},
            devices=devices,
            safe=safe,
        )
        jobs.append(job)
    return jobs


def _twins(folders: Folders) -> dict[str, dict[str, Twin]]:
    """By series and file name: the source of each DICOM file, through the file's code."""
    paths = {
        row["file"]: folders.source / row["path"]
        for row in tables.read_rows(folders.chunk / "instances.parquet", tables.INVENTORY_INSTANCES)
    }
    found: dict[str, dict[str, Twin]] = defaultdict(dict)
    for row in tables.read_rows(folders.deidentified / "instances.parquet", tables.DEIDENTIFY_INSTANCES):
        if row["file"] in paths:
            found[row["series"]][row["name"]] = Twin(paths[row["file"]], row["header"], row["pixels"])
    return found


def _allowed(folders: Folders) -> dict[tuple[str, str], Allowed]:
    """Where redact filled boxes and deface removed voxels, as their sealed tables say, by series and file name."""
    boxes: dict[tuple[str, str], dict[int, list[Rectangle]]] = defaultdict(lambda: defaultdict(list))
    if folders.redacted is not None:
        for row in tables.read_rows(folders.redacted / "boxes.parquet", tables.REDACT_BOXES):
            if row["filled"]:
                box = (row["top"], row["left"], row["bottom"], row["right"])
                boxes[row["series"], row["name"]][row["frame"]].append(box)
    masks: dict[tuple[str, str], dict[int, tuple[int, ...]]] = defaultdict(dict)
    path = folders.cleaned / "masks.parquet"
    for row in tables.read_rows(path, tables.DEFACE_MASKS) if path.is_file() else ():
        masks[row["series"], row["name"]][row["frame"]] = tuple(row["runs"])
    return {
        place: Allowed({frame: tuple(found) for frame, found in boxes[place].items()}, masks[place])
        for place in sorted({*boxes, *masks})
    }


def _sample(key: Key, series: str, names: Iterable[str], share: float) -> frozenset[str]:
    """The files that pydicom reads again: a keyed share, so that nobody knows beforehand which; one at least."""
    drawn = sorted((int.from_bytes(key.digest("reread", series, name)[:8], "big"), name) for name in names)
    return frozenset(name for number, name in drawn if number < share * 2**64) | {name for _, name in drawn[:1]}


def _options(deidentified: Path) -> frozenset[str]:
    """Options of PS3.15 that deidentify says it claims."""
    path = deidentified / "policy.json"
    content = json.loads(path.read_text()) if path.is_file() else {}
    return frozenset(str(option) for option in content.get("options", []))


def _nothing_to_search() -> CurationError:
    return CurationError(
        "a patient has no identifiers to search for",
        wanted="at least the PatientID in identifiers.parquet",
        found="none",
        fix="delete results/inventory and run snakemake again",
    )


def _shared(cells: list[Cell], own: Mapping[str, int]) -> list[Cell]:
    """Texts about no series in particular count for every series of the patient."""
    return [
        Cell(series, cell.table, cell.column, cell.text, cell.program, cell.day) for series in own for cell in cells
    ]


def _cells(folder: Path) -> Iterator[Cell]:
    """Every text in the tables, their metadata and the JSON files of a stage's folder, and the names of its pictures."""
    stage = folder.parent.name
    for path in sorted(folder.glob("*.json")):
        yield Cell("", f"{stage}/{path.name}", "text", path.read_text(), program=True)
    for path in entries(folder / "pictures"):
        yield Cell("", f"{stage}/pictures", "file name", path.name, program=False)
    for path in sorted(folder.glob("*.parquet")):
        yield from _table_cells(path, f"{stage}/{path.name}")


def _table_cells(path: Path, name: str) -> Iterator[Cell]:
    for entry, value in (pq.read_metadata(path).metadata or {}).items():
        if entry != b"ARROW:schema":
            yield Cell("", name, "metadata", value.decode("utf-8", "replace"), program=False)
    content = tables.read(path)
    for column in content.column_names:
        kind = content.schema.field(column).type
        if pa.types.is_string(kind) or pa.types.is_list(kind):
            for series, text in _texts(content, column):
                yield Cell(series, name, column, text, column in PROGRAM, column.endswith("_date"))


def _texts(content: pa.Table, column: str) -> list[tuple[str, str]]:
    """Every text of a column with its series, once: tables with a row per file and action say the same many times."""
    found: set[tuple[str, str]] = set()
    named = "series" in content.column_names
    for batch in content.to_batches(max_chunksize=ROWS):
        values = batch.column(column).to_pylist()
        owners = batch.column("series").to_pylist() if named else [None] * len(values)
        for owner, value in set(zip(owners, map(_hashable, values), strict=True)):
            texts = value if isinstance(value, tuple) else (value,)
            found.update((owner or "", text) for text in texts if isinstance(text, str))
    return sorted(found)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _judged(listing: Listing, job: Job) -> list[Verdict]:
    for series in sorted(job.series):
        insist(job.folder / series, listing.get(series))
    try:
        return judge(job)
    except MemoryError:
        raise
    except Exception as error:  # its message may quote a value
        return [
            Verdict(series, len(job.identifiers), reason="unexpected:" + place_of(error))
            for series in sorted(job.series)
        ]


def _lost(job: Job, reason: str) -> list[Verdict]:
    """Verdicts on the series of a patient whose process was lost."""
    return [Verdict(series, len(job.identifiers), reason=reason) for series in sorted(job.series)]


def _row(row: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    result = {name: row[name] for name, _ in tables.SERIES} | {
        "files": verdict.files,
        "bytes": verdict.size,
        "paired": verdict.paired,
        "attributes": verdict.kept,
        "reread": verdict.reread,
        "changed_inside": verdict.inside,
        "changed_outside": verdict.outside,
        "looked": verdict.looked,
        "identifiers": verdict.identifiers,
        "hits": verdict.hits.total(),
    }
    if verdict.reason:
        remedy = (REMEDIES | losses.REMEDIES).get(verdict.reason, RUNS_ANEW)
        result |= {"status": tables.FAILED, "reason": verdict.reason, "remedy": remedy}
    return result


if __name__ == "__main__":
    command(run)
