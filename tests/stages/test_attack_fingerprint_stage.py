"""The fingerprint through the stages: ranges that were measured, groups that protect, and leaks beside the features."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from test_protect import COLUMNS, patients
from test_protect_features import protected
from test_protect_ranges import range_rows

from radcurate import tables
from radcurate.attack.found import nothing_to_attack
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Attack
from radcurate.stages import attack as stage
from radcurate.stages.attack import run

K = 5


@pytest.fixture(autouse=True)
def no_site_guess(monkeypatch):
    """The slowest attack is not what these tests are about."""
    monkeypatch.setattr(stage, "attack_site", lambda *_: nothing_to_attack("site", "left out of this test"))


def cohort() -> list[dict]:
    """Patients whose one region has ranges around its values."""
    rows = [row for row in patients() if row["series"].endswith("0" * 8) and row["roi"].endswith("0000")]
    for row, measured in zip(rows, range_rows(rows), strict=True):
        row |= {name: measured[name + tables.MEAN] for name in ("stat_mean", "morph_volume")}
        row["modality"] = measured["modality"]
    return rows


def fingerprint(protect: Path, key: Key) -> dict:
    results = protect.parent
    out = results / "attack"
    run(Attack(), sorted((results / "extract").iterdir()), results, out, key, COLUMNS, [])
    return json.loads((out / "attack.json").read_text())["attacks"]["fingerprint"]


def rewrite(folder: Path, name: str, content: pa.Table, key: Key) -> None:
    """As a faulty stage would: with a seal that holds."""
    names = list(check_seal(folder, key))
    tables.write(folder / name, content)
    write_seal(folder, names, key)


def test_ranges_of_the_run_are_what_the_attacker_measures(tmp_path, key):
    found = fingerprint(protected(tmp_path, key, cohort(), k=K), key)
    assert "measured ranges of 100 %" in found["detail"]
    assert found["numbers"]["features"] == 6  # two features, and the ends of their ranges
    assert found["rate"] > 2 * found["chance"] and found["controls_failed"] == []


def test_groups_bound_the_fingerprint(tmp_path, key):
    found = fingerprint(protected(tmp_path, key, cohort(), k=K, microaggregation=K), key)
    assert found["high"] <= 1 / K + 1e-12 and found["further"]["top5"]["high"] <= 1
    assert found["numbers"]["smallest_class"] >= K
    assert found["controls"]["positive"]["on"] == "raw table" and found["controls_failed"] == []


def test_a_patient_whose_vector_escaped_the_groups_is_found(tmp_path, key):
    """As if protect had a bug: one row keeps its own numbers."""
    folder = protected(tmp_path, key, cohort(), k=K, microaggregation=K)
    content = tables.read(folder / "features.parquet")
    rows = content.to_pylist()
    rows[3]["stat_mean"] = 17.5
    rewrite(folder, "features.parquet", pa.Table.from_pylist(rows, schema=content.schema), key)
    assert fingerprint(folder, key)["numbers"]["smallest_class"] == 1


def test_ranges_left_beside_groups_give_patients_away(tmp_path, key):
    plain = protected(tmp_path / "plain", key, cohort(), k=K)
    folder = protected(tmp_path / "groups", key, cohort(), k=K, microaggregation=K)
    safe = fingerprint(folder, key)
    assert tables.read(folder / "ranges.parquet").num_rows == 0
    ranges = tables.read(plain / "ranges.parquet")
    there = {row["roi"] for row in tables.read(folder / "features.parquet").to_pylist()}
    kept = ranges.filter(pc.is_in(ranges["roi"], value_set=pa.array(sorted(there))))
    rewrite(folder, "ranges.parquet", kept, key)
    leaky = fingerprint(folder, key)
    assert leaky["rate"] > safe["rate"] and leaky["numbers"]["smallest_class"] == 1


def test_a_provenance_that_names_one_scan_is_found(tmp_path, key):
    """Whoever has the scan computes the digests; `protect` withholds them, and a bug there shows."""
    plain = protected(tmp_path, key, cohort(), k=K)
    folder = protected(tmp_path, key, cohort(), k=K, microaggregation=K)
    assert fingerprint(folder, key)["further"].get("same_scan", {"high": 0.0})["high"] <= 1 / K + 1e-12
    named = {row["roi"]: row["provenance"] for row in tables.read(plain / "features.parquet").to_pylist()}
    content = tables.read(folder / "features.parquet")
    rows = [row | {"provenance": named[row["roi"]]} for row in content.to_pylist()]
    rewrite(folder, "features.parquet", pa.Table.from_pylist(rows, schema=content.schema), key)
    found = fingerprint(folder, key)
    assert found["further"]["same_scan"]["low"] > 0.9 and found["high"] <= 1 / K + 1e-12


def test_attacking_twice_finds_the_same(tmp_path, key):
    folder = protected(tmp_path, key, cohort(), k=K)
    assert fingerprint(folder, key) == fingerprint(folder, key)
