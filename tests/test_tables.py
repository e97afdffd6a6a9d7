"""Tables: one schema each, the same bytes for the same content."""

from __future__ import annotations

from pathlib import Path

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
