"""What the benchmarks of large runs count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.scale_disk import blocks
from benchmarks.scale_run import ideal, work


def test_a_file_of_two_names_takes_its_blocks_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_bytes(os.urandom(100_000))
    once = blocks(tmp_path)
    os.link(tmp_path / "a" / "1", tmp_path / "2")
    assert blocks(tmp_path) == once >= 100_000
    (tmp_path / "3").write_bytes(os.urandom(100_000))
    assert blocks(tmp_path) >= 2 * once


def test_jobs_of_chunks_share_the_cores_and_the_others_take_what_they_take(tmp_path: Path) -> None:
    for name, seconds in (("extract/00000", 6.0), ("extract/00001", 4.0), ("inventory", 3.0), ("protect", 2.0)):
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:06\n")
    stages = work(tmp_path)
    assert {stage.name: stage.jobs for stage in stages} == {"extract": 2, "inventory": 1, "protect": 1}
    assert ideal(stages, 2) == pytest.approx(10)
