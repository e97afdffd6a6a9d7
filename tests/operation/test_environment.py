"""Installed against pinned."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from paths import ROOT
from radcurate.operation import environment
from radcurate.operation.finding import FAULT, NOTE


def test_this_environment_is_as_pinned() -> None:
    assert [found for found in environment.pins(ROOT / "uv.lock") if found.state == FAULT] == []


def test_another_version_than_the_pinned_one_is_told(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text('[[package]]\nname = "numpy"\nversion = "0.9"\n')
    (found,) = environment.pins(lock)
    assert found.state == FAULT and f"numpy {version('numpy')}, pinned is 0.9" in found.found and found.remedy


def test_a_package_of_several_versions_may_be_any_of_them(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text("".join(f'[[package]]\nname = "numpy"\nversion = "{each}"\n' for each in ("0.9", version("numpy"))))
    assert [found.state for found in environment.pins(lock)] == ["good"]


def test_without_a_lock_it_says_so(tmp_path: Path) -> None:
    assert [found.state for found in environment.pins(tmp_path / "uv.lock")] == [NOTE]


def test_a_package_that_is_needed_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "needed", lambda: ["numpy", "no-such-package"])
    assert any("no-such-package is not installed" in found.found for found in environment.pins(ROOT / "uv.lock"))


def test_what_is_needed_is_known_by_name() -> None:
    assert {"numpy", "pyarrow", "snakemake"} <= set(environment.needed())


def test_parts_that_are_not_there() -> None:
    found = list(environment.parts("radcurate.no_such_kernel", [("no-such-package", "weights")]))
    assert [each.state for each in found] == [FAULT, FAULT]
    assert [each.state for each in environment.parts()] == ["good"]


def test_more_cores_than_memory_for_them() -> None:
    (found,) = environment.processors(cores=10_000)
    assert found.state == NOTE and "snakemake --cores" in found.remedy


def test_the_interpreter_in_use() -> None:
    assert next(environment.interpreter()).state == "good"


def test_an_old_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "OLDEST", (99, 0))
    assert next(environment.interpreter()).state == FAULT
