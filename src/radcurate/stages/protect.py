"""protect: generalise and suppress quasi-identifiers until the policy's k, l and t hold, with least loss."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.features.crosscheck import agreement
from radcurate.keys import Key
from radcurate.privacy.columns import Columns, load_columns
from radcurate.privacy.protect import Protected, protect
from radcurate.privacy.rows import Pair
from radcurate.privacy.search import Targets
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages._command import command
from radcurate.stages._ranges import ABOUT, RANGES, range_reasons, released_ranges

log = logging.getLogger("radcurate")

WRITTEN = [
    "acquisition.parquet",
    "crosscheck.parquet",
    "features.parquet",
    "groups.parquet",
    "measures.json",
    "ranges.parquet",
    "series.parquet",
    "stability.parquet",
    "subjects.parquet",
]


def run(settings: Protect, extract: list[Path], out: Path, key: Key, columns: Path) -> None:
    """Make the tables of the release from the chunks of `extract`, and measure what they tell about a patient."""
    declared = load_columns(columns)
    sealed = {chunk: check_seal(chunk, key) for chunk in extract}
    source = _gather(extract, declared)
    targets = Targets(settings.k, settings.l, settings.t, settings.suppression)
    result = protect(source, declared, targets, key.release_code)
    out.mkdir(parents=True, exist_ok=True)
    tables.write(out / "features.parquet", result.released.features)
    tables.write(out / "acquisition.parquet", result.released.acquisition)
    with_ranges = [chunk for chunk in extract if RANGES in sealed[chunk]]
    ranges = released_ranges(with_ranges, _released(source, result), declared, key.release_code)
    tables.write(out / RANGES, ranges.table)
    tables.write_rows(out / "stability.parquet", tables.PROTECT_STABILITY, ranges.stability)
    tables.write(out / "crosscheck.parquet", _crosscheck(extract, result.kept, declared))
    tables.write_rows(out / "subjects.parquet", tables.PROTECT_SUBJECTS, _subjects(source, result, declared, key))
    series = [row for chunk in extract for row in tables.read_rows(chunk / "series.parquet", tables.EXTRACT_SERIES)]
    tables.write_rows(out / "series.parquet", tables.PROTECT_SERIES, _series(series, source, result, declared, key))
    tables.write_rows(out / "groups.parquet", tables.PROTECT_GROUPS, [asdict(group) for group in result.groups])
    reasons = range_reasons(ranges.table, declared)
    about = {name: reasons[name].reason for name in ABOUT if name in reasons}
    _write_json(out / "measures.json", {**result.document, "reasons": about | result.document["reasons"]})
    write_seal(out, WRITTEN, key)
    _say(result.document)


def _gather(chunks: list[Path], declared: Columns) -> Pair:
    """Measured rows of all chunks: a failed region is counted by its series, and is no row of the release."""
    if not chunks:
        nothing = pa.table({name: pa.array([], pa.string()) for name in declared.names()})
        return Pair(nothing, nothing)
    features, acquisition = (_joined(chunks, name) for name in ("features.parquet", "acquisition.parquet"))
    return Pair(features.filter(pc.fill_null(pc.equal(features["status"], tables.OK), False)), acquisition)


def _joined(chunks: list[Path], name: str) -> pa.Table:
    found = [tables.read(chunk / name) for chunk in sorted(chunks)]
    return pa.concat_tables(found, promote_options="permissive").combine_chunks()


def _released(source: Pair, result: Protected) -> pa.ChunkedArray:
    """Codes, inside the run, of the regions that are released."""
    kept = pc.is_in(source.features["subject"], value_set=pa.array(sorted(result.kept), pa.string()))
    return source.features["roi"].filter(kept)


def _crosscheck(chunks: list[Path], kept: frozenset[str], declared: Columns) -> pa.Table:
    """How two engines agree on the regions that are released; the declared columns of it."""
    rows = [
        row
        for chunk in sorted(chunks)
        for row in tables.read_rows(chunk / "crosscheck.parquet", tables.EXTRACT_CROSSCHECK)
    ]
    content = tables.table(tables.PROTECT_CROSSCHECK, agreement(row for row in rows if row["subject"] in kept))
    return content.select(declared.released(content.column_names))


def _subjects(source: Pair, result: Protected, declared: Columns, key: Key) -> Iterator[dict[str, Any]]:
    letter = declared.letter("subject")
    for subject in source.features["subject"].unique().to_pylist():
        kept = subject in result.kept
        code = key.release_code(letter, subject) if kept and letter else None
        yield {"subject": subject, "code": code, "status": "released" if kept else "suppressed"}


def _series(
    series: list[dict[str, Any]], source: Pair, result: Protected, declared: Columns, key: Key
) -> Iterator[dict[str, Any]]:
    """What became of each series that extract passed on."""
    measured = Counter([*source.features["series"].to_pylist(), *source.features["contour"].to_pylist()])
    letter = declared.letter("series")
    for row in series:
        if row["status"] == tables.OK:
            rows = measured[row["series"]]
            code = key.release_code(letter, row["series"]) if letter else None
            yield _end(row, rows, row["subject"] in result.kept, code)


def _end(row: Mapping[str, Any], rows: int, released: bool, code: str | None) -> dict[str, Any]:
    kept = {name: row[name] for name, _ in tables.SERIES}
    if released and rows:
        return {**kept, "code": code, "rows": rows}
    reason = "suppressed" if rows else "no_row"
    return {**kept, "status": tables.EXCLUDED, "reason": reason, "remedy": REMEDIES[reason], "rows": 0}


REMEDIES = {
    "suppressed": "add patients, lower protect.k, or declare fewer or coarser quasi-identifiers in config/columns.yaml",
    "no_row": "give the series a contour that can be measured",
}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    temporary.replace(path)


def _say(found: Mapping[str, Any]) -> None:
    levels = ", ".join(f"{name} {level}" for name, level in sorted(found["levels"].items()))
    undeclared = found["undeclared_columns"]
    log.info(
        "protect: %d patients, %d suppressed, k %d before, %d after (%d asked): %s; loss %.3f; levels: %s%s",
        found["n_subjects"],
        found["suppressed_subjects"],
        found["before"]["k"],
        found["after"]["k"],
        found["required"]["k"],
        "holds" if found["holds"] else "does not hold (" + ", ".join(found["unmet"]) + ")",
        found["ncp"],
        levels,
        f"; {len(undeclared)} undeclared columns dropped, such as {undeclared[0]}" if undeclared else "",
    )


if __name__ == "__main__":
    command(run)
