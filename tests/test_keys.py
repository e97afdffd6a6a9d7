"""The key: never shown, never loose, the same codes for the same key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radcurate.errors import CurationError
from radcurate.keys import Key, create_key, load_key


def test_a_new_key_is_private_and_loads(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    made = create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == made


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = create_key(path)
    with pytest.raises(CurationError, match="a key already"):
        create_key(path)
    assert load_key(path) == made


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(CurationError, match="read by others"):
        load_key(path)


def test_a_key_inside_the_run_folder_is_refused(tmp_path: Path) -> None:
    create_key(tmp_path / "run" / "key")
    with pytest.raises(CurationError, match="run folder"):
        load_key(tmp_path / "run" / "key", run_folder=tmp_path / "run")


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31])
def test_a_file_that_holds_no_key_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(CurationError) as caught:
        load_key(path)
    assert not text or text not in str(caught.value)


def test_no_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="radcurate keys new"):
        load_key(tmp_path / "none")


def test_a_key_is_not_in_its_repr(key: Key) -> None:
    assert key.secret.hex() not in repr(key) and str(key.secret) not in repr(key)


@given(st.text(max_size=80), st.text(max_size=80))
def test_codes_depend_on_domain_boundary_and_key(first: str, second: str) -> None:
    key, other = Key(bytes(32)), Key(bytes([1]) * 32)
    assert key.digest("a", first, second) == key.digest("a", first, second)
    assert key.digest("a", first, second) != key.digest("b", first, second)
    assert key.digest("a", first, second) != other.digest("a", first, second)
    if first:
        assert key.digest("a", first, second) != key.digest("a", "", first + second)


@given(st.text(max_size=64))
def test_uids_are_valid_and_keyed(original: str) -> None:
    uid = Key(bytes(32)).uid(original)
    assert len(uid) <= 64 and uid.startswith("2.25.")
    assert all(part == "0" or not part.startswith("0") for part in uid.split("."))
    assert uid != Key(bytes([1]) * 32).uid(original)


def test_a_dictionary_of_all_ids_finds_no_pseudonym_without_the_key(key: Key) -> None:
    released = {key.subject(f"{number:06d}") for number in range(200)}
    guesses = {Key(bytes([guess]) * 32).subject(f"{number:06d}") for guess in range(3) for number in range(200)}
    assert not released & guesses


def test_chunks_use_the_whole_range(key: Key) -> None:
    chunks = {key.chunk(key.subject(str(number)), 8) for number in range(200)}
    assert chunks == set(range(8))
