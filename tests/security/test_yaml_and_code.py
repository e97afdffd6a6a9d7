"""Nothing that a user hands over is run: no YAML tag, no pickle, no expression."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from paths import ROOT
from radcurate.deidentify import policy
from radcurate.deidentify.vocabulary import load_vocabulary
from radcurate.errors import CurationError
from radcurate.features.profile import load_profile
from radcurate.governance.consent import check_waiver
from radcurate.governance.dpia import Register
from radcurate.governance.papers import parse
from radcurate.governance.policy import load_policy
from radcurate.governance.safe_harbor import load_table
from radcurate.privacy.columns import load_columns
from radcurate.settings import Deidentify, load_config
from radcurate.stages._content import read_study
from radcurate.stages.consent import read_waiver

TAG = "!!python/object/apply:os.mkdir [{place}]\n"
PACKAGE = ROOT / "src" / "radcurate"
# what would run or rebuild foreign objects, and where it may be: the reader of weights admits names on a list only, a
# worker asks whether its own error can be sent to its parent
FORBIDDEN = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
CALLS = {"eval", "exec", "compile", "__import__"}
ALLOWED = {
    "deface/networks.py": {"pickle"},
    "stages/_worker.py": {"pickle"},
    "features/extensions.py": {"exec", "compile"},
}


def families(path: Path) -> object:
    """families.yaml beside the allow-list's own tables."""
    for table in (ROOT / "config" / "allowlist").iterdir():
        if table.suffix == ".csv":
            (path.parent / table.name).write_bytes(table.read_bytes())
    path.rename(path.parent / "families.yaml")
    return policy.load_policy(path.parent, ROOT / "config" / "vocabulary.yaml", Deidentify())


READERS: dict[str, Callable[[Path], object]] = {
    "configuration": load_config,
    "policy": load_policy,
    "columns": load_columns,
    "profile": load_profile,
    "paper": lambda path: parse(path.read_bytes(), Register, "dpia.yaml"),
    "study": lambda path: read_study([path]),
    "vocabulary": load_vocabulary,
    "safe harbor": load_table,
    "families": families,
    "waiver": lambda path: check_waiver(read_waiver(path)),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_yaml_tag_makes_nothing(reader: str, tmp_path: Path) -> None:
    place = tmp_path / "made"
    path = tmp_path / "given.yaml"
    path.write_text(TAG.format(place=place))
    with pytest.raises(CurationError) as refused:
        READERS[reader](path)
    assert not place.exists() and refused.value.fix


def test_the_tag_would_make_a_folder(tmp_path: Path) -> None:
    """The control: a loader that builds what tags say does."""
    yaml.load(TAG.format(place=tmp_path / "made"), yaml.UnsafeLoader)
    assert (tmp_path / "made").is_dir()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_rebuilds_or_runs_what_it_reads(path: Path) -> None:
    found = runs(path.read_text())
    assert found <= ALLOWED.get(path.relative_to(PACKAGE).as_posix(), set())


def test_weights_are_read_by_a_reader_that_knows_four_names() -> None:
    assert "pickle.load" not in (PACKAGE / "deface" / "networks.py").read_text()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pickle", {"pickle"}),
        ("from joblib import load", {"joblib"}),
        ("eval(text)", {"eval"}),
        ("subprocess.run(text, shell=True)", {"shell"}),
        ("np.load(path, allow_pickle=True)", {"allow_pickle"}),
        ("os.system(text)", {"system"}),
        ("yaml.load(text, yaml.UnsafeLoader)", {"UnsafeLoader"}),
        ("yaml.full_load(text)", {"full_load"}),
        ("re.compile(text); yaml.safe_load(text); np.load(path)", set()),
    ],
)
def test_the_search_finds_them(source: str, expected: set[str]) -> None:
    assert runs(source) == expected


def runs(source: str) -> set[str]:
    """Names in a program that run or rebuild what is read."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").split(".")[0]} & FORBIDDEN
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} & {"system", "popen", "UnsafeLoader", "FullLoader", "unsafe_load", "full_load"}
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                found |= {node.func.id} & CALLS
            found |= {word.arg for word in node.keywords if word.arg in {"shell", "allow_pickle"} and truth(word.value)}
    return found


def truth(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and node.value is False)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc/elsewhere", "a/b", "..", "x\n", "a b", "$(id)", ""])
@pytest.mark.parametrize("option", ["name", "version"])
def test_a_release_can_not_be_put_elsewhere(option: str, name: str) -> None:
    with pytest.raises(CurationError):
        load_config({"release": {option: name}})
