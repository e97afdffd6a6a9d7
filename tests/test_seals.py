"""Seals: a changed artefact is noticed, whoever changed the list too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from radcurate.errors import CurationError
from radcurate.keys import Key
from radcurate.seals import SEAL, check_seal, named, remedy, sha256, write_seal


@pytest.fixture
def sealed(tmp_path: Path, key: Key) -> Path:
    (tmp_path / "measures.json").write_text('{"k": 3}')
    write_seal(tmp_path, ["measures.json"], key)
    return tmp_path


def test_an_untouched_folder_passes(sealed: Path, key: Key) -> None:
    assert check_seal(sealed, key) == {"measures.json": sha256(sealed / "measures.json")}


def test_an_edited_number_is_noticed(sealed: Path, key: Key) -> None:
    (sealed / "measures.json").write_text('{"k": 9}')
    with pytest.raises(CurationError, match="was changed"):
        check_seal(sealed, key)


def test_an_edited_list_is_noticed(sealed: Path, key: Key) -> None:
    (sealed / "measures.json").write_text('{"k": 9}')
    content = json.loads((sealed / SEAL).read_text())
    content["files"]["measures.json"] = sha256(sealed / "measures.json")
    (sealed / SEAL).write_text(json.dumps(content))
    with pytest.raises(CurationError, match="does not hold"):
        check_seal(sealed, key)


@pytest.mark.parametrize(
    ("folder", "name", "delete"),
    [
        ("results/verify/00003", "verify/00003", "results/verify/00003"),
        ("/run/results/protect", "protect", "results/protect"),
        ("results/consent/chunks/00003", "consent/chunks/00003", "results/consent"),
        ("/elsewhere/chunk", "chunk", "results/chunk"),
    ],
)
def test_a_message_names_the_stage_and_what_to_delete(folder: str, name: str, delete: str) -> None:
    """Of a chunk that consent made, all of consent: without its folder the chunk would be gone, and nobody would miss it."""
    assert named(Path(folder)) == name and remedy(Path(folder)).startswith(f"delete {delete} and")


def test_a_removed_file_another_key_and_no_seal_are_noticed(sealed: Path, key: Key) -> None:
    with pytest.raises(CurationError, match="does not hold"):
        check_seal(sealed, Key(bytes(32)))
    (sealed / "measures.json").unlink()
    with pytest.raises(CurationError, match="was changed"):
        check_seal(sealed, key)
    (sealed / SEAL).unlink()
    with pytest.raises(CurationError, match="no readable seal"):
        check_seal(sealed, key)
