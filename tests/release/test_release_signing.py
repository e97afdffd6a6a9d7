"""The signature over a release: a byte that differs anywhere, a file too much or too few, another key are found."""

from __future__ import annotations

import base64
import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.cli import main
from radcurate.errors import CurationError
from radcurate.keys import Key, create_key
from radcurate.release import attestation, check, signing

OTHER = Key(bytes(32))
KEY = Key(bytes(range(32)))
CONTENT = {"features.parquet": b"PAR1 rows PAR1", "DATA_CARD.md": b"# card\n", "images/s/a.dcm": b"\0" * 200 + b"DICM"}


def make(folder, key=KEY, content=CONTENT, version="1"):
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    (folder / check.PUBLIC_KEY).write_text(signing.public_pem(key))
    found = check.digests(folder)
    (folder / check.SUMS).write_text(check.as_lines(found))
    found |= {check.SUMS: check.digest_of(folder)}
    statement = attestation.statement(found, {"release": "small", "version": version})
    (folder / check.ATTESTATION).write_text(signing.sign(statement, key))
    return folder


def public(key=KEY):
    return signing.signing_key(key).public_key()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "release")


NAMES = sorted([*CONTENT, check.PUBLIC_KEY, check.SUMS, check.ATTESTATION])


def test_a_sound_release(sound):
    for key in (public(), None):
        checked = check.check_signed(sound, key)
        assert checked.problems == []
        assert (checked.release, checked.signer) == ("small-1", signing.name_of(public()))


def test_the_signature_is_rfc_8032s_over_dsses_bytes(sound):
    envelope = json.loads((sound / check.ATTESTATION).read_text())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    message = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    public().verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)
    assert json.loads(payload)["_type"] == "https://in-toto.io/Statement/v1"
    assert {subject["name"] for subject in json.loads(payload)["subject"]} == set(NAMES) - {check.ATTESTATION}


def test_the_key_of_a_signature_is_the_project_keys_own_and_tells_nothing_of_it():
    assert signing.public_pem(KEY) == signing.public_pem(Key(bytes(range(32)))) != signing.public_pem(OTHER)
    assert KEY.secret.hex() not in signing.public_pem(KEY)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_byte_that_differs_is_found(sound, name, data):
    path = sound / name
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    byte = data.draw(st.integers(1, 255))
    try:
        path.write_bytes(before[:place] + bytes([before[place] ^ byte]) + before[place + 1 :])
        assert check.check_signed(sound, public()).problems
        assert check.check_signed(sound).problems
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", ["one_more", "one_less", "gone", "empty", "link"])
def test_any_other_file_is_found(folder, name, change, tmp_path):
    path, before = folder / name, (folder / name).read_bytes()
    if change in ("gone", "link"):
        path.unlink()
    if change == "link":
        (tmp_path / "same").write_bytes(before)
        path.symlink_to(tmp_path / "same")
    if change in ("one_more", "one_less", "empty"):
        path.write_bytes({"one_more": before + b"\n", "one_less": before[:-1], "empty": b""}[change])
    assert check.check_signed(folder, public()).problems


@pytest.mark.parametrize(
    "name", ["note.txt", "images/s/b.dcm", ".hidden", "images/SHA256SUMS", "images/attestation.json"]
)
def test_a_file_too_much_is_found(folder, name):
    (folder / name).write_text("")
    assert check.check_signed(folder, public()).problems == [f"{name}: not part of the release"]


def test_a_file_that_checksums_and_list_were_made_anew_for(folder):
    """Who changes a value and the checksums too lacks the key for the attestation."""
    (folder / "features.parquet").write_bytes(b"PAR1 other PAR1")
    (folder / check.SUMS).write_text(check.sums(folder))
    assert check.check_release(folder) == []
    assert check.check_signed(folder, public()).problems == ["SHA256SUMS: changed", "features.parquet: changed"]


def test_a_release_that_was_signed_anew_with_another_key(tmp_path):
    folder = make(tmp_path, OTHER)
    assert check.check_signed(folder).problems == []  # the reason why --key exists
    (problem,) = check.check_signed(folder, public()).problems
    assert "signed with another key" in problem


def test_the_signature_of_another_release(folder, tmp_path):
    other = make(tmp_path / "other", content=CONTENT | {"DATA_CARD.md": b"# another\n"}, version="2")
    shutil.copy(other / check.ATTESTATION, folder / check.ATTESTATION)
    assert "DATA_CARD.md: changed" in check.check_signed(folder, public()).problems


def test_a_signed_statement_about_something_else(folder):
    statement = {"_type": attestation.STATEMENT, "predicateType": "https://slsa.dev/provenance/v1", "subject": []}
    (folder / check.ATTESTATION).write_text(signing.sign(statement, KEY))
    assert check.check_signed(folder, public()).problems == ["attestation.json: a statement about something else"]


def test_the_same_statement_written_in_another_way(folder):
    path = folder / check.ATTESTATION
    path.write_text(json.dumps(json.loads(path.read_text())))
    (problem,) = check.check_signed(folder, public()).problems
    assert "written in another way" in problem


def pem_of_a_secret():
    secret = signing.signing_key(KEY)
    return secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pem_of_another_kind():
    return generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


NONE = {"empty": b"", "nonsense": b"nonsense", "secret": pem_of_a_secret(), "another kind": pem_of_another_kind()}


@pytest.mark.parametrize("text", NONE.values(), ids=NONE.keys())
def test_a_key_that_is_none(tmp_path, text):
    (tmp_path / "key.pem").write_bytes(text)
    with pytest.raises(CurationError, match="public key can't be used"):
        signing.read_public(tmp_path / "key.pem")
    with pytest.raises(CurationError, match="can't be read"):
        signing.read_public(tmp_path / "nowhere.pem")


# the commands


def ended(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    told = capsys.readouterr()
    return end.value.code, told.out, told.err


def test_from_the_key_to_the_check(tmp_path, capsys):
    key = create_key(tmp_path / "home" / "key")
    folder = make(tmp_path / "release", key)
    code, out, _ = ended(capsys, "keys", "public", tmp_path / "home" / "key", "--out", tmp_path / "pub.pem")
    assert code == 0 and "verify-release" in out
    assert ended(capsys, "keys", "public", tmp_path / "home" / "key")[1] == (tmp_path / "pub.pem").read_text()
    code, out, _ = ended(capsys, "verify-release", folder, "--key", tmp_path / "pub.pem")
    assert code == 0 and "holds, made with the key that was given" in out and "small-1" in out
    code, out, _ = ended(capsys, "verify-release", folder)
    assert code == 0 and "not checked against a known key" in out
    (folder / "DATA_CARD.md").write_text("# cart\n")
    code, out, err = ended(capsys, "verify-release", folder, "--key", tmp_path / "pub.pem")
    assert (code, err) == (1, "DATA_CARD.md: changed\n") and "1 problem" in out


def test_a_public_key_never_overwrites(tmp_path, capsys):
    create_key(tmp_path / "home" / "key")
    (tmp_path / "pub.pem").write_text("mine")
    code, _, err = ended(capsys, "keys", "public", tmp_path / "home" / "key", "--out", tmp_path / "pub.pem")
    assert code == 1 and "can't be written" in err and (tmp_path / "pub.pem").read_text() == "mine"
