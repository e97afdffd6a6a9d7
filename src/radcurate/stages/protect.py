"""protect: generalise and suppress quasi-identifiers until the policy's k, l and t hold, with least loss."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from radcurate.privacy.vectors import Treatment
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages._command import command
from radcurate.stages._folders import write_json
from radcurate.stages._harmonised import harmonised
from radcurate.stages._provenance import withhold
from radcurate.stages._ranges import ABOUT, RANGES, range_reasons, released_ranges

log = logging.getLogger("radcurate")

WRITTEN = [
    "at_risk.parquet",
    "acquisition.parquet",
    "crosscheck.parquet",
    "distortion.parquet",
    "features.parquet",
    "groups.parquet",
    "measures.json",
    "provenance.parquet",
    "ranges.parquet",
    "series.parquet",
    "stability.parquet",
    "subjects.parquet",
    "utility_privacy.json",
    "ways.parquet",
]


def run(
    settings: Protect, extract: list[Path], out: Path, key: Key, columns: Path, harmonise: Sequence[Path] = ()
) -> None:
    """Make the tables of the release from the chunks of `extract`, and measure what they tell about a patient.

    Values come from the folder in `harmonise` where there is one.
    """
    declared = load_columns(columns)
    sealed = {chunk: check_seal(chunk, key) for chunk in extract}
    source = _gather(extract, declared)
    values = harmonised(source.features, harmonise, key)
    source = Pair(values.features, source.acquisition)
    treatment = Treatment(settings.microaggregation, settings.comparable, settings.noise)
    result = protect(source, declared, _targets(settings), key.release_code, treatment, settings.method)
    features, records = result.released.features, tables.table(tables.EXTRACT_PROVENANCE, [])
    if treatment.changes:
        features, records = withhold(extract, features)
    out.mkdir(parents=True, exist_ok=True)
    tables.write(out / "features.parquet", features)
    tables.write(out / "provenance.parquet", records)
    tables.write(out / "acquisition.parquet", result.released.acquisition)
    with_ranges = values.ranges([chunk for chunk in extract if RANGES in sealed[chunk]])
    regions = pa.chunked_array([pa.array(sorted(result.regions), pa.string())])
    ranges = released_ranges(with_ranges, regions, declared, key.release_code)
    # a region's range tells where its own values lie
    table = ranges.table.slice(0, 0) if treatment.changes else ranges.table
    tables.write(out / RANGES, table)
    tables.write_rows(out / "stability.parquet", tables.PROTECT_STABILITY, ranges.stability)
    tables.write(out / "crosscheck.parquet", _crosscheck(extract, result.regions, declared))
    tables.write_rows(out / "subjects.parquet", tables.PROTECT_SUBJECTS, _subjects(source, result, declared, key))
    series = [row for chunk in extract for row in tables.read_rows(chunk / "series.parquet", tables.EXTRACT_SERIES)]
    tables.write_rows(out / "series.parquet", tables.PROTECT_SERIES, _series(series, source, result, declared, key))
    tables.write_rows(out / "groups.parquet", tables.PROTECT_GROUPS, [asdict(group) for group in result.groups])
    tables.write_rows(out / "distortion.parquet", tables.PROTECT_DISTORTION, result.distortion)
    tables.write_rows(out / "ways.parquet", tables.PROTECT_WAYS, result.ways)
    tables.write_rows(out / "at_risk.parquet", tables.PROTECT_AT_RISK, result.at_risk)
    write_json(out / "utility_privacy.json", {"columns": result.marginal})
    reasons = range_reasons(table, declared)
    about = {name: reasons[name].reason for name in ABOUT if name in reasons}
    write_json(
        out / "measures.json",
        {**result.document, "harmonise": values.document, "reasons": about | result.document["reasons"]},
    )
    write_seal(out, WRITTEN, key)
    _say(result.document)


def _targets(settings: Protect) -> Targets:
    """The demands, each under the name of its kind."""
    names = {"distinct": "l", "entropy": "l_entropy", "recursive": "l_recursive", "total_variation": "t"}
    kinds: dict[str, Any] = {names[settings.l_kind]: settings.l, names.get(settings.t_kind, "t_ordered"): settings.t}
    return Targets(k=settings.k, suppression=settings.suppression, c=settings.c, **kinds)


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


def _crosscheck(chunks: list[Path], regions: frozenset[str], declared: Columns) -> pa.Table:
    """How two engines agree on the regions that are released; the declared columns of it."""
    rows = [
        row
        for chunk in sorted(chunks)
        for row in tables.read_rows(chunk / "crosscheck.parquet", tables.EXTRACT_CROSSCHECK)
    ]
    content = tables.table(tables.PROTECT_CROSSCHECK, agreement(row for row in rows if row["roi"] in regions))
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
    measured, released = (_rows_of(content) for content in (source.features, _only(source.features, result.regions)))
    letter = declared.letter("series")
    for row in series:
        if row["status"] == tables.OK:
            code = key.release_code(letter, row["series"]) if letter else None
            yield _end(row, measured[row["series"]], released[row["series"]], row["subject"] in result.kept, code)


def _only(features: pa.Table, regions: frozenset[str]) -> pa.Table:
    return features.filter(pc.is_in(features["roi"], value_set=pa.array(sorted(regions), pa.string())))


def _rows_of(features: pa.Table) -> Counter[str]:
    """Regions of each image and contour series."""
    return Counter([*features["series"].to_pylist(), *features["contour"].to_pylist()])


def _end(row: Mapping[str, Any], measured: int, released: int, subject: bool, code: str | None) -> dict[str, Any]:
    kept = {name: row[name] for name, _ in tables.SERIES}
    if released:
        return {**kept, "code": code, "rows": released}
    reason = "no_row" if not measured else "rare_region" if subject else "suppressed"
    return {**kept, "status": tables.EXCLUDED, "reason": reason, "remedy": REMEDIES[reason], "rows": 0}


REMEDIES = {
    "suppressed": "add patients, lower protect.k, or declare fewer or coarser quasi-identifiers in config/columns.yaml",
    "rare_region": "name the region as others do, choose fewer columns for protect.comparable, or lower protect.microaggregation",
    "no_row": "give the series a contour that can be measured",
}


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
