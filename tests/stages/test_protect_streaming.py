"""protect never holds the features: however small the parts that it works with are, it releases the same."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from test_protect import COLUMNS, declared_as, measures, patients, read, write_chunks
from test_protect_features import mixed, protected

from radcurate import tables
from radcurate.keys import Key
from radcurate.privacy import values
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages.protect import WRITTEN, from_results, run

TREATMENTS = [{}, {"noise": 0.1}, {"microaggregation": 3, "noise": 0.1}]


def wide(rows: list[dict], n: int = 12) -> list[dict]:
    """With more features, sixteen in all; the last ones are whole numbers."""
    for place, row in enumerate(rows):
        row |= {f"stat_{number:02}": math.sqrt(place * number % 17 + 2) for number in range(n)}
        row |= {f"ih_{number}": (place * number) % 13 for number in range(2)}
    return rows


def without_records(chunks: list[Path], key: Key) -> list[Path]:
    """The chunks, with an empty table of provenance."""
    for chunk in chunks:
        tables.write_rows(chunk / "provenance.parquet", tables.EXTRACT_PROVENANCE, [])
        write_seal(chunk, [*check_seal(chunk, key), "provenance.parquet"], key)
    return chunks


def tell(out: Path) -> dict[str, str]:
    """Everything that protect wrote, as content: row groups may differ."""
    return {name: (out / name).read_text() if name.endswith("json") else repr(read(out, name)) for name in WRITTEN}


@pytest.mark.parametrize("options", TREATMENTS, ids=["as_measured", "noise", "microaggregated"])
def test_the_size_of_the_parts_changes_nothing(tmp_path, key, monkeypatch, options):
    rows = wide(mixed(40))
    whole = tell(protected(tmp_path / "whole", key, rows, **options))
    monkeypatch.setattr("radcurate.tables.files.ROW_GROUP", 16)
    monkeypatch.setattr(values, "BLOCK", 3)
    assert tell(protected(tmp_path / "small", key, rows, **options)) == whole


def test_chunks_change_no_byte_where_there_are_several_row_groups(tmp_path, key, monkeypatch):
    monkeypatch.setattr("radcurate.tables.files.ROW_GROUP", 16)
    outs = []
    for n_chunks in (1, 2, 7):
        folder = tmp_path / str(n_chunks)
        outs.append(folder / "protect")
        run(
            Protect(),
            write_chunks(folder / "extract", wide(patients()), key, n_chunks=n_chunks),
            outs[-1],
            key,
            COLUMNS,
        )
    assert pq.ParquetFile(outs[0] / "features.parquet").num_row_groups > 3
    for out in outs[1:]:
        assert [name for name in WRITTEN if (out / name).read_bytes() != (outs[0] / name).read_bytes()] == []


def test_no_more_than_a_part_of_the_features_is_read_at_once(tmp_path, key, monkeypatch):
    """What is read of features, in the chunks and in the release: some rows of all columns, or all rows of some."""
    monkeypatch.setattr("radcurate.tables.files.ROW_GROUP", 16)
    monkeypatch.setattr(values, "BLOCK", 3)
    chunks = without_records(write_chunks(tmp_path / "extract", wide(patients()), key, n_chunks=1), key)
    seen: list[tuple[int, int]] = []
    names = {f"stat_{number:02}" for number in range(12)}

    def note(found) -> bool:
        seen.append((found.num_rows, len(names & set(found.schema.names))))
        return True

    def read_some(*arguments, plain=tables.read, **options):
        found = plain(*arguments, **options)
        return found if note(found) else None

    def read_on(*arguments, plain=tables.read_parts, **options):
        return (part for part in plain(*arguments, **options) if note(part))

    monkeypatch.setattr(tables, "read", read_some)
    monkeypatch.setattr(tables, "read_parts", read_on)
    run(Protect(noise=0.1), chunks, tmp_path / "protect", key, COLUMNS)
    rows = len(read(tmp_path / "protect", "features.parquet"))
    assert rows > 64 and max(n for n, columns in seen if columns > 3) == 16
    assert (rows, 3) in seen and (rows, 12) not in seen


def test_columns_that_a_chunk_lacks_and_kinds_that_differ(tmp_path, key):
    """A chunk without a feature, one where it is a whole number: as if the tables were joined first."""
    chunks = write_chunks(tmp_path / "extract", wide(patients()), key)
    names = list(check_seal(chunks[0], key))
    first, second = (tables.read(chunk / "features.parquet") for chunk in chunks[:2])
    tables.write(chunks[0] / "features.parquet", first.drop_columns(["stat_03", "ih_1"]))
    place = second.column_names.index("stat_04")
    tables.write(chunks[1] / "features.parquet", second.set_column(place, "stat_04", second["ih_0"]))
    for chunk in chunks[:2]:
        write_seal(chunk, names, key)
    run(Protect(), chunks, tmp_path / "protect", key, COLUMNS)
    found = tables.read(tmp_path / "protect" / "features.parquet")
    kinds = {name: str(found.schema.field(name).type) for name in ("stat_03", "stat_04", "ih_0", "ih_1")}
    assert kinds == {"stat_03": "double", "stat_04": "double", "ih_0": "int64", "ih_1": "int64"}
    assert 0 < found["stat_03"].null_count == found["ih_1"].null_count < found.num_rows
    assert found["stat_04"].null_count == 0


def test_a_release_without_features(tmp_path, key):
    columns = declared_as(
        tmp_path,
        **{"stat_*": "{role: identifier, reason: not released}", "morph_*": "{role: identifier, reason: not released}"},
    )
    for number, options in enumerate(TREATMENTS):
        chunks = without_records(write_chunks(tmp_path / str(number), patients(), key), key)
        run(Protect(k=3, **options), chunks, tmp_path / f"out{number}", key, columns)
        found = read(tmp_path / f"out{number}", "features.parquet")
        assert found and not [name for name in found[0] if name.startswith(("stat_", "morph_"))]


def test_the_crowd_of_quasi_identifiers_and_vectors_together(tmp_path, key):
    """Men and women have other values, so groups are of one sex: counted in the files, by whoever joins the two."""
    plain = {"site": None, "age": 50.0, "study_date": None}
    rows = [row | plain | {"stat_mean": row["stat_mean"] + 100 * (row["sex"] == "F")} for row in patients(60)]
    chunks = without_records(write_chunks(tmp_path / "extract", rows, key, change=alike), key)
    run(Protect(k=2, microaggregation=4), chunks, tmp_path / "out", key, COLUMNS)
    shown: dict[str, set] = {}
    for row in read(tmp_path / "out", "features.parquet"):
        shown.setdefault(row["subject"], set()).add((row["sex"], row["stat_mean"]))
    crowd = min(Counter(frozenset(each) for each in shown.values()).values())
    assert measures(tmp_path / "out")["features"]["k_with_quasi_identifiers"] == crowd > 1


def alike(row: dict) -> dict:
    return row | {"manufacturer": "GE", "model": "a", "kernel": "b"}


def test_what_a_killed_run_left_goes(tmp_path: Path, key: Key):
    chunks = write_chunks(tmp_path / "extract", patients(), key)
    left = tmp_path / "out" / ".scratch-left"
    left.mkdir(parents=True)
    (left / "features.parquet").write_text("measured values")
    run(Protect(), chunks, tmp_path / "out", key, COLUMNS)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*WRITTEN, "seal.json"}


def test_only_chunks_of_this_run_are_taken(tmp_path: Path, key: Key):
    """A folder of an earlier run with more chunks lies beside them."""
    chunks = write_chunks(tmp_path / "extract", patients(), key, n_chunks=3)
    for chunk in chunks[:2]:
        (tmp_path / "consent" / "chunks" / chunk.name).mkdir(parents=True)
    from_results(Protect(k=2), tmp_path, tmp_path / "protect", key, COLUMNS, [])
    run(Protect(k=2), chunks[:2], tmp_path / "two", key, COLUMNS)
    assert read(tmp_path / "protect", "subjects.parquet") == read(tmp_path / "two", "subjects.parquet")
    assert len(read(tmp_path / "two", "subjects.parquet")) < 60


def test_a_region_that_failed_is_no_row(tmp_path: Path, key: Key):
    rows = patients()
    series = rows[0]["series"]
    rows = [row | ({"status": "failed", "stat_mean": -99.0} if row["series"] == series else {}) for row in rows]
    run(Protect(k=2), write_chunks(tmp_path / "extract", rows, key), tmp_path / "out", key, COLUMNS)
    assert -99.0 not in [row["stat_mean"] for row in read(tmp_path / "out", "features.parquet")]
    ends = {row["series"]: row for row in read(tmp_path / "out", "series.parquet")}
    assert (ends[series]["status"], ends[series]["reason"], ends[series]["rows"]) == ("excluded", "no_row", 0)
