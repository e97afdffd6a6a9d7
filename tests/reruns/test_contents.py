"""What stands in a steward's file counts, not its time."""

from __future__ import annotations

import os
from pathlib import Path

from radcurate.keys import Key
from radcurate.reruns.contents import contents_code


def test_a_file_with_an_old_time_and_other_content_is_another(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "consent.csv"
    path.write_text("patient,withdrawn\nA,\n")
    before = contents_code([path], key)
    path.write_text("patient,withdrawn\nA,2026-01-01\n")
    os.utime(path, (0, 0))
    assert contents_code([path], key) != before


def test_a_touched_file_is_the_same(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "consent.csv"
    path.write_text("x")
    before = contents_code([path], key)
    os.utime(path, (2e9, 2e9))
    assert contents_code([path], key) == before


def test_order_and_absence_count(tmp_path: Path, key: Key) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")
    absent = tmp_path / "absent"
    codes = [contents_code(paths, key) for paths in ([one, two], [two, one], [one], [one, absent], [])]
    assert len(set(codes)) == len(codes) and codes[-1] == ""


def test_nobody_without_the_key_can_try_contents(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "x"
    path.write_text("no")
    assert contents_code([path], key) != contents_code([path], Key(bytes(32)))
