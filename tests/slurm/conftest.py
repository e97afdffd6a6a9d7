"""A cluster, a cohort, and what one machine makes of it. Skipped where `make test-slurm` has not started a Slurm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster_tools import EXPORT, KEY, Cluster, interpreter
from paths import ROOT
from pipeline_tools import PROJECT_PARTS, Project
from radcurate.demo import make_cohort

FIRST, BEYOND = 28, 32  # patients of the demo that are plain chest CTs: the quickest ones
N_CHUNKS = 4  # three of which hold somebody under the key below


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    named = os.environ.get("RADCURATE_SLURM")
    if not named:
        pytest.skip("RADCURATE_SLURM names no Slurm that may be disturbed: make test-slurm starts one")
    lab = Path(named)
    shared = lab / "shared"
    shutil.rmtree(shared, ignore_errors=True)
    shared.mkdir()
    found = Cluster(lab, shared, interpreter(shared))
    found.give(shared)
    yield found
    for job in found.queue():
        subprocess.run(["scancel", job], check=False)


@pytest.fixture(scope="session")
def fresh(cluster: Cluster) -> Path:
    """A project that has not run, with its export beside it."""
    data = cluster.shared / "data"
    make_cohort(data, n_patients=BEYOND, first=FIRST)
    (data / "export").rename(cluster.shared / EXPORT)
    key = cluster.shared / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    folder = cluster.shared / "fresh"
    folder.mkdir()
    for part in PROJECT_PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        copy(ROOT / part, folder / part)
    Project(folder, data, key).configure(
        input=str(cluster.shared / EXPORT),
        consent={"table": str(data / "consent.csv"), "waiver": str(data / "waiver.yaml")},
        key_file=str(key),
        gate={"policy": "internal"},
        protect={"k": 1},
        inventory={"n_chunks": N_CHUNKS},
    )
    cluster.give(cluster.shared)
    return folder


@pytest.fixture(scope="session")
def finished(cluster: Cluster, fresh: Path) -> Path:
    """The same, run on one machine alone. Tests take copies."""
    folder = cluster.copy(fresh, "finished")
    cluster.locally(folder)
    return folder
