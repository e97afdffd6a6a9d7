"""Each protection, taken out of a copy of the project: its test must fail there, or it would protect nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from protections import PROTECTIONS, Protection

from paths import ROOT

FAILED, SECONDS = 1, 60  # pytest's code for failed tests; what one of them takes when it comes to no end
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*_cache")
PARTS = ("src", "tests", "config", "pyproject.toml", "uv.lock", "workflow", "Snakefile", "envs")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project without what was made from it."""
    folder = tmp_path_factory.mktemp("unprotected")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


def outcome(project: Path, *tests: str, seconds: float | None = None) -> tuple[int, str]:
    """How pytest ends on tests of a copy, and what it says; tests that come to no end fail."""
    options = ["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *options, *(f"tests/{test}" for test in tests)]
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return FAILED, "no end"
    return done.returncode, done.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.name)
def test_without_it_its_test_fails(protection: Protection, copied: Path) -> None:
    path = copied / "src" / "radcurate" / protection.file
    whole = path.read_text()
    path.write_text(whole.replace(protection.text, protection.without))
    try:
        code, told = outcome(copied, protection.test, seconds=SECONDS)
    finally:
        path.write_text(whole)
    assert code == FAILED, told


@pytest.mark.slow
def test_with_all_of_them_all_tests_pass(copied: Path) -> None:
    """The control: nothing about the copy itself lets a test fail."""
    code, told = outcome(copied, *sorted({protection.test for protection in PROTECTIONS}))
    assert code == 0, told


@pytest.mark.parametrize("protection", PROTECTIONS, ids=lambda protection: protection.name)
def test_it_stands_once_in_its_file(protection: Protection) -> None:
    """Who moves a protection tells its place here too."""
    assert (ROOT / "src" / "radcurate" / protection.file).read_text().count(protection.text) == 1
