"""Earlier releases on disk, as the differencing attack reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from radcurate import tables
from radcurate.attack.differencing import attack_differencing
from radcurate.errors import CurationError
from radcurate.release import check
from radcurate.stages._earlier import earlier_releases


def released(folder: Path, patients: str, column: str = "sex", value: str = "F") -> Path:
    folder.mkdir(parents=True)
    count = len(patients)
    features = pa.table(
        {
            "subject": list(patients),
            "series": [f"S-{name}" for name in patients],
            "roi": [f"R-{name}" for name in patients],
            column: [value] * count,
            "stat_mean": [float(number) for number in range(count)],
        }
    )
    tables.write(folder / "features.parquet", features)
    tables.write(folder / "acquisition.parquet", pa.table({"series": [f"S-{name}" for name in patients]}))
    lines = [{"table": "features", "name": column, "role": "quasi_identifier"}]
    (folder / "dictionary.json").write_text(json.dumps(lines))
    (folder / check.SUMS).write_text(check.sums(folder))
    return folder


def test_releases_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (2, 10, 1):
        released(tmp_path / "results" / f"demo-{number}", "abcdef")
    (tmp_path / "results" / ".building-7").mkdir()
    (tmp_path / "results" / "release.json").write_text("{}")
    outside = released(tmp_path / "older" / "pilot-1", "abc")
    found = earlier_releases(tmp_path / "results", ["sex"], also=[outside])
    assert list(found) == ["demo-1", "demo-2", "demo-10", "pilot-1"]
    assert set(found["pilot-1"].shown) == set("abc")


def test_no_release_yet(tmp_path: Path) -> None:
    assert earlier_releases(tmp_path / "absent", ["sex"]) == {}


def test_a_withdrawal_between_two_releases_is_found(tmp_path: Path) -> None:
    released(tmp_path / "earlier" / "demo-1", "abcdef")
    released(tmp_path / "later" / "demo-2", "abcde")
    now = earlier_releases(tmp_path / "later", ["sex"])["demo-2"]
    assert attack_differencing(earlier_releases(tmp_path / "earlier", ["sex"]), now, 5).document()["successes"] == 1


def test_quasi_identifiers_of_then_count_too(tmp_path: Path) -> None:
    released(tmp_path / "demo-1", "abcdef", column="ward", value="West")
    shown = earlier_releases(tmp_path, ["sex"])["demo-1"].shown
    assert shown["a"] == {(("ward", "West"),)}


@pytest.mark.parametrize("name", ["features.parquet", "SHA256SUMS", "dictionary.json"])
def test_a_changed_release_is_no_ground_to_compare_with(tmp_path: Path, name: str) -> None:
    folder = released(tmp_path / "demo-1", "abcdef")
    (folder / name).unlink()
    with pytest.raises(CurationError, match="not as it was released"):
        earlier_releases(tmp_path, ["sex"])
