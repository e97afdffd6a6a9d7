"""fetch as a stage: archives in, plain private files and accounts out; what is known is not opened again."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from inventory_files import Export, tree_state, uid
from radcurate import seals, tables
from radcurate.errors import CurationError
from radcurate.settings import Inventory
from radcurate.stages import inventory
from sources.source_archives import KEY, fetched, problems, tarred, tree, zipped


def patient(folder: Path, name: str = "PAT-4711") -> Path:
    export = Export(folder, name)
    image, _ = export.image()
    export.rtstruct(image, [uid(image, 3.0)])
    return folder


def packed(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def mixed(tmp_path: Path) -> Path:
    """A folder with a patient in plain files, one in a zip and one in a tar."""
    source = tmp_path / "in"
    patient(source / "plain", "PAT-1")
    zipped(source / "a" / "two.zip", packed(patient(tmp_path / "two", "PAT-2")))
    tarred(source / "three.tar.gz", packed(patient(tmp_path / "three", "PAT-3")), "w:gz")
    return source


def test_archives_and_plain_files_become_one_tree(tmp_path: Path) -> None:
    source = mixed(tmp_path)
    before = tree_state(source)
    out = fetched(source, tmp_path / "out")
    want = {f"plain/{k}": v for k, v in packed(source / "plain").items()}
    want |= {f"a/two.zip/{k}": v for k, v in packed(tmp_path / "two").items()}
    want |= {f"three.tar.gz/{k}": v for k, v in packed(tmp_path / "three").items()}
    assert tree(out) == want
    assert tree_state(source) == before
    assert problems(out) == {}


def test_nothing_that_was_fetched_can_be_read_by_others(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        out = fetched(mixed(tmp_path), tmp_path / "out")
    finally:
        os.umask(umask)
    for path in (out, *out.rglob("*")):
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert {"problems.parquet", "fetched.json"} <= set(seals.check_seal(out, KEY))


def test_an_archive_is_opened_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    source, out = mixed(tmp_path), tmp_path / "out"
    fetched(source, out)
    seal, state = (out / seals.SEAL).read_bytes(), tree_state(out / "files")
    for path in (out / "files").rglob("*.zip/*"):
        os.utime(path, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
    os.utime(source / "three.tar.gz")  # touched, not changed
    caplog.clear()
    fetched(source, out)
    assert "2 archives: 0 opened, 2 known" in caplog.text
    assert (out / seals.SEAL).read_bytes() == seal
    zipped(source / "a" / "two.zip", packed(patient(tmp_path / "four", "PAT-4")))
    fetched(source, out)
    assert "2 archives: 1 opened, 1 known" in caplog.text
    assert (out / seals.SEAL).read_bytes() != seal
    changed = {name for name, was in state.items() if tree_state(out / "files").get(name) != was}
    assert changed and all(name.startswith("a/two.zip/") for name in changed)


def test_the_same_archive_gives_the_same_bytes_and_times_elsewhere(tmp_path: Path) -> None:
    source = mixed(tmp_path)
    one, two = fetched(source, tmp_path / "one"), fetched(source, tmp_path / "two_out", threads=2)
    assert tree_state(one / "files") == tree_state(two / "files")
    assert (one / seals.SEAL).read_bytes() == (two / seals.SEAL).read_bytes()


def test_a_removed_archive_takes_its_files_along(tmp_path: Path) -> None:
    source, out = mixed(tmp_path), tmp_path / "out"
    fetched(source, out)
    (source / "three.tar.gz").unlink()
    shutil.rmtree(source / "plain")
    fetched(source, out)
    assert {name.split("/")[0] for name in tree(out)} == {"a"}
    assert sorted(path.name for path in (out / "files").iterdir()) == ["a"]


def test_another_input_begins_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetched(mixed(tmp_path), out)
    other = zipped(tmp_path / "other.zip", packed(patient(tmp_path / "five", "PAT-5")))
    fetched(other, out)
    assert {name.split("/")[0] for name in tree(out)} == {"other.zip"}


@pytest.mark.parametrize("what", ["torn", "gone", "table"])
def test_what_was_fetched_is_not_believed_blindly(tmp_path: Path, what: str) -> None:
    source, out = mixed(tmp_path), tmp_path / "out"
    want = tree(fetched(source, out))
    victim = next(path for path in sorted((out / "files" / "a").rglob("*")) if path.is_file())
    if what == "torn":  # as after a power cut: the size is right, the end is zeros
        was = victim.stat()
        victim.write_bytes(victim.read_bytes()[:-100] + b"\0" * 100)
        os.utime(victim, ns=(was.st_atime_ns, was.st_mtime_ns))
        (out / ".working").touch()  # that run did not end
    elif what == "gone":
        victim.unlink()
    else:
        part = next(path for path in (out / "parts").iterdir() if path.name != "links")
        tables.write_rows(
            part / "problems.parquet", tables.FETCH_PROBLEMS, [{"name": "x", "reason": "archive_damaged"}]
        )
    fetched(source, out)
    assert tree(out) == want
    assert problems(out) == {}


def test_an_archive_that_was_too_large_is_opened_when_the_limit_is_raised(tmp_path: Path) -> None:
    source, out = mixed(tmp_path), tmp_path / "out"
    fetched(source, out, most_files=4)
    assert problems(out) == {"a/two.zip": "archive_too_large", "three.tar.gz": "archive_too_large"}
    fetched(source, out, most_files=5)
    assert problems(out) == {}
    fetched(source, out, most_files=4)
    assert len(problems(out)) == 2


def test_when_nothing_can_be_had_it_says_why(tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK\3\4 and no more")
    with pytest.raises(CurationError, match="nothing could be fetched") as error:
        fetched(bad, tmp_path / "out")
    assert error.value.found == "archive_damaged 1"
    assert not (tmp_path / "out" / seals.SEAL).exists()


def inventoried(source: Path, tmp_path: Path) -> tuple[dict[str, tuple[str, str | None]], dict[str, str]]:
    """Outcome of each series, reasons of files of no series."""
    out = tmp_path / "inventory"
    made = fetched(source, tmp_path / "fetch")
    inventory.run(Inventory(), made / "files", out, KEY, 1, [made / seals.SEAL])
    series = {
        row["series_instance_uid"]: (row["status"], row["reason"])
        for path in out.glob("chunks/*/series.parquet")
        for row in tables.read_rows(path, tables.INVENTORY_SERIES)
    }
    apart = tables.read_rows(out / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    return series, {row["path"]: row["reason"] for row in apart}


def test_the_inventory_reads_links_and_members_alike(tmp_path: Path) -> None:
    series, apart = inventoried(mixed(tmp_path), tmp_path)
    assert len(series) == 6 and set(series.values()) == {("ok", None)}
    assert apart == {}


def test_everything_that_was_ingested_ends_somewhere(tmp_path: Path) -> None:
    source = mixed(tmp_path)
    (source / "note.txt").write_text("hello")
    (source / "to_note").symlink_to("note.txt")
    (source / "cut.zip").write_bytes((source / "a" / "two.zip").read_bytes()[:-30])
    _, apart = inventoried(source, tmp_path)
    assert apart == {"note.txt": "not_dicom", "to_note": "link", "cut.zip": "archive_damaged"}


def test_a_slice_that_was_refused_makes_its_series_incomplete(tmp_path: Path) -> None:
    """The last slice leaves no gap: without the accounts of fetch the series would pass."""
    content = packed(patient(tmp_path / "two", "PAT-2"))
    last = next(name for name in content if name.endswith("_9.0"))
    content[f"../{last}"] = content.pop(last)
    source = mixed(tmp_path)
    zipped(source / "a" / "two.zip", content)
    series, apart = inventoried(source, tmp_path)
    assert apart == {f"a/two.zip/../{last}": "member_outside"}
    assert sorted(reason for _, reason in series.values() if reason) == ["image_quarantined", "incomplete"]


def test_a_file_that_somebody_adds_or_removes_is_noticed(tmp_path: Path) -> None:
    made = fetched(mixed(tmp_path), tmp_path / "fetch")
    (made / "files" / "extra").write_text("x")
    with pytest.raises(CurationError, match="not those that fetch wrote"):
        inventory.run(Inventory(), made / "files", tmp_path / "o", KEY, 1, [made / seals.SEAL])


def test_a_link_that_fetch_did_not_make_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    made = fetched(mixed(tmp_path), tmp_path / "fetch")
    victim = next((made / "files" / "plain").iterdir())
    victim.unlink()
    victim.symlink_to(secret)
    out = tmp_path / "o"
    inventory.run(Inventory(), made / "files", out, KEY, 1, [made / seals.SEAL])
    apart = tables.read_rows(out / "unplaced.parquet", tables.INVENTORY_INSTANCES)
    assert [row["reason"] for row in apart] == ["link_outside"]


@pytest.mark.slow
def test_a_fetch_that_is_killed_is_gone_on_with(tmp_path: Path) -> None:
    """kill -9 while the second archive is being opened: the first stays, nothing half is taken."""
    source, out = tmp_path / "in", tmp_path / "out"
    zipped(source / "a.zip", packed(patient(tmp_path / "one", "PAT-1")))
    zipped(source / "b.zip", {f"{k}": os.urandom(1 << 16) for k in range(400)}, zipfile.ZIP_STORED)
    child = "import sys; from pathlib import Path; from sources.source_archives import fetched\n"
    child += "fetched(Path(sys.argv[1]), Path(sys.argv[2]))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", child, str(source), str(out)], env=env) as process:
        while process.poll() is None and not any((out / ".new").glob("*/1*")):
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -9 and not (out / seals.SEAL).exists()
    assert {name.split("/")[0] for name in tree(out)} == {"a.zip"}
    before = tree_state(out / "files")
    fetched(source, out)
    assert len(tree(out)) == 405 and before.items() <= tree_state(out / "files").items()
    assert (out / seals.SEAL).read_bytes() == (fetched(source, tmp_path / "other") / seals.SEAL).read_bytes()
