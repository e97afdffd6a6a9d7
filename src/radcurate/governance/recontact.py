"""Whether a patient may be contacted about a finding, by the column `recontact` of the consent table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from radcurate.governance.consent import Record, effective, is_withdrawn, parse_rows

YES = "yes"
ANSWERS = {
    "yes": "consent to be contacted",
    "no": "no consent to be contacted",
    "unknown": "no answer to the question of contact",
    "withdrawn": "a patient who has withdrawn",
    "no_record": "no row for this patient",
}


def answer(table: Sequence[dict[str, str]], patient: str, on: date) -> str:
    """A key of `ANSWERS`. Anything but a plain yes in all rows that count is no yes.

    Args:
        table: all rows as read from the consent table.
        patient: PatientID as in the headers.
        on: the day of the question; later rows don't count yet.
    """
    history = [record for record in parse_rows(table) if record.patient == patient.strip()]
    if not history:
        return "no_record"
    valid = [record for record in history if isinstance(record, Record)]
    current = effective(valid, on)
    if is_withdrawn(valid, current):
        return "withdrawn"
    said = {table[record.row - 1]["recontact"].strip().casefold() for record in current}
    if "no" in said:
        return "no"
    return YES if said == {YES} and len(valid) == len(history) else "unknown"
