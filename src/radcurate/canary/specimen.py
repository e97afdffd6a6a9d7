"""What a canary is: a file, the identifiers planted in it, and the technical values that have to survive."""

from __future__ import annotations

from dataclasses import dataclass, field

CATEGORIES = ("name", "id", "uid", "date", "text")
# 45 CFR 164.514(b)(2)(i)(A)-(R)
HIPAA = {
    "A": "names",
    "B": "geographic subdivisions smaller than a state",
    "C": "dates other than the year; ages over 89",
    "D": "telephone numbers",
    "E": "fax numbers",
    "F": "electronic mail addresses",
    "G": "social security numbers",
    "H": "medical record numbers",
    "I": "health plan beneficiary numbers",
    "J": "account numbers",
    "K": "certificate and licence numbers",
    "L": "vehicle identifiers and licence plates",
    "M": "device identifiers and serial numbers",
    "N": "web addresses",
    "O": "internet protocol addresses",
    "P": "biometric identifiers",
    "Q": "full-face photographs and comparable images",
    "R": "any other unique number, characteristic or code",
}


@dataclass(frozen=True)
class Plant:
    """An invented identifier and where it is."""

    kind: str  # kind of place
    where: str  # keywords or tags down to it: RequestAttributesSequence>ScheduledProcedureStepID
    category: str  # one of CATEGORIES
    keyword: str
    value: str = field(repr=False)
    hipaa: str  # one of HIPAA


@dataclass(frozen=True)
class Kept:
    """A technical value that has to survive, components joined by a backslash."""

    where: str
    keyword: str
    value: str


@dataclass(frozen=True)
class Specimen:
    """A file of an invented patient. family: as in config/allowlist/families.yaml."""

    name: str
    family: str
    sop_class: str
    data: bytes = field(repr=False)
    plants: tuple[Plant, ...]
    keep: tuple[Kept, ...]

    @property
    def patient_names(self) -> tuple[str, ...]:
        """What a hospital's records know as the patient's names."""
        return self._own("name")

    @property
    def patient_ids(self) -> tuple[str, ...]:
        """What a hospital's records know as the patient's numbers."""
        return self._own("id")

    @property
    def patient_dates(self) -> tuple[str, ...]:
        """What a hospital's records know as the patient's dates."""
        return self._own("date")

    def _own(self, category: str) -> tuple[str, ...]:
        return tuple(plant.value for plant in self.plants if plant.kind == "patient" and plant.category == category)
