"""On the synthetic cohort, inventory and consent come to what its maker planted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from radcurate import tables
from radcurate.demo import make_cohort
from radcurate.keys import Key
from radcurate.settings import Consent, Inventory
from radcurate.stages import consent, inventory

pytestmark = pytest.mark.slow
PLAIN = Key(bytes(range(32)))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("demo")
    make_cohort(base / "data")
    inventory.run(Inventory(), base / "data" / "export", base / "inventory", PLAIN, 1)
    table, waiver = base / "data" / "consent.csv", base / "data" / "waiver.yaml"
    consent.run(Consent(), base / "inventory", base / "consent", PLAIN, table, [waiver])
    return base


def truth(work: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((work / "data" / "truth.json").read_text())
    return content


def rows(work: Path, table: str) -> list[dict[str, Any]]:
    return [row for path in work.glob(f"inventory/chunks/*/{table}.parquet") for row in tables.read_rows(path)]


def by_path(work: Path) -> dict[str, dict[str, Any]]:
    found = [*rows(work, "instances"), *tables.read_rows(work / "inventory" / "unplaced.parquet")]
    return {row["path"]: row for row in found}


def test_every_series_ends_as_planted(work: Path) -> None:
    files, outcomes = by_path(work), tables.read_rows(work / "consent" / "series.parquet")
    ended = {row["series"]: f"{row['status']}:{row['reason']}" if row["reason"] else "released" for row in outcomes}
    planted = truth(work)["series"]
    wanted = {  # pictures end later
        files[s["files"][0]]["series"]: "released" if s["kind"] == "picture" else s["outcome"] for s in planted
    }
    assert ended == wanted


def test_every_contour_is_linked_as_planted(work: Path) -> None:
    files = by_path(work)
    found = {row["series"]: (row["link"], row["images"]) for row in rows(work, "series") if row["link"]}
    wanted = {
        files[s["files"][0]]["series"]: (s["link"], [PLAIN.series(uid) for uid in s["images"]])
        for s in truth(work)["series"]
        if s["link"] and not s["outcome"].endswith("no_image")
    }
    assert found == wanted


def test_every_odd_file_is_named_as_planted(work: Path) -> None:
    files = by_path(work)
    for planted in truth(work)["files"]:
        row = files[planted["file"]]
        assert f"{row['status']}:{row['reason']}" == planted["outcome"]


def test_every_planted_identifier_is_found(work: Path) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    subjects = {row["patient_id"]: row["subject"] for row in rows(work, "series")}
    for row in rows(work, "identifiers"):
        known[row["subject"]].add(row["value"].casefold())
    missed = Counter(
        (planted["kind"], planted["place"])
        for planted in truth(work)["identifiers"]
        if not any(planted["value"].casefold() in value for value in known[subjects[planted["patient"]]])
    )
    assert not missed
