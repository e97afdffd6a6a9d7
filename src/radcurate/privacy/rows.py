"""The two tables of a release seen as one: each row of features with the acquisition of its series.

Whoever holds both tables can join them, so quasi-identifiers of either are judged together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from radcurate.errors import CurationError
from radcurate.privacy.coding import Coded, Ints, codes_of, distinct, encode
from radcurate.privacy.columns import Columns
from radcurate.privacy.hierarchies import Ladder, ladder

SUBJECT, SERIES = "subject", "series"
PART = 65_536  # values that are Python's at a time


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

    @property
    def names(self) -> list[str]:
        """Columns of both, those of features first."""
        return list(dict.fromkeys([*self.features.column_names, *self.acquisition.column_names]))

    @property
    def subject(self) -> Ints:
        """Patient of each row of features, shape (row,): numbers from 0 without gaps, in the order of their codes."""
        return codes_of(self.features[SUBJECT], SUBJECT)

    def by_series(self, values: Any) -> Any:
        """For each row of acquisition what `values`, shape (row of features,), says of its series; else None."""
        out = np.full(self.acquisition.num_rows, None)
        places = np.asarray(self._places.fill_null(-1))
        out[places[places >= 0]] = np.asarray(values, dtype=object)[places >= 0]
        return out

    @cached_property
    def _places(self) -> Any:
        """Row of acquisition for each row of features; null where its series has none."""
        known = self.acquisition[SERIES].combine_chunks()
        twice = len(known) - pc.count_distinct(known, mode="all").as_py()
        if twice:
            raise CurationError(
                "acquisition has a series more than once",
                wanted="one row per series",
                found=f"{twice} rows too many",
                fix="delete results/extract and run snakemake again",
            )
        return pc.index_in(self.features[SERIES].combine_chunks(), value_set=known)

    def only(self, kept: Any) -> Pair:
        """The rows of features flagged in `kept`, shape (row,), and the acquisition of their series."""
        features = self.features.filter(pa.array(kept, pa.bool_()))
        used = pc.is_in(self.acquisition[SERIES], value_set=features[SERIES].combine_chunks())
        return Pair(features, self.acquisition.filter(used))


def recode(content: pa.Table, columns: Columns, code: Callable[[str, str], str]) -> pa.Table:
    """Replace the values of columns that are declared with a letter by `code(letter, value)`; null stays null."""
    for place, name in enumerate(content.column_names):
        entry = columns.find(name)
        if entry is not None and entry.code:
            numbers, values = distinct(content[name], name)
            texts = [
                pa.array([code(entry.code, str(value)) for value in part.to_pylist()], pa.string())
                for part in _parts(values)
            ]
            told = pa.concat_arrays([*texts, pa.nulls(1, pa.string())])
            content = content.set_column(place, name, told.take(pa.array(numbers)))
    return content


def _parts(values: Any) -> Iterator[Any]:
    for start in range(0, len(values), PART):
        yield values.slice(start, PART)


def ladders(pair: Pair, columns: Columns) -> tuple[list[Ladder], list[Coded]]:
    """For each quasi-identifier its ladder over the values found, and its rows as positions in that ladder."""
    names = columns.named("quasi_identifier")
    coded = [encode(pair.column(name), name) for name in names]
    return [ladder(name, found.values, columns.rule(name)) for name, found in zip(names, coded, strict=True)], coded


def relabel(content: pa.Table, labels: Mapping[str, Any]) -> pa.Table:
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
    return content.take(pa.array(order_of(content, columns)))


def order_of(content: pa.Table, columns: Columns) -> Ints:
    """The rows by their identifiers, shape (row,); as they are where the table has none."""
    keys = [(name, "ascending") for name in columns.named("identifier") if name in content.column_names]
    if not keys or not content.num_rows:
        return np.arange(content.num_rows)
    return np.asarray(pc.sort_indices(content, sort_keys=keys), dtype=np.int64)


def subjects(pair: Pair) -> Coded:
    """Patients of the rows: codes, shape (row,), from 0 without gaps."""
    return encode(pair.features[SUBJECT], SUBJECT)
