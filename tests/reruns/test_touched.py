"""A file of the input that was only touched counts as it was; one that was changed doesn't."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3

from radcurate import seals, tables
from radcurate.dicom import fingerprint, judged
from radcurate.keys import Key
from radcurate.reruns import touched
from radcurate.reruns.touched import Digests, read_note, restamp, source_state

LATER = 2_000_000_000


def digest(content: bytes) -> Digests:
    """As deidentify would note them: the first ten bytes are the header."""
    return blake3(content[:10]).hexdigest(), blake3(content[10:]).hexdigest()


@dataclass
class Cohort:
    """Two permitted files in chunk 00001, and one that the inventory put aside; what a run noted of them."""

    source: Path
    results: Path
    key: Key

    def state(self) -> str:
        return source_state(self.source, self.results, self.key, digest)

    def touch(self, name: str, time: int = LATER) -> None:
        os.utime(self.source / name, (time, time))


def known_row(path: Path, source: Path, key: Key, head: int) -> dict[str, object]:
    name, status = str(path.relative_to(source)), path.stat()
    found = {"file": key.file_code(name), "path": name, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    with path.open("rb") as stream:
        digest = judged.of_file(stream, status.st_size, head, 0)
    return {**found, "head_bytes": head, "tail_bytes": 0, "digest": digest}


def sealed(folder: Path, name: str, rows: list[dict[str, object]], key: Key) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / name)
    seals.write_seal(folder, [name], key)


@pytest.fixture
def cohort(tmp_path: Path, key: Key) -> Cohort:
    source, results = tmp_path / "export", tmp_path / "results"
    source.mkdir()
    for name in ("one.dcm", "two.dcm", "aside.dcm"):
        (source / name).write_bytes(f"{name:10}pixels of {name}".encode())
    permitted = [known_row(source / name, source, key, 10) for name in ("one.dcm", "two.dcm")]
    aside = [known_row(source / "aside.dcm", source, key, 10)]
    sealed(results / "inventory" / "chunks" / "00001", "instances.parquet", permitted, key)
    sealed(results / "inventory", "unplaced.parquet", aside, key)
    sealed(results / "consent" / "chunks" / "00001", "instances.parquet", permitted, key)
    noted: list[dict[str, object]] = []
    for row in permitted:
        header, pixels = digest((source / str(row["path"])).read_bytes())
        noted.append({"file": row["file"], "header_source": header, "pixels_source": pixels})
    sealed(results / "deidentify" / "00001", "instances.parquet", noted, key)
    return Cohort(source, results, key)


def test_untouched_is_the_fingerprint(cohort: Cohort) -> None:
    assert cohort.state() == fingerprint(cohort.source)


@pytest.mark.parametrize("names", [["one.dcm"], ["aside.dcm"], ["one.dcm", "two.dcm", "aside.dcm"]])
def test_a_touched_file_is_as_it_was(cohort: Cohort, names: list[str]) -> None:
    before = cohort.state()
    for name in names:
        cohort.touch(name)
    assert fingerprint(cohort.source) != before
    assert cohort.state() == before


def test_a_clock_that_goes_backwards_is_a_touch_too(cohort: Cohort) -> None:
    before = cohort.state()
    cohort.touch("one.dcm", 1000)
    assert cohort.state() == before


@pytest.mark.parametrize("name", ["one.dcm", "aside.dcm"])
@pytest.mark.parametrize("place", [0, 15])
def test_a_changed_byte_is_seen_wherever_somebody_read(cohort: Cohort, name: str, place: int) -> None:
    before = cohort.state()
    content = bytearray((cohort.source / name).read_bytes())
    content[place] ^= 1
    (cohort.source / name).write_bytes(content)
    cohort.touch(name)
    unread = name == "aside.dcm" and place >= 10  # pixels of a file that was put aside for its header
    assert (cohort.state() == before) == unread


def test_added_and_removed_files_are_changes(cohort: Cohort) -> None:
    before = cohort.state()
    (cohort.source / "three.dcm").write_bytes(b"x")
    added = cohort.state()
    (cohort.source / "one.dcm").unlink()
    assert len({before, added, cohort.state()}) == 3


def test_touched_files_keep_their_stamps_beside_a_new_one(cohort: Cohort) -> None:
    """So that the inventory's tables of the others stay as they are."""
    cohort.state()
    was = (cohort.source / "one.dcm").stat().st_mtime_ns
    cohort.touch("one.dcm")
    (cohort.source / "three.dcm").write_bytes(b"x")
    cohort.state()
    assert list(read_note(cohort.results).stamps.values()) == [was]


def test_the_note_is_private_and_names_no_path(cohort: Cohort) -> None:
    cohort.touch("one.dcm")
    cohort.state()
    note = cohort.results / touched.NOTE
    assert note.stat().st_mode & 0o777 == 0o600
    assert "one" not in note.read_text() and str(cohort.source) not in note.read_text()


def test_what_was_proved_is_not_read_again(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cohort.state()
    cohort.touch("one.dcm")
    assert cohort.state() == before
    monkeypatch.setattr(touched, "_is_same", lambda *_: pytest.fail("read again"))
    assert cohort.state() == before
    (cohort.source / "three.dcm").write_bytes(b"x")
    assert cohort.state() != before


def test_a_table_whose_seal_is_broken_proves_nothing(cohort: Cohort) -> None:
    before = cohort.state()
    cohort.touch("one.dcm")
    (cohort.results / "deidentify" / "00001" / "seal.json").write_text("{}")
    assert cohort.state() != before


def test_more_than_a_plan_may_read_is_left_to_the_inventory(cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cohort.state()
    cohort.touch("one.dcm")
    monkeypatch.setattr(touched, "MOST_BYTES", 5)
    assert cohort.state() != before


def test_before_the_first_run_nothing_is_noted(cohort: Cohort) -> None:
    shutil.rmtree(cohort.results)
    cohort.results.mkdir()
    assert cohort.state() == fingerprint(cohort.source)
    assert not (cohort.results / touched.NOTE).exists()


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"raw": "x"})])
def test_a_torn_note_is_none(cohort: Cohort, text: str) -> None:
    before = cohort.state()
    cohort.touch("one.dcm")
    (cohort.results / touched.NOTE).write_text(text)
    assert cohort.state() == before


def test_the_inventory_writes_the_same_rows_of_files_that_were_only_touched(cohort: Cohort) -> None:
    files = tables.read(cohort.results / "inventory" / "chunks" / "00001" / "instances.parquet")
    cohort.touch("one.dcm")
    cohort.state()
    place = files["file"].to_pylist().index(cohort.key.file_code("one.dcm"))
    times = files["mtime_ns"].to_pylist()
    times[place] = LATER * 10**9
    seen = files.set_column(files.column_names.index("mtime_ns"), "mtime_ns", pa.array(times))
    stamps = read_note(cohort.results).stamps
    assert restamp(seen, stamps).equals(files) and restamp(seen, {}).equals(seen)


def test_the_columns_are_those_of_the_stages() -> None:
    inventory = {name for name, _ in tables.INVENTORY_INSTANCES.columns}
    deidentify = {name for name, _ in tables.DEIDENTIFY_INSTANCES.columns}
    assert {"file", "size", "mtime_ns", "head_bytes", "tail_bytes", "digest"} <= inventory and {
        "file",
        "header_source",
        "pixels_source",
    } <= deidentify
