"""A Slurm that answers, one that doesn't, and none. The real one is in tests/slurm."""

from __future__ import annotations

from pathlib import Path

import pytest

from radcurate.operation import cluster
from radcurate.operation.finding import FAULT, NOTE

ANSWERS = {"sinfo": "short up\nlong up\nold down\n", "sacct": "", "sbatch": ""}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of these names that say what they are told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, answer in ANSWERS.items():
        program(folder, name, answer)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def program(folder: Path, name: str, answer: str, code: int = 0) -> None:
    (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{answer}END\n[ {code} = 0 ] || echo broken >&2\nexit {code}\n")
    (folder / name).chmod(0o755)


def profile(tmp_path: Path, partition: str) -> Path:
    (tmp_path / "config.yaml").write_text(f"default-resources:\n  slurm_partition: {partition}\n")
    return tmp_path


def test_no_slurm_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [found.state for found in cluster.slurm(tmp_path)] == ["good"]


def test_partitions_that_are_up(commands: Path, tmp_path: Path) -> None:
    found = list(cluster.slurm(profile(tmp_path, "long")))
    assert found[0].found == "partitions: long, short"
    assert all(each.state != FAULT for each in found)


def test_a_partition_that_is_not_there(commands: Path, tmp_path: Path) -> None:
    assert [each.found for each in cluster.slurm(profile(tmp_path, "old")) if each.state == FAULT] == [
        "the profile asks for partition old"
    ]


def test_no_accounting(commands: Path, tmp_path: Path) -> None:
    program(commands, "sacct", "", code=1)
    assert any("accounting" in found.found and found.state == NOTE for found in cluster.slurm(tmp_path))


def test_a_controller_that_does_not_answer(commands: Path, tmp_path: Path) -> None:
    program(commands, "sinfo", "", code=1)
    (found,) = cluster.slurm(tmp_path)
    assert found.state == NOTE and "broken" in found.found


def test_the_plugin_is_asked_for(commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PLUGIN", "no-such-plugin")
    assert any(found.remedy.startswith("make setup EXTRA=slurm") for found in cluster.slurm(tmp_path))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("default-resources:\n  slurm_partition: long\n", "long"),
        ("default-resources:\n  - slurm_partition='long'\n", "long"),
        ("cores: 1\n", ""),
        ("{", ""),
    ],
)
def test_the_partition_of_a_profile(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert cluster.partition_of(tmp_path) == found
