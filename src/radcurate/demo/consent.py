"""The consent table of the cohort, and the waiver that two of its rows rest on."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import yaml

from radcurate.demo.roster import Case

COLUMNS = ("patient", "model", "purposes", "recontact", "withdrawn", "date", "governance")
_WAIVER = {
    "irb_reference": "EK-2023-0417-W",
    "conditions": {
        "minimal_risk": {
            "holds": True,
            "because": "Images taken in routine care are read again; nobody is examined for this.",
        },
        "rights_and_welfare": {
            "holds": True,
            "because": "Care does not depend on it, and patients were told how to object.",
        },
        "impracticable": {"holds": True, "because": "Several of those treated before 2023 have died or moved away."},
        "privacy_protections": {
            "holds": True,
            "because": "Names, dates and faces are removed, and a release needs k of 5.",
        },
    },
}


def row(case: Case, patient_id: str, index: int, study_day: date) -> dict[str, str] | None:
    """A patient's row, or nothing where there is no consent."""
    if case.consent == "none":
        return None
    model = case.consent if case.consent in ("broad", "dynamic", "waiver") else "broad"
    return {
        "patient": patient_id,
        "model": model,
        "purposes": "teaching" if case.consent == "teaching" else ("research;teaching", "research")[index % 2],
        "recontact": ("yes", "no", "unknown")[index % 3],
        "withdrawn": "2023-12-18" if case.consent == "withdrawn" else "",
        "date": (study_day - timedelta(days=2 + index % 9)).isoformat(),
        "governance": f"Data access board {case.hospital}, protocol 2022-{11 + index % 3}" if model == "broad" else "",
    }


def write(out: Path, rows: list[dict[str, str]]) -> None:
    """Write consent.csv, with a further row of somebody who is not in the export, and waiver.yaml."""
    elsewhere = dict(zip(COLUMNS, ("ZZ-NOT-HERE", "dynamic", "research", "no", "", "2024-01-15", ""), strict=True))
    with (out / "consent.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, elsewhere])
    (out / "waiver.yaml").write_text(yaml.safe_dump(_WAIVER, sort_keys=False, allow_unicode=True), encoding="utf-8")
