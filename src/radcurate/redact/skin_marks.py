"""Marks in the skin that a steward names, one line of `config/redact_marks.csv` each: a series, a place on it, how large.

The place is in patient coordinates, as any viewer tells them; what lies within the ball is smoothed (`skin`).
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

import numpy as np

from radcurate.errors import CurationError
from radcurate.redact.found import Box, Flags
from radcurate.volumes.grid import Grid

COLUMNS = ("series", "x", "y", "z", "radius", "reason")
TILE = 16  # columns of a frame that one box spans at most: the skin is bent


@dataclass(frozen=True)
class Mark:
    """A ball about a mark. series: pseudonym in the run; centre, radius: mm, patient coordinates (LPS)."""

    series: str
    centre: tuple[float, float, float]
    radius: float


def marks_of(text: str) -> tuple[Mark, ...]:
    """The marks of a table; an empty one has none.

    Raises:
        CurationError: other columns, or a line that is no place of a series.
    """
    lines = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines]
    rows = [(number, row) for number, row in rows if any(row) and not row[0].startswith("#")]
    if not rows:
        return ()
    if tuple(rows[0][1]) != COLUMNS:
        raise _wrong(rows[0][0], "the columns " + ", ".join(COLUMNS))
    return tuple(_mark(number, row) for number, row in rows[1:])


def _mark(line: int, row: list[str]) -> Mark:
    try:
        series, *numbers, reason = row
        x, y, z, radius = (float(cell) for cell in numbers)
    except ValueError:
        raise _wrong(line, "a series, x, y, z and radius in mm, and a reason") from None
    if not series or not reason or not all(map(math.isfinite, (x, y, z))) or not 0 < radius <= 200:
        raise _wrong(line, "a series, a place, a radius of at most 200 mm, and a reason")
    return Mark(series, (x, y, z), radius)


def within(mark: Mark, grid: Grid) -> Flags:
    """Voxels in a mark's ball, shape (plane, row, column)."""
    indices = np.indices(grid.shape[1:]).reshape(2, -1).T
    inside = np.zeros(grid.shape, dtype=bool)
    for plane in range(grid.shape[0]):
        points = grid.to_patient(np.column_stack([np.full(len(indices), plane), indices]))
        inside[plane] = (np.linalg.norm(points - mark.centre, axis=1) <= mark.radius).reshape(grid.shape[1:])
    return inside


def boxes_of(changed: Flags) -> list[Box]:
    """Boxes that hold all flagged pixels of a frame, a narrow one for each stretch of columns.

    Args:
        changed: shape (row, column).
    """
    found = []
    for left in range(0, changed.shape[1], TILE):
        rows, columns = np.nonzero(changed[:, left : left + TILE])
        if rows.size:
            found.append(
                Box(int(rows.min()), left + int(columns.min()), int(rows.max()) + 1, left + int(columns.max()) + 1)
            )
    return found


def _wrong(line: int, wanted: str) -> CurationError:
    return CurationError(
        "a line of the table of marks in the skin can't be used",
        wanted=wanted,
        found=f"line {line} is something else",
        fix="correct the line, or take it out",
    )
