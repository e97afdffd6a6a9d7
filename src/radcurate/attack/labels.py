"""What a value in a release leaves open: the ages or days that a label such as `60-64`, `90+`, `2015-Q2` or `*` may stand for.

A label that can't be read (a group of somebody's own hierarchy) gives None; whoever knows the raw values fills it in.
"""

from __future__ import annotations

import math
import re
from calendar import monthrange
from datetime import date

Bounds = tuple[float, float]
ANYTHING: Bounds = (-math.inf, math.inf)
_LESS = 1e-9  # [60, 65) of whole years: 65 is 1 year beyond
_NUMBER = r"\d+(?:\.\d+)?"


def ages(label: object) -> Bounds | None:
    """Least and largest age, in years, that the label may stand for. `63` as text is a whole year, as a number itself."""
    if label is None or label == "*" or label == "":
        return ANYTHING
    if isinstance(label, int | float):
        return ANYTHING if math.isnan(label) else (float(label), float(label))
    text = str(label).strip()
    if found := re.fullmatch(rf"({_NUMBER})\+", text):
        return float(found[1]), math.inf
    if found := re.fullmatch(rf"({_NUMBER})(?:-({_NUMBER}))?", text):
        low, high = found[1], found[2] or found[1]
        return (float(low), float(high) + 1 - _LESS) if "." not in low + high else (float(low), float(high))
    return None


def days(label: object) -> Bounds | None:
    """First and last day, as ordinals, that the label may stand for: a day, month, quarter or year, or two with `/`."""
    if label is None or label == "*" or label == "":
        return ANYTHING
    if isinstance(label, date):
        return float(label.toordinal()), float(label.toordinal())
    parts = [_day(part) for part in str(label).strip().split("/")]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts) or len(parts) > 2:
        return None
    return found[0][0], found[-1][1]


def _day(text: str) -> Bounds | None:
    if not (found := re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})(?:-(\d{2}))?))?", text)):
        return None
    year, quarter, month, day = (int(part) if part else None for part in found.groups())
    try:
        if day and month and year:
            first = last = date(year, month, day)
        else:
            begin, end = (month, month) if month else (3 * quarter - 2, 3 * quarter) if quarter else (1, 12)
            first = date(year or 0, begin, 1)
            last = date(year or 0, end, monthrange(year or 0, end)[1])
    except ValueError:  # 2015-02-30
        return None
    return float(first.toordinal()), float(last.toordinal())
