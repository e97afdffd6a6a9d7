"""Consent as a stage: what goes on, what is counted, what is refused."""

from __future__ import annotations

import json
import stat
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventory_files import Export, tree_state, uid
from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.governance.consent import CONDITIONS
from radcurate.keys import Key
from radcurate.settings import Consent, Inventory
from radcurate.stages import consent, inventory

PLAIN = Key(bytes(range(32)))
HEADING = "patient,model,purposes,recontact,withdrawn,date,governance"
GRANTED = [f"PAT-{k},dynamic,research,yes,,2024-01-01," for k in range(3)]


@pytest.fixture(scope="module")
def inventoried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three patients; the first has a gap in a second series and a cut file."""
    base = tmp_path_factory.mktemp("consent")
    for k in range(3):
        export = Export(base / "in" / str(k), f"PAT-{k}")
        image, files = export.image()
        export.rtstruct(image, [uid(image, 3.0)])
        if k == 0:
            for z in (0.0, 3.0, 9.0, 12.0):
                export.slice(uid("gap"), z)
            (base / "in" / "cut").write_bytes(files[0].read_bytes()[:300])
    inventory.run(Inventory(n_chunks=2), base / "in", base / "inventory", PLAIN, 1)
    return base / "inventory"


def run(inventoried: Path, base: Path, rows: list[str], waiver: Any = None, **options: Any) -> Path:
    table = base / "consent.csv"
    table.write_text("\n".join([HEADING, *rows]) + "\n")
    paths = []
    if waiver is not None:
        paths = [base / "waiver.yaml"]
        paths[0].write_text(waiver if isinstance(waiver, str) else yaml.safe_dump(waiver))
    consent.run(Consent(**options), inventoried, base / "out", PLAIN, table, paths)
    return base / "out"


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    schema = getattr(tables, f"INVENTORY_{table.upper()}")
    return [
        row for path in sorted((out / "chunks").glob(f"*/{table}.parquet")) for row in tables.read_rows(path, schema)
    ]


def outcomes(out: Path) -> Counter[tuple[str, str | None]]:
    found = tables.read_rows(out / "series.parquet", tables.CONSENT_SERIES)
    return Counter((row["status"], row["reason"]) for row in found)


def test_everything_permitted_goes_on(inventoried: Path, tmp_path: Path) -> None:
    out = run(inventoried, tmp_path, GRANTED)
    assert outcomes(out) == {("ok", None): 6, ("quarantined", "slice_gap"): 1}
    assert {row["status"] for row in rows(out, "series")} == {"ok"}
    assert len(rows(out, "instances")) == 3 * 5
    assert tables.read_rows(out / "exclusions.parquet", tables.CONSENT_EXCLUSIONS) == []
    assert json.loads((out / "files.json").read_text()) == {"total": 20, "placed": 19, "quarantined": {"truncated": 1}}


def test_an_excluded_patient_appears_nowhere(inventoried: Path, tmp_path: Path) -> None:
    out = run(inventoried, tmp_path, [GRANTED[1], GRANTED[2].replace("research", "teaching")])
    assert outcomes(out) == {("ok", None): 2, ("excluded", "no_record"): 3, ("excluded", "other_purpose"): 2}
    assert {row["patient_id"] for row in rows(out, "series")} == {"PAT-1"}
    only = {PLAIN.subject("PAT-1")}
    assert {row["subject"] for row in rows(out, "identifiers")} == only
    assert {row["subject"] for row in rows(out, "series")} == only
    codes = {row["series"] for row in rows(out, "series")}
    assert {row["series"] for row in rows(out, "instances")} == codes
    assert tables.read_rows(out / "exclusions.parquet", tables.CONSENT_EXCLUSIONS) == [
        {"reason": "no_record", "patients": 1, "series": 3},
        {"reason": "other_purpose", "patients": 1, "series": 2},
    ]
    found = tables.read_rows(out / "series.parquet", tables.CONSENT_SERIES)
    assert all(row["remedy"] for row in found if row["status"] != "ok")


def test_series_of_a_patient_are_quarantined_but_the_identifiers_of_all_go_on(
    inventoried: Path, tmp_path: Path
) -> None:
    out = run(inventoried, tmp_path, GRANTED[:1])
    assert PLAIN.series(uid("gap")) not in {row["series"] for row in rows(out, "instances")}
    assert uid("gap") in {row["value"] for row in rows(out, "identifiers")}


def test_every_series_is_counted_once(inventoried: Path, tmp_path: Path) -> None:
    out = run(inventoried, tmp_path, GRANTED[:1])
    before = [row["series"] for row in rows(inventoried, "series")]
    after = [row["series"] for row in tables.read_rows(out / "series.parquet")]
    assert sorted(before) == sorted(after)


def test_the_folder_is_private_sealed_and_made_anew(inventoried: Path, tmp_path: Path) -> None:
    out = run(inventoried, tmp_path, GRANTED)
    first = {name: digest for name, (digest, _) in tree_state(out).items()}
    (out / "chunks" / "stale").mkdir()
    run(inventoried, tmp_path, GRANTED)
    assert {name: digest for name, (digest, _) in tree_state(out).items()} == first
    assert not (out / "chunks" / "stale").exists()
    assert sorted(seals.check_seal(out, PLAIN)) == ["exclusions.parquet", "files.json", "series.parquet"]
    for chunk in (out / "chunks").iterdir():
        assert len(seals.check_seal(chunk, PLAIN)) == 3
    for path in (out, *out.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_chunk_with_nothing_permitted_has_no_folder(inventoried: Path, tmp_path: Path) -> None:
    chunks = {row["subject"]: row["chunk"] for row in rows(inventoried, "series")}
    out = run(inventoried, tmp_path, GRANTED[:1])
    assert [path.name for path in (out / "chunks").iterdir()] == [chunks[PLAIN.subject("PAT-0")]]


@pytest.mark.parametrize(
    ("rows", "found", "fix"),
    [
        (
            [line.replace("research", "teaching") for line in GRANTED],
            "0 of 3 patients permitted; excluded: other_purpose 3",
            "purpose",
        ),
        ([line.replace("PAT-", "") for line in GRANTED], "excluded: no_record 3", "leading zeros"),
        ([line.replace(",,2024", ",2024-02-02,2024") for line in GRANTED], "excluded: withdrawn 3", "purpose"),
        ([line.replace("dynamic", "broad") for line in GRANTED], "excluded: no_governance 3", "purpose"),
    ],
)
def test_nobody_permitted_is_an_error_with_counts(
    inventoried: Path, tmp_path: Path, rows: list[str], found: str, fix: str
) -> None:
    with pytest.raises(CurationError, match="nothing may be used") as error:
        run(inventoried, tmp_path, rows)
    assert found in error.value.found
    assert fix in error.value.fix
    assert "PAT" not in str(error.value)


def test_a_table_without_a_valid_row_is_an_error(inventoried: Path, tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="no row of the consent table is valid") as error:
        run(inventoried, tmp_path, ["PAT-1,verbal,research,yes,,2024-01-01,"])
    assert error.value.found == "row 1 (model)"


def test_an_invalid_row_is_named_by_number_only(
    inventoried: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = run(inventoried, tmp_path, [*GRANTED[:2], GRANTED[2].replace("2024-01-01", "01/01/24")])
    assert ("excluded", "invalid_row") in outcomes(out)
    assert "row 3 (date)" in caplog.text
    assert "PAT" not in caplog.text


def test_the_day_of_judgement_can_be_set(inventoried: Path, tmp_path: Path) -> None:
    later = [*GRANTED, "PAT-1,dynamic,teaching,yes,,2024-05-01,"]
    assert ("excluded", "other_purpose") in outcomes(run(inventoried, tmp_path, later))
    assert outcomes(run(inventoried, tmp_path, later, run_date=date(2024, 3, 1)))["ok", None] == 6


WAIVER = {"irb_reference": "EK 1", "conditions": {name: {"holds": True, "because": "minutes"} for name in CONDITIONS}}
WAIVED = [GRANTED[0], GRANTED[1], GRANTED[2].replace("dynamic", "waiver")]


def test_a_waiver_that_holds_permits(inventoried: Path, tmp_path: Path) -> None:
    assert outcomes(run(inventoried, tmp_path, WAIVED, WAIVER))["ok", None] == 6


@pytest.mark.parametrize("waiver", [None, "", "{", {**WAIVER, "irb_reference": ""}, {**WAIVER, "conditions": {}}])
def test_a_waiver_that_does_not_hold_stops_the_run(inventoried: Path, tmp_path: Path, waiver: Any) -> None:
    with pytest.raises(CurationError, match="waiver of consent does not hold"):
        run(inventoried, tmp_path, WAIVED, waiver)


def test_a_waiver_for_somebody_else_is_not_asked_for(inventoried: Path, tmp_path: Path) -> None:
    out = run(inventoried, tmp_path, [*GRANTED, "PAT-99,waiver,research,yes,,2024-01-01,"])
    assert outcomes(out)["ok", None] == 6


def test_an_edited_inventory_is_noticed(inventoried: Path, tmp_path: Path) -> None:
    chunk = next((inventoried / "chunks").iterdir()) / "series.parquet"
    whole = chunk.read_bytes()
    try:
        chunk.write_bytes(whole[:-1] + b"x")
        with pytest.raises(CurationError, match="was changed after it was written"):
            run(inventoried, tmp_path, GRANTED)
    finally:
        chunk.write_bytes(whole)
