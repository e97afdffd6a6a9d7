"""What each column costs in anonymity: crowd, uniqueness and loss of the others, with the column and without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from radcurate.privacy.choice import Choice, Scene
from radcurate.privacy.classes import classes
from radcurate.privacy.coding import Ints, codes_of, combine
from radcurate.privacy.columns import Columns
from radcurate.privacy.rows import Pair
from radcurate.privacy.ways import Way, gains


def marginal(
    found: Scene, released: Pair, columns: Columns, chosen: Choice, tried: Sequence[Way]
) -> list[dict[str, Any]]:
    """A line per quasi-identifier, at the finest levels that may be released, and per technical column.

    A technical column is held against the table that is released: what if an outsider knew it after all? `delta_ncp`: by
    how much the loss of the other quasi-identifiers falls without the column; None for technical ones.
    """
    saved = gains(found, chosen, list(tried))
    return [*_quasi(found, saved), *_technical(released, columns)]


def _quasi(found: Scene, saved: dict[str, float]) -> Iterator[dict[str, Any]]:
    cells = [ladder.groups(ladder.least)[values] for ladder, values in zip(found.ladders, found.values, strict=True)]
    everything = _crowd(found.subject, cells)
    for place, ladder in enumerate(found.ladders):
        without = _crowd(found.subject, [*cells[:place], *cells[place + 1 :]])
        yield _line(ladder.column, "quasi_identifier", everything, without) | {"delta_ncp": saved.get(ladder.column)}


def _technical(released: Pair, columns: Columns) -> Iterator[dict[str, Any]]:
    owner = released.subject
    shown = [codes_of(released.column(name), name) for name in columns.named("quasi_identifier")]
    without = _crowd(owner, shown)
    for name in released.names:
        entry = columns.find(name)
        if entry is not None and entry.role == "technical" and not pa.types.is_nested(released.column(name).type):
            known = _crowd(owner, [*shown, codes_of(released.column(name), name)])
            yield _line(name, "technical", known, without) | {"delta_ncp": None}


def _crowd(subject: Ints, cells: Sequence[Ints]) -> tuple[int, float]:
    """Smallest crowd, and the share of patients that are alone."""
    sizes = np.bincount(classes(subject, combine(cells, subject.size)))
    n = int(sizes.sum())
    return (int(sizes.min()), float((sizes == 1).sum() / n)) if n else (0, 0.0)


def _line(name: str, role: str, with_it: tuple[int, float], without: tuple[int, float]) -> dict[str, Any]:
    return {
        "column": name,
        "role": role,
        "k_with": with_it[0],
        "k_without": without[0],
        "delta_k": with_it[0] - without[0],
        "unique_with": with_it[1],
        "unique_without": without[1],
        "delta_unique": with_it[1] - without[1],
    }
