"""Archives as input: what is planned when one is added, changed, touched or removed."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_tools import Project, tree_digest


def pack(folder: Path, archive: Path) -> None:
    archive.unlink(missing_ok=True)
    with zipfile.ZipFile(archive, "w") as stream:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            stream.write(path, path.relative_to(folder))


def chunks(project: Project) -> dict[str, str]:
    folder = project.results / "consent" / "chunks"
    return {path.name: tree_digest(path) for path in folder.iterdir() if path.is_dir()}


@pytest.mark.slow
def test_archives_run_again_what_they_touch(new_project: Callable[[], Project], cohort: Path, tmp_path: Path) -> None:
    folder, project = tmp_path / "in", new_project()
    patients = sorted(path for path in (cohort / "export").glob("*/*") if path.is_dir())
    folder.mkdir()
    for number, patient in enumerate(patients[:3]):
        pack(patient, folder / f"{number}.zip")
    shutil.copytree(patients[3], folder / "plain")
    project.configure(input=str(folder))

    project.snakemake("--until", "consent")
    assert project.planned("--until", "consent") == {}
    before = chunks(project)

    os.utime(folder / "1.zip")  # touched, not changed
    assert "fetch" in project.planned("--until", "consent")
    log = project.snakemake("--until", "fetch").stderr
    assert "0 opened, 3 known" in log
    assert project.planned("--until", "consent") == {}

    path = sorted(path for path in patients[1].rglob("*") if path.is_file())[-1]
    changed = tmp_path / "changed"
    shutil.copytree(patients[1], changed)
    (changed / path.relative_to(patients[1])).unlink()
    pack(changed, folder / "1.zip")
    log = project.snakemake("--until", "consent").stderr
    assert "1 opened, 2 known" in log
    after = chunks(project)
    assert sum(after.get(name) != before.get(name) for name in {*before, *after}) == 1

    (folder / "0.zip").unlink()
    project.snakemake("--until", "consent")
    assert sorted(path.name for path in (project.results / "fetch" / "files").iterdir()) == ["1.zip", "2.zip", "plain"]
    assert project.planned("--until", "consent") == {}
