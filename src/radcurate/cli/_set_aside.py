"""Series that redact or deface set aside, with what was found in them: for review, and for decisions about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.governance.decisions import deface_evidence, redact_evidence
from radcurate.keys import Key
from radcurate.seals import check_seal
from radcurate.stages._folders import entries

Row = Mapping[str, Any]
STAGES = ("redact", "deface")
PICTURES = frozenset({"image", "picture"})  # contours go with their images


@dataclass(frozen=True)
class SetAside:
    """A series that waits for a person.

    boxes: rows of `tables.REDACT_BOXES`. checks: row of `tables.DEFACE_QC`, if any. files: its pictures, before the stage
    changed any. drawings: pictures that the stage made.
    """

    stage: str
    chunk: str
    row: Row = field(repr=False)
    evidence: str
    boxes: tuple[Row, ...] = field(repr=False)
    checks: Row = field(repr=False)
    files: tuple[Path, ...] = field(repr=False)
    drawings: tuple[Path, ...] = field(repr=False)

    @property
    def series(self) -> str:
        """Its pseudonym."""
        return str(self.row["series"])


def set_aside(results: Path, key: Key) -> list[SetAside]:
    """All that wait, by stage, chunk and series.

    Args:
        results: of a run.
        key: of the project.

    Raises:
        CurationError: neither stage has run, or a seal doesn't hold.
    """
    if not any((results / stage).is_dir() for stage in STAGES):
        raise CurationError(
            "nothing to review",
            wanted="a run that has come past redact, in results/",
            found="no results/redact or results/deface",
            fix="run snakemake first, and review from the same folder",
        )
    found = [
        one for stage in STAGES for chunk in _chunks(results / stage) for one in _of_chunk(results, stage, chunk, key)
    ]
    return sorted(found, key=lambda one: (STAGES.index(one.stage), one.chunk, one.series))


def _chunks(folder: Path) -> list[str]:
    return [path.name for path in entries(folder) if (path / "series.parquet").is_file()]


def _of_chunk(results: Path, stage: str, chunk: str, key: Key) -> Iterator[SetAside]:
    here, before = results / stage / chunk, results / "deidentify" / chunk
    check_seal(here, key)
    schema = tables.REDACT_SERIES if stage == "redact" else tables.DEFACE_SERIES
    waiting = [
        row
        for row in tables.read_rows(here / "series.parquet", schema)
        if row["status"] == tables.QUARANTINED and row["kind"] in PICTURES
    ]
    came = {
        row["series"]: row
        for row in tables.read_rows(before / "series.parquet", tables.DEIDENTIFY_SERIES)
        if row["status"] == tables.OK
    }
    if stage == "deface" and (results / "redact" / chunk).is_dir():
        before = results / "redact" / chunk
        rows = tables.read_rows(before / "series.parquet", tables.REDACT_SERIES)
        came = {row["series"]: row for row in rows if row["status"] == tables.OK}
    boxes, checks = _boxes(here, stage), _checks(here, stage)
    for row in waiting:
        series = row["series"]
        if series not in came:  # another stage set it aside
            continue
        own, check = tuple(boxes[series]), checks.get(series, {})
        evidence = (
            redact_evidence(key, series, row["reason"], own)
            if stage == "redact"
            else deface_evidence(key, series, row["reason"], {**row, **check})
        )
        folder = came[series]["folder"]
        # what redact set aside it keeps as it came; deface puts back what it set aside
        files = _files(here / ("before" if stage == "redact" else "dicom") / folder) if folder else ()
        drawings = tuple(sorted((here / "pictures").glob(f"{series}_*.png")))
        yield SetAside(stage, chunk, row, evidence, own, check, files, drawings)


def _boxes(folder: Path, stage: str) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    if stage == "redact":
        for row in tables.read_rows(folder / "boxes.parquet", tables.REDACT_BOXES):
            found[row["series"]].append(row)
    return found


def _checks(folder: Path, stage: str) -> dict[str, Row]:
    if stage == "redact":
        return {}
    return {row["series"]: row for row in tables.read_rows(folder / "qc.parquet", tables.DEFACE_QC)}


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.iterdir() if path.is_file())) if folder.is_dir() else ()
