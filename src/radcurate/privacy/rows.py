"""The two tables of a release seen as one: each row of features with the acquisition of its series.

Whoever holds both tables can join them, so quasi-identifiers of either are judged together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from radcurate.errors import CurationError
from radcurate.privacy.coding import Coded, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import Ladder, ladder

SUBJECT, SERIES = "subject", "series"


@dataclass(frozen=True)
class Pair:
    """features, a row per region, and acquisition, a row per image series."""

    features: pa.Table
    acquisition: pa.Table

    def column(self, name: str) -> Any:
        """A column per row of features, shape (row,), from features if it is there, else by series from acquisition.

        Raises:
            CurationError: neither has it.
        """
        if name in self.features.column_names:
            return self.features[name]
        if name not in self.acquisition.column_names:
            raise CurationError(
                f"column {name} is declared and absent",
                wanted="a column of features or acquisition",
                found="neither has it",
                fix="remove it from config/columns.yaml, or correct its name",
            )
        return self.acquisition[name].combine_chunks().take(self._places)

    @cached_property
    def _places(self) -> Any:
        """Row of acquisition for each row of features; null where its series has none."""
        place = {series: row for row, series in enumerate(self.acquisition[SERIES].to_pylist())}
        if len(place) < self.acquisition.num_rows:
            raise CurationError(
                "acquisition has a series more than once",
                wanted="one row per series",
                found=f"{self.acquisition.num_rows - len(place)} rows too many",
                fix="delete results/extract and run snakemake again",
            )
        return pa.array([place.get(series) for series in self.features[SERIES].to_pylist()], pa.int64())

    def only(self, kept: Any) -> Pair:
        """The rows of features flagged in `kept`, shape (row,), and the acquisition of their series."""
        features = self.features.filter(pa.array(kept, pa.bool_()))
        used = set(features[SERIES].to_pylist())
        flags = [series in used for series in self.acquisition[SERIES].to_pylist()]
        return Pair(features, self.acquisition.filter(pa.array(flags, pa.bool_())))


def recode(content: pa.Table, columns: Columns, code: Callable[[str, str], str]) -> pa.Table:
    """Replace the values of columns that are declared with a letter by `code(letter, value)`; null stays null."""
    for place, name in enumerate(content.column_names):
        entry = columns.find(name)
        if entry is not None and entry.code:
            coded = encode(content[name], name)
            texts = pa.array(
                [None if value is None else code(entry.code, str(value)) for value in coded.values], pa.string()
            )
            content = content.set_column(place, name, texts.take(pa.array(coded.codes)))
    return content


def ladders(pair: Pair, columns: Columns) -> tuple[list[Ladder], list[Coded]]:
    """For each quasi-identifier its ladder over the values found, and its rows as positions in that ladder."""
    names = columns.named("quasi_identifier")
    coded = [encode(pair.column(name), name) for name in names]
    return [ladder(name, found.values, columns.rule(name)) for name, found in zip(names, coded, strict=True)], coded


def relabel(content: pa.Table, labels: Mapping[str, Sequence[str | None]]) -> pa.Table:
    """Replace columns by text, a label per row."""
    for name, texts in labels.items():
        content = content.set_column(content.column_names.index(name), name, pa.array(texts, pa.string()))
    return content


def select(content: pa.Table, columns: Columns, without: Iterable[str] = ()) -> pa.Table:
    """Declared columns only, rows in the order of the release codes, which tells nothing."""
    hidden = set(without)
    names = [name for name in columns.released(content.column_names) if name not in hidden]
    return in_order(content.select(names), columns)


def in_order(content: pa.Table, columns: Columns) -> pa.Table:
    """Rows by their identifiers."""
    keys = [(name, "ascending") for name in columns.named("identifier") if name in content.column_names]
    return content.sort_by(keys) if keys and content.num_rows else content


def subjects(pair: Pair) -> Coded:
    """Patients of the rows: codes, shape (row,), from 0 without gaps."""
    return encode(pair.features[SUBJECT], SUBJECT)
