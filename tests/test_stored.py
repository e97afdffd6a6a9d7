"""Tables read from their file column by column and part by part are the tables that were written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.release.public import codes_of_the_run
from radcurate.tables.stored import Packed, Stored, packed, parts_of, texts

CONTENT = pa.table(
    {"roi": ["R-1", None, "R-1", "R-2"], "value": [1.0, 2.0, None, 4.0], "sizes": [[1.0], [], None, [2.0]]}
)
KINDS = tables.Schema(
    "kinds", [("roi", pa.string()), ("value", pa.float64()), ("sizes", pa.list_(pa.float64()))], ("roi",)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The table in two row groups."""
    tables.write_parts(tmp_path / "a.parquet", CONTENT.schema, [CONTENT.slice(0, 3), CONTENT.slice(3)])
    return tmp_path / "a.parquet"


def test_a_stored_table_is_what_was_written(path: Path) -> None:
    found = Stored(path)
    assert (found.num_rows, found.column_names) == (4, CONTENT.column_names)
    assert [part.num_rows for part in parts_of(found)] == [3, 1]
    assert pa.concat_tables(found.parts()).to_pylist() == CONTENT.to_pylist()
    assert found["value"].to_pylist() == CONTENT["value"].to_pylist()
    assert found.select(["value", "roi"]).column_names == ["value", "roi"]
    assert list(found.rows(["roi"])) == CONTENT.select(["roi"]).to_pylist()


def test_an_empty_table_is_one_empty_part(tmp_path: Path) -> None:
    tables.write(tmp_path / "a.parquet", CONTENT.slice(0, 0))
    assert [part.num_rows for part in Stored(tmp_path / "a.parquet").parts()] == [0]


def test_a_packed_table_unpacks_to_the_same(path: Path) -> None:
    schema = Stored(path).schema
    found = Packed(schema, packed(path, KINDS))
    assert pa.types.is_dictionary(found.content["roi"].type)
    assert (
        pa.concat_tables(found.parts()).to_pylist()
        == CONTENT.to_pylist()
        == found.select(KINDS.arrow.names).to_pylist()
    )


def test_a_packed_table_of_other_columns_is_refused(path: Path) -> None:
    with pytest.raises(CurationError, match="other columns"):
        packed(path, tables.CONSENT_SERIES)


@pytest.mark.parametrize(
    "read", [lambda found: found.schema, lambda found: list(found.parts()), lambda found: found["roi"]]
)
def test_a_cut_table_is_told(path: Path, read) -> None:  # type: ignore[no-untyped-def]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CurationError, match="can't be read"):
        read(Stored(path))


def test_equal_texts_are_one_object() -> None:
    found = texts(CONTENT["roi"])
    assert found == CONTENT["roi"].to_pylist() and found[0] is found[2]


def test_a_code_of_the_run_is_found_in_any_part(tmp_path: Path) -> None:
    inside, outside = "R-" + "a" * 16, "R-" + "b" * 16
    content = pa.table({"roi": [outside, f"of {inside}"]})
    tables.write_parts(tmp_path / "a.parquet", content.schema, [content.slice(0, 1), content.slice(1)])
    (tmp_path / "b.txt").write_text(outside)
    assert codes_of_the_run(tmp_path, pa.array([inside])) == ["a.parquet"]
    assert codes_of_the_run(tmp_path, pa.array(["R-" + "c" * 16])) == []
