"""harmonise as a stage: chunks of extract in, the same regions with other values out; protect takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from paths import ROOT
from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import write_seal
from radcurate.settings import Harmonise, Protect
from radcurate.stages import harmonise, protect

FEATURES = ["cm_contrast", "morph_volume", "stat_mean", "stat_min", "stat_var"]
RANGED = ["stat_mean", "stat_var"]
ON = Harmonise(on=True)
WRITTEN = ["acquisition.parquet", "crosscheck.parquet", "features.parquet", "ranges.parquet", "series.parquet"]


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests take seconds: only where the test is about the site guess."""
    if "site_guess" not in request.node.name:
        monkeypatch.setattr(harmonise, "guess_site", lambda *_: "not guessed in this test")


@pytest.fixture
def key() -> Key:
    return Key(b"\x07" * 32)


def rows(n: int = 90) -> list[dict[str, Any]]:
    """Regions of three sites, each with an accent; the last one failed."""
    chance = np.random.default_rng(11)
    accents = chance.normal(0, 5, (3, len(FEATURES)))
    found = []
    for number in range(n):
        site, age = number % 3, int(chance.integers(40, 80))
        values = chance.normal(size=len(FEATURES)) * (1 + site) + accents[site] + 0.1 * age
        values[3] = -1000.0 - site  # a constant of each site
        found.append(
            {
                "roi": f"R-{number:04x}",
                "series": f"S-{number:04x}",
                "contour": f"S-c{number:04x}",
                "subject": f"P-{number:04x}",
                "roi_label": "GTV",
                "modality": "CT",
                "site": f"H-{site}",
                "sex": "FM"[int(chance.integers(2))],
                "age": float(age),
                "study_date": "2020-01-01",
                "status": "ok" if number < n - 1 else "failed",
                "reason": None,
                "provenance": "abc",
                **{name: float(value) for name, value in zip(FEATURES, values, strict=True)},
            }
        )
    found[5]["cm_contrast"] = None
    return found


def ranged(row: dict[str, Any]) -> dict[str, Any]:
    ends = {}
    for name in RANGED:
        ends |= {name + tables.LOW: row[name] - 0.5, name + tables.HIGH: row[name] + 0.25}
        ends |= {name + tables.MEAN: row[name] + 0.1, name + tables.VARIANCE: 0.04}
    return {"roi": row["roi"], "subject": row["subject"], "modality": "CT", "perturbations": 4, "overlap": 0.9, **ends}


def write_chunks(folder: Path, content: list[dict[str, Any]], key: Key, n: int = 3) -> list[Path]:
    folders = []
    for number in range(n):
        chunk = folder / f"{number:05}"
        mine = [row for row in content if int(row["roi"][2:], 16) % n == number]
        tables.write_rows(chunk / "features.parquet", tables.with_features(FEATURES), mine)
        tables.write_rows(chunk / "ranges.parquet", tables.with_ranges(RANGED), map(ranged, mine))
        scans = [
            {
                "series": row["series"],
                "subject": row["subject"],
                "modality": "CT",
                "manufacturer": "A",
                "model": row["site"],
            }
            for row in mine
        ]
        tables.write_rows(chunk / "acquisition.parquet", tables.EXTRACT_ACQUISITION, scans)
        tables.write_rows(chunk / "series.parquet", tables.EXTRACT_SERIES, [])
        tables.write_rows(chunk / "crosscheck.parquet", tables.EXTRACT_CROSSCHECK, [])
        write_seal(chunk, WRITTEN, key)
        folders.append(chunk)
    return folders


def run(tmp_path: Path, key: Key, settings: Harmonise = ON, n: int = 3, **more: Any) -> Path:
    out = tmp_path / f"harmonise{n}"
    harmonise.run(
        settings,
        write_chunks(tmp_path / f"extract{n}", more.pop("content", rows()), key, n),
        out,
        key,
        **{"parameters": [], **more},
    )
    return out


def values(table: pa.Table, name: str) -> list[float | None]:
    return list(table.sort_by("roi")[name].to_pylist())


def test_values_change_and_nothing_else(tmp_path: Path, key: Key) -> None:
    out = run(tmp_path, key)
    before = tables.table(tables.with_features(FEATURES), rows())
    after = tables.read(out / "features.parquet")
    assert after.schema == before.schema
    base = [name for name, _ in tables.EXTRACT_FEATURES.columns]
    assert after.select(base).equals(before.select(base))
    assert values(after, "morph_volume") == values(before, "morph_volume")  # shape isn't the scanner's
    assert values(after, "cm_contrast")[5] is None
    failed = [row for row in after.to_pylist() if row["status"] == "failed"]
    assert [row["stat_mean"] for row in failed] == [rows()[-1]["stat_mean"]]
    changed = np.array(values(after, "stat_mean")[:-1])
    sites = np.array([row["site"] for row in rows()[:-1]])
    assert np.ptp([changed[sites == site].mean() for site in sorted(set(sites))]) < 1
    assert np.ptp(values(after, "stat_min")[:-1]) < 1e-9


def test_the_report_tells_the_site_guess_and_the_effect_and_no_count(tmp_path: Path, key: Key) -> None:
    out = run(tmp_path, key)
    report = json.loads((out / "report.json").read_text())
    assert report["columns"] == ["cm_contrast", "stat_mean", "stat_min", "stat_var"]
    guess = report["site_guess"]
    assert guess["before"]["applies"] and guess["before"]["rate"] > 0.9
    assert guess["after"]["rate"] < guess["before"]["rate"] - 0.3
    (group,) = report["groups"]
    assert group["outcomes"] == {"harmonised": 3, "location_only": 1} and group["site_constants"] == ["stat_min"]
    age = next(one for one in group["effects"] if one["term"] == "age")
    assert age["after"] > 0.7 * age["before"]
    text = (out / "report.json").read_text()
    assert "patients" not in text and "H-" not in text and "P-0" not in text
    details = json.loads((out / "details.json").read_text())
    assert details["groups"][0]["patients"] == 89 and details["harmonised_regions"] == 89


def test_ranges_are_mapped_as_the_values_are(tmp_path: Path, key: Key) -> None:
    out = run(tmp_path, key)
    features, ranges = (tables.read(out / name).to_pylist() for name in ("features.parquet", "ranges.parquet"))
    by_roi = {row["roi"]: row for row in features}
    for row in ranges[:-1]:
        middle = by_roi[row["roi"]]["stat_mean"]
        down, up = middle - row["stat_mean" + tables.LOW], row["stat_mean" + tables.HIGH] - middle
        assert down == pytest.approx(2 * up) and up > 0
        assert row["stat_mean" + tables.VARIANCE] == pytest.approx(0.04 * (up / 0.25) ** 2)


def test_the_cut_into_chunks_changes_no_byte(tmp_path: Path, key: Key) -> None:
    one, other = run(tmp_path, key, n=1), run(tmp_path, key, n=4)
    for path in sorted(one.iterdir()):
        assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_given_parameters_are_applied_and_an_unseen_site_is_refused(tmp_path: Path, key: Key) -> None:
    first = run(tmp_path, key)
    again = run(tmp_path, key, n=2, parameters=[first / "parameters.parquet"])
    assert tables.read(again / "features.parquet").equals(tables.read(first / "features.parquet"))
    assert json.loads((again / "report.json").read_text())["parameters"] == "given"
    other = [{**row, "site": "H-9"} for row in rows()]
    with pytest.raises(CurationError, match="a site that the parameters don't know"):
        run(tmp_path, key, n=5, content=other, parameters=[first / "parameters.parquet"])


def test_by_scanner_model_where_the_site_is_not_known(tmp_path: Path, key: Key) -> None:
    content = [{**row, "site": None} for row in rows()]
    with pytest.raises(CurationError, match="not every region has a site"):
        run(tmp_path, key, content=[{**row, "site": None} for row in rows()])
    for chunk in write_chunks(tmp_path / "models", content, key):
        scans = tables.read_rows(chunk / "acquisition.parquet")
        for number, row in enumerate(scans):
            row["model"] = f"M{number % 2}"
        tables.write_rows(chunk / "acquisition.parquet", tables.EXTRACT_ACQUISITION, scans)
        write_seal(chunk, WRITTEN, key)
    out = tmp_path / "by_model"
    harmonise.run(Harmonise(on=True, batch="model"), sorted((tmp_path / "models").iterdir()), out, key, [])
    assert json.loads((out / "report.json").read_text())["batch"] == "model"


def test_nothing_to_harmonise(tmp_path: Path, key: Key) -> None:
    harmonise.run(ON, [], tmp_path / "none", key, [])
    assert json.loads((tmp_path / "none" / "report.json").read_text())["columns"] == []
    one = run(tmp_path, key, content=[{**row, "site": "H-0"} for row in rows()])
    report = json.loads((one / "report.json").read_text())
    assert report["columns"] == [] and not report["groups"][0]["harmonised"]
    assert report["site_guess"]["before"]["applies"] is False


def test_protect_takes_the_harmonised_values(tmp_path: Path, key: Key) -> None:
    out = run(tmp_path, key)
    chunks = sorted((tmp_path / "extract3").iterdir())
    columns = ROOT / "config" / "columns.yaml"
    protect.run(Protect(k=2), chunks, tmp_path / "protect", key, columns, harmonise=[out])
    measures = json.loads((tmp_path / "protect" / "measures.json").read_text())
    assert measures["harmonise"]["method"] == "combat" and len(measures["harmonise"]["digest"]) == 64
    released = set(tables.read(tmp_path / "protect" / "features.parquet")["stat_mean"].to_pylist())
    made = set(tables.read(out / "features.parquet")["stat_mean"].to_pylist())
    assert released and released <= made
    assert not released & {row["stat_mean"] for row in rows()[:-1]}
    lows = set(tables.read(tmp_path / "protect" / "ranges.parquet")["stat_mean" + tables.LOW].to_pylist())
    assert lows <= set(tables.read(out / "ranges.parquet")["stat_mean" + tables.LOW].to_pylist())
    protect.run(Protect(k=2), chunks, tmp_path / "plain", key, columns)
    assert json.loads((tmp_path / "plain" / "measures.json").read_text())["harmonise"]["method"] == "none"


@pytest.mark.parametrize("damage", ["edited", "other regions"])
def test_protect_takes_no_values_of_other_regions(tmp_path: Path, key: Key, damage: str) -> None:
    out = run(tmp_path, key)
    content = tables.read(out / "features.parquet").slice(1)
    tables.write(out / "features.parquet", content)
    if damage == "other regions":
        write_seal(out, harmonise.WRITTEN, key)
    wanted = "was changed after" if damage == "edited" else "other regions than"
    with pytest.raises(CurationError, match=wanted):
        chunks = sorted((tmp_path / "extract3").iterdir())
        protect.run(Protect(k=2), chunks, tmp_path / "protect", key, ROOT / "config" / "columns.yaml", harmonise=[out])
