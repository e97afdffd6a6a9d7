"""Who and what a header is about: person, study, scanner, series."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date


def uid(*parts: object) -> str:
    """A unique identifier that depends on `parts` only: `2.25.` and a hash as a decimal number (PS3.5 B.2)."""
    digest = hashlib.sha256("|".join(str(part) for part in parts).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


@dataclass(frozen=True)
class Person:
    """A patient. age in years, weight in kg, size in m."""

    patient_id: str = "TEST-0001"
    name: str = "Probe^Petra"
    sex: str = "F"
    age: int = 54
    birth_date: date = date(1969, 2, 3)
    weight: float = 71.0
    size: float = 1.7

    @property
    def surname(self) -> str:
        """First component of the name."""
        return self.name.split("^")[0]

    @property
    def forename(self) -> str:
        """Second component of the name."""
        return self.name.split("=")[0].split("^")[1]


@dataclass(frozen=True)
class Scanner:
    """A maker's device in a hospital, and what the hospital's modality writes into each header."""

    manufacturer: str = "DEMO"
    model: str = "Demo One"
    station: str = "DEMO01"
    serial: str = "0000001"
    software: str = "1.0"
    kernel: str = "STANDARD"
    kvp: float = 120.0
    field_strength: float = 1.5


@dataclass(frozen=True)
class Study:
    """One visit. time as HHMMSS."""

    study_uid: str = field(default_factory=lambda: uid("study"))
    frame_uid: str = field(default_factory=lambda: uid("frame"))
    day: date = date(2023, 5, 4)
    time: str = "101500"
    study_id: str = "1"
    accession: str = "A1"
    description: str = "Staging"


@dataclass(frozen=True)
class Pet:
    """Radiopharmaceutical: total dose in Bq at injection, seconds from injection to scan, half-life in s (F-18).

    with_date: whether the header tells the injection's date too, needed when midnight lies between.
    """

    dose: float = 3.1e8
    uptake: float = 3600.0
    half_life: float = 6586.2
    with_date: bool = True

    @property
    def dose_at_scan(self) -> float:
        """Bq left at the start of the scan, to which DecayCorrection START refers."""
        return float(self.dose * 2 ** (-self.uptake / self.half_life))


@dataclass(frozen=True)
class Series:
    """One series. modality CT, MR or PT; weighting T1 or T2 for MR; pet for PT."""

    series_uid: str = field(default_factory=lambda: uid("series"))
    modality: str = "CT"
    number: int = 2
    description: str = "Axial"
    protocol: str = "Routine"
    body_part: str = "HEAD"
    weighting: str = "T1"
    pet: Pet = field(default_factory=Pet)
    time_offset: int = 0  # seconds after the study's start
