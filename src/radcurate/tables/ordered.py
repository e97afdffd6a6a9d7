"""Rows of many parts brought into another order, without holding them all.

The places of the rows are known beforehand, so no sorting is needed: each part is written to one scratch file, cut by
the row group that its rows belong to, and each row group is then gathered from there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from radcurate.tables import files

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Piece:
    """Rows in the scratch file: where they are, and their places, shape (row,)."""

    start: int
    size: int
    places: Ints


def ordered(parts: Iterable[tuple[Ints, pa.Table]], schema: pa.Schema, n_rows: int, folder: Path) -> Iterator[pa.Table]:
    """The rows by their places, in tables of `ROW_GROUP` rows, the last one of fewer.

    Args:
        parts: tables of `schema`, and the place of each of their rows from 0 to `n_rows` - 1; -1: left out.
        folder: where the scratch file lies, which has no name and goes when the program ends, however it ends.

    Raises:
        ValueError: a place has no row, or several.
    """
    with tempfile.TemporaryFile(dir=folder) as scratch:
        pieces: list[list[_Piece]] = [[] for _ in range(0, n_rows, files.ROW_GROUP)]
        for places, part in parts:
            _shelve(scratch, places, part, pieces)
        for number, found in enumerate(pieces):
            start = number * files.ROW_GROUP
            yield _gather(scratch, found, schema, range(start, min(start + files.ROW_GROUP, n_rows)))


def _shelve(scratch: IO[bytes], places: Ints, part: pa.Table, pieces: list[list[_Piece]]) -> None:
    rows = np.flatnonzero(places >= 0)
    rows = rows[np.argsort(places[rows], kind="stable")]
    if not rows.size:
        return
    (batch,) = part.take(pa.array(rows)).combine_chunks().to_batches()
    places = places[rows]
    ends = np.searchsorted(places, np.arange(len(pieces) + 1) * files.ROW_GROUP)
    for group, (first, last) in enumerate(pairwise(ends.tolist())):
        if first < last:
            start = scratch.tell()
            scratch.write(batch.slice(first, last - first).serialize())
            pieces[group].append(_Piece(start, scratch.tell() - start, places[first:last]))


def _gather(scratch: IO[bytes], pieces: list[_Piece], schema: pa.Schema, wanted: range) -> pa.Table:
    batches = []
    for piece in pieces:
        scratch.seek(piece.start)
        batches.append(pa.ipc.read_record_batch(pa.py_buffer(scratch.read(piece.size)), schema))
    places = np.concatenate([piece.places for piece in pieces]) if pieces else np.zeros(0, dtype=np.int64)
    order = np.argsort(places)
    if not np.array_equal(places[order], np.arange(wanted.start, wanted.stop)):
        raise ValueError("a place has no row, or several")
    return pa.Table.from_batches(batches, schema).take(pa.array(order)).combine_chunks()
