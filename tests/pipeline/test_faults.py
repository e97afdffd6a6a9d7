"""What happens to a run from outside: it ends in a clear message, loses nothing, and the next run finishes with the same release."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_tools import Project, data_options, tree_digest
from radcurate import tables

pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.slow]
DAY = 86_400 * 10**9


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """A run that goes on beside the test, as the leader of a process group of its own."""
    return subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(found: Callable[[], object], process: subprocess.Popen[str]) -> object:
    """What `found` finds, while the run goes on."""
    while process.poll() is None:
        if result := found():
            return result
        time.sleep(0.02)
    pytest.fail("the run ended too early")


def processes(project: Project, stage: str) -> dict[int, int]:
    """Processes of a stage of this project and their parents."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            mine = (path / "cwd").readlink() == project.folder
            if mine and f"radcurate.stages.{stage}\0".encode() in (path / "cmdline").read_bytes():
                found[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    return found


def worker(project: Project, stage: str) -> int | None:
    """A process of a stage's pool."""
    there = processes(project, stage)
    return next((number for number, parent in there.items() if parent in there), None)


def writers(project: Project, stage: str) -> list[Path]:
    """Locks that jobs of a stage hold now."""
    found = []
    for path in (project.results / ".locks").glob(f"{stage}*"):
        with path.open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(path)
    return found


def stop(project: Project, stage: str) -> list[int]:
    """Let its processes stand still; their numbers."""
    found = list(processes(project, stage))
    for number in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGSTOP)
    return found


def insist_equal(project: Project, finished: Project) -> None:
    assert tree_digest(project.release) == tree_digest(finished.release)


def test_kill_9_of_snakemake_whose_children_go_on(finished, run):
    """The next run waits for what still writes, and comes to the same release."""
    process = start(run, "--forcerun", "extract")
    wait_for(lambda: writers(run, "extract"), process)
    orphans = stop(run, "extract")  # in the middle of its work, however quick it is
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert orphans and writers(run, "extract")
    run.snakemake("--unlock")
    again = start(run)
    logs = run.results / "logs" / "extract"
    wait_for(
        lambda: any("waits for a process of an earlier run" in path.read_text() for path in logs.glob("*.log")), again
    )
    for number in orphans:
        os.kill(number, signal.SIGCONT)
    output, _ = again.communicate()
    assert again.returncode == 0, output[-3000:]
    insist_equal(run, finished)


def test_kill_9_of_a_worker(finished, run):
    """Its work is done again by another one."""
    process = start(run, "--forcerun", "extract")
    os.kill(int(str(wait_for(lambda: worker(run, "extract"), process))), signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == 0, output[-3000:]
    assert any("a process was lost" in path.read_text() for path in run.results.glob("logs/extract/*.log"))
    insist_equal(run, finished)


def test_two_runs_at_once_in_one_folder(finished, run):
    first = start(run, "--forcerun", "protect")
    wait_for(lambda: processes(run, "protect"), first)
    stopped = stop(run, "protect")  # for as long as the second one needs to begin
    second = run.snakemake("--forcerun", "extract", ok=False)
    for number in stopped:
        os.kill(number, signal.SIGCONT)
    text = second.stdout + second.stderr
    assert second.returncode != 0 and "cannot be locked" in text and "Traceback" not in text, text[-3000:]
    output, _ = first.communicate()
    assert first.returncode == 0, output[-3000:]
    insist_equal(run, finished)


def test_a_corrupted_image_between_two_stages(finished, run):
    """One bit under the old size and time; without the list of files the release would hold other numbers."""
    table = max(run.results.glob("extract/*/features.parquet"), key=lambda path: path.stat().st_size)
    folder = run.results / "deface" / table.parent.name
    series = str(tables.read(table, columns=["series"])["series"][0])
    image = min((folder / "dicom" / series).iterdir())
    before = image.stat()
    data = bytearray(image.read_bytes())
    data[-1000] ^= 4
    image.unlink()  # it may be linked to what stays of other stages
    image.write_bytes(data)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    failed = run.snakemake("--forcerun", "extract", ok=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0 and "Traceback" not in text
    assert f"extract of chunk {folder.name}: files of deface/{folder.name} are not as they were written" in text
    assert f"delete results/deface/{folder.name} and run snakemake again" in text and "1 that differ" in text
    shutil.rmtree(folder)
    run.snakemake()
    insist_equal(run, finished)


def test_a_truncated_table_fails_its_chunk_alone(finished, run):
    """With --keep-going the other chunks come to their end, and the last screen says which one didn't, and why."""
    written = sorted(run.results.glob("verify/*/series.parquet"))
    written[0].write_bytes(written[0].read_bytes()[:-9])
    chunk = written[0].parent.name
    failed = run.snakemake("--forcerun", "extract", ok=False)
    text = failed.stdout + failed.stderr
    assert failed.returncode != 0 and "Traceback" not in text
    assert "of the data: a stage could not go on" in text
    assert f"extract of chunk {chunk}: verify/{chunk}/series.parquet was changed after it was written" in text
    others = {path.parent.name for path in written[1:]}
    assert {path.parent.name for path in run.results.glob("extract/*/seal.json")} == others
    shutil.rmtree(written[0].parent)
    run.snakemake()
    insist_equal(run, finished)


@pytest.mark.parametrize("days", [2, -4000])
def test_a_clock_that_went_wrong(finished, run, days):
    """All that was written lies in the future or before everything: nothing runs for that, and changes run as they should."""
    for path in run.results.rglob("*"):
        if not path.is_symlink():
            moved = path.stat().st_mtime_ns + days * DAY
            os.utime(path, ns=(moved, moved))
    assert run.planned() == {}
    first, protected = run.release, run.results / "protect" / "features.parquet"
    run.configure(protect={"k": 2})
    run.snakemake(ok=False)
    run.configure(protect={"k": 1})
    run.snakemake()
    assert run.planned() == {}
    assert protected.read_bytes() == (finished.results / "protect" / "features.parquet").read_bytes()
    assert tree_digest(first) == tree_digest(finished.release)


@pytest.fixture
def read_only(cohort, tmp_path):
    """The same data, where nobody can write: a second view of the folder, as a read-only share would give."""
    place = tmp_path / "share"
    place.mkdir()
    for options in (["--bind", str(cohort)], ["-o", "remount,bind,ro"]):
        if os.geteuid() or subprocess.run(["mount", *options, str(place)], capture_output=True).returncode:
            subprocess.run(["umount", "-l", str(place)], capture_output=True)
            pytest.skip("this machine does not let tests mount a folder")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_source(finished, run, read_only):
    """An export is only read: a share without the right to write is enough."""
    with pytest.raises(OSError, match="Read-only"):
        (read_only / "export" / "written").touch()
    project = Project(run.folder, read_only, run.key_file)
    project.configure(**data_options(read_only))
    project.snakemake("--forcerun", "inventory", "--until", "deidentify")
    written = sorted((finished.results / "deidentify").glob("*/*.parquet"))
    assert written
    for table in written:
        assert (project.results / table.relative_to(finished.results)).read_bytes() == table.read_bytes()
