"""Who may be used for what: consent records against the purpose of a run, at a stated day.

Three models: broad (future projects under a governance body, whose reference must be given), dynamic (permission
given and taken back over time), waiver (by an ethics board, under four conditions). No text of this module, and no
error it raises, holds a patient's number: rows are told by their number in the table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from radcurate.errors import CurationError

COLUMNS = ("patient", "model", "purposes", "recontact", "withdrawn", "date")
OPTIONAL = ("governance", "scope")
MODELS = ("broad", "dynamic", "waiver")
CONTACT = ("yes", "no", "unknown", "")

# 45 CFR 46.116(f)(3): what an ethics board must find before it waives consent
CONDITIONS = {
    "minimal_risk": "the research involves no more than minimal risk",
    "rights_and_welfare": "the waiver does not harm the rights and welfare of the patients",
    "impracticable": "the research could not be carried out without the waiver",
    "privacy_protections": "robust protections of privacy are in place",
}

REMEDIES = {
    "no_record": "add the patient to the consent table, or leave the series out of the export",
    "withdrawn": "nothing to do: the patient has withdrawn; remove the series from the export",
    "other_purpose": "ask the patient or the governance body for this purpose, or run for a purpose that is permitted",
    "not_yet_given": "wait until the consent is in force, or set consent.run_date",
    "no_governance": "name the governance body's decision in the column governance",
    "contradictory_rows": "correct the consent table: rows of one day say different things",
    "invalid_row": "correct the row of the consent table that the log names",
}


@dataclass(frozen=True)
class Record:
    """One valid row. `purposes` are casefolded; `row` counts from 1, the line after the heading."""

    row: int
    patient: str
    model: str
    purposes: frozenset[str]
    given: date
    withdrawn: date | None
    governance: str


@dataclass(frozen=True)
class Invalid:
    """A row that can't be relied on; `why` names the column, never a value."""

    row: int
    patient: str
    why: str


def parse_rows(rows: Iterable[Mapping[str, str]]) -> list[Record | Invalid]:
    """Rows of text, as read from the table; an unusable one becomes `Invalid`. Wholly empty rows are passed over."""
    return [_parse(number, row) for number, row in enumerate(rows, start=1) if any(row.values())]


def newest_date(records: Iterable[Record | Invalid]) -> date | None:
    """The newest day in the table: the day of judgement where none is set, so that a rerun gives the same result."""
    valid = [record for record in records if isinstance(record, Record)]
    return max((day for r in valid for day in (r.given, r.withdrawn) if day), default=None)


def permissions(
    patients: Iterable[str], records: Iterable[Record | Invalid], purpose: str, on: date
) -> dict[str, str | None]:
    """For each patient None where the data may be used, or the reason why not (a key of REMEDIES)."""
    by_patient: dict[str, list[Record | Invalid]] = defaultdict(list)
    for record in records:
        by_patient[record.patient].append(record)
    wanted = fold(purpose)
    return {patient: _judge(by_patient.get(patient, []), wanted, on) for patient in patients}


def effective(history: Iterable[Record], on: date) -> list[Record]:
    """The rows that count: those of the newest day not after `on`."""
    past = [record for record in history if record.given <= on]
    newest = max((record.given for record in past), default=None)
    return [record for record in past if record.given == newest]


def uses_waiver(patients: Iterable[str], records: Iterable[Record | Invalid], on: date) -> bool:
    """Whether a waiver is what counts for any of these patients."""
    by_patient: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if isinstance(record, Record):
            by_patient[record.patient].append(record)
    return any(r.model == "waiver" for patient in patients for r in effective(by_patient.get(patient, []), on))


def check_waiver(content: object) -> None:
    """Insist on an ethics board's reference and on all four conditions, each with its reason.

    Raises:
        CurationError: naming everything that is missing.
    """
    content = content if isinstance(content, dict) else {}
    conditions = content.get("conditions")
    conditions = conditions if isinstance(conditions, dict) else {}
    missing = [] if _filled(content.get("irb_reference")) else ["irb_reference"]
    missing += [f"conditions.{name}" for name in CONDITIONS if not _holds(conditions.get(name))]
    if missing:
        raise CurationError(
            "the waiver of consent does not hold",
            wanted="irb_reference, and four conditions with `holds: true` and a reason in `because`: "
            + "; ".join(f"{name} ({text})" for name, text in CONDITIONS.items()),
            found="missing, false or without a reason: " + ", ".join(missing),
            fix="complete the waiver file from the ethics board's decision, or remove the rows with model waiver",
        )


def fold(purpose: str) -> str:
    """A purpose without regard to case and blanks."""
    return " ".join(purpose.casefold().split())


def is_withdrawn(valid: Iterable[Record], current: Iterable[Record]) -> bool:
    """Whether a withdrawal counts: whenever it was written down, unless one of the `current` rows gives consent anew."""
    since = max((record.given for record in current), default=date.min)
    return any(record.withdrawn and record.withdrawn >= since for record in valid)


def _judge(history: list[Record | Invalid], wanted: str, on: date) -> str | None:
    if not history:
        return "no_record"
    valid = [record for record in history if isinstance(record, Record)]
    current = effective(valid, on)
    if is_withdrawn(valid, current):
        return "withdrawn"
    if len(valid) < len(history):
        return "invalid_row"
    if not current:
        return "not_yet_given"
    if len({(r.model, r.purposes, r.governance) for r in current}) > 1:
        return "contradictory_rows"
    record = current[0]
    if wanted not in record.purposes:
        return "other_purpose"
    return "no_governance" if record.model == "broad" and not record.governance else None


def _parse(number: int, row: Mapping[str, str]) -> Record | Invalid:
    cell = {name: (row.get(name) or "").strip() for name in (*COLUMNS, *OPTIONAL)}
    purposes = frozenset(fold(part) for part in cell["purposes"].split(";") if part.strip())
    given, withdrawn = parse_date(cell["date"]), parse_date(cell["withdrawn"])
    problems = {
        "patient": not cell["patient"],
        "model": cell["model"].casefold() not in MODELS,
        "purposes": not purposes,
        "recontact": cell["recontact"].casefold() not in CONTACT,
        "withdrawn": bool(cell["withdrawn"]) and withdrawn is None,
        "date": given is None,
    }
    wrong = [name for name, bad in problems.items() if bad]
    if wrong or given is None:
        return Invalid(number, cell["patient"], ", ".join(wrong))
    model = cell["model"].casefold()
    return Record(number, cell["patient"], model, purposes, given, withdrawn, cell["governance"])


def parse_date(text: str) -> date | None:
    """A day in ISO 8601, with or without a time; None for anything else."""
    if not re.match(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _filled(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and bool(str(value).strip())


def _holds(condition: object) -> bool:
    return isinstance(condition, dict) and condition.get("holds") is True and _filled(condition.get("because"))
