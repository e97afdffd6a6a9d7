"""verify-release: finds what is missing, changed or too much, with nothing but the folder."""

from __future__ import annotations

import pytest

from radcurate.release.check import SUMS, check_release, sums


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a.txt", "b.txt", "images/c d.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / SUMS).write_text(sums(tmp_path))
    return tmp_path


def test_a_complete_release(folder):
    assert check_release(folder) == []


def test_one_changed_byte(folder):
    (folder / "a.txt").write_text("a.tXt")
    assert check_release(folder) == ["a.txt: changed"]


def test_a_missing_file(folder):
    (folder / "images/c d.txt").unlink()
    assert check_release(folder) == ["images/c d.txt: missing"]


def test_a_file_too_much(folder):
    (folder / "images/note.txt").write_text("")
    assert check_release(folder) == ["images/note.txt: not part of the release"]


def test_a_link_in_place_of_a_file(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "a.txt"
    other.write_text("a.txt")
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(other)
    assert check_release(folder) == ["a.txt: a link, not a file"]


@pytest.mark.parametrize(
    "line",
    ["nonsense", "0" * 64 + " a.txt", "0" * 64 + "  ../a.txt", "0" * 64 + "  /etc/hosts", "0" * 64 + f"  {SUMS}"],
)
def test_a_line_that_is_none(folder, line):
    with (folder / SUMS).open("a") as stream:
        stream.write(line + "\n")
    assert check_release(folder) == [f"{SUMS}: line 4 is not a checksum and a file name"]


def test_no_list(folder, tmp_path):
    (folder / SUMS).unlink()
    assert "nothing can be checked" in check_release(folder)[0]
    assert check_release(tmp_path / "nowhere")


def test_an_empty_list(tmp_path):
    (tmp_path / SUMS).write_text("")
    assert check_release(tmp_path)
