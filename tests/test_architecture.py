"""The house rules that a program can check: layout, one word per stage, which way imports go."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from paths import ROOT
from radcurate.reruns.code import Code
from radcurate.settings import Config

PACKAGE = ROOT / "src" / "radcurate"
CODE = Code(PACKAGE)
STAGES = [path.stem for path in sorted((PACKAGE / "stages").glob("[a-z]*.py"))]
MODULES = sorted(PACKAGE.rglob("*.py"))
FOUNDATION = {"settings", "tables", "errors", "keys", "seals", "losses"}
EDGE = {"stages", "cli", "workflow", "recorded", "reruns", "reference", "demo"}
# concepts that other concepts may build on: bytes and headers; an image on its grid, which defacing and features talk about
SHARED_CONCEPTS = {"volumes", "dicom"}


def concept_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name_everywhere(stage: str) -> None:
    rules = (ROOT / "workflow" / "rules" / f"{stage}.smk").read_text()
    assert re.search(rf"^(rule|checkpoint) {stage}:$", rules, re.M)
    assert stage in Config.model_fields
    assert list((ROOT / "tests" / "stages").glob(f"test_{stage}*.py"))
    assert f'include: "workflow/rules/{stage}.smk"' in (ROOT / "Snakefile").read_text()


def test_every_rule_file_is_a_stage() -> None:
    assert sorted(path.stem for path in (ROOT / "workflow" / "rules").glob("*.smk")) == STAGES


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_go_one_way(path: Path) -> None:
    module = dotted(path)
    own = concept_of(module)
    for name in CODE.imports_of(module):
        other = concept_of(name)
        if not other or other == own:
            continue
        if own in FOUNDATION:
            assert other in FOUNDATION, f"{module} imports {name}"
        elif own not in EDGE:
            assert other in FOUNDATION | SHARED_CONCEPTS, f"{module} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_modules_stay_one_idea(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= 450, f"{lines} lines"


def test_verify_shares_no_code_with_what_it_checks() -> None:
    reached = {concept_of(name) for name in CODE.reachable("radcurate.stages.verify")}
    assert not reached & {"deidentify", "redact", "deface", "dicom", "volumes"}


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_public_functions_are_typed_and_explained(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"
            assert node.returns is not None, f"{path.name}: {node.name} has no return type"


def test_test_modules_have_names_of_their_own() -> None:
    """Two of one name can't be collected in one process."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


@pytest.mark.xdist_group("architecture")
def test_groups_of_tests_stay_on_one_process(request: pytest.FixtureRequest) -> None:
    """pytest-xdist keeps them by a name that it adds here; without it each process runs the demo for itself."""
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith("@architecture")
