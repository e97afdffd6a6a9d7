"""`radcurate keys` and `radcurate recontact` as typed: exit codes, what is printed, and that no secret is."""

from __future__ import annotations

from pathlib import Path

import pytest

from radcurate.cli import main
from radcurate.identity import crosswalk
from radcurate.keys import Key, load_key

KEY_ID = Key(bytes(32)).key_id
SUBJECT = "P-00112233445566aa"


class Shell:
    """Runs `radcurate` and keeps what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.everything = capsys, ""

    def __call__(self, *words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = self.capsys.readouterr()
        self.everything += printed.out + printed.err
        return int(ended.value.code or 0), printed.out, printed.err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    return Shell(capsys)


@pytest.fixture
def vault(tmp_path: Path, shell: Shell) -> Path:
    """A crosswalk of one patient."""
    (tmp_path / "recipients").write_text(shell("keys", "broker", tmp_path / "broker")[1])
    series = {
        "subject": SUBJECT, "patient_id": "MRN7734219", "issuer": "HOSP", "series": "S-1",
        "study_instance_uid": "1.2.3", "series_instance_uid": "1.2.3.4",
    }  # fmt: skip
    rows = crosswalk.series_rows(Key(bytes(32)), series, -21, "2.25.1", "2.25.2", [("1.2.3.4.5", "2.25.3")])
    crosswalk.write(tmp_path / "vault", KEY_ID, "00000", tmp_path / "recipients", rows)
    return tmp_path / "vault"


def test_the_life_of_a_key(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "home" / "key"
    assert shell("keys", "new", file)[0] == 0
    first = load_key(file)
    assert first.key_id in shell("keys", "list", file.parent)[1]
    code, out, _ = shell("keys", "rotate", file)
    second = load_key(file)
    assert code == 0 and first.key_id in out and second.key_id in out and "nothing" in out
    retired = file.with_name(f"key.{first.key_id}.retired")
    assert shell("keys", "destroy", retired, "--yes", "wrong")[0] == 1 and retired.exists()
    assert shell("keys", "destroy", retired, "--yes", first.key_id)[0] == 0 and not retired.exists()
    monkeypatch.setattr("builtins.input", lambda _prompt: second.key_id + " ")
    assert shell("keys", "destroy", file)[0] == 0 and not file.exists()
    code, out, _ = shell("keys", "list", file.parent)
    assert code == 0 and out.count("destroyed  ") == 2 and "active" not in out
    assert shell("keys", "check", file.parent / f"{first.key_id}.destroyed.json")[0] == 0
    assert shell("keys", "check", file)[0] == 1
    assert shell("keys", "destroy", file, "--yes", second.key_id)[0] == 1
    for key in (first, second):
        assert key.secret.hex() not in shell.everything


def test_without_a_terminal_nothing_is_destroyed(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("keys", "new", tmp_path / "key")

    def closed(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", closed)
    code, _, err = shell("keys", "destroy", tmp_path / "key")
    assert code == 1 and "--yes" in err and (tmp_path / "key").exists()


def test_a_key_that_others_can_read_makes_the_list_fail(shell: Shell, tmp_path: Path) -> None:
    shell("keys", "new", tmp_path / "home" / "key")
    (tmp_path / "home" / "key").chmod(0o604)
    code, _, err = shell("keys", "list", tmp_path / "home")
    assert code == 1 and "0604" in err


@pytest.mark.parametrize("what", ["new", "broker"])
def test_secrets_are_not_made_in_the_run_folder_or_over_a_file(shell: Shell, tmp_path: Path, what: str) -> None:
    code, _, err = shell("keys", what, "secret")
    assert code == 1 and "run folder" in err and not list(Path.cwd().iterdir())
    (tmp_path / "file").write_text("mine")
    assert shell("keys", what, tmp_path / "file")[0] == 1 and (tmp_path / "file").read_text() == "mine"


def test_broker_prints_the_public_key_alone(shell: Shell, tmp_path: Path) -> None:
    code, out, _ = shell("keys", "broker", tmp_path / "broker")
    secret = (tmp_path / "broker").read_text().splitlines()[-1]
    assert code == 0 and out.startswith("age1") and out.count("\n") == 1
    assert secret.startswith("AGE-SECRET-KEY-") and secret not in shell.everything


def test_the_broker_finds_the_patient(shell: Shell, vault: Path) -> None:
    ask = ("--crosswalk", vault, "--identity", vault.parent / "broker")
    for name in (SUBJECT, Key(bytes(32)).release_code("P", SUBJECT), "2.25.3"):
        code, out, err = shell("recontact", name, *ask)
        assert code == 0 and out == "patient  MRN7734219\nissuer   HOSP\n" and "consent" in err
    out = shell("recontact", SUBJECT, *ask, "--studies")[1]
    assert "-21 days" in out and "1.2.3\n" in out


def test_the_broker_may_work_where_the_identity_lies(
    shell: Shell, vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shell("recontact", SUBJECT, "--crosswalk", "vault", "--identity", "broker")[0] == 0
    (tmp_path / "key").write_text("00" * 32)
    assert shell("keys", "destroy", "key", "--yes", KEY_ID, "--crosswalk", "vault")[0] == 0
    assert not crosswalk.parts(vault, KEY_ID)


@pytest.mark.parametrize("change", ["another identity", "tampered", "unknown", "destroyed key", "no folder"])
def test_nobody_else_does(shell: Shell, vault: Path, tmp_path: Path, change: str) -> None:
    identity, name = tmp_path / "broker", SUBJECT
    part = vault / KEY_ID / "00000.age"
    if change == "another identity":
        identity = tmp_path / "other"
        shell("keys", "broker", identity)
    elif change == "tampered":
        data = bytearray(part.read_bytes())
        data[-40] ^= 1
        part.write_bytes(data)
    elif change == "unknown":
        name = "P-ffffffffffffffff"
    elif change == "destroyed key":
        (tmp_path / "key").write_text("00" * 32)
        assert shell("keys", "destroy", tmp_path / "key", "--yes", KEY_ID, "--crosswalk", vault)[0] == 0
    else:
        vault = tmp_path / "nowhere"
    code, out, err = shell("recontact", name, "--crosswalk", vault, "--identity", identity)
    assert code == 1 and out == "" and "fix:" in err and "unexpected" not in err
    assert "MRN7734219" not in shell.everything and "SECRET" not in shell.everything
    if change == "destroyed key":
        assert KEY_ID in err and "destroyed" in err


@pytest.mark.parametrize(
    ("said", "opens"), [("yes", True), ("no", False), ("unknown", False), ("", False), (None, False)]
)
def test_only_a_yes_leads_to_the_patient_else_to_the_ethics_board(
    shell: Shell, vault: Path, tmp_path: Path, said: str | None, opens: bool
) -> None:
    table = tmp_path / "consent.csv"
    patient = "MRN7734219" if said is not None else "OTHER"
    table.write_text(
        f"patient,model,purposes,recontact,withdrawn,date\n{patient},dynamic,research,{said or ''},,2024-01-01\n"
    )
    code, out, err = shell(
        "recontact", SUBJECT, "--crosswalk", vault, "--identity", tmp_path / "broker", "--consent", table
    )
    assert (code == 0) == opens and ("MRN7734219" in out) == opens
    assert opens or ("IRB" in err and "MRN7734219" not in err)


def test_an_unexpected_error_tells_its_place_and_not_its_message(
    shell: Shell, vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("patient MRN7734219")

    monkeypatch.setattr(crosswalk, "read", breaks)
    code, out, err = shell("recontact", SUBJECT, "--crosswalk", vault, "--identity", tmp_path / "broker")
    assert code == 1 and out == "" and "unexpected error: RuntimeError at" in err and "MRN7734219" not in err
