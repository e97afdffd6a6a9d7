"""A finished run on a small cohort, and copies of it to disturb."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from paths import ROOT
from pipeline_tools import N_PATIENTS, PROJECT_PARTS, Project, data_options
from radcurate.demo import make_cohort
from radcurate.keys import KEY_BYTES


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort") / "data"
    make_cohort(folder, n_patients=N_PATIENTS)
    return folder


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is now, once: runs that are compared must not differ by an edit made meanwhile."""
    folder = tmp_path_factory.mktemp("code")
    for part in PROJECT_PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / part)
    return folder


@pytest.fixture(scope="session")
def new_project(cohort: Path, code: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Makes projects that have not run yet."""
    key_file = tmp_path_factory.mktemp("keys") / "key"
    key_file.write_text(
        "c3" * KEY_BYTES
    )  # fixed: with another key a shifted date may happen to be somebody's original one
    key_file.chmod(0o600)

    def make() -> Project:
        folder = tmp_path_factory.mktemp("run") / "project"
        shutil.copytree(code, folder)
        project = Project(folder, cohort, key_file)
        project.configure(
            key_file=str(key_file), gate={"policy": "internal"}, protect={"k": 1}, inventory={"n_chunks": 4}
        )
        project.configure(**data_options(cohort))
        return project

    return make


@pytest.fixture(scope="session")
def finished(new_project: Callable[[], Project]) -> Project:
    """A run that ended well, under umask 000. Tests must not change it: they take a copy."""
    project = new_project()
    before = os.umask(0)
    try:
        project.snakemake()
    finally:
        os.umask(before)
    return project


@pytest.fixture
def run(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished run, to disturb."""
    return finished.copy(tmp_path / "project")
