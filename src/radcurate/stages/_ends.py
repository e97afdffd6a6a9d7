"""What became of each patient and each series in protect: released under which code, or why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from radcurate import tables
from radcurate.keys import Key
from radcurate.privacy.coding import Flags, Ints

REMEDIES = {
    "suppressed": "add patients, lower protect.k, or declare fewer or coarser quasi-identifiers in config/columns.yaml",
    "rare_region": "name the region as others do, choose fewer columns for protect.comparable, or lower protect.microaggregation",
    "no_row": "give the series a contour that can be measured",
}


def subject_rows(measured: pa.Table, kept: pa.Array, letter: str | None, key: Key) -> pa.Table:
    """`PROTECT_SUBJECTS`.

    Args:
        measured: the regions that could be released.
        kept: patients that are.
        letter: of the codes of patients.
    """
    people = measured["subject"].combine_chunks().unique()
    people = people.take(pc.array_sort_indices(people))
    inside = _in(people, kept)
    status = pa.array(["suppressed", "released"]).take(pa.array(inside.astype(np.int8)))
    return pa.table([people, _codes(people, inside, letter, key), status], schema=tables.PROTECT_SUBJECTS.arrow)


def series_rows(
    chunks: list[Path], measured: pa.Table, rows: Ints, kept: pa.Array, letter: str | None, key: Key
) -> pa.Table:
    """`PROTECT_SERIES`: what became of each series that extract passed on.

    Args:
        chunks: folders of extract.
        measured: the regions that could be released.
        rows: those that are, shape (released row,).
        kept: patients that are in the release.
        letter: of the codes of series.
    """
    found = [tables.read(chunk / "series.parquet", tables.EXTRACT_SERIES) for chunk in chunks]
    content = pa.concat_tables(found or [tables.table(tables.EXTRACT_SERIES, [])])
    content = tables.sort(tables.EXTRACT_SERIES, content.filter(pc.equal(content["status"], tables.OK)))
    names = content["series"].combine_chunks()
    counts = _counts(names, measured.take(pa.array(rows)))
    released = counts > 0
    reason = np.where(
        _counts(names, measured) == 0, "no_row", np.where(_in(content["subject"], kept), "rare_region", "suppressed")
    )
    told: dict[str, Any] = {name: content[name] for name, _ in tables.SERIES}
    told["status"] = pc.if_else(pa.array(released), content["status"], tables.EXCLUDED)
    told["reason"] = pa.array(reason.tolist(), pa.string(), mask=released)
    told["remedy"] = pa.array([REMEDIES[one] for one in reason.tolist()], pa.string(), mask=released)
    told |= {"code": _codes(names, released, letter, key), "rows": pa.array(counts)}
    return pa.table(told, schema=tables.PROTECT_SERIES.arrow)


def _in(values: Any, those: pa.Array) -> Flags:
    return np.asarray(pc.is_in(values, value_set=those), dtype=bool)


def _counts(series: pa.Array, rows: pa.Table) -> Ints:
    """Rows that come from each series, as image or as contour, shape (series,)."""
    places = [
        pc.index_in(rows[name].combine_chunks(), value_set=series).fill_null(-1) for name in ("series", "contour")
    ]
    numbers = np.concatenate([np.asarray(each, dtype=np.int64) for each in places])
    return np.bincount(numbers[numbers >= 0], minlength=len(series))


def _codes(names: pa.Array, chosen: Flags, letter: str | None, key: Key) -> pa.Array:
    """Codes of the release for the chosen names, null for the others."""
    if letter is None:
        return pa.nulls(len(names), pa.string())
    place = np.where(chosen, np.cumsum(chosen) - 1, -1)
    codes = [key.release_code(letter, name) for name in names.filter(pa.array(chosen)).to_pylist()]
    return pa.array(codes, pa.string()).take(pa.array(place, mask=~chosen))
