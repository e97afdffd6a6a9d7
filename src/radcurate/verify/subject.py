"""All series of one patient: searched with that patient's identifiers, judged together, one verdict each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radcurate.verify.days import explained
from radcurate.verify.examine import Report, Searcher, examine
from radcurate.verify.needles import Needles, make_needles
from radcurate.verify.search import Finds, Hit, Place

REMEDIES = {
    "identifier_found": "hits.parquet tells which attribute's value was found where: tighten allow-list or vocabulary; if it is an everyday word, add it to verify.harmless",
    "private_element": "remove private elements from the allow-list and run again",
    "overlay": "remove overlay and curve groups from the allow-list and run again",
    "preamble": "write the file with an empty preamble",
    "trailing_bytes": "write the file without bytes behind its data set",
    "marker_missing": "write PatientIdentityRemoved, DeidentificationMethod and LongitudinalTemporalInformationModified into each file",
    "uid_mismatch": "write the new SOPInstanceUID into the file meta too",
    "unexpected_file": "remove whatever is neither .dcm nor a NIfTI mask from the results and run again",
    "no_dicom": "look at the source file; leave the series out if it can't be written as DICOM",
    "unreadable": "look at the source file; leave the series out if it can't be written in a form that can be followed",
    "truncated": "delete results/deidentify of this chunk and run again; if it stays, the source is cut off",
    "files_missing": "delete results/deface of this chunk and run snakemake again",
}


@dataclass(frozen=True)
class Cell:
    """A text of a table that tells about a series."""

    series: str
    table: str
    column: str
    text: str
    program: bool  # written by the program, as reasons and remedies are
    day: bool = False  # YYYY-MM-DD under the date rule


@dataclass(frozen=True)
class Job:
    """What is known of one patient. series: pseudonym -> files expected; folder: where their folders are."""

    subject: str
    identifiers: Sequence[Mapping[str, str]]
    series: Mapping[str, int]
    folder: Path
    cells: Sequence[Cell]
    shortest: int
    harmless: frozenset[str] = frozenset()


@dataclass
class Verdict:
    """What became of one series. hits: (file, hit) -> count; reason is None when nothing was found."""

    series: str
    identifiers: int
    files: int = 0
    size: int = 0
    reason: str | None = None
    hits: Counter[tuple[str, Hit]] = field(default_factory=Counter)


def judge(job: Job) -> list[Verdict]:
    """Search every file and table cell of a patient.

    Dates in date attributes are judged over all series together (see `days.explained`).
    """
    needles = make_needles(job.identifiers, job.shortest, job.harmless)
    searcher = Searcher(needles)
    reports = {series: _reports(job, series, searcher) for series in sorted(job.series)}
    tables = {series: _searched([cell for cell in job.cells if cell.series == series], searcher) for series in reports}
    written = {
        pair
        for found in (*reports.values(), *tables.values())
        for report in found.values()
        for pair in report.finds.written
    }
    dates_explained = explained(written, needles.days) if written else True
    return [_verdict(series, job, reports[series], tables[series], dates_explained, needles) for series in reports]


def _reports(job: Job, series: str, searcher: Searcher) -> dict[str, Report]:
    folder = job.folder / series
    files = sorted(path for path in folder.rglob("*") if not path.is_dir()) if folder.is_dir() else []
    names = [(path, path.relative_to(folder).as_posix()) for path in files]
    return {name: examine(path, f"{series}/{name}", searcher) for path, name in names}


def _searched(cells: Sequence[Cell], searcher: Searcher) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    for cell in cells:
        place = Place(cell.column, vr="LO", program=cell.program)
        raw = cell.text.encode()
        if cell.day:
            place, raw = Place(cell.column, vr="DA", keyword="StudyDate"), cell.text.replace("-", "").encode()
        searcher.search(raw, place, reports.setdefault(cell.table, Report()).finds)
    return reports


def _verdict(
    series: str,
    job: Job,
    files: Mapping[str, Report],
    tables: Mapping[str, Report],
    dates_explained: bool,
    needles: Needles,
) -> Verdict:
    verdict = Verdict(series, needles.identifiers, len(files), sum(report.size for report in files.values()))
    for name, report in (*files.items(), *tables.items()):
        for hit, count in _counted(report.finds, dates_explained).items():
            verdict.hits[name, hit] += count
    faults = [fault for report in files.values() for fault in report.faults]
    if len(files) != job.series[series]:
        faults.insert(0, "files_missing")
    if any(hit.place != "file" for _, hit in verdict.hits):  # "file": a file that couldn't be followed, read as a whole
        verdict.reason = "identifier_found"
    elif faults:
        verdict.reason = min(faults, key=list(REMEDIES).index)
    return verdict


def _counted(finds: Finds, dates_explained: bool) -> Counter[Hit]:
    return finds.hits if dates_explained else finds.hits + finds.dated


def as_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """Rows of the table of hits; no values."""
    return [
        {
            "series": verdict.series,
            "name": name,
            "category": hit.category,
            "keyword": hit.keyword,
            "place": hit.place,
            "count": count,
        }
        for (name, hit), count in verdict.hits.items()
    ]
