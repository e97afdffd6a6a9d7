"""A full disk, in each stage: explained, earlier releases untouched, and the next run finishes with the same release."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from pipeline_tools import tree_digest

pytestmark = [pytest.mark.xdist_group("pipeline"), pytest.mark.slow]
# the last one first: what a stage leaves when it fails is no input of those that are tried after it
STAGES = [
    "release",
    "gate",
    "attack",
    "protect",
    "extract",
    "verify",
    "deface",
    "redact",
    "deidentify",
    "consent",
    "inventory",
]


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


def test_disk_full_in_each_stage(finished, run, small_disk):
    """results/ lies on a disk of its own; Snakemake's records don't, so it is the stage that comes to the end of the space."""
    shutil.move(run.results, small_disk / "results")
    run.results.symlink_to(small_disk / "results")
    before = tree_digest(run.release)
    for stage in STAGES:
        resize(small_disk, shutil.disk_usage(small_disk).used)
        failed = run.snakemake("--forcerun", stage, "--until", stage, ok=False)
        text = failed.stdout + failed.stderr
        assert failed.returncode != 0, stage
        assert "No space left on device" in text and "Traceback" not in text, f"{stage}: {text[-3000:]}"
        assert tree_digest(run.release) == before
    resize(small_disk, 2_000_000_000)
    run.snakemake()
    assert tree_digest(run.release) == tree_digest(finished.release) == before


def resize(folder, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
