"""All series of one patient: searched with that patient's identifiers, held to their sources, judged together, one verdict each."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from radcurate.verify import keep, marks, nifti, outside, twins
from radcurate.verify.days import explained
from radcurate.verify.drawn import Pages
from radcurate.verify.examine import Report, Searcher, examine
from radcurate.verify.keep import Compared
from radcurate.verify.layout import Layout, UnreadableError
from radcurate.verify.lookalike import PIXELS, Own, own_words
from radcurate.verify.needles import make_needles
from radcurate.verify.originals import Original, Originals
from radcurate.verify.outside import Allowed, Difference
from radcurate.verify.reread import conforms
from radcurate.verify.search import Finds, Hit, Place
from radcurate.verify.twins import Comparer, Twin

REMEDIES = {
    "identifier_found": "hits.parquet tells which attribute's value was found where: tighten allow-list or vocabulary; if it is an everyday word, add it to verify.harmless",
    "text_left": "hits.parquet tells what was read: name the place in config/redact_regions.csv, or leave the series out with `radcurate review decide`; if it is an everyday word, add it to verify.harmless",
    "pixels_changed": "report it: outside the boxes of redact and the masks of deface pixel values must be those of the source; delete results/deidentify of this chunk and run again",
    "dates_kept": "look at deidentify.dates and at the allow-list: an attribute with an original date isn't under the date rule",
    "dates_uneven": "report it: all dates of a patient must move by the same number of whole weeks",
    "wrong_patient": "report it: PatientName and PatientID must be the patient's pseudonym",
    "burned_in_text": "remove the text from the pixels first, or leave the series out: the file itself says that they hold text",
    "age_exact": "put the attribute under the action `age` in the allow-list",
    "private_element": "remove private elements from the allow-list, or list them in config/safe_private.csv and set deidentify.safe_private",
    "overlay": "remove overlay and curve groups from the allow-list and run again",
    "preamble": "write the file with an empty preamble",
    "trailing_bytes": "write the file without bytes behind its data set",
    "pixels_length": "write exactly as many pixel bytes as the header declares",
    "not_claimed": "remove what the basic profile removes from the allow-list, or name its option in the column option",
    "marker_missing": "write PatientIdentityRemoved, DeidentificationMethod with its codes and LongitudinalTemporalInformationModified into each file",
    "marker_untrue": "write the basic profile and only options that are true and known (PS3.16 CID 7050)",
    "uid_mismatch": "write the new SOPInstanceUID into the file meta too",
    "attribute_lost": "attributes.parquet tells which: give it a row in the family's allow-list, or correct the value in the source",
    "attribute_changed": "attributes.parquet tells which: give it the action keep in the allow-list",
    "unexpected_file": "remove whatever is neither .dcm nor a NIfTI mask from the results and run again",
    "not_conformant": "open the file with pydicom and look at what it warns of; leave the series out if it can't be mended",
    "pixels_unreadable": "open the file with pydicom: what can't be decoded can't be looked at; leave the series out",
    "source_unreadable": "look at the source file: verify can't follow it, so nobody can vouch for what became of it; leave the series out",
    "unpaired": "delete results/deidentify of this chunk and run again: its table doesn't say which source the file comes from",
    "altered": "delete results/deface of this chunk and run again: the file isn't the one that deidentify wrote",
    "no_dicom": "look at the source file; leave the series out if it can't be written as DICOM",
    "unreadable": "look at the source file; leave the series out if it can't be written in a form that can be followed",
    "truncated": "delete results/deidentify of this chunk and run again; if it stays, the source is cut off",
    "files_missing": "delete results/deface of this chunk and run snakemake again",
}
LOOKED_AT = frozenset({"image", "picture"})
SAMPLE = 2  # slices of an image that are read by themselves


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
    """What is known of one patient. series: pseudonym -> files expected; folder: where their folders are.

    twins: the source of each DICOM file, by series and name. allowed: where redact and deface say that they changed a file.
    reread: files to read once more, by series. devices: device identity may stay.
    kinds: image, picture … by series; of those two the pixels are looked at.
    """

    subject: str
    identifiers: Sequence[Mapping[str, str]]
    series: Mapping[str, int]
    folder: Path
    cells: Sequence[Cell]
    shortest: int
    harmless: frozenset[str] = frozenset()
    twins: Mapping[tuple[str, str], Twin] = field(default_factory=dict)
    allowed: Mapping[tuple[str, str], Allowed] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    reread: Mapping[str, frozenset[str]] = field(default_factory=dict)
    devices: bool = False
    safe: marks.Safe = frozenset()


@dataclass
class Verdict:
    """What became of one series. hits: (file, hit) -> count; reason is None when nothing was found.

    paired: files whose pixels and attributes are the source's; attributes: (keyword, outcome) -> files.
    inside, outside: pixels that differ, where redact and deface say so and elsewhere. looked: pictures read for text.
    """

    series: str
    identifiers: int
    files: int = 0
    size: int = 0
    reason: str | None = None
    hits: Counter[tuple[str, Hit]] = field(default_factory=Counter)
    paired: int = 0
    kept: int = 0
    reread: int = 0
    inside: int = 0
    outside: int = 0
    looked: int = 0
    attributes: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Subject:
    """What is shared by the files of a patient while they are judged."""

    job: Job
    sources: dict[tuple[str, str], Original]
    searcher: Searcher
    comparer: Comparer
    own: Own
    changed: frozenset[str]  # series in which any file was
    moved: set[tuple[str, date, date]] = field(default_factory=set)


def judge(job: Job) -> list[Verdict]:
    """Search every file and table cell of a patient, and hold every file to its source.

    Dates in date attributes are judged over all series together (see `days.explained` and `keep.dates_fault`).
    """
    originals = Originals()
    slices = {place: twin for place, twin in job.twins.items() if place[1].endswith(".dcm")}
    sources = {place: found for place, twin in slices.items() if (found := _source(originals, twin)) is not None}
    identifiers = _identifiers(job, originals)
    needles = make_needles(identifiers, job.shortest, job.harmless)
    searcher = Searcher(needles, job.subject, job.safe)
    own = own_words(identifiers, job.shortest, job.harmless)
    subject = _Subject(job, sources, searcher, Comparer(needles), own, frozenset(series for series, _ in job.allowed))
    verdicts = {series: Verdict(series, needles.identifiers) for series in sorted(job.series)}
    reports = {series: _reports(subject, verdict) for series, verdict in verdicts.items()}
    tables = {series: _searched([cell for cell in job.cells if cell.series == series], searcher) for series in reports}
    dates_explained = _dates_explained(subject, [*reports.values(), *tables.values()])
    shifted = any(marks.MODIFIED_DATES in r.claimed for found in reports.values() for r in found.values())
    uneven = keep.dates_fault({move for move in subject.moved if move[1] != move[2]}, shifted)
    for series, verdict in verdicts.items():
        _conclude(verdict, job, reports[series], tables[series], dates_explained, uneven)
    return list(verdicts.values())


def _source(originals: Originals, twin: Twin) -> Original | None:
    try:
        return originals.read(twin.source)
    except (UnreadableError, OSError, struct.error, IndexError, UnicodeError, ValueError):
        return None


def _identifiers(job: Job, originals: Originals) -> list[Mapping[str, str]]:
    """The inventory's identifiers and those that verify found in the sources itself."""
    rows = list(job.identifiers)
    known = {(row["category"], row["value"].strip(" \0")) for row in rows}
    own = sorted(fact for fact in originals.facts if (fact[0], fact[2]) not in known)
    rows += [{"category": category, "keyword": keyword, "value": value} for category, keyword, value in own]
    if job.devices:
        allowed = marks.device_keywords()
        rows = [row for row in rows if row["keyword"] not in allowed]
    return rows


def _reports(subject: _Subject, verdict: Verdict) -> dict[str, Report]:
    folder = subject.job.folder / verdict.series
    files = sorted(path for path in folder.rglob("*") if not path.is_dir()) if folder.is_dir() else []
    reports = {}
    kind = subject.job.kinds.get(verdict.series)
    sample = sorted(subject.job.reread.get(verdict.series, ()))[:SAMPLE]
    pages = Pages(subject.own, len(files), kind == "picture", frozenset(sample)) if kind in LOOKED_AT else None
    for path in files:
        name = path.relative_to(folder).as_posix()
        reports[name] = _report(subject, verdict, path, name, pages)
    if pages is not None and reports:
        next(iter(reports.values())).faults += _said(pages, verdict)
    return reports


def _said(pages: Pages, verdict: Verdict) -> list[str]:
    """Count what the pictures of a series tell of the patient."""
    try:
        for saying in pages.done():
            verdict.hits[saying.name, Hit(saying.category, saying.keyword, PIXELS)] += 1
    except Exception:  # as above
        return ["pixels_unreadable"]
    verdict.looked = pages.looked
    return []


def _report(subject: _Subject, verdict: Verdict, path: Path, name: str, pages: Pages | None) -> Report:
    report = examine(path, f"{verdict.series}/{name}", subject.searcher)
    place = (verdict.series, name)
    if pages is not None and report.layout is not None:
        report.faults += _looked_at(pages, name, path, report.layout, subject.job.allowed.get(place, Allowed()))
    if place in subject.job.twins and report.layout is not None:
        layout, report.layout = report.layout, None
        try:
            report.faults += _held_to_source(subject, verdict, layout, place, report)
        except (UnreadableError, OSError, struct.error, IndexError, UnicodeError, ValueError):
            report.faults.append("source_unreadable")
        if name in subject.job.reread.get(verdict.series, ()):
            verdict.reread += 1
            if not conforms(path, subject.job.twins[place].source):
                report.faults.append("not_conformant")
    elif name.endswith((".nii", ".nii.gz")) and place in subject.job.twins:
        faults = _held_to_mask(subject.job.twins[place], path)
        report.faults += faults
        verdict.paired += not faults
    elif name.endswith(".dcm") and place not in subject.job.twins:
        report.faults.append("unpaired")
    report.layout = None
    return report


def _looked_at(pages: Pages, name: str, path: Path, layout: Layout, changed: Allowed) -> list[str]:
    try:
        pages.take(name, path, layout, changed)
    except Exception:  # a decoder raises almost anything, and may quote a header
        return ["pixels_unreadable"]
    return []


def _held_to_source(
    subject: _Subject, verdict: Verdict, layout: Layout, place: tuple[str, str], report: Report
) -> list[str]:
    """Faults of a file in the light of its source."""
    original = subject.sources.get(place)
    if original is None:
        return ["source_unreadable"]
    compared = subject.comparer.attributes(original, layout)
    _count(verdict, compared, original)
    subject.moved |= compared.moved
    faults = [reason for reason, _ in compared.faults]
    dates = keep.dates_fault(compared.moved, shifted=marks.MODIFIED_DATES in report.claimed)
    faults += [dates] if dates else []
    if place[0] not in subject.changed and not twins.as_recorded(layout, subject.job.twins[place]):
        faults.append("altered")
    differs = _difference(subject, place, original, layout)
    verdict.inside, verdict.outside = verdict.inside + differs.inside, verdict.outside + differs.outside
    if differs.outside:
        faults.append("pixels_changed")
    verdict.paired += not faults
    return faults


def _held_to_mask(twin: Twin, path: Path) -> list[str]:
    """Faults of a NIfTI mask in the light of its source."""
    try:
        same = nifti.same_labels(twin.source.read_bytes(), path.read_bytes())
    except OSError:
        return ["source_unreadable"]
    return [] if same else ["pixels_changed"]


def _count(verdict: Verdict, compared: Compared, original: Original) -> None:
    if not verdict.kept and not verdict.attributes:  # the first file
        verdict.attributes.update(("missing", keyword) for keyword in twins.missing(original))
    verdict.kept += compared.kept
    verdict.attributes.update(compared.faults)
    for keyword, count in compared.lost_text.items():
        verdict.attributes["text_lost", keyword] += count


def _difference(subject: _Subject, place: tuple[str, str], original: Original, layout: Layout) -> Difference:
    """Pixels that aren't the source's; where a stage says that it changed some, frame by frame."""
    changed = subject.job.allowed.get(place)
    if changed is None:
        return Difference(outside=0 if twins.pixels_kept(original, layout) else 1)
    return outside.difference(original.path, subject.job.folder / place[0] / place[1], changed)


def _searched(cells: Sequence[Cell], searcher: Searcher) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    for cell in cells:
        place = Place(cell.column, vr="LO", program=cell.program)
        raw = cell.text.encode()
        if cell.day:
            place, raw = Place(cell.column, vr="DA", keyword="StudyDate"), cell.text.replace("-", "").encode()
        searcher.search(raw, place, reports.setdefault(cell.table, Report()).finds)
    return reports


def _dates_explained(subject: _Subject, parts: Sequence[Mapping[str, Report]]) -> bool:
    """Whether the written dates are the date rule's: each one's own source says so, or else one shift that fits them all."""
    reports = [report for part in parts for report in part.values()]
    written = {pair for report in reports for pair in report.finds.written}
    shifted = any(marks.MODIFIED_DATES in report.claimed for report in reports)
    paired = {new for _, _, new in subject.moved}
    if subject.moved and {day for _, day in written} <= paired:
        return keep.dates_fault(subject.moved, shifted) is None
    return explained(written, subject.searcher.needles.days) if written else True


def _conclude(
    verdict: Verdict,
    job: Job,
    files: Mapping[str, Report],
    tables: Mapping[str, Report],
    dates_explained: bool,
    uneven: str | None,
) -> None:
    verdict.files, verdict.size = len(files), sum(report.size for report in files.values())
    for name, report in (*files.items(), *tables.items()):
        for hit, count in _counted(report.finds, dates_explained).items():
            verdict.hits[name, hit] += count
    faults = [fault for report in files.values() for fault in report.faults] + ([uneven] if uneven else [])
    if len(files) != job.series[verdict.series]:
        faults.insert(0, "files_missing")
    places = {hit.place for _, hit in verdict.hits}
    if places - {"file", PIXELS}:  # "file": a file that couldn't be followed, read as a whole
        verdict.reason = "identifier_found"
    elif PIXELS in places:
        verdict.reason = "text_left"
    elif faults:
        verdict.reason = min(faults, key=list(REMEDIES).index)


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


def attribute_rows(verdict: Verdict) -> list[dict[str, Any]]:
    """Rows of the table of technical attributes that aren't what they were; no values."""
    return [
        {"series": verdict.series, "keyword": keyword, "outcome": outcome, "count": count}
        for (outcome, keyword), count in verdict.attributes.items()
    ]
