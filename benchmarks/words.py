"""Made-up people and hospitals, as they are burned into pictures and told in headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_FAMILY = [
    "MILLER",
    "ANDERSON",
    "NOWAK",
    "FERRARI",
    "JOHANSSON",
    "OKAFOR",
    "TANAKA",
    "SCHNEIDER",
    "MARTIN",
    "KOVAC",
    "DUBOIS",
    "SILVA",
    "PETROV",
    "OZTURK",
    "WALSH",
    "LINDGREN",
    "HUBER",
    "KOWALSKI",
    "RAMIREZ",
    "FISCHER",
    "MORETTI",
    "JENSEN",
    "CHEN",
    "NGUYEN",
    "PATEL",
    "OBRIEN",
]
_GIVEN = [
    "ANNA",
    "PETER",
    "MARIA",
    "JONAS",
    "LUCIA",
    "THOMAS",
    "YUKI",
    "AISHA",
    "KARL",
    "ELENA",
    "OMAR",
    "SOFIA",
    "PAUL",
    "INGRID",
    "DAVID",
    "GRACE",
    "IVAN",
    "MEI",
    "JOSE",
    "NORA",
]
_PLACE = ("SPRINGFIELD", "RIVERSIDE", "LAKEVIEW", "ST. ANNA", "NORTHGATE", "WESTBROOK", "HILLCREST")
_HOUSE = ("HOSPITAL", "MEDICAL CENTER", "CLINIC", "UNIVERSITY HOSPITAL", "RADIOLOGY")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_TECHNICAL = (
    "kV 120 mA 200",
    "W 400 L 40",
    "FOV 350 mm",
    "TR 2300 TE 2.98",
    "Im: 24/120",
    "Thk 1.25 mm",
    "MI 1.1 TIS 0.4",
    "SUPINE",
    "Semi-Upright",
    "PORTABLE",
    "Frame 12 of 30",
    "Zoom 150%",
    "Gain 60 dB",
    "SE 3 IM 17",
    "2D 55% Dyn R 60",
    "Acq Tm: 14:23:53",
)


@dataclass(frozen=True)
class Person:
    """Somebody who doesn't exist."""

    family: str
    given: str
    number: str
    born: tuple[int, int, int]
    seen: tuple[int, int, int]
    hospital: str

    @property
    def header(self) -> tuple[dict[str, Any], ...]:
        """What the identifiers table holds of a header."""
        return tuple(
            {"subject": "P-0000000000000000", "category": category, "keyword": keyword, "value": value}
            for category, keyword, value in (
                ("name", "PatientName", f"{self.family}^{self.given}"),
                ("id", "PatientID", self.number),
                ("date", "PatientBirthDate", "{:04}{:02}{:02}".format(*self.born)),
                ("date", "StudyDate", "{:04}{:02}{:02}".format(*self.seen)),
                ("institution", "InstitutionName", self.hospital),
            )
        )


def person(rng: np.random.Generator) -> Person:
    """Somebody drawn from `rng`."""
    place = str(rng.choice(_PLACE))
    return Person(
        family=str(rng.choice(_FAMILY)),
        given=str(rng.choice(_GIVEN)),
        number=str(rng.integers(10**5, 10 ** int(rng.integers(6, 11)))),
        born=(int(rng.integers(1920, 2015)), int(rng.integers(1, 13)), int(rng.integers(1, 29))),
        seen=(int(rng.integers(2003, 2026)), int(rng.integers(1, 13)), int(rng.integers(1, 29))),
        hospital=f"{place} {rng.choice(_HOUSE)}",
    )


def lines_for(who: Person, rng: np.random.Generator) -> tuple[str, str]:
    """A category and a line of it, written one of the ways that scanners and viewers write it."""
    about = str(rng.choice(("name", "id", "date", "institution", "technical"), p=(0.3, 0.2, 0.2, 0.1, 0.2)))
    return about, str(rng.choice(_ways(who, about)))


def _ways(who: Person, about: str) -> tuple[str, ...]:
    family, given = who.family, who.given
    if about == "name":
        return (
            f"{family}^{given}",
            f"{family}, {given}",
            f"{family.title()}, {given.title()}",
            f"{given.title()} {family.title()}",
            f"Name: {family} {given}",
            f"{family} {given} [M]",
            f"Pat. {given[0]}. {family.title()}",
            family,
        )
    if about == "id":
        return (
            who.number,
            f"ID: {who.number}",
            f"MRN {who.number}",
            f"PID{who.number}",
            f"Acc# {who.number}",
            f"#{who.number}",
        )
    if about == "date":
        word, (year, month, day) = ("DOB", who.born) if int(who.number) % 2 else ("Study", who.seen)
        return (
            f"{day:02}.{month:02}.{year}",
            f"{month}/{day}/{year}",
            f"{year}-{month:02}-{day:02}",
            f"{word}: {day:02} {_MONTHS[month - 1]} {year}",
            f"{word} {year}{month:02}{day:02}",
            f"{word}: {month:02}/{day:02}/{year}",
        )
    if about == "institution":
        return (who.hospital, who.hospital.title())
    return _TECHNICAL
