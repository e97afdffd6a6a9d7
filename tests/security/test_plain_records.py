"""Nothing that a run writes is read back by a module that would execute it."""

from __future__ import annotations

import ast
import re

import pytest

from paths import ROOT

LOADERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
MODULES = sorted((ROOT / "src" / "radcurate").rglob("*.py"))


def imported(source: str) -> set[str]:
    names: set[str] = set()
    if not any(loader in source for loader in LOADERS):
        return names
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_no_module_of_the_package_can_load_a_pickle() -> None:
    """But one: it reads weights that an installed package brings, by a reader that knows four names and no others."""
    found = {
        path.relative_to(ROOT / "src" / "radcurate").as_posix(): imported(path.read_text()) & LOADERS
        for path in MODULES
    }
    assert {name: loaders for name, loaders in found.items() if loaders} == {"deface/networks.py": {"pickle"}}
    assert not re.search(r"pickle\.loads?\b", (ROOT / "src" / "radcurate" / "deface" / "networks.py").read_text())


@pytest.mark.parametrize(
    "line", ["import pickle", "from marshal import loads", "def f():\n    import joblib.numpy_pickle"]
)
def test_one_that_could_would_be_seen(line: str) -> None:
    assert imported(line) & LOADERS
