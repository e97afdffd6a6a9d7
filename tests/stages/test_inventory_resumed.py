"""An inventory that was interrupted, or whose input has changed, reads what it doesn't know and nothing else."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pydicom import dcmread

from inventory_files import Export, mask, tree_state, uid
from paths import ROOT
from radcurate import tables
from radcurate.dicom import scan
from radcurate.dicom.plain import from_plain, to_plain
from radcurate.dicom.tree import Found, find_files
from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.settings import Inventory
from radcurate.stages import _records, _scan, inventory

PLAIN = Key(bytes(range(32)))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that were opened for their headers, in three-file batches."""
    opened: list[str] = []

    def note(files: Sequence[Found], source: Path) -> scan.Batch:
        opened.extend(file.path for file in files)
        return scan.scan_batch(files, source)

    monkeypatch.setattr(_scan, "BATCH", 3)
    monkeypatch.setattr(_scan, "WAVE", 1)
    monkeypatch.setattr(_scan, "scan_batch", note)
    return opened


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two patients, a mask, files of no series: 17 in all."""
    folder = tmp_path / "in"
    for k in range(2):
        export = Export(folder / f"p{k}", f"PAT-{k}")
        image, _ = export.image(uid("image", k))
        export.rtstruct(image, [uid(image, 3.0)])
        export.other()
    Export(folder / "p0", "PAT-0").slice(uid("image", 0), 12.0)
    mask(folder / "p0" / "mask.nii", count=5)
    (folder / "note.txt").write_text("hello")
    (folder / "p1" / "cut").write_bytes((folder / "p1" / "rs.dcm").read_bytes()[:300])
    return folder


def run(source: Path, out: Path, key: Key = PLAIN) -> dict[str, str]:
    """Digests of the tables."""
    inventory.run(Inventory(), source, out, key, 1)
    return {path: state[0] for path, state in tree_state(out).items() if not path.startswith("headers/")}


def fresh(source: Path, tmp_path: Path) -> dict[str, str]:
    """What a run writes that knows nothing."""
    shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
    return run(source, tmp_path / "fresh")


def count(source: Path) -> int:
    return len(list(find_files(source)))


def test_what_was_read_before_a_kill_is_not_read_again(
    source: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    keep, kept = _records.Records.keep, []

    def die(self: _records.Records, files: Sequence[Found], batch: scan.Batch) -> str:
        if len(kept) == 3:
            (self.folder / f".{'0' * 32}.1").write_bytes(b"half a rec")  # as a kill leaves it
            raise KeyboardInterrupt
        kept.append(keep(self, files, batch))
        return kept[-1]

    with monkeypatch.context() as patch:
        patch.setattr(_records.Records, "keep", die)
        with pytest.raises(KeyboardInterrupt):
            run(source, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.parquet"))
    read.clear()
    resumed = run(source, tmp_path / "out")
    assert len(read) == count(source) - 9
    assert f"{len(read)} files read, 9 known from before" in caplog.text
    assert resumed == fresh(source, tmp_path)
    assert not list((tmp_path / "out" / "headers").glob(".*"))


def test_an_unchanged_input_is_not_read_at_all(source: Path, tmp_path: Path, read: list[str]) -> None:
    first = run(source, tmp_path / "out")
    assert len(read) == count(source)
    read.clear()
    assert run(source, tmp_path / "out") == first
    assert read == []


def test_of_an_input_with_one_file_more_that_file_is_read(source: Path, tmp_path: Path, read: list[str]) -> None:
    run(source, tmp_path / "out")
    read.clear()
    Export(source / "p0" / "new", "PAT-0").slice(uid("image", 0), 15.0, name="added")
    assert run(source, tmp_path / "out") == fresh(source, tmp_path)
    assert read[0] == "p0/new/added"
    assert len(read) == 1 + count(source)  # the others by the run that knew nothing


def test_of_an_input_with_one_file_less_nothing_is_left(source: Path, tmp_path: Path, read: list[str]) -> None:
    run(source, tmp_path / "out")
    before = {path.name for path in (tmp_path / "out" / "headers").iterdir()}
    read.clear()
    (source / "p0" / "rs.dcm").unlink()
    assert run(source, tmp_path / "out") == fresh(source, tmp_path)
    assert len(read) - count(source) == 2  # the neighbours, with which its identifiers had been gathered
    after = {path.name for path in (tmp_path / "out" / "headers").iterdir()}
    assert len(before - after) == 1


def test_a_file_changed_under_its_size_and_time_is_read_again(source: Path, tmp_path: Path, read: list[str]) -> None:
    run(source, tmp_path / "out")
    path = source / "p1" / "rs.dcm"
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"PAT-1", b"PAT-9"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    read.clear()
    again = run(source, tmp_path / "out")
    assert "p1/rs.dcm" in read
    assert again == fresh(source, tmp_path)


def test_without_the_time_of_status_change_it_would_not_be(
    source: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection of the test above, taken out."""
    real = _records.marks_of
    monkeypatch.setattr(
        _records, "marks_of", lambda files, key: real([file._replace(ctime_ns=0) for file in files], key)
    )
    monkeypatch.setattr(_scan, "marks_of", _records.marks_of)
    run(source, tmp_path / "out")
    path = source / "p1" / "rs.dcm"
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"PAT-1", b"PAT-9"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    read.clear()
    assert run(source, tmp_path / "out") != fresh(source, tmp_path)


class Trap:
    """Writes a file when a pickle of it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self.path, "loaded")


@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "pickle", "zip bomb"])
def test_a_record_that_is_not_the_run_s_own_is_read_again(
    source: Path, tmp_path: Path, read: list[str], damage: str
) -> None:
    first = run(source, tmp_path / "out")
    victim = min((tmp_path / "out" / "headers").iterdir())
    raw = bytearray(victim.read_bytes())
    raw[-20] ^= 1
    content = {
        "bit": bytes(raw),
        "cut": victim.read_bytes()[:-5],
        "empty": b"",
        "pickle": pickle.dumps(Trap(tmp_path / "trap")),
        "zip bomb": b"\0" * 32 + b"\0\0\0\0\xff\xff\xff\xff" + b"\0" * 64,
    }[damage]
    victim.write_bytes(content)
    read.clear()
    assert run(source, tmp_path / "out") == first
    assert 1 <= len(read) <= 3
    assert not (tmp_path / "trap").exists()


def test_with_a_seal_that_always_held_a_torn_record_would_be_believed(
    source: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection of the test above, taken out."""
    run(source, tmp_path / "out")
    victim = min((tmp_path / "out" / "headers").iterdir())
    victim.write_bytes(victim.read_bytes()[:-5])
    monkeypatch.setattr(_records.hmac, "compare_digest", lambda *_: True)
    with pytest.raises(Exception, match="incomplete or truncated"):
        run(source, tmp_path / "out")


def test_records_of_another_key_or_another_reader_are_not_believed(
    source: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(source, tmp_path / "out")
    other = Key(bytes(32))
    read.clear()
    run(source, tmp_path / "out", other)
    assert len(read) == count(source)
    read.clear()
    monkeypatch.setattr(_records, "reader_version", lambda: "of tomorrow")
    run(source, tmp_path / "out", other)
    assert len(read) == count(source)


def test_a_file_that_could_not_be_read_is_tried_again(
    source: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, path = _scan.scan_batch, "p0/rs.dcm"

    def fail(files: Sequence[Found], source: Path) -> scan.Batch:
        batch = real(files, source)
        gone = [header for header in batch.headers if header.file.path == path]
        batch.headers = [header for header in batch.headers if header not in gone]
        batch.unusable += [scan.Unusable(header.file, "unreadable") for header in gone]
        return batch

    with monkeypatch.context() as patch:
        patch.setattr(_scan, "scan_batch", fail)
        run(source, tmp_path / "out")
    read.clear()
    assert run(source, tmp_path / "out") == fresh(source, tmp_path)
    assert path in read[:3]


def test_a_record_altered_while_it_is_needed_ends_in_a_clear_message(
    source: Path, tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = _records.Records.keep

    def spoil(self: _records.Records, files: Sequence[Found], batch: scan.Batch) -> str:
        name = keep(self, files, batch)
        (self.folder / name).write_bytes(b"x" * 50)
        return name

    monkeypatch.setattr(_records.Records, "keep", spoil)
    with pytest.raises(CurationError, match="altered while the inventory worked with it"):
        run(source, tmp_path / "out")


def test_a_file_that_grows_while_it_is_read_is_named(source: Path, tmp_path: Path) -> None:
    path = source / "p1" / "rs.dcm"
    (found,) = [found for found in find_files(source) if found.path == "p1/rs.dcm"]
    with path.open("ab") as stream:
        stream.write(b"\0\0")
    batch = scan.scan_batch([found], source)
    assert [one.reason for one in batch.unusable] == ["changed"]


def test_records_are_private_whatever_the_umask(source: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        run(source, tmp_path / "out")
    finally:
        os.umask(before)
    folder = tmp_path / "out" / "headers"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_batch_comes_back_to_the_last_bit(source: Path, tmp_path: Path, real_data: Path) -> None:
    Export(source / "p2", "Bär^\udcff").slice(uid("minus"), -0.0, ImagePositionPatient=[-0.0, 0.1, 1e-7])
    Export(source / "p2", "P").seg(uid("image", 0), [uid("a")])
    for folder in (source, real_data / "highdicom", real_data / "pydicom_testfiles"):
        files = list(find_files(folder))
        batch = scan.scan_batch([*files, Found("M\udcfcller", 3, 4, "file_name", 5)], folder)
        again = from_plain(to_plain(batch))
        assert repr(again.headers) == repr(batch.headers)
        assert repr(again.unusable) == repr(batch.unusable)
        assert repr(again.masks) == repr(batch.masks)
        assert again.facts == batch.facts


def test_the_tables_of_a_resumed_run_name_the_same_rows(source: Path, tmp_path: Path, read: list[str]) -> None:
    run(source, tmp_path / "out")
    (source / "a first file").write_text("that sorts before all others")
    path = source / "p0" / "rs.dcm"
    dataset = dcmread(path)
    dataset.SeriesDescription = "changed"
    dataset.save_as(path)
    run(source, tmp_path / "out")
    found = tables.read_rows(tmp_path / "out" / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    assert [row["path"] for row in found] == ["a first file", "note.txt", "p1/cut"]


def start(source: Path, out: Path, key_file: Path, log: Path) -> subprocess.Popen[bytes]:
    """The stage as Snakemake starts it, in a group of processes of its own."""
    command = [sys.executable, "-m", "radcurate.stages.inventory", "--settings", "{}", "--threads", "2"]
    command += ["--source", str(source), "--out", str(out), "--log", str(log)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "RADCURATE_KEY_FILE": str(key_file)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.slow
def test_a_run_killed_in_the_middle_goes_on(source: Path, tmp_path: Path) -> None:
    for number in range(20_000):
        (source / f"{number}.txt").write_text("no image")
    key_file = tmp_path / "key"
    key_file.write_text(PLAIN.secret.hex())
    key_file.chmod(0o600)
    headers = tmp_path / "out" / "headers"
    process = start(source, tmp_path / "out", key_file, tmp_path / "first.log")
    while not (headers.is_dir() and len(list(headers.glob("[!.]*"))) >= 5):
        assert process.poll() is None, (tmp_path / "first.log").read_text()
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "unplaced.parquet").exists()
    assert start(source, tmp_path / "out", key_file, tmp_path / "second.log").wait() == 0
    told = re.search(r"(\d+) files read, (\d+) known from before", (tmp_path / "second.log").read_text())
    assert told
    assert int(told[1]) < 20_000 < int(told[1]) + int(told[2]) == count(source)
    done = {path: state[0] for path, state in tree_state(tmp_path / "out").items() if not path.startswith("headers/")}
    assert done == fresh(source, tmp_path)
