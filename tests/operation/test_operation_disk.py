"""Space, permissions, clock, links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radcurate.operation import disk
from radcurate.operation.finding import FAULT, NOTE, Finding


def named(findings: list[Finding], about: str) -> list[Finding]:
    return [each for each in findings if each.about == about]


def test_an_input_that_the_disk_has_no_room_for(tmp_path: Path) -> None:
    found = named(list(disk.space(tmp_path / "results", 2**60)), "space")[0]
    assert found.state == NOTE and "free" in found.remedy
    assert named(list(disk.space(tmp_path / "results", 1)), "space")[0].state == "good"
    assert named(list(disk.space(tmp_path / "results", None)), "space")[0].state == "good"


def test_too_little_room_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LEAST_TEMPORARY", 1e9)
    assert any("temporary" in found.found and found.state == NOTE for found in disk.space(tmp_path, None))


def test_the_size_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"12345")
    (tmp_path / "y").write_bytes(b"123")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    size = disk.size_of(tmp_path)
    assert size is not None and 8 <= size <= 8 + 4096
    assert disk.size_of(tmp_path, patience=-1) is None
    assert disk.size_of(tmp_path / "absent") is None


def test_a_good_place_for_results_is_left_as_it_was(tmp_path: Path) -> None:
    found = list(disk.abilities(tmp_path / "results"))
    assert [each.state for each in found if each.state == FAULT] == []
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise OSError(30, "Read-only file system", "/secret/Doe")

    monkeypatch.setattr(disk.tempfile, "mkdtemp", refuse)
    (found,) = disk.abilities(tmp_path)
    assert found.state == FAULT and "Read-only" in found.found and "Doe" not in found.found


def test_a_file_system_that_keeps_no_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.stat, "S_IMODE", lambda _mode: 0o777)
    assert any(found.state == FAULT and "permissions" in found.found for found in disk.abilities(tmp_path))


def test_a_clock_that_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = disk.time.time()
    monkeypatch.setattr(disk.time, "time", lambda: now - 3600)
    (found,) = named(list(disk.abilities(tmp_path)), "clock")
    assert found.state == NOTE and "3600" in found.found


def test_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert any("no hard links" in found.found for found in disk.abilities(tmp_path))


def test_the_type_of_a_file_system(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    place = os.path.realpath(tmp_path)
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {place}/far nfs4 rw 0 0\nb {place}/fa tmpfs rw 0 0\n")
    (tmp_path / "far").mkdir()
    assert disk.file_system(tmp_path / "far", mounts) == "nfs4"
    assert disk.file_system(tmp_path, mounts) == "ext4"
    assert disk.file_system(tmp_path, tmp_path / "absent") == ""


def test_a_shared_file_system_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "file_system", lambda _folder: "lustre")
    assert any("lustre" in found.found for found in disk.abilities(tmp_path))


def test_identity_that_others_can_open(tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    folder.mkdir(mode=0o700)
    (folder / "series.parquet").write_bytes(b"x")
    (folder / "series.parquet").chmod(0o644)
    assert [found.state for found in disk.privacy(tmp_path)] == ["good"], "a closed folder closes what is in it"
    folder.chmod(0o755)
    (found,) = disk.privacy(tmp_path)
    assert found.state == FAULT and found.found.startswith("2 ") and "results/inventory" in found.remedy
