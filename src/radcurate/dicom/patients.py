"""Who is who: patients by PatientID and issuer, and which series each of them claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from radcurate.dicom.header import Header
from radcurate.dicom.scan import Patient
from radcurate.keys import Key


@dataclass
class Register:
    """Grows while headers are read; answers once all are."""

    key: Key
    issuers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    claims: dict[str, tuple[Patient, ...]] = field(
        default_factory=dict
    )  # nearly always one: a set takes twice the room
    patients: dict[Patient, tuple[Patient, ...]] = field(default_factory=dict)  # each once

    def enter(self, headers: Iterable[Header]) -> None:
        """Note who claims which series."""
        for header in headers:
            patient = header.patient_id, header.issuer
            alone = self.patients.get(patient)
            if alone is None:
                alone = self.patients[patient] = (patient,)
                self.issuers[header.patient_id].add(header.issuer)
            known = self.claims.setdefault(header.series, alone)
            if patient not in known:
                self.claims[header.series] = (*known, patient)

    def issuer(self, patient: Patient) -> str:
        """The issuer of a PatientID; one that is missing (planning systems drop it) is filled in if there is but one."""
        named = self.issuers.get(patient[0], set()) - {""}
        return next(iter(named)) if not patient[1] and len(named) == 1 else patient[1]

    def subject(self, patient: Patient) -> str:
        """Pseudonym of a patient."""
        return self.key.subject(patient[0], self.issuer(patient))

    def owners(self, series: str) -> list[str]:
        """Pseudonyms of all who claim a series, sorted; the first one answers for it."""
        return sorted({self.subject(patient) for patient in self.claims.get(series, ())})


def birth_dates_differ(headers: Iterable[Header]) -> bool:
    """One PatientID with two birth dates is likely two people, one of whom was never asked."""
    return len({h.birth_date for h in headers} - {""}) > 1
