"""corrupted intermediate: an image file that isn't as its stage wrote it is noticed by the next stage before it is used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.stages import _written
from radcurate.stages._written import insist, list_files, seal, sealed_listing, written_as, written_of

SERIES, KEY = "S-1", Key(bytes(range(32)))
Damage = Callable[[Path], object]


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """results/redact/00003 with a series of three files."""
    folder = tmp_path / "results" / "redact" / "00003"
    (folder / "dicom" / SERIES).mkdir(parents=True)
    for number in range(3):
        (folder / "dicom" / SERIES / f"{number}.dcm").write_bytes(bytes([number]) * 3_000_000)
    (folder / "series.parquet").write_bytes(b"a table")
    seal(folder, ["series.parquet"], KEY)
    return folder


def flip(path: Path) -> None:
    """One bit, under the old size and time."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[2_500_000] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES: list[tuple[Damage, str]] = [
    (flip, "1 that differ"),
    (lambda path: path.write_bytes(path.read_bytes()[:-1]), "1 that differ"),
    (lambda path: path.write_bytes(b""), "1 that differ"),
    (lambda path: path.unlink(), "1 gone"),
    (lambda path: shutil.rmtree(path.parent), "3 gone"),
    (lambda path: path.with_name("9.dcm").write_bytes(b"more"), "1 more than there were"),
]


@pytest.mark.parametrize(("damage", "found"), DAMAGES)
def test_what_was_changed_is_named(stage, damage, found):
    listing = sealed_listing(stage, KEY)
    insist(stage / "dicom" / SERIES, listing[SERIES])
    damage(stage / "dicom" / SERIES / "1.dcm")
    with pytest.raises(CurationError) as raised:
        insist(stage / "dicom" / SERIES, listing[SERIES])
    assert raised.value.found == found and raised.value.fix.startswith("delete results/redact/00003")


def test_without_digests_a_flipped_bit_would_pass(stage, monkeypatch):
    """The check can fail: by sizes alone nothing is noticed."""
    listing = sealed_listing(stage, KEY)
    flip(stage / "dicom" / SERIES / "1.dcm")
    monkeypatch.setattr(_written, "_differs", lambda path, written: path.stat().st_size != written.size)
    insist(stage / "dicom" / SERIES, listing[SERIES])


def test_the_list_is_sealed(stage):
    rows = tables.read_rows(stage / "files.parquet")
    tables.write_rows(stage / "files.parquet", _written.STAGE_FILES, rows[1:])
    with pytest.raises(CurationError, match="changed after"):
        sealed_listing(stage, KEY)


def test_a_stage_that_lists_no_files_is_not_believed(stage):
    seals.write_seal(stage, ["series.parquet"], KEY)
    with pytest.raises(CurationError, match="no list of its files"):
        sealed_listing(stage, KEY)


def test_a_linked_file_keeps_what_its_writer_said(stage, tmp_path, monkeypatch):
    """A bit that flips between two stages isn't made good by the second one's list."""
    listing = sealed_listing(stage, KEY)
    after = tmp_path / "results" / "deface" / "00003" / "dicom"
    shutil.copytree(stage / "dicom", after, copy_function=os.link)
    (after / SERIES / "2.dcm").unlink()
    (after / SERIES / "2.dcm").write_bytes(b"rewritten")
    flip(stage / "dicom" / SERIES / "1.dcm")
    found = list_files(after, (stage / "dicom", listing))[SERIES]
    assert found["1.dcm"] == listing[SERIES]["1.dcm"] != written_as(after / SERIES / "1.dcm")
    assert found["2.dcm"] == written_as(after / SERIES / "2.dcm")


def test_digests_known_from_writing_are_those_of_reading(tmp_path):
    from radcurate.deidentify.digests import Digests, digest

    head, pixels = b"header" * 500_001, b"pixels" * 700_000
    (tmp_path / "file").write_bytes(head + pixels)
    known = written_of([head, memoryview(pixels)], Digests(digest(head), digest(pixels)))
    assert written_as(tmp_path / "file", len(head)) == known
    assert written_as(tmp_path / "file") == written_of([head + pixels], Digests("", None))
