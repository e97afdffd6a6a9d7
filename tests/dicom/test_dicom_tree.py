"""Files of a folder, and the fingerprint that notices a change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from radcurate.dicom import fingerprint
from radcurate.dicom.tree import count_files, find_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    export = tmp_path / "export"
    (export / "b" / "deep").mkdir(parents=True)
    (export / "a.dcm").write_bytes(b"1")
    (export / "b" / "deep" / "c").write_bytes(b"22")
    return export


def problems(folder: Path) -> dict[str, str | None]:
    return {found.path: found.problem for found in find_files(folder)}


def test_every_file_is_found_at_any_depth(folder: Path) -> None:
    assert problems(folder) == {"a.dcm": None, "b/deep/c": None}
    assert [found.size for found in find_files(folder)] == [1, 2]
    assert count_files(folder) == 2


def test_links_are_not_followed_in_circles_or_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"x")
    (folder / "b" / "up").symlink_to(folder)
    (folder / "inside").symlink_to(folder / "a.dcm")
    (folder / "outside").symlink_to(tmp_path / "elsewhere")
    (folder / "folder_outside").symlink_to(tmp_path)
    (folder / "gone").symlink_to(folder / "nothing")
    (folder / "self").symlink_to(folder / "self")
    found = problems(folder)
    assert found.pop("a.dcm") is None
    assert found.pop("b/deep/c") is None
    assert found == {
        "inside": "link",
        "outside": "link_outside",
        "folder_outside": "link_outside",
        "gone": "broken_link",
        "self": "broken_link",
    }


def test_a_pipe_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert problems(folder)["pipe"] == "not_a_file"


def test_a_name_in_an_old_code_page_is_told_apart(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/M\xfcller.dcm")).write_bytes(b"x")
    assert "file_name" in problems(folder).values()
    assert len(fingerprint(folder)) == 64


def test_a_folder_that_can_t_be_listed_is_one_entry(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError
        return listing(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert problems(folder) == {"a.dcm": None, "b/deep": "unreadable_folder"}
    assert count_files(folder) == 2


def test_the_fingerprint_of_a_missing_folder_is_absent(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "nothing") == "absent"


def test_the_fingerprint_changes_with_name_size_and_time_only(folder: Path) -> None:
    first = fingerprint(folder)
    assert first == fingerprint(folder)
    seen = {first}
    file = folder / "a.dcm"
    os.utime(file, ns=(1, 1))
    seen.add(fingerprint(folder))
    file.write_bytes(b"123")
    os.utime(file, ns=(1, 1))
    seen.add(fingerprint(folder))
    file.rename(folder / "z.dcm")
    seen.add(fingerprint(folder))
    (folder / "b" / "deep" / "c").unlink()
    seen.add(fingerprint(folder))
    assert len(seen) == 5
    assert all("dcm" not in digest for digest in seen)
