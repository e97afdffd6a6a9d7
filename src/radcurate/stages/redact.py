"""Find text that is drawn into pixels, fill its place, and look again; what is doubtful is for a person."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

from radcurate import seals, tables
from radcurate.governance.decisions import Decisions, read_decisions
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.redact.outcome import REMEDIES
from radcurate.redact.regions import Region, regions_of
from radcurate.redact.seeds import Seeds, seeds_of
from radcurate.redact.skin_marks import Mark, marks_of
from radcurate.settings import Redact
from radcurate.stages._command import command
from radcurate.stages._contours import CONTOUR_REMEDIES, gather
from radcurate.stages._folders import empty_folder
from radcurate.stages._pool import map_items
from radcurate.stages._texts import BEFORE, Result, Task, clean_series, lost_series
from radcurate.stages._written import Listing, list_files, seal, sealed_listing

log = logging.getLogger("radcurate")
Row = dict[str, Any]
TABLES = ("series.parquet", "boxes.parquet")
PICTURES = ("image", "picture")  # kinds of series with pixels that show something


def run(
    settings: Redact,
    source: Path,
    chunk: Path,
    regions: list[Path],
    marks: list[Path],
    decisions: Path,
    out: Path,
    key: Key,
    threads: int,
) -> None:
    """Look at the pictures of one chunk.

    Args:
        settings: section redact of the configuration.
        source: results/deidentify/<chunk>.
        chunk: results/consent/chunks/<chunk>; the patients' own words are looked for, and stay in memory.
        regions: the table of places where some devices always draw, or nothing.
        marks: the table of marks in the skin, or nothing.
        decisions: the file of decisions; there need not be one.
        out: results/redact/<chunk>.
        key: the project key.
        threads: processes, one series each.

    Raises:
        CurationError: a seal doesn't hold, or the file of decisions of regions or of marks can't be read.
    """
    seals.check_seal(chunk, key)
    listing = sealed_listing(source, key)
    rows = tables.read_rows(source / "series.parquet", tables.DEIDENTIFY_SERIES)
    private_folder(out)
    for name in ("dicom", BEFORE):
        empty_folder(out / name)
    drawn = tuple(region for path in regions for region in regions_of(path.read_text("utf-8")))
    named = tuple(mark for path in marks for mark in marks_of(path.read_text("utf-8")))
    tasks = _tasks(rows, settings, source, chunk, drawn, named, read_decisions(decisions), out, key, listing)
    results = map_items(clean_series, tasks, threads, "redact", lost_series)
    series = _gather(rows, results, source / "dicom", out / "dicom", listing)
    boxes = [row for result in results for row in result.boxes]
    tables.write_rows(out / "series.parquet", tables.REDACT_SERIES, series)
    tables.write_rows(out / "boxes.parquet", tables.REDACT_BOXES, boxes)
    seal(out, TABLES, key, list_files(out / "dicom", (source / "dicom", listing)))
    looked = [row for row in series if row["kind"] in PICTURES]
    log.info(
        "redact: %d series looked at, %d with text that was removed, %d without text, %d quarantined",
        len(looked),
        sum(row["status"] == tables.OK and bool(row["boxes"]) for row in looked),
        sum(row["status"] == tables.OK and not row["boxes"] for row in looked),
        sum(row["status"] != tables.OK for row in looked),
    )


def _tasks(
    rows: list[Row],
    settings: Redact,
    source: Path,
    chunk: Path,
    regions: tuple[Region, ...],
    marks: tuple[Mark, ...],
    decided: Decisions,
    out: Path,
    key: Key,
    listing: Listing,
) -> list[Task]:
    seeds = _seeds(chunk)
    contours = [row for row in rows if row["kind"] not in PICTURES]
    return [
        Task(
            row,
            tuple(contour for contour in contours if row["series"] in (contour["images"] or [])),
            seeds.get(row["subject"]) or seeds_of([]),
            source / "dicom",
            out,
            settings,
            regions,
            tuple(mark for mark in marks if mark.series == row["series"]),
            decided,
            key,
            listing.get(row["folder"], {}),
        )
        for row in rows
        if row["kind"] in PICTURES and row["status"] == tables.OK
    ]


def _seeds(chunk: Path) -> dict[str, Seeds]:
    """Each patient's own words."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in tables.read_rows(chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS):
        found[row["subject"]].append(row)
    return {subject: seeds_of(mine) for subject, mine in found.items()}


def _gather(rows: list[Row], results: list[Result], dicom: Path, out: Path, listing: Listing) -> list[Row]:
    """One row for each series that deidentify told of, in whatever state."""
    done = {result.series["series"]: result.series for result in results}
    marked: dict[str, str] = {}
    for result in results:
        marked |= {series: reason for series, reason in result.contours.items() if marked.get(series) != "box_over_roi"}
    return gather(rows, done, marked, (dicom, out), REMEDIES | CONTOUR_REMEDIES, listing)


if __name__ == "__main__":
    command(run)
