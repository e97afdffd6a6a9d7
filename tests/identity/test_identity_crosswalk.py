"""The crosswalk: read by the broker alone, complete, never where the results lie, and without who has withdrawn."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paths import ROOT
from radcurate import workflow
from radcurate.errors import CurationError
from radcurate.identity import crosswalk
from radcurate.identity.broker import create_broker, load_identity
from radcurate.keys import Key, create_key
from radcurate.settings import load_config

KEY_ID = "0123456789ab"
TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ROW = st.fixed_dictionaries(
    {name: st.none() | st.integers(-3640, 3640) if name == "days" else TEXT for name, _ in crosswalk.COLUMNS}
)


class Broker:
    """An identity and the file of its public key, outside the run folder."""

    def __init__(self, folder: Path) -> None:
        self.file, self.recipients = folder / "broker", folder / "recipients"
        self.public = create_broker(self.file)
        self.recipients.write_text(f"# the broker\n{self.public}\n")

    @property
    def identity(self) -> Any:
        return load_identity(self.file)


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    return Broker(tmp_path)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def row(subject: str = "P-00112233445566aa", patient: str = "MRN7734219", number: int = 1) -> dict[str, Any]:
    series = {
        "subject": subject, "patient_id": patient, "issuer": "HOSP", "series": f"S-{number:016x}",
        "study_instance_uid": "1.2.3", "series_instance_uid": f"1.2.3.{number}",
    }  # fmt: skip
    return crosswalk.series_rows(
        Key(bytes(32)), series, 70, "2.25.1", f"2.25.2{number}", [(f"1.2.3.{number}.1", f"2.25.3{number}")]
    )[0]


def order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda one: [(one[name] is not None, str(one[name])) for name, _ in crosswalk.COLUMNS])


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=12))
def test_what_is_written_is_what_the_broker_reads(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder)
        crosswalk.write(folder / "vault", KEY_ID, "00003", broker.recipients, rows)
        read = crosswalk.read(folder / "vault" / KEY_ID / "00003.age", broker.identity)
        assert order(read) == order(rows)


def test_the_broker_finds_a_patient_by_any_new_name(broker: Broker, vault: Path) -> None:
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    crosswalk.write(vault, KEY_ID, "00001", broker.recipients, [row("P-ffff", "MRN1", 2)])
    names = ["P-00112233445566aa", "S-0000000000000001", "2.25.21", "2.25.31"]
    names += [Key(bytes(32)).release_code(name[0], name) for name in names[:2]]
    for name in names:
        assert {found["patient_id"] for found in crosswalk.find(vault, broker.identity, name)} == {"MRN7734219"}
    with pytest.raises(CurationError, match="nobody has this pseudonym"):
        crosswalk.find(vault, broker.identity, "P-0000")
    with pytest.raises(CurationError, match="nobody has this pseudonym"):
        crosswalk.find(vault, broker.identity, "MRN7734219")


def test_nothing_of_it_can_be_read_on_disk(broker: Broker, vault: Path) -> None:
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    path = vault / KEY_ID / "00000.age"
    assert b"MRN7734219" not in path.read_bytes() and b"P-0011" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700 and vault.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_another_identity_reads_nothing(broker: Broker, vault: Path, tmp_path: Path) -> None:
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    create_broker(tmp_path / "other")
    with pytest.raises(CurationError, match="not for this identity") as caught:
        crosswalk.find(vault, load_identity(tmp_path / "other"), "P-00112233445566aa")
    assert "MRN" not in str(caught.value) and "SECRET" not in str(caught.value)


def test_two_brokers_can_both_read(broker: Broker, vault: Path, tmp_path: Path) -> None:
    public = create_broker(tmp_path / "second")
    broker.recipients.write_text(f"{broker.public}\n{public}\n")
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    for identity in (broker.identity, load_identity(tmp_path / "second")):
        assert crosswalk.find(vault, identity, "P-00112233445566aa")


def test_every_changed_byte_is_noticed(broker: Broker, vault: Path) -> None:
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    path = vault / KEY_ID / "00000.age"
    good, identity = path.read_bytes(), broker.identity
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(CurationError, match="crosswalk"):
            crosswalk.read(path, identity)
    for torn in (b"", good[:-1], good[:100], good + b"x"):
        path.write_bytes(torn)
        with pytest.raises(CurationError, match="crosswalk"):
            crosswalk.read(path, identity)
    path.write_bytes(good)
    assert crosswalk.read(path, identity)


@pytest.mark.parametrize("place", [f"{KEY_ID}/00001.age", "ba9876543210/00000.age"])
def test_a_file_that_was_moved_is_noticed(broker: Broker, vault: Path, place: str) -> None:
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    moved = vault / place
    moved.parent.mkdir(exist_ok=True)
    (vault / KEY_ID / "00000.age").rename(moved)
    with pytest.raises(CurationError, match="does not hold"):
        crosswalk.read(moved, broker.identity)


def test_something_else_that_was_encrypted_to_the_broker_is_no_crosswalk(broker: Broker, vault: Path) -> None:
    import pyrage
    from pyrage import x25519

    (vault / KEY_ID).mkdir(parents=True)
    path = vault / KEY_ID / "00000.age"
    path.write_bytes(pyrage.encrypt(b"P-00112233445566aa is MRN1", [x25519.Recipient.from_str(broker.public)]))
    with pytest.raises(CurationError, match="does not hold"):
        crosswalk.read(path, broker.identity)


def test_who_has_withdrawn_is_no_longer_in_it(broker: Broker, vault: Path) -> None:
    stays, goes = row(), row("P-ffff", "MRN-GONE", 2)
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [stays, goes])
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [stays])
    with pytest.raises(CurationError, match="nobody has this pseudonym"):
        crosswalk.find(vault, broker.identity, "P-ffff")
    crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [])
    assert not crosswalk.parts(vault, KEY_ID)


def test_chunks_without_anybody_are_forgotten_and_others_kept(broker: Broker, vault: Path) -> None:
    for chunk in ("00000", "00001", "00002"):
        crosswalk.write(vault, KEY_ID, chunk, broker.recipients, [row()])
    crosswalk.write(vault, "ba9876543210", "00001", broker.recipients, [row()])
    (vault / KEY_ID / ".00001.age.123").write_bytes(b"left by a killed job")
    assert crosswalk.forget(vault, KEY_ID, keep=["00001"]) == ["00000", "00002"]
    assert crosswalk.parts(vault, KEY_ID)
    assert crosswalk.forget(vault, KEY_ID) == ["00001"]
    assert not (vault / KEY_ID).exists() and crosswalk.parts(vault, "ba9876543210")
    assert crosswalk.forget(vault, KEY_ID) == []


def test_many_jobs_may_write_at_once(broker: Broker, vault: Path) -> None:
    def one(number: int) -> None:
        crosswalk.write(vault / "deep", KEY_ID, f"{number:05d}", broker.recipients, [row()])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(32)))
    assert len(crosswalk.parts(vault / "deep", KEY_ID)) == 32


@pytest.mark.parametrize("place", ["vault", "results/release/vault", "."])
def test_a_place_inside_the_run_is_refused(broker: Broker, place: str) -> None:
    with pytest.raises(CurationError, match="run folder"):
        crosswalk.write(Path(place), KEY_ID, "00000", broker.recipients, [row()])
    with pytest.raises(CurationError, match="run folder"):
        crosswalk.check(Path(place), broker.recipients)
    assert not list(Path.cwd().rglob("*.age"))


def test_a_place_behind_a_link_to_the_results_is_refused(broker: Broker, tmp_path: Path) -> None:
    (tmp_path / "big_disk").mkdir()
    Path("results").symlink_to(tmp_path / "big_disk")
    with pytest.raises(CurationError, match="run folder"):
        crosswalk.write(tmp_path / "big_disk" / "vault", KEY_ID, "00000", broker.recipients, [row()])
    (tmp_path / "innocent").symlink_to(Path.cwd())
    with pytest.raises(CurationError, match="run folder"):
        crosswalk.write(tmp_path / "innocent", KEY_ID, "00000", broker.recipients, [row()])


def test_a_place_inside_the_export_is_refused(broker: Broker, tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="export"):
        crosswalk.check(tmp_path / "export" / "vault", broker.recipients, also=[tmp_path / "export"])
    crosswalk.check(tmp_path / "vault", broker.recipients, also=[tmp_path / "export"])


def test_a_secret_key_among_the_recipients_is_refused_without_quoting_it(broker: Broker, vault: Path) -> None:
    with pytest.raises(CurationError, match="secret key lies among the recipients") as caught:
        crosswalk.write(vault, KEY_ID, "00000", broker.file, [row()])
    secret = broker.file.read_text().splitlines()[-1]
    assert secret not in str(caught.value) and secret.lower() not in str(caught.value).lower()
    assert not vault.exists()


@pytest.mark.parametrize("text", ["", "# only a comment\n", "age1nonsense", "ssh-ed25519 AAAA", "hello"])
def test_recipients_that_are_none_are_refused(broker: Broker, vault: Path, text: str) -> None:
    broker.recipients.write_text(text)
    with pytest.raises(CurationError, match="recipients can't be used"):
        crosswalk.write(vault, KEY_ID, "00000", broker.recipients, [row()])
    broker.recipients.unlink()
    with pytest.raises(CurationError, match="recipients can't be used"):
        crosswalk.check(vault, broker.recipients)
    assert not vault.exists()


def test_no_crosswalk_says_so(broker: Broker, vault: Path) -> None:
    with pytest.raises(CurationError, match="no crosswalk"):
        crosswalk.find(vault, broker.identity, "P-00112233445566aa")


def test_folder_and_broker_are_set_together() -> None:
    load_config({"deidentify": {"crosswalk": "/vault", "recipients": "/recipients"}})
    for half in ("crosswalk", "recipients"):
        with pytest.raises(CurationError, match="set both or neither"):
            load_config({"deidentify": {half: "/somewhere"}})


def test_an_identity_is_private_never_overwritten_and_never_in_the_run_folder(broker: Broker, tmp_path: Path) -> None:
    assert broker.file.stat().st_mode & 0o777 == 0o600
    before = broker.file.read_bytes()
    with pytest.raises(CurationError, match="a file already"):
        create_broker(broker.file)
    assert broker.file.read_bytes() == before
    with pytest.raises(CurationError, match="run folder"):
        create_broker(Path("broker"))
    assert not Path("broker").exists()
    broker.file.chmod(0o640)
    with pytest.raises(CurationError, match="read by others"):
        load_identity(broker.file)


@pytest.mark.parametrize("text", ["", "age1nonsense", "AGE-SECRET-KEY-1NONSENSE", "hello"])
def test_a_file_that_is_no_identity_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "identity"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(CurationError, match="holds no identity") as caught:
        load_identity(path)
    assert not text or text not in str(caught.value)
    with pytest.raises(CurationError, match="destroyed"):
        load_identity(tmp_path / "none")


def test_the_run_refuses_a_bad_place_before_any_job_and_forgets_who_left(
    broker: Broker, vault: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADCURATE_INPUT", "")
    monkeypatch.setenv("RADCURATE_KEY_FILE", "")
    monkeypatch.setenv("PATH", "")
    key = create_key(tmp_path / "key")
    (tmp_path / "export").mkdir()
    (tmp_path / "consent.csv").touch()
    config = {
        "input": str(tmp_path / "export"), "key_file": str(tmp_path / "key"),
        "consent": {"table": str(tmp_path / "consent.csv")},
    }  # fmt: skip
    places = {"crosswalk": str(vault), "recipients": str(broker.recipients)}
    run = workflow.prepare({**config, "deidentify": places}, ROOT)
    for bad in ({"crosswalk": "vault"}, {"crosswalk": str(tmp_path / "export/x")}, {"recipients": str(broker.file)}):
        with pytest.raises(SystemExit):
            workflow.prepare({**config, "deidentify": {**places, **bad}}, ROOT)
    assert "SECRET" not in capsys.readouterr().err
    for chunk in ("00001", "00002"):
        crosswalk.write(vault, key.key_id, chunk, broker.recipients, [row()])
    Path("results/consent/chunks/00002").mkdir(parents=True)
    workflow.forget_old_chunks(run)
    assert [path.name for path in (vault / key.key_id).iterdir()] == ["00002.age"]
