"""What runs and verbs enter into the record, and the verb that reads it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from radcurate import recorded, seals, workflow
from radcurate.audit.chain import HEADS_VARIABLE, RECORD, append
from radcurate.audit.check import verify
from radcurate.audit.outputs import outcome, sealed_outputs
from radcurate.cli import main
from radcurate.cli._record import record, record_key
from radcurate.identity.broker import create_broker
from radcurate.keys import Key, create_key
from radcurate.settings import load_config


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> workflow.Run:
    """A run in a folder of its own, with an export and a key beside it."""
    (tmp_path / "export" / "Mueller^Anna").mkdir(parents=True)
    (tmp_path / "export" / "Mueller^Anna" / "1.dcm").write_bytes(b"x")
    (tmp_path / "work" / "results").mkdir(parents=True)
    key = create_key(tmp_path / "key")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv(HEADS_VARIABLE, str(tmp_path / "heads"))
    monkeypatch.setenv(workflow.INPUT_VARIABLE, str(tmp_path / "export"))
    monkeypatch.setattr(workflow.Run, "codes", lambda _: "{}")  # seconds of parsing
    (tmp_path / "run.yaml").write_text(
        json.dumps({"key_file": str(tmp_path / "key"), "input": str(tmp_path / "export")})
    )
    return workflow.Run(load_config(tmp_path / "run.yaml"), tmp_path, key)


def sealed(folder: Path, content: str, key: Key) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table").write_text(content)
    seals.write_seal(folder, ["table"], key)


def test_a_run_enters_what_it_begins_with_and_what_came_of_it(run: workflow.Run) -> None:
    assert run.key
    recorded.record_start(run)
    sealed(Path("results/deface/00001"), "a", run.key)
    sealed(Path("results/inventory/chunks/00001"), "b", run.key)
    sealed(Path("results/protect"), "c", run.key)
    recorded.record_end(run, done=False)
    verdict = verify(Path("results"), run.key)
    assert not verdict.problems
    started, ended = verdict.entries
    assert (started.verb, ended.verb) == ("run started", "run ended")
    assert set(started.facts) == {"config", "code", "source"}
    assert set(ended.facts["outputs"]) == {"deface", "inventory", "protect"} and ended.facts["done"] is False


def test_no_path_and_no_name_of_the_export_is_in_the_record(run: workflow.Run, tmp_path: Path) -> None:
    recorded.record_start(run)
    recorded.record_end(run, done=True)
    told = Path("results/audit", RECORD).read_text()
    assert "Mueller" not in told and str(tmp_path) not in told


def test_another_output_is_another_digest(run: workflow.Run) -> None:
    assert run.key
    sealed(Path("results/deface/00001"), "a", run.key)
    before = sealed_outputs(Path("results"))
    sealed(Path("results/deface/00001"), "b", run.key)
    assert sealed_outputs(Path("results")) != before


def test_the_release_and_the_judgement_are_told(run: workflow.Run) -> None:
    assert outcome(Path("results")) == {}
    for name, content in (("gate/refusal.json", {}), ("release/release.json", {"folder": "r-1", "digest": "d"})):
        Path("results", name).parent.mkdir(parents=True, exist_ok=True)
        Path("results", name).write_text(json.dumps(content))
    told = outcome(Path("results"))
    assert told["release"] == "r-1" and told["release_digest"] == "d" and len(told["refusal"]) == 64


def test_a_run_that_cant_write_its_record_ends_with_an_explanation(run: workflow.Run, tmp_path: Path, capsys) -> None:
    (tmp_path / "heads").write_text("no folder")
    with pytest.raises(SystemExit):
        recorded.record_start(run)
    assert "the record of processing can't be written" in capsys.readouterr().err


def test_verbs_enter_into_the_record_of_the_run_they_are_used_in(run: workflow.Run, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["keys", "rotate", str(tmp_path / "key")])
    assert not ended.value.code
    entry = json.loads(Path("results/audit", RECORD).read_text())
    assert entry["verb"] == "keys rotate" and run.key and entry["facts"]["old"] == run.key.key_id


def test_without_a_run_verbs_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: Key) -> None:
    monkeypatch.chdir(tmp_path)
    record(key, "keys rotate", {})
    assert not list(tmp_path.iterdir())


def test_the_verb_says_whether_the_record_holds(run: workflow.Run, tmp_path: Path, capsys) -> None:
    recorded.record_start(run)
    recorded.record_end(run, done=True)

    def audit(what: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["audit", what, "--configfile", str(tmp_path / "run.yaml")])
        return int(ended.value.code or 0)

    assert audit("verify") == 0 and "the record holds: 2 entries" in capsys.readouterr().out
    assert audit("show") == 0 and "run started" in capsys.readouterr().out
    path = Path("results/audit", RECORD)
    path.write_text(path.read_text().replace('"done": true', '"done": false'))
    assert audit("verify") == 1 and "line 2: it was edited" in capsys.readouterr().err
    assert audit("show") == 1


def test_who_leads_a_pseudonym_back_is_recorded_before_anything_is_told(
    run, tmp_path: Path, monkeypatch, capsys
) -> None:
    from radcurate.cli import recontact

    create_broker(tmp_path / "broker" / "identity")
    (tmp_path / "crosswalk").mkdir()
    row = {"patient_id": "A-1", "issuer": "", "days": None, "study_uid": None}
    monkeypatch.setattr(recontact.crosswalk, "find", lambda *_: [row])
    chosen = argparse.Namespace(
        pseudonym="P-1",
        crosswalk=tmp_path / "crosswalk",
        identity=tmp_path / "broker" / "identity",
        consent=None,
        studies=False,
    )
    recontact.recontact(chosen)
    key = record_key(chosen.identity)
    verdict = verify(chosen.crosswalk, key)
    assert not verdict.problems and verdict.entries[0].facts["pseudonym"] == "P-1"
    assert "A-1" not in (chosen.crosswalk / "audit" / RECORD).read_text()
    capsys.readouterr()
    monkeypatch.setattr(recontact, "append", lambda *_: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):
        recontact.recontact(chosen)
    assert "A-1" not in capsys.readouterr().out


def test_a_record_outlives_what_runs_remove(run: workflow.Run) -> None:
    assert run.key
    append(Path("results"), run.key, "run started", {})
    Path("results/consent/chunks/00001").mkdir(parents=True)
    sealed(Path("results/deface/00002"), "gone", run.key)
    workflow.forget_old_chunks(run)
    assert not Path("results/deface/00002").exists() and not verify(Path("results"), run.key).problems
