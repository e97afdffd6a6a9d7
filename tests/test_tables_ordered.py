"""Rows of many parts in another order: the same as sorting them at once, whatever the parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from radcurate import tables


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radcurate.tables.files.ROW_GROUP", 8)


def content(n: int) -> tuple[np.ndarray, pa.Table]:
    """Places of `n` rows, a third of them left out, and the rows."""
    chance = np.random.default_rng(n)
    places = np.full(n, -1)
    kept = chance.permutation(n)[: n - n // 3]
    places[kept] = np.arange(kept.size)
    words = pa.array([None, "a", "b"]).take(pa.array(chance.integers(0, 3, n)))
    return places, pa.table({"x": chance.normal(size=n), "n": pa.array(places), "word": words})


def gathered(places: np.ndarray, rows: pa.Table, step: int, folder: Path, n: int) -> list[pa.Table]:
    parts = ((places[start : start + step], rows.slice(start, step)) for start in range(0, rows.num_rows, step))
    return list(tables.ordered(parts, rows.schema, n, folder))


@pytest.mark.parametrize("n", [0, 1, 7, 12, 100])
@pytest.mark.parametrize("step", [1, 5, 1000])
def test_rows_come_in_the_order_of_their_places(tmp_path: Path, n: int, step: int) -> None:
    places, rows = content(n)
    kept = int((places >= 0).sum())
    found = gathered(places, rows, step, tmp_path, kept)
    assert [part.num_rows for part in found] == [min(8, kept - start) for start in range(0, kept, 8)]
    order = np.argsort(places)[n - kept :]
    whole = pa.concat_tables([rows.schema.empty_table(), *found])
    assert whole.equals(rows.take(pa.array(order)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoil", ["twice", "missing"])
def test_a_place_without_a_row_or_with_two_is_noticed(tmp_path: Path, spoil: str) -> None:
    places, rows = content(30)
    chosen = int(np.flatnonzero(places >= 0)[3])
    places[chosen] = (places[chosen] + 1) % 20 if spoil == "twice" else -1
    with pytest.raises(ValueError, match="no row, or several"):
        gathered(places, rows, 7, tmp_path, 20)
