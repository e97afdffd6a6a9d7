"""What stands in a steward's file counts, not its time."""

from __future__ import annotations

import os
from pathlib import Path

from radcurate.keys import Key
from radcurate.reruns.contents import ABSENT, contents_codes


def test_a_file_with_an_old_time_and_other_content_is_another(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "consent.csv"
    path.write_text("patient,withdrawn\nA,\n")
    before = contents_codes([path], key)
    path.write_text("patient,withdrawn\nA,2026-01-01\n")
    os.utime(path, (0, 0))
    assert contents_codes([path], key) != before


def test_a_touched_file_is_the_same(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "consent.csv"
    path.write_text("x")
    before = contents_codes([path], key)
    os.utime(path, (2e9, 2e9))
    assert contents_codes([path], key) == before


def test_order_and_absence_count(tmp_path: Path, key: Key) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    absent = tmp_path / "absent"
    codes = [contents_codes(paths, key) for paths in ([one, two], [two, one], [one], [one, absent], [])]
    assert len({str(one) for one in codes}) == len(codes) and codes[-1] == {}
    assert codes[-2][f"{tmp_path.name}/absent"] == ABSENT


def test_files_of_one_name_are_told_apart(tmp_path: Path, key: Key) -> None:
    paths = [tmp_path / place / "config" / "terms.md" for place in ("a", "b")]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True)
        path.write_text(str(number))
    assert list(contents_codes(paths, key)) == ["config/terms.md", "config/terms.md (2)"]


def test_nobody_without_the_key_can_try_contents(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "x"
    path.write_text("no")
    assert contents_codes([path], key) != contents_codes([path], Key(bytes(32)))
