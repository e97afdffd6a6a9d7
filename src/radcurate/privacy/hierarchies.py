"""Hierarchies: ladders of ever coarser labels for the values of a quasi-identifier, up to `*`.

A missing value stays missing until the last rung, where it becomes `*` like every other.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np

from radcurate.errors import CurationError
from radcurate.privacy.coding import Ints, Reals, Value
from radcurate.privacy.spelling import masked, worded

ANY = "*"
AGE_WIDTHS, AGE_TOP = (1, 5, 10, 20), 90  # years; 45 CFR 164.514(b)(2)(i)(C): all ages over 89 in one category
DATE_LEVELS = ("day", "month", "quarter", "year")
Labels = tuple[str | None, ...]


@dataclass(frozen=True)
class Rule:
    """How a quasi-identifier is coarsened.

    Args:
        kind: age | interval | date | value | tree | mask | hospital | scanner | auto (the one that fits the values).
        widths: interval and age: widths of the intervals, in the column's unit, each a multiple of the one before; mask:
            characters that are hidden.
        top: interval and age: values at or above it are one group, or None.
        file: tree: CSV without a heading, a row per value: the value, then its ever coarser groups.
        least: name of the finest rung that may be released, or None.
        most: name of the coarsest rung that may be used, or None.
        group: columns of one group are coarsened together; None: alone.
        weight: weight of the column's loss.
    """

    kind: str
    widths: tuple[int, ...] = ()
    top: int | None = None
    file: Path | None = None
    least: str | None = None
    most: str | None = None
    group: str | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Ladder:
    """`labels[rung][value]` of each distinct value of a column, from the finest rung to `*`; `least` and `most` are rungs."""

    column: str
    values: tuple[Value, ...]
    names: tuple[str, ...]
    labels: tuple[Labels, ...]
    least: int = 0
    most: int = 0
    group: str | None = None
    weight: float = 1.0
    kind: str = "value"
    _groups: tuple[Ints, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_groups", tuple(_number(labels) for labels in self.labels))

    def groups(self, rung: int) -> Ints:
        """Number of the label of each value, shape (value,)."""
        return self._groups[rung]

    def loss(self, rung: int) -> Reals:
        """Normalised certainty penalty of each value, shape (value,), in [0, 1] (Xu et al. 2006).

        The finest labels that share the value's label, less one, over all finest labels of the column, less one.
        """
        finest, here = self._groups[0], self._groups[rung]
        above = np.zeros(int(finest.max(initial=-1)) + 1, dtype=np.int64)
        above[finest] = here  # groups nest: a finest label lies in one coarser one
        members = np.bincount(above)
        return np.asarray((members[here] - 1) / max(int(finest.max(initial=0)), 1), dtype=np.float64)


def ladder(column: str, values: Sequence[Value], rule: Rule) -> Ladder:
    """The ladder of a column's distinct `values` by `rule`.

    Raises:
        CurationError: an unknown kind or rung, values that the hierarchy can't take, groups that don't nest.
    """
    if rule.kind == "auto":
        rule = fitting(column, values, rule)
    if rule.kind not in KINDS:
        kinds = ", ".join([*KINDS, "auto"])
        raise _wrong(column, "an unknown hierarchy", f"one of {kinds}", rule.kind, "correct `hierarchy`")
    names, labels = KINDS[rule.kind](column, values, rule)
    names = (*names, ANY)
    labels = [*labels, tuple(ANY for _ in values)]
    _check_nested(column, names, labels)
    least, most = _rung(column, names, rule.least, 0), _rung(column, names, rule.most, len(names) - 1)
    if least > most:
        raise _wrong(
            column, "no level left", "`least` not coarser than `most`", "the reverse", "correct `least` or `most`"
        )
    return Ladder(column, tuple(values), names, tuple(labels), least, most, rule.group, rule.weight, rule.kind)


def _intervals(column: str, values: Sequence[Value], rule: Rule) -> tuple[tuple[str, ...], list[Labels]]:
    numbers = [_as_number(column, value) for value in values]
    names = tuple(f"{width}{_unit(rule, width)}" for width in rule.widths)
    return names, [tuple(_interval(number, width, rule.top) for number in numbers) for width in rule.widths]


def _unit(rule: Rule, width: int) -> str:
    return "" if rule.kind != "age" else " year" if width == 1 else " years"


def _interval(number: float | None, width: int, top: int | None) -> str | None:
    """`[n·width, (n+1)·width)` as `60-64` (or `63` for width 1); the interval that holds `top` is open, `90+`."""
    if number is None:
        return None
    low = int(np.floor((number if top is None else min(number, top)) / width)) * width
    if top is not None and low + width > top:
        return f"{low}+"
    return f"{low}" if width == 1 else f"{low}-{low + width - 1}"


def _as_number(column: str, value: Value) -> float | None:
    if value is None:
        return None
    if isinstance(value, str) or not np.isfinite(value):
        raise _wrong(column, "values that are no numbers", "finite numbers", "something else", "use hierarchy: value")
    return float(value)


def _dates(column: str, values: Sequence[Value], rule: Rule) -> tuple[tuple[str, ...], list[Labels]]:
    days = [_as_date(column, value) for value in values]
    forms: tuple[Callable[[date], str], ...] = (
        date.isoformat,
        lambda day: f"{day.year:04}-{day.month:02}",
        lambda day: f"{day.year:04}-Q{(day.month + 2) // 3}",
        lambda day: f"{day.year:04}",
    )
    return DATE_LEVELS, [tuple(None if day is None else form(day) for day in days) for form in forms]


def _as_date(column: str, value: Value) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise _wrong(column, "values that are no dates", "YYYY-MM-DD", "another form", "use hierarchy: value") from None


def _values(column: str, values: Sequence[Value], rule: Rule) -> tuple[tuple[str, ...], list[Labels]]:
    return ("value",), [tuple(plain(value) for value in values)]


def plain(value: Value) -> str | None:
    """A value as text: whole numbers without a fraction, other numbers so that they can be read back exactly."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _tree(column: str, values: Sequence[Value], rule: Rule) -> tuple[tuple[str, ...], list[Labels]]:
    rows = _read_tree(column, rule.file)
    depth = len(next(iter(rows.values()), ("",)))
    texts = [plain(value) for value in values]
    absent = sum(text is not None and text not in rows for text in texts)
    if absent:
        raise _wrong(
            column, "values that its tree lacks", "a row for every value", f"{absent} without", "add rows to the tree"
        )
    names = ("value", *(f"level {level}" for level in range(1, depth)))
    return names, [tuple(None if text is None else rows[text][level] for text in texts) for level in range(depth)]


def _read_tree(column: str, path: Path | None) -> dict[str, tuple[str, ...]]:
    if path is None or not path.is_file():
        raise _wrong(
            column, "no tree", "a CSV file under `file`", "no file there", "write it, and name it under `file`"
        )
    with path.open(newline="") as stream:
        rows = [tuple(cell.strip() for cell in row) for row in csv.reader(stream) if row]
    trimmed = [row[:-1] if len(row) > 1 and row[-1] == ANY else row for row in rows]
    if len({len(row) for row in trimmed}) != 1 or len({row[0] for row in trimmed}) != len(trimmed):
        raise _wrong(
            column, "an uneven tree", "rows of one length, each value once", "other rows", "correct the CSV file"
        )
    return {row[0]: row for row in trimmed}


def steps_of(ladders: Sequence[Ladder]) -> list[tuple[int, ...]]:
    """Positions of the ladders that are climbed together, one tuple per group, in the order of the columns.

    Raises:
        CurationError: ladders of one group have other numbers of levels.
    """
    found: dict[str, list[int]] = {}
    for place, one in enumerate(ladders):
        found.setdefault(one.column if one.group is None else f"group {one.group}", []).append(place)
    for name, places in found.items():
        if len({(ladders[place].least, ladders[place].most) for place in places}) > 1:
            raise _wrong(
                ladders[places[0]].column,
                "other levels than its group",
                "the same number of levels",
                name,
                "correct `group`",
            )
    return [tuple(places) for places in found.values()]


def fitting(column: str, values: Sequence[Value], rule: Rule) -> Rule:
    """The rule with the kind that fits a column's values and name, and widths for numbers.

    Ages by name, other numbers in steps of 1, 5 and 10 of the power of ten that divides their range by about 20, dates,
    hospitals and scanners by name; other text as it is.
    """
    known = [value for value in values if value is not None]
    words = column.lower().replace("-", "_").split("_")
    if known and not any(isinstance(value, (str, bool)) for value in known):
        if "age" in words:
            return replace(rule, kind="age", widths=AGE_WIDTHS, top=AGE_TOP)
        step = _step([float(value) for value in known])
        return replace(rule, kind="interval", widths=(step, 5 * step, 10 * step))
    if known and all(_is_date(value) for value in known):
        return replace(rule, kind="date")
    kind = next((kind for kind, names in NAMES.items() if names & set(words)), "value")
    return replace(rule, kind=kind)


NAMES = {
    "hospital": {"hospital", "institution", "site", "clinic", "station", "department"},
    "scanner": {"scanner", "model", "manufacturer", "device"},
}


def _step(numbers: Sequence[float]) -> int:
    finite = [number for number in numbers if np.isfinite(number)]
    span = max(finite) - min(finite) if finite else 0.0
    return int(10 ** max(np.floor(np.log10(span / 20)), 0)) if span > 0 else 1


def _is_date(value: Value) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _masked(_: str, values: Sequence[Value], rule: Rule) -> tuple[tuple[str, ...], list[Labels]]:
    return masked([plain(value) for value in values], rule.widths)


def _worded(_: str, values: Sequence[Value], __: Rule) -> tuple[tuple[str, ...], list[Labels]]:
    return worded([plain(value) for value in values])


KINDS: dict[str, Callable[[str, Sequence[Value], Rule], tuple[tuple[str, ...], list[Labels]]]] = {
    "age": _intervals,
    "interval": _intervals,
    "date": _dates,
    "value": _values,
    "tree": _tree,
    "mask": _masked,
    "hospital": _worded,
    "scanner": _worded,
}


def _number(labels: Labels) -> Ints:
    known: dict[str | None, int] = {}
    return np.array([known.setdefault(label, len(known)) for label in labels], dtype=np.int64)


def _check_nested(column: str, names: Sequence[str], labels: Sequence[Labels]) -> None:
    """Values that share a label must share all coarser ones, or the search would not find the least loss."""
    for name, finer, coarser in zip(names[1:], labels, labels[1:], strict=False):
        if len(set(zip(finer, coarser, strict=True))) != len(set(finer)):
            raise _wrong(
                column,
                "groups that don't nest",
                "each group inside one coarser group",
                f"a split one at {name}",
                "correct the hierarchy",
            )


def _rung(column: str, names: tuple[str, ...], wanted: str | None, default: int) -> int:
    if wanted is None:
        return default
    if wanted not in names:
        raise _wrong(column, "an unknown level", "one of " + ", ".join(names), wanted, "correct `least` or `most`")
    return names.index(wanted)


def _wrong(column: str, what: str, wanted: str, found: str, fix: str) -> CurationError:
    return CurationError(
        f"quasi-identifier {column} has {what}", wanted=wanted, found=found, fix=fix + " in config/columns.yaml"
    )
