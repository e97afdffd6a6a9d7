"""What the Snakefile relies on: code digests follow imports and ignore comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from radcurate import workflow
from radcurate.errors import CurationError
from radcurate.settings import load_config


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in place of the real one."""
    files = {
        "__init__.py": "",
        "stages/__init__.py": "",
        "stages/one.py": "from radcurate.concept import thing\n",
        "stages/two.py": "from . import one\n",
        "stages/three.py": "x = 1\n",
        "concept/__init__.py": "",
        "concept/thing.py": "def f(): return 1\n",
        "concept/thing.c": "int f(void) { return 1; }\n",
        "concept/thing.h": "int f(void);\n",
        "concept/numbers.csv": "1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(workflow, "PACKAGE", tmp_path)
    return tmp_path


def digests() -> dict[str, str]:
    workflow._tree.cache_clear()
    workflow._content.cache_clear()
    workflow.imports_of.cache_clear()
    workflow.code_digest.cache_clear()
    return {stage: workflow.code_digest(f"radcurate.stages.{stage}") for stage in ("one", "two", "three")}


def test_a_module_changes_the_stages_that_reach_it_and_no_other(package: Path) -> None:
    before = digests()
    (package / "concept" / "thing.py").write_text("def f(): return 2\n")
    after = digests()
    assert {stage for stage in before if before[stage] != after[stage]} == {"one", "two"}


def test_a_comment_changes_nothing(package: Path) -> None:
    before = digests()
    (package / "concept" / "thing.py").write_text("# why\ndef f():\n    return 1\n")
    assert digests() == before


@pytest.mark.parametrize("name", ["thing.c", "thing.h", "numbers.csv"])
def test_c_and_tables_count(package: Path, name: str) -> None:
    before = digests()
    (package / "concept" / name).write_text("2\n")
    after = digests()
    assert {stage for stage in before if before[stage] != after[stage]} == {"one", "two"}


def test_imports_inside_functions_count(package: Path) -> None:
    (package / "stages" / "three.py").write_text(
        "def g():\n    from radcurate.concept.thing import f\n    return f()\n"
    )
    digests()
    assert "radcurate.concept.thing" in workflow.reachable("radcurate.stages.three")


def test_chunks_of_which_nothing_is_permitted_any_more_are_forgotten(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(workflow, "RESULTS", tmp_path)
    for name in ("consent/chunks/00001", "deface/00001", "deface/00002", "verify/00002", "release/demo-1"):
        (tmp_path / name).mkdir(parents=True)
    workflow.forget_old_chunks()
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*")} == {
        "consent/chunks",
        "deface/00001",
        "release/demo-1",
    }


def test_nothing_is_forgotten_before_consent_is_known(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(workflow, "RESULTS", tmp_path)
    (tmp_path / "deface" / "00001").mkdir(parents=True)
    workflow.forget_old_chunks()
    assert (tmp_path / "deface" / "00001").exists()


def test_harmonised_values_of_an_earlier_run_are_forgotten_where_it_is_off(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(workflow, "RESULTS", tmp_path)
    for folder in ("consent/chunks/00001", "harmonise"):
        (tmp_path / folder).mkdir(parents=True)
    for on in (True, False):
        assert (tmp_path / "harmonise").exists()
        workflow.forget_old_chunks(workflow.Run(load_config({"harmonise": {"on": on}}), tmp_path, None))
    assert not (tmp_path / "harmonise").exists()


def test_parameters_to_harmonise_with_are_a_file_that_no_run_writes_over(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("kept.parquet", "results/harmonise/parameters.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    def check(name: str, on: bool = True) -> None:
        workflow._parameters(load_config({"harmonise": {"on": on, "parameters": name}}), tmp_path)

    check("kept.parquet")
    check("absent.parquet", on=False)
    with pytest.raises(CurationError, match="no such file"):
        check("absent.parquet")
    with pytest.raises(CurationError, match="inside results/"):
        check("results/harmonise/parameters.parquet")


def test_extensions_are_files_of_the_project_or_of_the_run_but_never_of_the_export(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("export", "results", "config"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.py").write_text("raise SystemExit('was run')\n")
        (tmp_path / folder / "own.py").chmod(0o600)

    def found(name: str) -> list[str]:
        config = load_config({"input": str(tmp_path / "export"), "extract": {"extensions": [name]}})
        return workflow.Run(config, tmp_path, None).extensions()

    assert found("config/own.py") == [str(tmp_path / "config" / "own.py")]
    for name in ("export/own.py", "results/own.py", str(tmp_path / "export" / "own.py")):
        with pytest.raises(CurationError, match="came with the data"):
            found(name)


def test_an_engine_that_nobody_knows_is_told_before_anything_runs() -> None:
    for wrong in ({"engine": "pyradiomic"}, {"crosscheck": {"engine": "abacus", "share": 0.1}}):
        with pytest.raises(CurationError, match="no engine is called"):
            workflow._engines(load_config({"extract": wrong}))
    workflow._engines(load_config({"extract": {"crosscheck": {"engine": "abacus"}}}))
    workflow._engines(load_config({"extract": {"engine": "mine", "extensions": ["mine.py"]}}))


def test_a_decision_concerns_its_own_chunk_and_stage_only(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    config = load_config({"redact": {"decisions": str(path)}, "deface": {"decisions": str(path)}})
    run = workflow.Run(config, tmp_path, None)
    places = [("redact", "00001"), ("redact", "00002"), ("deface", "00001")]
    assert [run.decided(*place) for place in places] == ["", "", ""]
    head = "chunk,series,stage,decision,evidence,by,date,reason"
    path.write_text(f"{head}\n00001,S-1,redact,release,0123456789abcdef,A Person,2026-01-01,looked\n")
    first, *others = (run.decided(*place) for place in places)
    assert len(first) == 16 and others == ["", ""]
    path.write_text(path.read_text() + "00001,S-2,redact,erase,0123456789abcdef,A Person,2026-01-02,looked\n")
    assert run.decided("redact", "00001") not in ("", first)
