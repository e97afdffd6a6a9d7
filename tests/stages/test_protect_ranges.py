"""Ranges through protect: released regions only, under the codes of the release, of declared features only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from test_protect import COLUMNS, declared_as, patients, read, write_chunks

from radcurate import tables
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages.protect import run

FEATURES = ("stat_mean", "morph_volume", "mystery")
SPREAD = {"stat_mean": 0.05, "morph_volume": 2.0, "mystery": 0.1}  # morph_volume: planted, unstable


def range_rows(rows: list[dict], perturbations: int = 10) -> list[dict]:
    """Ten perturbed values of each feature around a value of the region."""
    found = []
    for number, row in enumerate(rows):
        chance = np.random.default_rng(number)
        about = {"roi": row["roi"], "subject": row["subject"], "modality": "MR" if number % 3 else "CT"}
        about |= {"perturbations": perturbations, "overlap": 0.9}
        for name in FEATURES:
            values = chance.normal() + chance.normal(0, SPREAD[name], perturbations)
            ends = (values.min(), values.max(), values.mean(), values.var(ddof=1))
            about |= {name + part: float(end) for part, end in zip(tables.RANGE_PARTS, ends, strict=True)}
        found.append(about)
    return found


def protected(tmp_path: Path, key: Key, rows: list[dict], columns: Path = COLUMNS, **options) -> Path:
    """Chunks with ranges, through protect."""
    chunks = write_chunks(tmp_path / "extract", rows, key)
    every = {row["roi"]: row for row in range_rows(rows)}
    for chunk in chunks:
        own = [every[row["roi"]] for row in tables.read_rows(chunk / "features.parquet")]
        tables.write_rows(chunk / "ranges.parquet", tables.with_ranges(FEATURES), own)
        write_seal(chunk, [*check_seal(chunk, key), "ranges.parquet"], key)
    out = tmp_path / "protect"
    run(Protect(**options), chunks, out, key, columns)
    return out


def lonely(rows: list[dict]) -> list[dict]:
    """With one patient who is alone with her age: she must be suppressed."""
    for row in rows:
        if row["subject"] == rows[0]["subject"]:
            row |= {"sex": "O"}
    return rows


def test_ranges_go_to_the_release_with_its_codes(tmp_path, key):
    rows = lonely(patients())
    out = protected(tmp_path, key, rows, k=5)
    features, ranges = read(out, "features.parquet"), read(out, "ranges.parquet")
    assert {row["roi"] for row in ranges} == {row["roi"] for row in features}
    assert not {row["roi"] for row in rows} & {row["roi"] for row in ranges}
    assert set(ranges[0]) == {
        *("roi", "perturbations", "overlap"),
        *("stat_mean_lo", "stat_mean_hi", "morph_volume_lo", "morph_volume_hi"),
    }
    wanted = {key.release_code("R", row["roi"]): row["stat_mean_lo"] for row in range_rows(rows)}
    assert all(row["stat_mean_lo"] == wanted[row["roi"]] for row in ranges)
    assert [row["roi"] for row in ranges] == sorted(row["roi"] for row in ranges)


def test_suppressed_patients_leave_no_range_and_no_trace_in_the_stability(tmp_path, key):
    rows = lonely(patients())
    out = protected(tmp_path, key, rows, k=5)
    left = {row["subject"] for row in read(out, "subjects.parquet") if row["status"] == "suppressed"}
    assert left
    released = [row for row in range_rows(rows) if row["subject"] not in left]
    assert len(read(out, "ranges.parquet")) == len(released) < len(rows)
    stability = {(row["feature"], row["modality"]): row for row in read(out, "stability.parquet")}
    for modality in ("CT", "MR"):
        own = [row for row in released if row["modality"] == modality]
        assert stability["stat_mean", modality]["regions"] == len(own)
        values = np.array([row["stat_mean_mean"] for row in own])
        within = np.mean([row["stat_mean_variance"] for row in own])
        between = 10 * values.var(ddof=1)
        assert stability["stat_mean", modality]["icc"] == pytest.approx((between - within) / (between + 9 * within))


def test_the_planted_unstable_feature_is_flagged(tmp_path, key):
    out = protected(tmp_path, key, patients(), k=5)
    grades = {(row["feature"], row["modality"]): row["grade"] for row in read(out, "stability.parquet")}
    assert grades == {
        ("stat_mean", "CT"): "excellent",
        ("stat_mean", "MR"): "excellent",
        ("morph_volume", "CT"): "poor",
        ("morph_volume", "MR"): "poor",
    }


@pytest.mark.parametrize(
    "entry", ["{role: identifier, reason: not released}", "{role: technical, reason: not a feature}"]
)
def test_what_is_no_declared_feature_has_no_range(tmp_path, key, entry):
    """mystery is declared by nobody; stat_mean is taken back by an entry of its own."""
    out = protected(tmp_path, key, patients(), declared_as(tmp_path, stat_mean=entry), k=5)
    assert not [name for name in read(out, "ranges.parquet")[0] if name.startswith(("stat_mean", "mystery"))]
    assert {row["feature"] for row in read(out, "stability.parquet")} == {"morph_volume"}


def test_without_ranges_the_tables_are_empty(tmp_path, key):
    chunks = write_chunks(tmp_path / "extract", patients(), key)
    nothing: list[dict] = []
    tables.write_rows(chunks[0] / "ranges.parquet", tables.EXTRACT_RANGES, nothing)
    write_seal(chunks[0], [*check_seal(chunks[0], key), "ranges.parquet"], key)
    run(Protect(k=5), chunks, tmp_path / "protect", key, COLUMNS)
    assert read(tmp_path / "protect", "ranges.parquet") == read(tmp_path / "protect", "stability.parquet") == []


def test_unsealed_ranges_are_not_read(tmp_path, key):
    rows = patients()
    chunks = write_chunks(tmp_path / "extract", rows, key)
    for chunk in chunks:
        tables.write_rows(chunk / "ranges.parquet", tables.with_ranges(FEATURES), range_rows(rows))
    run(Protect(k=5), chunks, tmp_path / "protect", key, COLUMNS)
    assert read(tmp_path / "protect", "ranges.parquet") == []


def test_chunks_with_other_features_are_joined(tmp_path, key):
    """A chunk with CT only and one with MR only may have other columns (filters by modality)."""
    rows = patients()
    chunks = write_chunks(tmp_path / "extract", rows, key)
    every = {row["roi"]: row for row in range_rows(rows)}
    for number, chunk in enumerate(chunks):
        own = [every[row["roi"]] for row in tables.read_rows(chunk / "features.parquet")]
        schema = tables.with_ranges(FEATURES if number else FEATURES[:1])
        names = {name for name, _ in schema.columns}
        kept = [{name: value for name, value in row.items() if name in names} for row in own]
        tables.write_rows(chunk / "ranges.parquet", schema, kept)
        write_seal(chunk, [*check_seal(chunk, key), "ranges.parquet"], key)
    run(Protect(k=5), chunks, tmp_path / "protect", key, COLUMNS)
    table = tables.read(tmp_path / "protect" / "ranges.parquet")
    assert isinstance(table, pa.Table) and table["morph_volume_lo"].null_count > 0
    regions = {row["feature"]: row["regions"] for row in read(tmp_path / "protect", "stability.parquet")}
    assert 0 < regions["morph_volume"] < regions["stat_mean"]
