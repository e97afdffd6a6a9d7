"""attack as a stage: sealed tables in, sealed findings out, nothing in them that leads to a patient."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from test_protect import COLUMNS, patients, protect

from radcurate import tables
from radcurate.attack.found import nothing_to_attack
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Attack
from radcurate.stages import attack as stage
from radcurate.stages.attack import run


@pytest.fixture
def no_site_guess(monkeypatch):
    """Leave the slowest attack out where it is not what the test is about."""
    monkeypatch.setattr(stage, "attack_site", lambda *_: nothing_to_attack("site", "left out of this test"))


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


def raw_table(tmp_path: Path, key: Key, rows: list[dict], **options) -> Path:
    """The findings on a table that `protect` was not allowed to change: k is 1."""
    return attack_again(protect(tmp_path, key, rows, k=1), key, **options)


def test_a_protected_table_is_not_linked_and_the_controls_work(tmp_path, key, no_site_guess):
    found = document(attack(tmp_path, key))["attacks"]["linkage"]
    assert found["high"] <= 0.05 and found["controls_failed"] == []
    assert found["controls"]["positive"]["rate"] > 0.5 and found["controls"]["positive"]["on"] == "raw table"
    assert found["numbers"]["fewest_candidates"] >= 5


def test_an_unprotected_table_is_linked_by_what_it_tells(tmp_path, key, no_site_guess):
    rows = [row for row in patients() if row["series"].endswith("0" * 8)]
    found = document(raw_table(tmp_path, key, rows))
    assert found["attacks"]["linkage"]["rate"] > 0.05
    assert set(found["attacks"]["linkage"]["columns"]) <= {"sex", "age", "date", "site"}
    assert found["attacks"]["linkage"]["columns"][0] in ("age", "date")
    assert found["risk"]["composite"]["R"] > 0 and found["risk"]["singling_out"] > 0


def test_an_age_that_acquisition_tells_finer_is_found(tmp_path, key, no_site_guess):
    """What protect made coarse in one table must not stand in the other."""
    protected = protect(tmp_path, key, k=5)
    raw = {row["subject"]: row["age"] for row in patients()}
    code = {row["subject"]: row["code"] for row in read(protected, "subjects.parquet")}
    ages = {code[subject]: age for subject, age in raw.items()}
    rows = [row | {"age": ages[row["subject"]]} for row in read(protected, "acquisition.parquet")]
    rewrite(protected, "acquisition.parquet", rows, key)
    before = document(attack_again(protect(tmp_path, key, k=5, name="b"), key, others=0))
    after = document(attack_again(protected, key, others=0, age=0))
    assert before["attacks"]["linkage"]["rate"] == 0
    assert after["attacks"]["linkage"]["rate"] > 0.5
    assert after["attacks"]["linkage"]["columns"] == ["age"]


def read(folder: Path, name: str) -> list[dict]:
    return tables.read_rows(folder / name)


def rewrite(folder: Path, name: str, rows: list[dict], key: Key) -> None:
    """Put other rows into a table, under a seal that holds."""
    tables.write(folder / name, pa.Table.from_pylist(rows))
    write_seal(folder, list(check_names(folder)), key)


def check_names(folder: Path) -> list[str]:
    return sorted(json.loads((folder / "seal.json").read_text())["files"])


def test_a_registry_with_patient_ids_is_read_and_not_copied(tmp_path, key, no_site_guess):
    rows = patients(20)
    for row in rows:
        row |= {"subject": key.subject(f"ID-{int(row['subject'][2:], 16)}"), "site": key.site("Hôpital Secret")}
    registry = tmp_path / "secret.csv"
    lines = {f"ID-{n};F;50;2015-01-01;Hopital Secret;Jane Doe {n}" for n in range(30)}
    registry.write_text("patient;sex;age;date;site;name\n" + "\n".join(sorted(lines)) + "\n")
    protected = protect(tmp_path, key, rows, k=5)
    out = attack_again(protected, key, [registry])
    found = document(out)["attacks"]["linkage"]
    assert found["numbers"]["registry_people"] == 30 and found["numbers"]["registry_truth_known"] is True
    assert found["further"]["registry"]["rate"] == 0
    for path in out.iterdir():
        content = path.read_bytes()
        assert not [word for word in (b"Jane", b"ID-", b"Secret", b"secret") if word in content]


def test_a_registry_that_links_is_what_counts(tmp_path, key, no_site_guess):
    rows = [row | {"subject": key.subject(f"ID-{int(row['subject'][2:], 16)}")} for row in patients(40)]
    first = {row["subject"]: row for row in reversed(rows)}
    people = {key.subject(f"ID-{n}"): f"ID-{n}" for n in range(40)}
    lines = [f"{people[s]},{row['sex']},{row['age']},{row['study_date']}" for s, row in sorted(first.items())]
    registry = tmp_path / "registry.csv"
    registry.write_text("patient,sex,age,date\n" + "\n".join(lines) + "\n")
    out = attack_again(protect(tmp_path, key, rows, k=1), key, [registry], columns={"site": ""})
    found = document(out)["attacks"]["linkage"]
    assert found["further"]["registry"]["rate"] > 0.1
    assert found["high"] == max(found["further"][name]["high"] for name in ("registry", "synthesised"))


def test_a_registry_with_other_columns_is_an_error(tmp_path, key):
    registry = tmp_path / "registry.csv"
    registry.write_text("geschlecht,alter\nM,61\n")
    with pytest.raises(CurationError, match="has no column for sex, age, date, site"):
        attack(tmp_path, key, registry=[registry])


def test_the_same_findings_however_the_cohort_is_cut_and_ordered(tmp_path, key):
    rows = patients(40)
    outs = []
    for name, content, chunks in (("one", rows, 1), ("many", rows[::-1], 4)):
        protected = protect(tmp_path, key, content, name=name, n_chunks=chunks, k=5)
        outs.append(attack_again(protected, key))
    for name in ("attack.json", "attacks.parquet", "columns.parquet"):
        assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes()


def test_another_key_draws_other_people(tmp_path, key, no_site_guess):
    rows = patients(40)
    rates = []
    for name, other in (("one", key), ("two", Key(bytes(32)))):
        out = attack_again(protect(tmp_path, other, rows, k=5, name=name), other, others=4000, draws=20)
        rates.append(document(out)["attacks"]["linkage"]["controls"]["positive"]["rate"])
    assert rates[0] != rates[1]


def test_a_smaller_population_raises_p_ri(tmp_path, key, no_site_guess):
    protected = protect(tmp_path, key, k=5)
    few, many = (document(attack_again(protected, key, others=n, draws=10)) for n in (0, 2000))
    assert few["risk"]["composite"]["p_ri"] > many["risk"]["composite"]["p_ri"] > 0
    assert few["risk"]["marketer"] <= 0.2


def test_tables_and_document_tell_the_same(tmp_path, key):
    out = attack(tmp_path, key)
    rows = {(row["attack"], row["variant"]): row for row in read(out, "attacks.parquet")}
    for name, found in document(out)["attacks"].items():
        if found["applies"]:
            assert rows[name, "release"]["high"] == found["high"]
            assert rows[name, "positive"]["passed"] == found["controls"]["positive"]["passed"]
    named = {(row["attack"], row["column"]) for row in read(out, "columns.parquet")}
    assert named == {(name, column) for name, found in document(out)["attacks"].items() for column in found["columns"]}
