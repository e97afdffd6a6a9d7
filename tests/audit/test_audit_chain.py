"""The record of processing: what may be done to it, and that it shows."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import stat
from pathlib import Path

import pytest

from radcurate.audit import chain
from radcurate.audit.chain import FOLDER, HEAD, HEADS_VARIABLE, RECORD, append
from radcurate.audit.check import verify
from radcurate.errors import CurationError
from radcurate.keys import Key

OTHER = Key(bytes(32))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: Key) -> Path:
    """A record of five entries."""
    monkeypatch.setenv(HEADS_VARIABLE, str(tmp_path / "heads"))
    for number in range(5):
        append(tmp_path / "results", key, "run", {"config": f"{number:x}" * 8, "result": "ok"})
    return tmp_path / "results"


def lines(results: Path) -> list[str]:
    return (results / FOLDER / RECORD).read_text().splitlines()


def write(results: Path, content: list[str]) -> None:
    (results / FOLDER / RECORD).write_text("".join(line + "\n" for line in content))


def problems(results: Path, key: Key) -> str:
    return "; ".join(verify(results, key).problems)


def test_an_untouched_record_holds(results: Path, key: Key) -> None:
    verdict = verify(results, key)
    assert not verdict.problems and not verdict.notes
    assert [entry.number for entry in verdict.entries] == [1, 2, 3, 4, 5]


def test_an_edit_shows(results: Path, key: Key) -> None:
    for place in range(5):
        content = lines(results)
        write(results, [line.replace('"ok"', '"no"') if at == place else line for at, line in enumerate(content)])
        assert f"line {place + 1}: it was edited" in problems(results, key)
        write(results, content)


@pytest.mark.parametrize(
    "name", ["time", "who", "verb", "radcurate", "record", "number", "previous", "key_id", "seal", "digest"]
)
def test_every_part_of_a_line_is_held(results: Path, key: Key, name: str) -> None:
    content = lines(results)
    entry = json.loads(content[2])
    entry[name] = 7 if name == "number" else "0" * 64
    write(results, [*content[:2], json.dumps(entry, sort_keys=True), *content[3:]])
    assert "line 3" in problems(results, key)


@pytest.mark.parametrize("place", range(5))
def test_a_removed_line_shows_at_every_place(results: Path, key: Key, place: int) -> None:
    content = lines(results)
    write(results, content[:place] + content[place + 1 :])
    assert problems(results, key)


def test_an_entry_of_another_branch_shows(results: Path, key: Key, tmp_path: Path) -> None:
    """Two copies of a record went on, each by itself: an entry of one, in its place in the other, is whole and sealed."""
    shutil.copytree(results, tmp_path / "branch")
    append(tmp_path / "branch", key, "run", {"result": "other"})
    for result in ("one", "two"):
        append(results, key, "run", {"result": result})
    write(results, [*lines(results)[:5], lines(tmp_path / "branch")[5], lines(results)[6]])
    assert "line 7: it does not follow the line before" in problems(results, key)


def test_a_cut_end_shows_by_the_head(results: Path, key: Key) -> None:
    write(results, lines(results)[:3])
    assert "the end was cut off" in problems(results, key)


def test_an_older_copy_that_is_put_back_shows_by_the_users_own_head(results: Path, key: Key, tmp_path: Path) -> None:
    shutil.copytree(results / FOLDER, tmp_path / "older")
    append(results, key, "approve", {"paper": "dpia"})
    shutil.rmtree(results / FOLDER)
    shutil.copytree(tmp_path / "older", results / FOLDER)
    assert "your own head of it saw 6 entries, there are 5" in problems(results, key)


def test_who_has_no_head_of_their_own_is_told(results: Path, key: Key, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "heads")
    verdict = verify(results, key)
    assert not verdict.problems and "no head" in verdict.notes[0]


@pytest.mark.parametrize("order", [(1, 0, 2, 3, 4), (0, 1, 2, 4, 3), (4, 3, 2, 1, 0)])
def test_another_order_shows(results: Path, key: Key, order: tuple[int, ...]) -> None:
    content = lines(results)
    write(results, [content[at] for at in order])
    assert "removed, inserted or moved" in problems(results, key)


@pytest.mark.parametrize("place", range(6))
def test_an_inserted_line_shows(results: Path, key: Key, place: int) -> None:
    content = lines(results)
    write(results, [*content[:place], content[1], *content[place:]])
    assert problems(results, key)


def test_a_chain_made_without_the_key_shows(results: Path, key: Key) -> None:
    """Whoever edits a line and computes all digests after it anew still lacks the seals."""
    written, previous = [], chain.START
    for line in lines(results):
        entry = json.loads(line) | {"previous": previous, "facts": {"result": "forged"}}
        content = {name: value for name, value in entry.items() if name not in ("digest", "seal")}
        entry["digest"] = previous = chain.Entry(**content).expected_digest()
        written.append(json.dumps(entry, sort_keys=True))
    write(results, written)
    assert "written without the key" in problems(results, key)


def test_an_edited_or_missing_head_shows(results: Path, key: Key) -> None:
    head = json.loads((results / FOLDER / HEAD).read_text())
    (results / FOLDER / HEAD).write_text(
        json.dumps(head | {"number": 4, "digest": json.loads(lines(results)[3])["digest"]})
    )
    assert "was edited" in problems(results, key)
    (results / FOLDER / HEAD).unlink()
    assert "head beside the record is missing" in problems(results, key)


@pytest.mark.parametrize("text", ["", "{}\n", "[1]\n", "no JSON\n", '{"number": "1"}\n'])
def test_what_is_no_record_shows(results: Path, key: Key, text: str) -> None:
    (results / FOLDER / RECORD).write_text(text)
    assert problems(results, key)


def test_no_record_is_a_problem(tmp_path: Path, key: Key) -> None:
    assert "there is no record" in problems(tmp_path, key)


def test_after_a_new_key_the_chain_goes_on(results: Path, key: Key) -> None:
    append(results, OTHER, "keys rotate", {"old": key.key_id})
    verdict = verify(results, OTHER)
    assert not verdict.problems and "5 entries are sealed with another key" in verdict.notes[0]
    assert not verify(results, key).problems


def test_nothing_is_appended_to_a_record_that_was_cut(results: Path, key: Key) -> None:
    write(results, lines(results)[:3])
    with pytest.raises(CurationError, match="cut or edited"):
        append(results, key, "run", {})
    assert len(lines(results)) == 3


def test_a_line_torn_by_a_power_cut_is_no_entry_and_the_record_goes_on(results: Path, key: Key) -> None:
    with (results / FOLDER / RECORD).open("a") as stream:
        stream.write('{"number": 6, "rec')
    assert "not finished" in problems(results, key)
    append(results, key, "run", {})
    assert not problems(results, key) and len(lines(results)) == 6


def test_a_line_whose_head_was_never_written_is_believed_by_its_seal(results: Path, key: Key, monkeypatch) -> None:
    monkeypatch.setattr(chain, "_write_heads", lambda *_: None)
    append(results, key, "run", {})
    assert not problems(results, key)
    monkeypatch.undo()
    monkeypatch.setenv(HEADS_VARIABLE, str(results.parent / "heads"))
    append(results, key, "run", {})
    assert not problems(results, key) and len(lines(results)) == 7


def _write_many(results: Path, count: int) -> None:
    for number in range(count):
        append(results, Key(bytes(range(32))), "run", {"number": number})


def test_writers_at_once_wait_for_each_other(results: Path, key: Key) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_many, args=(results, 8)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(lines(results)) == 5 + 32
    assert not problems(results, key)


def test_the_lock_of_a_dead_process_does_not_stay(results: Path) -> None:
    (results / FOLDER / chain.LOCK).mkdir()
    with chain.locked(results / FOLDER, patience=0.05):
        pass
    assert not (results / FOLDER / chain.LOCK).exists()


def test_files_are_private_under_any_umask(tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEADS_VARIABLE, str(tmp_path / "heads"))
    before = os.umask(0)
    try:
        append(tmp_path / "results", key, "run", {})
    finally:
        os.umask(before)
    for folder in (tmp_path / "results" / FOLDER, tmp_path / "heads"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_record_that_cant_be_written_is_explained_without_a_path(tmp_path: Path, key: Key, monkeypatch) -> None:
    (tmp_path / "heads").write_text("a file where a folder should be")
    monkeypatch.setenv(HEADS_VARIABLE, str(tmp_path / "heads"))
    with pytest.raises(CurationError, match="record of processing can't be written") as refused:
        append(tmp_path / "results", key, "run", {})
    assert str(tmp_path) not in str(refused.value)


def test_no_key_is_in_the_record(results: Path, key: Key) -> None:
    told = "".join(path.read_text() for path in (results / FOLDER).iterdir())
    assert key.secret.hex() not in told
