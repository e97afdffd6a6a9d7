"""protect as a stage: files in, files out, nothing in them that leads back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from radcurate import tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.privacy.columns import load_columns
from radcurate.seals import check_seal, write_seal
from radcurate.settings import Protect
from radcurate.stages.protect import run

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ROOT / "config" / "columns.yaml"
N_CHUNKS = 3


def patients(n: int = 60, seed: int = 1) -> list[dict]:
    """Rows of regions: one or two studies a patient, one or two regions a study."""
    chance = np.random.default_rng(seed)
    rows = []
    for patient in range(n):
        sex, site = chance.choice(["M", "F"]), chance.choice(["H-aaaa0001", "H-aaaa0002"])
        age, year = float(chance.uniform(20, 80)), int(chance.integers(2015, 2019))
        for study in range(int(chance.integers(1, 3))):
            series = f"S-{patient:08x}{study:08x}"
            for region in range(int(chance.integers(1, 3))):
                rows.append(
                    {
                        "roi": f"R-{patient:08x}{study:04x}{region:04x}",
                        "series": series,
                        "contour": series.replace("S-", "S-c"),
                        "subject": f"P-{patient:016x}",
                        "roi_label": "GTV",
                        "modality": "CT",
                        "site": str(site),
                        "sex": str(sex),
                        "age": age + study,
                        "study_date": f"{year + study}-{chance.integers(1, 13):02}-{chance.integers(1, 29):02}",
                        "status": "ok",
                        "reason": None,
                        "provenance": "abc",
                        "stat_mean": float(chance.normal()),
                        "morph_volume": float("nan") if region else 5.0,
                        "mystery": 1.0,
                    }
                )
    return rows


def acquisitions(rows: list[dict]) -> list[dict]:
    found = {}
    for row in rows:
        maker = "SIEMENS" if int(row["subject"][2:], 16) % 2 else "GE"
        model = f"{maker} {int(row['series'][2:], 16) % 3}"
        found[row["series"]] = {
            "series": row["series"],
            "subject": row["subject"],
            "modality": "CT",
            "sex": row["sex"],
            "manufacturer": maker,
            "model": model,
        }
    return list(found.values())


def write_chunks(
    root: Path, rows: list[dict], key: Key, n_chunks: int = N_CHUNKS, extra: list[dict] | None = None
) -> list[Path]:
    folders = []
    for chunk in range(n_chunks):
        folder = root / f"{chunk:05}"
        folder.mkdir(parents=True)
        mine = [row for row in rows if int(row["subject"][2:], 16) % n_chunks == chunk]
        kinds = pa.Table.from_pylist(rows).schema
        tables.write(folder / "features.parquet", pa.Table.from_pylist(mine, schema=kinds))
        kinds = pa.Table.from_pylist(acquisitions(rows)).schema
        tables.write(folder / "acquisition.parquet", pa.Table.from_pylist(acquisitions(mine), schema=kinds))
        series = [
            {
                "series": row["series"],
                "subject": row["subject"],
                "kind": "image",
                "modality": "CT",
                "status": "ok",
                "rois": 1,
            }
            for row in acquisitions(mine)
        ]
        tables.write_rows(
            folder / "series.parquet", tables.EXTRACT_SERIES, series + (extra or [] if chunk == 0 else [])
        )
        write_seal(folder, ["features.parquet", "acquisition.parquet", "series.parquet"], key)
        folders.append(folder)
    return folders


def protect(
    tmp_path: Path, key: Key, rows: list[dict] | None = None, name: str = "a", columns: Path = COLUMNS, **options
) -> Path:
    rows = patients() if rows is None else rows
    chunks = write_chunks(
        tmp_path / name / "extract", rows, key, options.pop("n_chunks", N_CHUNKS), options.pop("extra", None)
    )
    out = tmp_path / name / "protect"
    run(Protect(**options), chunks, out, key, columns)
    return out


def measures(out: Path) -> dict:
    return json.loads((out / "measures.json").read_text())


def test_a_release_keeps_k(tmp_path, key):
    out = protect(tmp_path, key, k=5)
    found = measures(out)
    assert found["holds"] and found["unmet"] == []
    assert found["before"]["k"] == 1
    assert found["after"]["k"] >= 5
    assert found["suppressed_share"] <= 0.2
    assert check_seal(out, key).keys() == {
        "features.parquet",
        "acquisition.parquet",
        "subjects.parquet",
        "series.parquet",
        "measures.json",
    }
