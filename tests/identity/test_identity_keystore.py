"""The life of a key: made, listed, rotated, destroyed; the certificate tells the truth and no secret."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radcurate.errors import CurationError
from radcurate.identity import certificate, crosswalk, keystore
from radcurate.identity.broker import create_broker
from radcurate.identity.keystore import KeyState, destroy, entries, key_state, rotate
from radcurate.keys import Key, create_key, load_key
from radcurate.seals import write_seal


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where keys are kept; the working directory is a run folder beside it."""
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    return tmp_path / "home"


def states(home: Path) -> list[tuple[str, str]]:
    return [(entry.key_id, entry.state) for entry in entries(home)]


def everything_below(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_key_inside_the_run_folder_is_refused(home: Path) -> None:
    for place in ("key", "results/key", "../run/deep/key"):
        with pytest.raises(CurationError, match="run folder"):
            keystore.new_key(Path(place))
    assert not list(Path.cwd().rglob("*"))
    assert keystore.new_key(home / "key") == load_key(home / "key")


@pytest.mark.parametrize("mark", [".snakemake/log", "Snakefile", "results/.input", "results/consent"])
def test_a_run_folder_is_known_by_its_marks_from_wherever_one_stands(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    (tmp_path / "other" / mark).mkdir(parents=True)
    with pytest.raises(CurationError, match="run folder"):
        keystore.new_key(tmp_path / "other" / "deep" / "key")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CurationError, match="run folder"):
        keystore.new_key(tmp_path / "other" / "key")
    keystore.new_key(Path("keys/key"))  # whoever stands in the home folder may make one below it


def test_a_list_names_states_and_times_and_passes_over_other_files(home: Path) -> None:
    first = create_key(home / "key")
    os.utime(home / "key", (0, 0))
    (home / "notes.txt").write_text("not a key")
    (home / "big").write_bytes(b"0" * 64 + b" " * 1000)
    (home / "folder").mkdir()
    second = create_key(home / "other.key")
    assert states(home) == [(first.key_id, "active"), (second.key_id, "active")]
    assert entries(home)[0].made == "1970-01-01T00:00:00Z"
    with pytest.raises(CurationError, match="no keys"):
        entries(home / "nowhere")


def test_a_list_notices_a_key_that_others_can_read(home: Path) -> None:
    create_key(home / "key")
    assert not entries(home)[0].exposed
    (home / "key").chmod(0o640)
    assert entries(home)[0].exposed


def test_rotation_keeps_the_old_key_and_its_time(home: Path) -> None:
    first = create_key(home / "key")
    os.utime(home / "key", (1000, 1000))
    old, new, retired = rotate(home / "key")
    assert (old, new) == (first, load_key(home / "key")) and new != old
    assert retired == home / f"key.{old.key_id}.retired" and load_key(retired) == old
    for path in (retired, home / "key"):
        assert path.stat().st_mode & 0o777 == 0o600
    assert retired.stat().st_mtime == 1000
    assert states(home) == [(old.key_id, "retired"), (new.key_id, "active")]
    again = rotate(home / "key")
    assert again[0] == new and len(entries(home)) == 3
    assert not [path for path in home.iterdir() if path.name.startswith(".")]


def test_rotation_refuses_what_is_no_good_key_and_leaves_it(home: Path) -> None:
    create_key(home / "key")
    before = (home / "key").read_bytes()
    (home / "key").chmod(0o644)
    with pytest.raises(CurationError, match="read by others"):
        rotate(home / "key")
    with pytest.raises(CurationError, match="no key"):
        rotate(home / "none")
    create_key(Path("key"))
    Path("results/consent").mkdir(parents=True)
    with pytest.raises(CurationError, match="run folder"):
        rotate(Path("key"))
    assert (home / "key").read_bytes() == before and len(list(home.iterdir())) == 1


def test_a_key_that_came_back_is_not_retired_twice(home: Path) -> None:
    create_key(home / "key")
    before = (home / "key").read_text()
    rotate(home / "key")
    with pytest.raises(CurationError, match="retired before"):
        rotate(next(home.glob("*.retired")))
    (home / "key").write_text(before)
    with pytest.raises(CurationError, match="retired before"):
        rotate(home / "key")


def test_what_depends_on_a_key_is_counted_by_stage(home: Path, key: Key) -> None:
    for folder, maker in (("deidentify/00000", key), ("deidentify/00001", key), ("gate", Key(bytes(32)))):
        place = Path("results") / folder
        place.mkdir(parents=True)
        (place / "table").write_text("x")
        write_seal(place, ["table"], maker)
    Path("results/release/demo-1").mkdir(parents=True)
    Path("results/release/demo-1/provenance.json").write_text(json.dumps({"key_id": key.key_id}))
    Path("results/deidentify/seal.json").write_text("not json")
    assert keystore.dependants(Path("results"), key.key_id) == {"deidentify": 2, "release": 1}
    assert keystore.dependants(Path("nowhere"), key.key_id) == {}


def test_a_destroyed_key_is_gone_and_certified(home: Path) -> None:
    key = create_key(home / "key")
    made = entries(home)[0].made
    done, path = destroy(home / "key", key.key_id)
    assert [entry.name for entry in home.iterdir()] == [f"{key.key_id}.destroyed.json"]
    assert key.secret.hex().encode() not in everything_below(home) and key.secret not in everything_below(home)
    assert path.stat().st_mode & 0o777 == 0o600
    assert certificate.check(path) == done
    assert (done.key_id, done.made, done.files, done.crosswalk) == (key.key_id, made, 1, None)
    assert states(home) == [(key.key_id, "destroyed")]
    assert key_state(key.key_id, home) == KeyState.DESTROYED


def test_its_content_is_overwritten_before_it_is_removed(home: Path) -> None:
    """A second name of the same blocks shows what stands in them afterwards."""
    key = create_key(home / "key")
    os.link(home / "key", home.parent / "same_blocks")
    destroy(home / "key", key.key_id)
    left = (home.parent / "same_blocks").read_bytes()
    assert len(left) == 65 and key.secret.hex().encode() not in left


def test_all_copies_in_the_folder_go_and_a_later_one_is_added_to_the_certificate(home: Path) -> None:
    key = create_key(home / "key")
    text = (home / "key").read_text()
    (home / "backup").write_text(text)
    (home / "link").symlink_to("key")
    (home / "capitals").write_text(text.upper())
    assert destroy(home / "key", key.key_id)[0].files == 4
    assert len(list(home.iterdir())) == 1
    (home / "restored").write_text(text)
    assert key_state(key.key_id, home) == KeyState.ACTIVE
    done, path = destroy(home / "restored", key.key_id)
    assert done.files == 5 and certificate.check(path) == done
    assert key_state(key.key_id, home) == KeyState.DESTROYED


@pytest.mark.parametrize("answer", ["", "yes", "0123456789ab"])
def test_without_the_right_name_nothing_is_destroyed(home: Path, answer: str) -> None:
    create_key(home / "key")
    before = (home / "key").read_bytes()
    with pytest.raises(CurationError, match="not confirmed"):
        destroy(home / "key", answer)
    assert (home / "key").read_bytes() == before and len(list(home.iterdir())) == 1


def test_there_is_no_certificate_for_what_was_not_there(home: Path) -> None:
    home.mkdir()
    with pytest.raises(CurationError, match="no key to destroy"):
        destroy(home / "key", "0123456789ab")
    (home / "letter").write_text("dear colleague")
    with pytest.raises(CurationError, match="holds no key"):
        destroy(home / "letter", "0123456789ab")
    assert [path.name for path in home.iterdir()] == ["letter"]


def test_a_key_in_the_wrong_place_or_open_to_others_can_be_destroyed(home: Path) -> None:
    key = create_key(Path("key"))
    Path("key").chmod(0o644)
    destroy(Path("key"), key.key_id)
    assert not Path("key").exists()


def test_a_link_is_followed_and_removed(home: Path) -> None:
    key = create_key(home / "key")
    Path("link").symlink_to(home / "key")
    _, path = destroy(Path("link"), key.key_id)
    assert path.parent == home and not Path("link").is_symlink() and not (home / "key").exists()


def test_its_crosswalk_goes_with_it_and_the_broker_is_told_why(home: Path, tmp_path: Path) -> None:
    key, other = create_key(home / "key"), Key(bytes(32))
    recipients, vault = tmp_path / "recipients", tmp_path / "vault"
    recipients.write_text(create_broker(tmp_path / "broker"))
    for maker in (key, other):
        crosswalk.write(vault, maker.key_id, "00000", recipients, [{"subject": "P-1", "patient_id": "MRN1"}])
    done, path = destroy(home / "key", key.key_id, vault)
    assert done.crosswalk == 1 and crosswalk.parts(vault, key.key_id) == []
    assert crosswalk.parts(vault, other.key_id)
    assert certificate.check(vault / path.name) == done


def test_what_could_not_be_destroyed_gets_no_certificate(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = create_key(home / "key")

    def refused(path: Path) -> None:
        raise PermissionError(13, f"not you: {path}")

    monkeypatch.setattr(keystore, "shred", refused)
    with pytest.raises(CurationError, match="could not be destroyed") as caught:
        destroy(home / "key", key.key_id)
    assert str(home) not in str(caught.value)
    assert states(home) == [(key.key_id, "active")] and len(list(home.iterdir())) == 1


def test_a_read_only_key_is_overwritten_too(home: Path) -> None:
    key = create_key(home / "key")
    (home / "key").chmod(0o400)
    destroy(home / "key", key.key_id)
    assert key_state(key.key_id, home) == KeyState.DESTROYED


def test_retired_and_absent_keys_are_told_apart(home: Path) -> None:
    create_key(home / "key")
    old, new, _ = rotate(home / "key")
    assert key_state(old.key_id, home) == KeyState.RETIRED
    assert key_state(new.key_id, home) == KeyState.ACTIVE
    assert key_state("0" * 12, home) == KeyState.ABSENT
    assert key_state("0" * 12, home / "nowhere") == KeyState.ABSENT


@pytest.mark.parametrize("field", ["key_id", "made", "destroyed", "files", "crosswalk", "radcurate", "digest"])
def test_a_changed_certificate_does_not_hold(home: Path, field: str) -> None:
    key = create_key(home / "key")
    _, path = destroy(home / "key", key.key_id)
    content = json.loads(path.read_text())
    content[field] = "0123456789ab" if content[field] != "0123456789ab" else None
    path.write_text(json.dumps(content))
    with pytest.raises(CurationError, match="does not hold"):
        certificate.check(path)
    assert key_state(key.key_id, home) == KeyState.ABSENT


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"digest": 3}', '"x"', "\xff"])
def test_what_is_no_certificate_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.destroyed.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CurationError, match="no certificate"):
        certificate.check(path)
    with pytest.raises(CurationError, match="no certificate"):
        certificate.check(tmp_path / "none")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["rotate", "destroy active", "destroy retired", "new"]), max_size=8))
def test_whatever_happens_to_keys_each_is_in_one_state_and_no_destroyed_one_is_left(steps: list[str]) -> None:
    made: dict[str, bytes] = {}
    gone: set[str] = set()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        for step in ["new", *steps]:
            found = {entry.state: home / entry.file for entry in entries(home) if entry.state != KeyState.DESTROYED}
            active = found.get(KeyState.ACTIVE)
            chosen = active if step == "destroy active" else found.get(KeyState.RETIRED)
            if step == "new" and active is None:
                key = create_key(home / "key")
                made[key.key_id] = key.secret
            elif step == "rotate" and active:
                key = rotate(active)[1]
                made[key.key_id] = key.secret
            elif step.startswith("destroy") and chosen:
                key_id = keystore.identify(chosen).key_id
                destroy(chosen, key_id)
                gone.add(key_id)
            listed = entries(home)
            assert sorted(entry.key_id for entry in listed) == sorted(made)
            assert {entry.key_id for entry in listed if entry.state == KeyState.DESTROYED} == gone
            assert sum(entry.state == KeyState.ACTIVE for entry in listed) <= 1
            content = everything_below(home)
            assert not any(made[key_id].hex().encode() in content for key_id in gone)
