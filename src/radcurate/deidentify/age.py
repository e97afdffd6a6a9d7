"""Age in whole years, 90 and over pooled (45 CFR 164.514(b)(2)(i)(C)), from the age or from two dates."""

from __future__ import annotations

import re
from datetime import date

POOLED = 90
_AGE = re.compile(r"(\d{1,3})([DWMY])?")
_PER_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}


def years_of(text: str) -> int | None:
    """Whole years of an AS value such as 047Y or 018M; None where it is none."""
    match = _AGE.fullmatch(text.strip())
    return min(POOLED, int(int(match[1]) / _PER_YEAR[match[2] or "Y"])) if match else None


def years_between(birth: date | None, study: date | None) -> int | None:
    """Whole years from birth to study; None where a date is missing or they contradict each other."""
    if birth is None or study is None or birth > study:
        return None
    years = study.year - birth.year - ((study.month, study.day) < (birth.month, birth.day))
    return min(POOLED, years) if years <= 130 else None


def age_text(years: int, mode: str = "years") -> str:
    """An AS value; 090Y stands for 90 and over. `five_years` gives the first year of a bin of five."""
    return f"{min(coarse(years, mode), POOLED):03d}Y"


def coarse(years: int, mode: str) -> int:
    """The age to tell: as it is, or the first year of its bin of five."""
    return years - years % 5 if mode == "five_years" else years
