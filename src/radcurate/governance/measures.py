"""The fixed list of what a policy can limit, and how each is read from the evidence.

A measure has one name (`stage.what`), one function and one artefact. A value of None means that it could not be
measured, and then no limit is kept; `applies` is False where there is nothing to measure (no sensitive attribute).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.governance.attacks import ATTACKING
from radcurate.governance.cleaning import CLEANING, count, named
from radcurate.governance.conservation import RELEASED, Outcome, file_leaks, leaks
from radcurate.governance.evidence import Evidence
from radcurate.governance.invariance import largest_change, unproven_regions
from radcurate.governance.measure import Limit, Measure
from radcurate.governance.paper_measures import PAPERS
from radcurate.governance.protection import PROTECTION
from radcurate.governance.safe_harbor import Line, lines, red_lines
from radcurate.governance.series_rows import member_table
from radcurate.governance.value import Value, number
from radcurate.tables import EXTRACT_PROVENANCE, FAILED, HIGH, LOW, OK

# Parameters without which nobody can compute a value again (IBSI reporting guidelines; requirements F02 to F07).
_CONDITIONAL = {"normalisation_mean", "normalisation_deviation"}  # filled only where intensities are normalised
PROVENANCE_KEYS = tuple(name for name, _ in EXTRACT_PROVENANCE.columns if name not in _CONDITIONAL)


def _released(ends: list[Outcome]) -> list[Outcome]:
    return [end for end in ends if end.outcome == RELEASED]


def _lost_series(evidence: Evidence, ends: list[Outcome]) -> Value:
    found = leaks(evidence, ends)
    kinds = sorted({f"{leak.kind} at {leak.stage}" for leak in found})
    return Value(float(len(found)), "; ".join([*kinds, named([leak.series for leak in found])]) if found else "")


def _lost_files(evidence: Evidence, ends: list[Outcome]) -> Value:
    found = file_leaks(evidence, ends)
    kinds = sorted({f"at {leak.stage}" for leak in found})
    return Value(float(len(found)), ", ".join(kinds))


def _lost_regions(evidence: Evidence, _: list[Outcome]) -> Value:
    """Measured regions less released ones less those of patients left out."""
    suppressed = number(evidence.protection.get("suppressed_rows"))
    if suppressed is None:
        return Value(None)
    return Value(abs(evidence.regions.get(OK, 0) - evidence.features.num_rows - suppressed))


def _hits(evidence: Evidence, _: list[Outcome]) -> Value:
    return Value(float(evidence.hits))


def _failed_verification(evidence: Evidence, _: list[Outcome]) -> Value:
    return count([step.series for step in evidence.steps.get("verify", ()) if step.status == FAILED])


def _unverified(evidence: Evidence, ends: list[Outcome]) -> Value:
    """Series that give the release a row, or would, without a clean row of the verifier."""
    clean = {step.series for step in evidence.steps.get("verify", ()) if step.status == OK}
    used = {end.series for end in _released(ends)} | {series for series, n in evidence.rows_of.items() if n}
    return count([series for series in used if series not in clean])


def _canary_left(evidence: Evidence, _: list[Outcome]) -> Value:
    return Value(number(evidence.canaries.get("left")))


def _canary_seen(evidence: Evidence, _: list[Outcome]) -> Value:
    """Share of the planted identifiers that the search saw before they were cleaned: what its silence is worth."""
    planted, seen = evidence.canaries.get("planted"), evidence.canaries.get("seen_before")
    return Value(seen / planted if planted and seen is not None else None, f"of {planted or 0}")


def _unpaired(evidence: Evidence, _: list[Outcome]) -> Value:
    files = {series: count for series, count in evidence.unpaired.items() if count}
    return Value(float(sum(files.values())), named(list(files)))


def _without_record(evidence: Evidence, _: list[Outcome]) -> Value:
    if "provenance" not in evidence.features.column_names:
        return Value(float(evidence.features.num_rows), "the table has no column provenance")
    column = evidence.features["provenance"]
    known = (
        evidence.provenance["provenance"].cast(pa.string())
        if evidence.provenance.num_rows
        else pa.array([], pa.string())
    )
    there = pc.is_in(column, value_set=known).to_numpy() & column.is_valid().to_numpy()
    return Value(float((~there).sum()))


def _incomplete_records(evidence: Evidence, _: list[Outcome]) -> Value:
    lacking = {key: _lacking(evidence.provenance, key) for key in PROVENANCE_KEYS}
    names = sorted(key for key, rows in lacking.items() if rows.any())
    return Value(float(np.logical_or.reduce(list(lacking.values())).sum()), ", ".join(names))


def _lacking(records: pa.Table, key: str) -> npt.NDArray[np.bool_]:
    """Which records don't tell a parameter: it is absent, null, an empty text or an empty list; shape (record,)."""
    if key not in records.column_names:
        return np.ones(records.num_rows, bool)
    column = records[key]
    empty = pc.fill_null(_is_empty(column), True)
    return np.asarray(empty.to_numpy(), dtype=bool)


def _is_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Null stays null."""
    if pa.types.is_list(column.type):
        return pc.equal(pc.list_value_length(column), 0)
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        return pc.equal(column, "")
    return pc.if_else(column.is_valid(), False, None)


def _empty_rows(evidence: Evidence, _: list[Outcome]) -> Value:
    columns = [name for name in evidence.feature_columns if name in evidence.features.column_names]
    if not columns:
        return Value(float(evidence.features.num_rows), "the table has no feature column")
    some = np.zeros(evidence.features.num_rows, bool)
    for name in columns:
        some |= np.isfinite(evidence.features[name].to_numpy())
    return Value(float((~some).sum()))


def _rows(evidence: Evidence, _: list[Outcome]) -> Value:
    return Value(float(evidence.features.num_rows))


def _unreasoned(evidence: Evidence, _: list[Outcome]) -> Value:
    """Columns of the release without a role and a reason."""
    tables = (evidence.features, evidence.acquisition)
    names = {name for content in tables for name in content.column_names}
    names |= {name.removesuffix(LOW).removesuffix(HIGH) for name in evidence.ranges.column_names}
    bare = sorted(name for name in names if not evidence.reasons.get(name))
    return Value(float(len(bare)), ", ".join(bare[:5]))


def _internal_codes(evidence: Evidence, _: list[Outcome]) -> Value:
    """Cells of the release that hold a pseudonym used inside the run."""
    members = member_table(evidence.members)
    known = pa.chunked_array([*members["series"].chunks, *members["subject"].chunks], pa.string()).unique()
    cells = 0
    for content in (evidence.features, evidence.acquisition, evidence.ranges):
        for field in content.schema:
            if pa.types.is_string(field.type):
                cells += pc.sum(pc.is_in(content[field.name], value_set=known.drop_null())).as_py() or 0
    return Value(float(cells))


def _fine_dates(evidence: Evidence, _: list[Outcome]) -> Value:
    if evidence.hipaa_path != "safe_harbor":
        return Value(0.0, "the path is expert determination", applies=False)
    return count([series for series, day in evidence.study_dates.items() if day and not day.endswith("-01-01")])


def _flagged(evidence: Evidence, _: list[Outcome]) -> Value:
    """Without the groups: a rare one may be a patient, and the detail goes into the release."""
    told = ", ".join(sorted({f"{one['axis']} at {one['step']}" for one in evidence.fairness.get("flags", [])}))
    return Value(number(evidence.fairness.get("flagged")), told)


def safe_harbor_lines(evidence: Evidence, ends: list[Outcome]) -> list[Line]:
    """The 18 lines of Safe Harbor, each with the measures of this list that belong to it."""
    wanted = {name for row in evidence.treatments for name in row.proven_by if name in MEASURES}
    measured = {name: MEASURES[name].read(evidence, ends) for name in sorted(wanted)}
    numbers = {name: value.number for name, value in measured.items() if value.applies}
    return lines(evidence.treatments, evidence.canaries_by_letter, evidence.hits_by_letter, numbers, evidence.dates)


def _red_lines(evidence: Evidence, ends: list[Outcome]) -> Value:
    if not evidence.treatments:
        return Value(None, "there is no table of categories")
    red = red_lines(safe_harbor_lines(evidence, ends))
    return Value(float(len(red)), "category " + ", ".join(red) if red else "")


_TABLE = "results/protect/features.parquet"
_ALL = [
    Measure(
        "conservation.lost_series", "results/gate/outcomes.parquet", "series without exactly one outcome", _lost_series
    ),
    Measure("conservation.lost_files", "results/inventory", "files that no outcome accounts for", _lost_files),
    Measure(
        "conservation.lost_regions",
        "results/extract/*/features.parquet",
        "measured regions without an outcome",
        _lost_regions,
    ),
    Measure("verify.hits", "results/verify/*/hits.parquet", "original identifiers found in cleaned files", _hits),
    Measure(
        "verify.failed_series",
        "results/verify/*/series.parquet",
        "series that failed verification",
        _failed_verification,
    ),
    Measure(
        "verify.unverified_series",
        "results/verify/*/series.parquet",
        "released series that were not verified",
        _unverified,
    ),
    Measure(
        "verify.unpaired_files",
        "results/verify/*/series.parquet",
        "verified files whose pixels and technical attributes were not held against their sources",
        _unpaired,
    ),
    Measure(
        "verify.canary_left", "results/verify/*/canary.parquet", "planted identifiers left in canaries", _canary_left
    ),
    Measure(
        "verify.canary_seen",
        "results/verify/*/canary.parquet",
        "share of planted identifiers that the search sees before cleaning",
        _canary_seen,
    ),
    *CLEANING,
    Measure(
        "provenance.rows_without_record",
        "results/extract/*/provenance.parquet",
        "rows without a provenance record",
        _without_record,
    ),
    Measure(
        "provenance.incomplete_records",
        "results/extract/*/provenance.parquet",
        "provenance records that lack a parameter",
        _incomplete_records,
    ),
    Measure("features.empty_rows", _TABLE, "rows without a single feature value", _empty_rows),
    Measure(
        "invariance.unproven_regions",
        "results/extract/*/invariance.parquet",
        "measured regions of which it isn't shown what cleaning did to their features",
        unproven_regions,
    ),
    Measure(
        "invariance.largest_change",
        "results/extract/*/invariance.parquet",
        "largest relative change of a feature by cleaning",
        largest_change,
    ),
    Measure("features.rows", _TABLE, "rows to release", _rows),
    Measure("columns.without_reason", _TABLE, "columns without a stated reason", _unreasoned),
    Measure("codes.internal", _TABLE, "cells with a pseudonym used inside the run", _internal_codes),
    Measure(
        "dates.finer_than_year",
        "results/deidentify/*/series.parquet",
        "dates with a month or day under Safe Harbor",
        _fine_dates,
    ),
    Measure(
        "safe_harbor.red_lines",
        "results/gate/safe_harbor.json",
        "HIPAA categories of identifiers without proof that they are treated",
        _red_lines,
    ),
    *PROTECTION,
    *ATTACKING,
    *PAPERS,
    Measure(
        "fairness.flagged",
        "results/gate/fairness.json",
        "groups that are lost more often than others, or rarer than the reference says, beyond chance",
        _flagged,
    ),
]
MEASURES: dict[str, Measure] = {measure.name: measure for measure in _ALL}

# What every policy limits, whoever the recipients are.
OWED: dict[str, Limit] = {
    name: Limit(max=0)
    for name in (
        "conservation.lost_series",
        "conservation.lost_files",
        "conservation.lost_regions",
        "verify.hits",
        "verify.failed_series",
        "verify.unverified_series",
        "verify.unpaired_files",
        "verify.canary_left",
        "redact.unlooked_series",
        "redact.residual_text",
        "redact.unresolved_doubts",
        "redact.box_overlap",
        "deface.unresolved_faces",
        "deface.overlap_voxels",
        "deface.outside_changed",
        "deface.control_passed",
        "provenance.rows_without_record",
        "provenance.incomplete_records",
        "features.empty_rows",
        "invariance.unproven_regions",
        "columns.without_reason",
        "codes.internal",
        "dates.finer_than_year",
        "safe_harbor.red_lines",
        "protect.unmet",
        "attack.controls_failed",
        "dpia.missing_risks",
        "documents.stale",
        "access.beyond_tier",
    )
} | {
    "features.rows": Limit(min=1),
    "protect.k": Limit(min=1),
    "verify.canary_seen": Limit(min=0.95),
    "deface.face_share": Limit(min=0.95),
    "deface.brain_dice": Limit(min=0.995),
}
