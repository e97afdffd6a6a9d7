"""Digests of code follow imports and installed versions, and ignore comments."""

from __future__ import annotations

import ast
import dataclasses
import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest

from paths import ROOT
from radcurate.reruns import code, packages
from radcurate.reruns.code import Code, as_json, from_json
from radcurate.reruns.packages import ABSENT, distributions, named_packages, versions

STAGES = ("one", "two", "three")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A small package in place of the real one."""
    files = {
        "__init__.py": "",
        "stages/__init__.py": "",
        "stages/one.py": "from radcurate.concept import thing\n",
        "stages/two.py": "from . import one\n",
        "stages/three.py": "x = 1\n",
        "concept/__init__.py": "",
        "concept/thing.py": "import numpy\ndef f(): return 1\n",
        "concept/thing.c": "int f(void) { return 1; }\n",
        "concept/thing.h": "int f(void);\n",
        "concept/numbers.csv": "1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def digests(package: Path) -> dict[str, str]:
    found = Code(package)
    return {stage: found.digest(f"radcurate.stages.{stage}") for stage in STAGES}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {stage for stage in before if before[stage] != after[stage]}


def test_a_module_changes_the_stages_that_reach_it_and_no_other(package: Path) -> None:
    before = digests(package)
    (package / "concept" / "thing.py").write_text("import numpy\ndef f(): return 2\n")
    assert changed(before, digests(package)) == {"one", "two"}


def test_a_comment_changes_nothing(package: Path) -> None:
    before = digests(package)
    (package / "concept" / "thing.py").write_text("import numpy\n# why\ndef f():\n    return 1\n")
    assert digests(package) == before


@pytest.mark.parametrize("name", ["thing.c", "thing.h", "numbers.csv"])
def test_c_and_tables_count(package: Path, name: str) -> None:
    before = digests(package)
    (package / "concept" / name).write_text("2\n")
    assert changed(before, digests(package)) == {"one", "two"}


def test_a_new_file_beside_a_package_counts(package: Path) -> None:
    before = digests(package)
    (package / "concept" / "more.csv").write_text("2\n")
    assert changed(before, digests(package)) == {"one", "two"}


def test_imports_inside_functions_count(package: Path) -> None:
    text = "def g():\n    from radcurate.concept.thing import f\n    return f()\n"
    (package / "stages" / "three.py").write_text(text)
    assert "radcurate.concept.thing" in Code(package).reachable("radcurate.stages.three")


def test_another_version_of_a_package_changes_the_stages_that_compute_with_it(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(package)
    monkeypatch.setattr(packages, "_installed", {"numpy": "0.0.1"}.__getitem__)
    assert changed(before, digests(package)) == {"one", "two"}


def test_another_python_changes_all(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(package)
    monkeypatch.setattr(packages, "_python", lambda: "cpython 9.9")
    assert changed(before, digests(package)) == set(STAGES)


def test_what_was_found_before_gives_the_same_digests_without_parsing(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Code(package)
    before = {stage: first.digest(f"radcurate.stages.{stage}") for stage in STAGES}
    known = from_json(as_json(first.found))
    monkeypatch.setattr(code, "_parse", lambda *_: pytest.fail("parsed again"))
    again = Code(package, known)
    assert {stage: again.digest(f"radcurate.stages.{stage}") for stage in STAGES} == before


def test_what_was_found_before_is_not_believed_of_other_bytes(package: Path) -> None:
    first = Code(package)
    before = first.digest("radcurate.stages.one")
    (package / "concept" / "thing.py").write_text("import numpy\ndef f(): return 3\n")
    assert Code(package, first.found).digest("radcurate.stages.one") != before


@pytest.mark.parametrize("content", [None, [], {"radcurate": 1}, {"radcurate": {"file": "x"}}])
def test_torn_notes_are_no_notes(content: object) -> None:
    assert from_json(content) == {}


def test_packages_read_by_name_count() -> None:
    text = "files('pydeface')\nm.distribution('deepbet').locate_file('x')\nfind_spec(name)\nopen('numpy')\n"
    assert named_packages(ast.parse(text)) == {"pydeface", "deepbet"}


def test_what_is_not_installed_is_told_as_absent() -> None:
    packages._installed.cache_clear()
    assert versions({"no_such_package_here"})["no_such_package_here"] == ABSENT


def test_decoders_that_pydicom_loads_count_and_readers_of_the_configuration_do_not() -> None:
    assert distributions({"pydicom", "yaml", "pydantic", "json", "radcurate"}) == {
        "pydicom",
        "pylibjpeg",
        "pylibjpeg-openjpeg",
        "pylibjpeg-libjpeg",
        "pylibjpeg-rle",
    }


def test_every_package_that_the_code_imports_is_known_by_its_distribution() -> None:
    """A name that leads to no installed distribution would never change: its upgrades would run nothing again."""
    whole = Code(ROOT / "src" / "radcurate")
    stages = [f"radcurate.stages.{path.stem}" for path in (ROOT / "src/radcurate/stages").glob("[a-z]*.py")]
    named = {name for stage in stages for one in whole.reachable(stage) for name in whole.module(one).packages}
    installed = importlib.metadata.packages_distributions()
    for name in named - set(sys.stdlib_module_names) - {"radcurate", "__future__"}:
        known = packages.DISTRIBUTIONS.get(name, name)
        assert known in {_normal(one) for one in installed[name]}, name
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert "numpy" in distributions(named) and any(one.startswith("numpy") for one in wanted)
    for one in distributions(named):
        assert packages._installed(one) != ABSENT, one


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")


def test_nothing_of_the_files_place_is_noted(package: Path) -> None:
    found = Code(package)
    found.digest("radcurate.stages.one")
    told = str([dataclasses.asdict(one) for one in found.found.values()]) + str(found.parts("radcurate.stages.one"))
    assert str(package) not in told
