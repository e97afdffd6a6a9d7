"""Ranges in the release: two more tables, their dictionary, the card that names what is unstable, the checksums."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from finished_run import FEATURES, FinishedRun, make_run
from radcurate import tables
from radcurate.cli import main
from radcurate.errors import CurationError
from radcurate.features.catalogue import catalogue
from radcurate.keys import Key
from radcurate.release.check import check_release
from radcurate.seals import SEAL, write_seal

STABLE, UNSTABLE = FEATURES[0], FEATURES[1]


def add_ranges(run: FinishedRun) -> None:
    """Ten perturbed values of two features for each measured region; those of `UNSTABLE` have little to do with it."""
    for chunk in sorted((run.results / "extract").iterdir()):
        rows = []
        for row in tables.read_rows(chunk / "features.parquet"):
            if row["status"] == tables.OK:
                chance = np.random.default_rng(len(rows))
                about = {"roi": row["roi"], "subject": row["subject"], "modality": row["modality"]}
                about |= {"perturbations": 10, "overlap": 0.93}
                for name, size in ((STABLE, 0.01), (UNSTABLE, 5.0)):
                    values = row[name] + chance.normal(0, size, 10)
                    ends = (
                        min(values.min(), row[name]),
                        max(values.max(), row[name]),
                        values.mean(),
                        values.var(ddof=1),
                    )
                    about |= {name + part: float(end) for part, end in zip(tables.RANGE_PARTS, ends, strict=True)}
                rows.append(about)
        tables.write_rows(chunk / "ranges.parquet", tables.with_ranges([STABLE, UNSTABLE]), rows)
        names = json.loads((chunk / SEAL).read_text())["files"]
        write_seal(chunk, [*names, "ranges.parquet"], run.key)
    run.protect(k=5)


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("with_ranges"), Key(bytes(range(32))))
    add_ranges(run)
    run.gate()
    return run


@pytest.fixture
def run(passed, tmp_path):
    return passed.copy(tmp_path)


@pytest.fixture(scope="module")
def released(passed):
    return passed.release()


def test_every_range_holds_its_value(released):
    features = pd.read_parquet(released / "features.parquet").set_index("roi")
    ranges = pd.read_parquet(released / "ranges.parquet").set_index("roi")
    assert set(features.index) == set(ranges.index) and len(ranges) == 22
    assert list(ranges.columns) == [
        *("perturbations", "overlap"),
        *(f"{STABLE}_lo", f"{STABLE}_hi", f"{UNSTABLE}_lo", f"{UNSTABLE}_hi"),
    ]
    for name in (STABLE, UNSTABLE):
        values = features[name].reindex(ranges.index)
        assert ((ranges[f"{name}_lo"] <= values) & (values <= ranges[f"{name}_hi"])).all()


def test_stability_has_a_row_per_feature_and_modality(released):
    rows = pd.read_parquet(released / "stability.parquet")
    assert list(rows.columns) == [name for name, _ in tables.PROTECT_STABILITY.columns]
    found = rows.set_index("feature")
    assert found["modality"].unique().tolist() == ["CT"] and (found["regions"] == 22).all()
    assert found.loc[STABLE, "grade"] == "excellent" and found.loc[UNSTABLE, "grade"] == "poor"
    assert ((found["icc_lo"] <= found["icc"]) & (found["icc"] <= found["icc_hi"])).all()


def test_the_card_names_what_is_unstable(released):
    card = (released / "DATA_CARD.md").read_text()
    assert "## How stable the features are" in card and "up to 10 times" in card
    assert "| CT | 22 | 1 | 0 | 0 | 1 | 0 |" in card
    (line,) = [line for line in card.splitlines() if line.startswith("Not stable on CT")]
    assert f"`{UNSTABLE}`" in line and f"`{STABLE}`" not in line
    assert "ranges.parquet" in card


def test_every_column_tells_what_it_is(released):
    codes = {column.name: column.code for column in catalogue()}
    lines = pd.read_csv(released / "dictionary.csv", keep_default_na=False)
    for table in ("ranges", "stability"):
        schema = pq.read_schema(released / f"{table}.parquet")
        assert list(lines[lines["table"] == table]["name"]) == schema.names
        for field in schema:
            told = {key.decode(): value.decode() for key, value in field.metadata.items()}
            assert told["radcurate.role"] and told["radcurate.reason"] and told["radcurate.description"], field.name
    told = pq.read_schema(released / "ranges.parquet").field(f"{STABLE}_lo").metadata
    assert told[b"radcurate.ibsi"].decode() == codes[STABLE] and told[b"radcurate.description"].startswith(
        b"least value of "
    )
    assert pq.read_schema(released / "ranges.parquet").metadata[b"radcurate.release"] == b"radiomics"


def verified(folder: Path) -> int:
    """Exit code of `radcurate verify-release`."""
    with pytest.raises(SystemExit) as ended:
        main(["verify-release", str(folder)])
    return ended.value.code


@pytest.mark.parametrize("name", ["ranges.parquet", "stability.parquet"])
@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_the_checksums_cover_them(run, name, fault):
    folder = run.release()
    assert check_release(folder) == [] and verified(folder) == 0
    path = folder / name
    path.chmod(0o644)
    folder.chmod(0o755)
    if fault == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert check_release(folder) == [f"{name}: {fault}"]
    assert verified(folder) == 1


def test_ranges_that_changed_after_the_gate_are_not_released(run):
    run.edit("protect", "ranges.parquet", lambda rows: rows[0].update({f"{STABLE}_lo": -99.0}))
    with pytest.raises(CurationError):
        run.release()


def test_the_gate_finds_a_code_of_the_run(run):
    series = run.series(5)
    run.edit("protect", "ranges.parquet", lambda rows: rows[0].update(roi=series))
    with pytest.raises(CurationError):
        run.gate()
    assert "codes.internal" in [finding["measure"] for finding in run.refusal()["findings"] if not finding["holds"]]


def test_the_gate_finds_ranges_of_a_feature_without_reason(run):
    run.measure(lambda content: content["reasons"].pop("overlap"))
    with pytest.raises(CurationError):
        run.gate()
    assert [finding["measure"] for finding in run.refusal()["findings"] if not finding["holds"]] == [
        "columns.without_reason"
    ]


def test_no_code_of_the_run(passed, released):
    inside = {
        row["roi"]
        for chunk in (passed.results / "extract").iterdir()
        for row in tables.read_rows(chunk / "ranges.parquet")
    }
    cells = {row["roi"] for row in tables.read_rows(released / "ranges.parquet")}
    assert inside and not inside & cells
