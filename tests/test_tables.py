"""Tables: one schema each, the same bytes for the same content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from radcurate import tables
from radcurate.errors import CurationError

ROWS = [{"series": "S-2", "subject": "P-1", "status": "ok"}, {"series": "S-1", "subject": "P-1", "status": "failed"}]


def test_order_of_rows_does_not_change_the_bytes(tmp_path: Path) -> None:
    tables.write_rows(tmp_path / "a.parquet", tables.CONSENT_SERIES, ROWS)
    tables.write_rows(tmp_path / "b.parquet", tables.CONSENT_SERIES, ROWS[::-1])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert [row["series"] for row in tables.read_rows(tmp_path / "a.parquet", tables.CONSENT_SERIES)] == ["S-1", "S-2"]


def test_unknown_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        tables.table(tables.CONSENT_SERIES, [{"name": "x"}])


def test_another_schema_is_noticed(tmp_path: Path) -> None:
    tables.write_rows(tmp_path / "a.parquet", tables.CONSENT_SERIES, ROWS)
    with pytest.raises(CurationError, match="other columns"):
        tables.read(tmp_path / "a.parquet", tables.VERIFY_HITS)


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1 not at all PAR1"])
def test_a_damaged_table_is_explained(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(damage)
    with pytest.raises(CurationError, match="can't be read"):
        tables.read(tmp_path / "a.parquet")


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(OSError):
        tables.write_rows(tmp_path / "a.parquet", tables.CONSENT_SERIES, ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_schema_names_and_keys_are_sound() -> None:
    schemas = [value for value in vars(tables).values() if isinstance(value, tables.Schema)]
    assert len({schema.name for schema in schemas}) == len(schemas)
    for schema in schemas:
        names = [name for name, _ in schema.columns]
        assert len(set(names)) == len(names) and set(schema.key) <= set(names)


def long_table(n: int) -> pa.Table:
    chance = np.random.default_rng(n)
    words = pa.array([None, "a", "b"]).take(pa.array(chance.integers(0, 3, n)))
    return pa.table({"n": np.arange(n), "x": chance.normal(size=n), "word": words})


@pytest.mark.parametrize("n", [0, 5, 2 * 64, 2 * 64 + 1, 5 * 64 - 1])
def test_where_parts_end_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setattr("radcurate.tables.files.ROW_GROUP", 64)
    content = long_table(n)
    tables.write(tmp_path / "whole.parquet", content)
    for step in (1, 50, 64, 200, 1000):
        parts = [content.slice(start, step) for start in range(0, n, step)]
        tables.write_stream(tmp_path / "parts.parquet", content.schema, parts)
        assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes(), step
    tables.write(tmp_path / "chunked.parquet", pa.concat_tables(parts) if parts else content)
    assert (tmp_path / "chunked.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert tables.read(tmp_path / "whole.parquet").equals(content)


def test_a_table_is_read_by_parts_and_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radcurate.tables.files.ROW_GROUP", 64)
    content = long_table(150)
    tables.write(tmp_path / "a.parquet", content)
    assert [part.num_rows for part in tables.read_parts(tmp_path / "a.parquet")] == [64, 64, 22]
    parts = list(tables.read_parts(tmp_path / "a.parquet", ["word", "n"]))
    assert pa.concat_tables(parts).equals(tables.read(tmp_path / "a.parquet", columns=["word", "n"]))
    assert tables.read_schema(tmp_path / "a.parquet").equals(content.schema)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    for reader in (tables.read_schema, lambda path: list(tables.read_parts(path))):
        with pytest.raises(CurationError, match="can't be read"):
            reader(tmp_path / "a.parquet")
