"""protect: generalise and suppress quasi-identifiers until the policy's k, l and t hold, with least loss."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.features.crosscheck import GROUP, agreement
from radcurate.keys import Key
from radcurate.privacy.account import Account, Asked, Released, account
from radcurate.privacy.columns import Columns, load_columns
from radcurate.privacy.protect import Protected, protect
from radcurate.privacy.search import Targets
from radcurate.privacy.vectors import Treatment
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages._command import command
from radcurate.stages._ends import series_rows, subject_rows
from radcurate.stages._folders import chosen_chunks, scratch_folder, write_json
from radcurate.stages._harmonised import harmonise_document
from radcurate.stages._measured import files_of
from radcurate.stages._provenance import withhold
from radcurate.stages._ranges import ABOUT, RANGES, range_reasons, released_ranges
from radcurate.stages._source import Source, gather
from radcurate.stages._values import Route, write_features

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


def from_results(settings: Protect, results: Path, out: Path, key: Key, columns: Path, harmonise: list[Path]) -> None:
    """`run` on the chunks of this run: those that consent wrote."""
    run(settings, [results / "extract" / chunk for chunk in chosen_chunks(results)], out, key, columns, harmonise)


def run(
    settings: Protect, extract: list[Path], out: Path, key: Key, columns: Path, harmonise: Sequence[Path] = ()
) -> None:
    """Make the tables of the release from the chunks of `extract`, and measure what they tell about a patient.

    Values come from the folder in `harmonise` where there is one. Features are never in memory as a whole, but for
    microaggregation: which rows stay is decided by the other columns.
    """
    declared = load_columns(columns)
    sealed = {chunk: check_seal(chunk, key) for chunk in extract}
    asked = Asked(declared, _targets(settings), _treatment(settings), settings.method)
    source = gather(extract, harmonise, declared, asked.treatment, key)
    made = protect(
        source.pair, declared, asked.targets, key.release_code, asked.treatment, settings.method, source.features
    )
    out.mkdir(parents=True, exist_ok=True)
    with scratch_folder(out) as scratch:
        chunks = source.ranges([chunk for chunk in extract if RANGES in sealed[chunk]])
        ranges = released_ranges(chunks, made.owners.regions, declared, key.release_code, scratch)
        # a region's range tells where its own values lie
        tables.write_stream(out / RANGES, ranges.schema, [] if asked.treatment.changes else ranges.parts)
        costs = _features(source, made, asked, extract, key, out, scratch)
    tables.write_rows(out / "stability.parquet", tables.PROTECT_STABILITY, ranges.stability)
    tables.write(out / "acquisition.parquet", made.released.acquisition)
    tables.write(out / "crosscheck.parquet", _crosscheck(extract, made.owners.regions, declared))
    _ends(source, made, extract, declared, key, out)
    _costs(made, costs, out)
    reasons = range_reasons(ranges.schema.empty_table(), declared)
    about = {name: reasons[name].reason for name in ABOUT if name in reasons}
    document = costs.document
    told = {"harmonise": harmonise_document(source.folder), "reasons": about | document["reasons"]}
    write_json(out / "measures.json", document | told)
    write_seal(out, WRITTEN, key)
    _say(document)


def _features(
    source: Source, made: Protected, asked: Asked, extract: list[Path], key: Key, out: Path, scratch: Path
) -> Account:
    """Write features and provenance; what that cost."""
    about, records = made.released.features, tables.table(tables.EXTRACT_PROVENANCE, [])
    if asked.treatment.changes:
        about, records = withhold(extract, about)
    tables.write(out / "provenance.parquet", records)
    measured = source.pair.features
    names = asked.columns.released(source.files.schema.names)
    way = Route(source.files, measured.num_rows, source.features, names, out, scratch)
    draw = partial(_draw, key)
    written = write_features(way, made, about, asked.treatment, draw)
    modality = measured["modality"].take(pa.array(made.rows))
    shown = [*names, *made.released.acquisition.column_names]
    return account(made, Released(written.before, written.after, modality, written.group, source.names, shown), asked)


def _draw(key: Key, name: str) -> int:
    return int(key.release_code("N", name)[2:], 16)


def _treatment(settings: Protect) -> Treatment:
    return Treatment(settings.microaggregation, settings.comparable, settings.noise)


def _targets(settings: Protect) -> Targets:
    """The demands, each under the name of its kind."""
    names = {"distinct": "l", "entropy": "l_entropy", "recursive": "l_recursive", "total_variation": "t"}
    kinds: dict[str, Any] = {names[settings.l_kind]: settings.l, names.get(settings.t_kind, "t_ordered"): settings.t}
    return Targets(k=settings.k, suppression=settings.suppression, c=settings.c, **kinds)


def _crosscheck(chunks: list[Path], regions: pa.Array, declared: Columns) -> pa.Table:
    """How two engines agree on the regions that are released; the declared columns of it."""
    files = files_of(
        [chunk / "crosscheck.parquet" for chunk in sorted(chunks)],
        tables.EXTRACT_CROSSCHECK.arrow,
        lambda part: pc.is_in(part["roi"], value_set=regions),
        ("roi",),
    )
    found = agreement(part for _, part in files.parts([*GROUP, "difference"]))
    content = tables.table(tables.PROTECT_CROSSCHECK, found)
    return content.select(declared.released(content.column_names))


def _ends(source: Source, made: Protected, extract: list[Path], declared: Columns, key: Key, out: Path) -> None:
    """Write what became of patients and series."""
    measured, kept = source.pair.features, made.owners.subjects
    tables.write(out / "subjects.parquet", subject_rows(measured, kept, declared.letter("subject"), key))
    letter = declared.letter("series")
    tables.write(out / "series.parquet", series_rows(extract, measured, made.rows, kept, letter, key))


def _costs(made: Protected, costs: Account, out: Path) -> None:
    """Write who paid what, who was at risk, and what else could be done."""
    tables.write_rows(out / "groups.parquet", tables.PROTECT_GROUPS, [asdict(group) for group in costs.groups])
    tables.write_rows(out / "distortion.parquet", tables.PROTECT_DISTORTION, costs.distortion)
    tables.write_rows(out / "ways.parquet", tables.PROTECT_WAYS, made.ways)
    tables.write(out / "at_risk.parquet", made.at_risk)
    write_json(out / "utility_privacy.json", {"columns": made.marginal})


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
    command(from_results)
