"""What the Snakefile relies on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from paths import ROOT
from radcurate import workflow
from radcurate.errors import CurationError
from radcurate.settings import load_config


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


def test_a_cluster_is_told_nothing_of_what_jobs_are_told(tmp_path, monkeypatch) -> None:
    """Whatever `prepare` puts into the environment would lie in Slurm's state with each submission."""
    for name in ("run", "export"):
        (tmp_path / name).mkdir()
    for name in ("consent.csv", "key"):
        (tmp_path / name).write_text("c3" * 32)
    (tmp_path / "key").chmod(0o600)
    monkeypatch.chdir(tmp_path / "run")
    for name in [name for name in os.environ if name.startswith("RADCURATE_")]:
        monkeypatch.delenv(name)
    before = set(os.environ)
    options = {"input": "../export", "consent": {"table": "../consent.csv"}, "key_file": "../key"}
    try:
        workflow.prepare(options, ROOT)
        assert workflow.INPUT_VARIABLE in os.environ
        export = os.environ[workflow.INPUT_VARIABLE]
        again = workflow.leave_to_jobs()
        assert set(os.environ) == before
        told = subprocess.run(
            ["bash", "-c", f'{again} echo "$RADCURATE_INPUT"'], capture_output=True, text=True, check=True
        )
        assert told.stdout == f"{export}\n"
        assert Path("results/.environment").stat().st_mode & 0o077 == 0
    finally:
        for name in set(os.environ) - before:
            del os.environ[name]


def test_configuration_on_the_command_line_of_a_cluster_run_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        workflow.leave_to_jobs("input=/data/Meier")
    told = capsys.readouterr().err
    assert "--configfile" in told and "Meier" not in told


def test_a_second_attempt_asks_for_twice_the_memory() -> None:
    needed = workflow.memory(500, each=1000)
    assert [needed(None, threads=2, attempt=attempt) for attempt in (1, 2)] == [2500, 5000]
    assert workflow.memory(2000)(None, threads=8, attempt=3) == 6000
