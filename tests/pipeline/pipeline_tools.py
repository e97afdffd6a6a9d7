"""A copy of the project that can be run, and what tests do with it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

N_PATIENTS = 8
PROJECT_PARTS = ("Snakefile", "uv.lock", "workflow", "config", "profiles", "envs", "src")


@dataclass(frozen=True)
class Project:
    """A copy of the project's code with a run folder (`results`), an export and a key beside it."""

    folder: Path  # the run folder, with the project's code in it
    data: Path  # export, consent.csv, waiver.yaml, truth.json
    key_file: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def release(self) -> Path:
        """The newest release."""
        return sorted(path for path in (self.results / "release").iterdir() if path.is_dir())[-1]

    def configure(self, **changes: Any) -> None:
        """Lay `section={option: value}` over the run's configuration."""
        path = self.folder / "run.yaml"
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
        for section, value in changes.items():
            content[section] = {**content.get(section, {}), **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(content))

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        base = [sys.executable, "-m", "snakemake", "--profile", str(self.folder / "profiles" / "default")]
        return [*base, "--cores", str(cores), "--configfile", "run.yaml", *arguments]

    def snakemake(self, *arguments: str, cores: int = 2, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in the project's folder; with `ok`, insist that it ends well."""
        done = subprocess.run(
            self.command(*arguments, cores=cores),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
        )
        if ok and done.returncode != 0:
            pytest.fail(f"snakemake ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
        return done

    def planned(self, *arguments: str) -> dict[str, int]:
        """What a dry run says it would do: jobs by rule, `all` left out."""
        done = self.snakemake("--dry-run", *arguments)
        found = re.findall(r"^(\w+)\s+(\d+)$", done.stdout + done.stderr, re.M)
        return {rule: int(count) for rule, count in found if rule not in {"all", "total"}}

    def copy(self, target: Path) -> Project:
        """The whole project, its run and Snakemake's records, elsewhere. The data stay where they are."""
        shutil.copytree(self.folder, target, symlinks=True)
        return Project(target, self.data, self.key_file)

    def with_own_data(self, target: Path) -> Project:
        """The same project on a copy of the data, at the same times."""
        shutil.copytree(self.data, target)
        self.configure(**data_options(target))
        return Project(self.folder, target, self.key_file)


def data_options(data: Path) -> dict[str, Any]:
    return {
        "input": str(data / "export"),
        "consent": {"table": str(data / "consent.csv"), "waiver": str(data / "waiver.yaml")},
    }


def tree_digest(folder: Path) -> str:
    """SHA-256 over names and bytes of every file below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
