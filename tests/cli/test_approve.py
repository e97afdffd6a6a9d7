"""`radcurate approve`: papers signed for the tables of this run, exceptions by two people, until the gate lets the run pass."""

from __future__ import annotations

import stat

import pytest
import yaml
from gate_plants import share

from finished_run import OWED_PAPERS, make_run, write_papers
from radcurate.cli import main
from radcurate.errors import CurationError
from radcurate.keys import Key

PERSON = ["--by", "A. Steward", "--role", "steward", "--reason", "read and found right", "--date", "2026-01-01"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("finished"), Key(bytes(range(32))), k=11)
    write_papers(run)
    (run.desk / "approvals.yaml").unlink()
    return run


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """The working folder of a run for the public, papers filled and nothing signed."""
    work = tmp_path / "work"
    work.mkdir()
    copied = finished.copy(work)
    keyfile = tmp_path / "key"
    keyfile.write_text(copied.key.secret.hex())
    keyfile.chmod(0o600)
    config = {"key_file": str(keyfile), "gate": {"policy": "public", "governance": "governance"}}
    (work / "own.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(work)
    return copied


def approve(*words):
    with pytest.raises(SystemExit) as done:
        main(["approve", *words, "--configfile", "own.yaml"])
    return done.value.code


def test_every_paper_signed_lets_the_run_pass(run, capsys):
    with pytest.raises(CurationError, match="papers that are owed"):
        run.gate("public")
    for kind in OWED_PAPERS:
        assert approve(kind, *PERSON) == 0
        assert f"{kind}: signed by A. Steward for policy public" in capsys.readouterr().err
    assert run.gate("public")["holds"]
    assert stat.S_IMODE((run.desk / "approvals.yaml").stat().st_mode) == 0o600


def test_the_list_says_what_each_paper_is_worth(run, capsys):
    approve("dpia", *PERSON)
    capsys.readouterr()
    assert approve("list") == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(OWED_PAPERS)
    told = {line.split()[0]: line for line in lines}
    assert "signed" in told["dpia"] and "A. Steward, steward, 2026-01-01" in told["dpia"]
    assert "unsigned" in told["release"]
    for kind in OWED_PAPERS:
        approve(kind, *PERSON)
    assert approve("list") == 0


def test_an_exception_takes_two(run, capsys):
    share("linkage", high=0.06)(run)
    for kind in OWED_PAPERS:
        approve(kind, *PERSON)
    with pytest.raises(CurationError):
        run.gate("public")
    capsys.readouterr()
    assert approve("override", "--criterion", "attack.linkage", *PERSON) == 0
    assert "counts when another person signs too" in capsys.readouterr().err
    other = ["--by", "B. Director", "--role", "director", "--reason", "the registry is closed"]
    assert approve("override", "--criterion", "attack.linkage", *other) == 0
    assert "run snakemake again" in capsys.readouterr().err
    assert [one["measure"] for one in run.gate("public")["overrides"]] == ["attack.linkage"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["release", "--role", "steward", "--reason", "fine"], "--by"),
        (["release", "--by", "A. Steward", "--reason", "fine"], "--role"),
        (["release", "--by", "A. Steward", "--role", "steward"], "--reason"),
        (["release", *PERSON, "--date", "yesterday"], "--date"),
        (["override", *PERSON], "--criterion"),
        (["override", "--criterion", "attack.linkage", *PERSON], "nothing was refused"),
    ],
)
def test_what_can_not_be_signed(run, capsys, words, told):
    assert approve(*words) == 1
    assert told in capsys.readouterr().err
    assert not (run.desk / "approvals.yaml").exists() and not (run.desk / "overrides.yaml").exists()


def test_a_paper_that_is_not_there_says_how_to_begin(run, capsys):
    (run.desk / "expert_determination.yaml").unlink()
    assert approve("expert_determination", *PERSON) == 1
    assert "expert_determination.example.yaml" in capsys.readouterr().err


def test_tables_that_were_changed_can_not_be_signed(run, capsys):
    run.attack(lambda document: document["attacks"]["linkage"].update(high=0.0), seal=False)
    assert approve("release", *PERSON) == 1
    assert "attack.json was changed after it was written" in capsys.readouterr().err


def test_without_a_run_there_is_nothing_to_judge(run, capsys, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "own.yaml").write_text((run.desk.parent / "own.yaml").read_text())
    monkeypatch.chdir(tmp_path / "empty")
    assert approve("release", *PERSON) == 1
    assert "nothing to judge yet" in capsys.readouterr().err
