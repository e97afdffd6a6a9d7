"""The date rule: one secret shift per patient in whole weeks, or years only; times of day stay (docs/decisions)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from radcurate.keys import Key

_DATE = re.compile(r"(\d{4})([.]?)(\d{2})\2(\d{2})")
_MOMENT = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?")


@dataclass(frozen=True)
class DateRule:
    """How dates change: `shift` by a secret number of days, or keep the `year` only. Never printed."""

    mode: str  # shift | year
    days: int = field(default=0, repr=False)

    def apply(self, day: date) -> date | None:
        """The new day; None where the calendar ends."""
        if self.mode == "year":
            return date(day.year, 1, 1)
        try:
            return day + timedelta(days=self.days)
        except OverflowError:
            return None

    def date(self, text: str) -> str | None:
        """A DA value YYYYMMDD (also the old YYYY.MM.DD) under the rule; None where it is no date."""
        day = parse_date(text)
        new = self.apply(day) if day else None
        return f"{new.year:04d}{new:%m%d}" if new else None

    def moment(self, text: str, zone: str | None = None) -> str | None:
        """A DT value under the rule, its date part changed and its time kept; None where it has no full date.

        A time zone is turned into the data set's own (`zone`, (0008,0201)) or dropped: it tells where the hospital is.
        """
        match = _MOMENT.fullmatch(text)
        if not match:
            return None
        local = _local(match[1], match[2] or "", match[3], zone)
        if local is None:
            return None
        new = self.date(local[:8])
        return new + local[8:] if new else None


def _local(day: str, clock: str, written: str | None, zone: str | None) -> str | None:
    """Date and time of day in the zone of the data set, as far as both zones are known."""
    if not written or not zone or written == zone or len(clock) < 4:
        return day + clock
    try:
        moved = datetime.strptime(day + clock[:4], "%Y%m%d%H%M") + _offset(zone) - _offset(written)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved:%m%d%H%M}{clock[4:]}"


def _offset(zone: str) -> timedelta:
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))


def parse_date(text: str) -> date | None:
    """A DA value as a day; None where it is none."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None


def date_rule(key: Key, subject: str, mode: str, shift_weeks: int) -> DateRule:
    """The rule for a patient. The shift is keyed by the patient, in -shift_weeks … shift_weeks weeks, never 0."""
    if mode == "year":
        return DateRule("year")
    draw = int.from_bytes(key.digest("date", subject)[:8], "big") % (2 * shift_weeks) - shift_weeks
    weeks = draw if draw < 0 else draw + 1
    return DateRule("shift", 7 * weeks)
