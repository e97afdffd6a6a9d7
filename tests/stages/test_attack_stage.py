"""attack as a stage: sealed tables in, sealed findings out, nothing in them that leads to a patient."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_protect import COLUMNS, patients, protect

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import check_seal
from radcurate.settings import Attack
from radcurate.stages.attack import run

NAMES = {"linkage", "fingerprint", "site", "differencing"}


def attack(tmp_path: Path, key: Key, rows: list[dict] | None = None, registry: list[Path] | None = None, **options):
    """Protect a cohort, attack what came of it; the folder of findings."""
    protected = protect(tmp_path, key, rows, k=5)
    return attack_again(protected, key, registry, **options)


def attack_again(protected: Path, key: Key, registry: list[Path] | None = None, **options) -> Path:
    """Attack what `protect` wrote; `options` are attack.linkage's."""
    results = protected.parent
    extract = sorted(path for path in (results / "extract").iterdir())
    out = results / "attack"
    run(Attack.model_validate({"linkage": options}), extract, results, out, key, COLUMNS, registry or [])
    return out


def document(out: Path) -> dict:
    return json.loads((out / "attack.json").read_text())


def test_every_attack_is_in_the_findings(tmp_path, key):
    out = attack(tmp_path, key)
    assert set(document(out)["attacks"]) == NAMES
    assert set(check_seal(out, key)) == {"attack.json", "attacks.parquet", "columns.parquet"}
    tables.read(out / "attacks.parquet", tables.ATTACKS)
    tables.read(out / "columns.parquet", tables.ATTACK_COLUMNS)


def test_no_code_is_in_the_findings(tmp_path, key):
    rows = patients()
    out = attack(tmp_path, key, rows)
    text = (out / "attack.json").read_text()
    text += str(tables.read_rows(out / "attacks.parquet")) + str(tables.read_rows(out / "columns.parquet"))
    codes = {row[name] for row in rows for name in ("subject", "series", "contour", "roi", "site")}
    released = tables.read_rows(out.parent / "protect" / "features.parquet")
    codes |= {row[name] for row in released for name in ("subject", "series", "contour", "roi")}
    assert not [code for code in codes if code in text]


def test_a_changed_table_is_noticed(tmp_path, key):
    protected = protect(tmp_path, key, k=5)
    with (protected / "features.parquet").open("ab") as stream:
        stream.write(b"0")
    with pytest.raises(CurationError, match="changed after it was written"):
        attack_again(protected, key)


def test_nobody_left_is_no_error(tmp_path, key):
    out = attack(tmp_path, key, patients(3))
    assert not any(found["applies"] for found in document(out)["attacks"].values())
