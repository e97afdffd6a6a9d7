"""What was done to each file, as a table of one row per action: built from the few different lists of actions that a series has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from radcurate import tables
from radcurate.deidentify.rewrite import Note

COLUMNS = ("tag", "keyword", "action", "reason")
Notes = frozenset[Note]


@dataclass
class ActionLog:
    """The files of one series and what was done to each; slices share nearly always one list."""

    lists: dict[Notes, int] = field(default_factory=dict)  # to its number
    files: list[tuple[str, int]] = field(default_factory=list)  # name, number of its list

    def add(self, name: str, notes: Notes) -> None:
        """Note what was done to a file."""
        self.files.append((name, self.lists.setdefault(notes, len(self.lists))))


def action_tables(logs: Mapping[str, ActionLog]) -> Iterator[pa.Table]:
    """The rows of `tables.DEIDENTIFY_ACTIONS`, in the order of its key, series by series; `logs` is by series."""
    return (_series_table(series, log) for series, log in sorted(logs.items()) if log.files)


def _series_table(series: str, log: ActionLog) -> pa.Table:
    """Columns as codes into a dictionary: a thousand slices times a hundred actions are no thousand strings."""
    lists = [sorted({_row(note) for note in notes}) for notes in log.lists]
    rows = sorted({row for one in lists for row in one})
    place = {row: index for index, row in enumerate(rows)}
    codes = [np.array([place[row] for row in one], np.int32) for one in lists]
    files = sorted(log.files)
    taken = np.concatenate([codes[number] for _, number in files])
    repeated = np.repeat(np.arange(len(files), dtype=np.int32), [len(codes[number]) for _, number in files])
    columns = {
        "series": _coded([series], np.zeros(len(taken), np.int32)),
        "name": _coded((name for name, _ in files), repeated),
    }
    columns |= {name: _coded((row[i] for row in rows), taken) for i, name in enumerate(COLUMNS)}
    order = [name for name, _ in tables.DEIDENTIFY_ACTIONS.columns]
    return pa.table({name: columns[name] for name in order})


def _row(note: Note) -> tuple[str, str, str, str]:
    return note.path, note.keyword, note.action, note.reason


def _coded(values: Iterable[str], codes: np.ndarray[tuple[int], np.dtype[np.int32]]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values, pa.string())).dictionary_decode()
