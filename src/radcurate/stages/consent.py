"""consent: keep what the stated purpose may use; count and name every exclusion."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.governance.consent import (
    REMEDIES,
    Invalid,
    Record,
    check_waiver,
    newest_date,
    parse_rows,
    permissions,
    uses_waiver,
)
from radcurate.governance.consent_table import read_consent
from radcurate.identity.files import private_folder
from radcurate.keys import Key
from radcurate.settings import Consent
from radcurate.stages._command import command
from radcurate.stages._folders import empty_folder, entries

log = logging.getLogger("radcurate")
Row = dict[str, Any]
SHARED = ("series", "subject", "kind", "modality", "status", "reason", "remedy")  # of CONSENT_SERIES
MOST_ROWS_TOLD = 20


@dataclass
class Tally:
    """What the whole cohort comes to; numbers only."""

    series: list[Row] = field(default_factory=list)
    patients: Counter[str] = field(default_factory=Counter)  # excluded, by reason
    excluded: Counter[str] = field(default_factory=Counter)  # series, by reason
    files: Counter[str] = field(default_factory=Counter)  # quarantined, by reason; "" is placed
    permitted: int = 0
    passed: int = 0  # series that go on


def run(settings: Consent, inventory: Path, out: Path, key: Key, table: Path, waiver: Sequence[Path] = ()) -> None:
    """Copy the inventory's chunks to `out`, without the patients whose data may not be used; `waiver`: one file or none."""
    seals.check_seal(inventory, key)
    chunks = entries(inventory / "chunks")
    for chunk in chunks:
        seals.check_seal(chunk, key)
    records = parse_rows(read_consent(table))
    patients = {row["patient_id"] for chunk in chunks for row in _series(chunk)}
    reasons = _judge(settings, patients, records, waiver[0] if waiver else None)
    _tell_invalid(records, patients)
    private_folder(empty_folder(out))
    tally = Tally()
    tally.permitted = sum(reason is None for reason in reasons.values())
    for chunk in chunks:
        _pass_on(chunk, out / "chunks" / chunk.name, reasons, tally, key)
    tally.files.update(_file_reasons(tables.read_rows(inventory / "unplaced.parquet", tables.INVENTORY_INSTANCES)))
    _insist(tally, records, patients)
    _write_whole(out, tally, key)
    _summarise(tally)


def _series(chunk: Path) -> list[Row]:
    return tables.read_rows(chunk / "series.parquet", tables.INVENTORY_SERIES)


def _judge(
    settings: Consent, patients: set[str], records: list[Record | Invalid], waiver: Path | None
) -> dict[str, str | None]:
    """Reason by PatientID; None where the data may be used."""
    on = settings.run_date or newest_date(records)
    if on is None:
        raise CurationError(
            "no row of the consent table is valid",
            wanted="rows with a patient, a known model, purposes and a date (YYYY-MM-DD)",
            found=_told([record for record in records if isinstance(record, Invalid)]),
            fix="correct the consent table",
        )
    names = {patient.strip() for patient in patients}
    if uses_waiver(names, records, on):
        check_waiver(read_waiver(waiver))
    judged = permissions(names, records, settings.purpose, on)
    _warn_of_future(records, on)
    return {patient: judged[patient.strip()] for patient in patients}


def read_waiver(path: Path | None) -> object:
    """What a waiver says; None where there is none or it is not YAML."""
    if path is None or not path.is_file():
        return None
    try:
        return yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        return None


def _warn_of_future(records: list[Record | Invalid], on: date) -> None:
    later = sum(isinstance(record, Record) and record.given > on for record in records)
    if later:
        log.warning("consent: %d rows are dated after %s, the day consent is judged at, and don't count", later, on)


def _pass_on(chunk: Path, out: Path, reasons: dict[str, str | None], tally: Tally, key: Key) -> None:
    """Write what may be used of a chunk, and count the rest."""
    series = [_excluded(row, reasons[row["patient_id"]]) for row in _series(chunk)]
    _count(series, reasons, tally)
    instances = tables.read_rows(chunk / "instances.parquet", tables.INVENTORY_INSTANCES)
    tally.files.update(_file_reasons(instances))
    kept = [row for row in series if row["status"] == tables.OK]
    if not kept:
        return
    codes, subjects = {row["series"] for row in kept}, {row["subject"] for row in kept}
    identifiers = tables.read_rows(chunk / "identifiers.parquet", tables.INVENTORY_IDENTIFIERS)
    private_folder(out.parent)
    private_folder(out)
    content = {
        "series": (tables.INVENTORY_SERIES, kept),
        "instances": (tables.INVENTORY_INSTANCES, [row for row in instances if row["series"] in codes]),
        "identifiers": (tables.INVENTORY_IDENTIFIERS, [row for row in identifiers if row["subject"] in subjects]),
    }
    for name, (schema, rows) in content.items():
        _write(out / f"{name}.parquet", schema, rows)
    _seal(out, [f"{name}.parquet" for name in content], key)


def _excluded(row: Row, reason: str | None) -> Row:
    if reason is None:
        return row
    return {**row, "status": tables.EXCLUDED, "reason": reason, "remedy": REMEDIES[reason]}


def _count(series: list[Row], reasons: dict[str, str | None], tally: Tally) -> None:
    tally.series += [{name: row[name] for name in SHARED} for row in series]
    tally.passed += sum(row["status"] == tables.OK for row in series)
    tally.excluded.update(row["reason"] for row in series if row["status"] == tables.EXCLUDED)
    subjects = {(row["subject"], reasons[row["patient_id"]]) for row in series}
    tally.patients.update(reason for _, reason in subjects if reason)


def _file_reasons(instances: list[Row]) -> Iterator[str]:
    return (row["reason"] or "" for row in instances)


def _insist(tally: Tally, records: list[Record | Invalid], patients: set[str]) -> None:
    """Something must be left to work on.

    Raises:
        CurationError: with the number of patients by reason.
    """
    if tally.passed:
        return
    counts = ", ".join(f"{reason} {count}" for reason, count in sorted(tally.patients.items()))
    known = {record.patient for record in records}
    strangers = not any(patient.strip() in known for patient in patients)
    fix = "check consent.purpose and the consent table"
    if strangers:
        fix = "check that the column patient holds PatientID exactly as in the headers, leading zeros included"
    elif tally.permitted:
        fix = "mend the series that the inventory quarantined; the patients themselves are permitted"
    raise CurationError(
        "nothing may be used",
        wanted="at least one usable series of a patient who permits this purpose",
        found=f"{tally.permitted} of {len(patients)} patients permitted; excluded: {counts or 'none'}",
        fix=fix,
    )


def _write_whole(out: Path, tally: Tally, key: Key) -> None:
    exclusions = [
        {"reason": reason, "patients": count, "series": tally.excluded[reason]}
        for reason, count in tally.patients.items()
    ]
    placed = tally.files.pop("", 0)
    files = {"total": placed + tally.files.total(), "placed": placed, "quarantined": dict(sorted(tally.files.items()))}
    _write(out / "series.parquet", tables.CONSENT_SERIES, tally.series)
    _write(out / "exclusions.parquet", tables.CONSENT_EXCLUSIONS, exclusions)
    path = out / "files.json"
    path.write_text(json.dumps(files, indent=1, sort_keys=True) + "\n")
    path.chmod(0o600)
    _seal(out, ["series.parquet", "exclusions.parquet", "files.json"], key)


def _write(path: Path, schema: tables.Schema, rows: list[Row]) -> None:
    tables.write_rows(path, schema, rows)
    path.chmod(0o600)


def _seal(folder: Path, names: list[str], key: Key) -> None:
    seals.write_seal(folder, names, key)
    (folder / seals.SEAL).chmod(0o600)


def _tell_invalid(records: list[Record | Invalid], patients: set[str]) -> None:
    names = {patient.strip() for patient in patients}
    invalid = [
        record for record in records if isinstance(record, Invalid) and (record.patient in names or not record.patient)
    ]
    if invalid:
        log.warning("consent: rows that can't be relied on, their patients are excluded: %s", _told(invalid))


def _told(invalid: list[Invalid]) -> str:
    told = "; ".join(f"row {record.row} ({record.why})" for record in invalid[:MOST_ROWS_TOLD])
    more = len(invalid) - MOST_ROWS_TOLD
    return told + (f" and {more} more" if more > 0 else "")


def _summarise(tally: Tally) -> None:
    excluded = ", ".join(f"{reason} {count}" for reason, count in sorted(tally.patients.items())) or "none"
    log.info(
        "consent: %d series of %d patients go on; excluded patients: %s (%d series)",
        tally.passed,
        tally.permitted,
        excluded,
        tally.excluded.total(),
    )


if __name__ == "__main__":
    command(run)
