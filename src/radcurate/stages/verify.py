"""Read everything that was written about a chunk and search it for every original identifier of its patients."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from radcurate import seals, tables
from radcurate.errors import CurationError, place_of
from radcurate.keys import Key
from radcurate.settings import Verify
from radcurate.stages._command import command
from radcurate.stages._folders import empty_folder, entries
from radcurate.stages._pool import map_items
from radcurate.verify.subject import REMEDIES, Cell, Job, Verdict, as_rows, judge

log = logging.getLogger("radcurate")
# what the program writes in words of its own: a patient called Head is not leaked by the code head_with_face
PROGRAM = frozenset(["status", "reason", "remedy", "decision", "action", "keyword", "tag", "kind", "face", "link"])
RUNS_ANEW = "delete results/verify of this chunk and run again; if it stays, report the code after the colon"


def run(settings: Verify, chunk: Path, deidentified: Path, cleaned: Path, out: Path, key: Key, threads: int) -> None:
    """Verify one chunk.

    Args:
        settings: section verify of the configuration.
        chunk: results/consent/chunks/<chunk>, the original identifiers.
        deidentified: results/deidentify/<chunk>.
        cleaned: results/deface/<chunk>, whose files are read whole.
        out: results/verify/<chunk>.
        key: the project key.
        threads: processes, one patient each.

    Raises:
        CurationError: a seal doesn't hold, or there are files that belong to no series.
    """
    for folder in (chunk, deidentified, cleaned):
        seals.check_seal(folder, key)
    rows = [
        row for row in tables.read_rows(cleaned / "series.parquet", tables.DEFACE_SERIES) if row["status"] == tables.OK
    ]
    _require_known_folders(cleaned)
    jobs = _jobs(rows, chunk, deidentified, cleaned, settings)
    verdicts = {v.series: v for found in map_items(_judged, jobs, threads, "verify") for v in found}
    empty_folder(out)
    done = [_row(row, verdicts[row["series"]]) for row in rows]
    tables.write_rows(out / "series.parquet", tables.VERIFY_SERIES, done)
    hits = [hit for verdict in verdicts.values() for hit in as_rows(verdict)]
    tables.write_rows(out / "hits.parquet", tables.VERIFY_HITS, hits)
    seals.write_seal(out, ["series.parquet", "hits.parquet"], key)
    failed = sum(row["status"] != tables.OK for row in done)
    log.info(
        "verify: %d series, %d files, %d hits, %d failed",
        len(done),
        sum(row["files"] for row in done),
        len(hits),
        failed,
    )


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


def _jobs(rows: list[dict[str, Any]], chunk: Path, deidentified: Path, cleaned: Path, settings: Verify) -> list[Job]:
    identifiers: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in tables.read_rows(chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS):
        identifiers[row["subject"]].append({name: row[name] or "" for name in ("category", "keyword", "value")})
    cells: dict[str, list[Cell]] = defaultdict(list)
    for folder in (deidentified, cleaned):
        for cell in _cells(folder):
            cells[cell.series].append(cell)
    jobs = []
    for subject in sorted({row["subject"] for row in rows}):
        if not identifiers[subject]:
            raise _nothing_to_search()
        own = {row["series"]: row["n_instances"] or 0 for row in rows if row["subject"] == subject}
        texts = [cell for series in own for cell in cells[series]] + _shared(cells[""], own)
        jobs.append(
            Job(
                subject,
                identifiers[subject],
                own,
                cleaned / "dicom",
                texts,
                settings.shortest,
                frozenset(word.casefold() for word in settings.harmless),
            )
        )
    return jobs


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
    for row in tables.read(path).to_pylist():
        for column, value in row.items():
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    yield Cell(row.get("series") or "", name, column, text, column in PROGRAM, column.endswith("_date"))


def _judged(job: Job) -> list[Verdict]:
    try:
        return judge(job)
    except Exception as error:  # its message may quote a value
        return [
            Verdict(series, len(job.identifiers), reason="unexpected:" + place_of(error))
            for series in sorted(job.series)
        ]


def _row(row: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    result = {name: row[name] for name, _ in tables.SERIES} | {
        "files": verdict.files,
        "bytes": verdict.size,
        "identifiers": verdict.identifiers,
        "hits": verdict.hits.total(),
    }
    if verdict.reason:
        remedy = REMEDIES.get(verdict.reason, RUNS_ANEW)
        result |= {"status": tables.FAILED, "reason": verdict.reason, "remedy": remedy}
    return result


if __name__ == "__main__":
    command(run)
