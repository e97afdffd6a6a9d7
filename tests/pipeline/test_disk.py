"""A full disk: explained, earlier releases untouched, and the next run finishes."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from pipeline_tools import tree_digest

pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.slow]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100%", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let tests mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(finished, small_disk):
    project = finished.copy(small_disk / "project")
    before = tree_digest(project.results / "release")
    for folder in project.results.iterdir():
        if folder.name != "release":
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
    used = shutil.disk_usage(small_disk).used
    resize(small_disk, used + 3_000_000)
    done = project.snakemake("--forceall", ok=False)
    assert done.returncode != 0
    assert "No space left on device" in done.stderr + done.stdout and "Traceback" not in done.stderr
    assert tree_digest(project.results / "release") == before
    resize(small_disk, used + 2_000_000_000)
    project.snakemake()
    assert tree_digest(project.release) == tree_digest(finished.release)


def resize(folder, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
