"""Files that were written by a clock that was ahead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radcurate.operation.clock import mend_times

NOW = 1_700_000_000.0


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A chunk, an image, a release and something fetched."""
    names = ("deface/00000/seal.json", "deface/00000/dicom/.snakemake_timestamp", "deface/00000/dicom/S-1/1.dcm")
    for name in (*names, "gate/seal.json", "gate/verdict.json", "release/demo-1/a", "fetch/files/a"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def move(folder: Path, seconds: float) -> None:
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (NOW + seconds, NOW + seconds))


def test_what_lies_ahead_gets_the_time_of_now(results: Path) -> None:
    move(results, 3600)
    assert mend_times(results, NOW) > 0
    for name in ("deface/00000/seal.json", "deface/00000/dicom/.snakemake_timestamp", "gate/verdict.json"):
        assert (results / name).stat().st_mtime == NOW
    for name in ("release/demo-1/a", "fetch/files/a", "deface/00000/dicom/S-1/1.dcm"):
        assert (results / name).stat().st_mtime == NOW + 3600
    assert mend_times(results, NOW) == 0


@pytest.mark.parametrize("seconds", [-1e8, 0, 1])
def test_other_times_stay(results: Path, seconds: float) -> None:
    move(results, seconds)
    assert mend_times(results, NOW) == 0
    assert (results / "gate" / "seal.json").stat().st_mtime == NOW + seconds


def test_before_a_run_there_is_nothing(tmp_path: Path) -> None:
    assert mend_times(tmp_path / "results", NOW) == 0
