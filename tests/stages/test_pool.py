"""The pool: order and result don't depend on the number of processes, and what is lost costs itself alone."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import resource
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from radcurate.errors import CurationError, place_of
from radcurate.stages._pool import TIMEOUT_VARIABLE, map_items


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    assert map_items(square, list(range(40)), threads, "squares") == [n * n for n in range(40)]
    assert map_items(square, list(range(40)), threads, "squares", lost) == [n * n for n in range(40)]


def test_nothing_to_do():
    assert map_items(square, [], 4, "squares") == []
    assert map_items(square, [], 4, "squares", lost) == []


def lost(item: int, reason: str) -> str:
    return f"{item} {reason}"


def attempts(folder: Path, number: int) -> int:
    """How often an item was begun, this time included."""
    with (folder / str(number)).open("a") as stream:
        stream.write("x")
    return len((folder / str(number)).read_text())


def troubled(trouble, folder: Path, number: int) -> int:
    attempt = attempts(folder, number)
    if number == 3:
        trouble(attempt)
    return number * number


def always_killed(_attempt: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_once(attempt: int) -> None:
    if attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def crashes(_attempt: int) -> None:
    faulthandler.disable()  # pytest's, whose words nobody needs here
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.string_at(0)


def hangs(_attempt: int) -> None:
    time.sleep(3600)


def no_memory(_attempt: int) -> None:
    bytearray(1 << 62)


def wrong(_attempt: int) -> None:
    raise ValueError("DOE^JANE")


def refused(_attempt: int) -> None:
    raise CurationError("a problem", wanted="one thing", found="another", fix="mend it")


def full(_attempt: int) -> None:
    raise OSError(28, "No space left on device", "/export/DOE")


CASES = [(always_killed, "killed"), (crashes, "killed"), (hangs, "timeout"), (no_memory, "out_of_memory")]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("trouble", "reason"), CASES, ids=lambda case: getattr(case, "__name__", case))
def test_what_is_lost_costs_itself_alone(trouble, reason, threads, tmp_path, monkeypatch):
    monkeypatch.setenv(TIMEOUT_VARIABLE, str(0.3 / 60))
    found = map_items(partial(troubled, trouble, tmp_path), list(range(8)), threads, "squares", lost)
    assert found == [f"{n} {reason}" if n == 3 else n * n for n in range(8)]
    assert attempts(tmp_path, 3) == (2 if reason == "timeout" else 3)  # what wasn't slow was tried twice


def test_who_is_killed_once_loses_nothing(tmp_path):
    found = map_items(partial(troubled, killed_once, tmp_path), list(range(8)), 2, "squares", lost)
    assert found == [n * n for n in range(8)]


def test_a_work_that_makes_no_rows_says_that_a_process_was_lost(tmp_path):
    with pytest.raises(CurationError, match="lost"):
        map_items(partial(troubled, always_killed, tmp_path), list(range(8)), 2, "squares")


def test_more_series_have_more_time(tmp_path, monkeypatch):
    monkeypatch.setenv(TIMEOUT_VARIABLE, str(0.2 / 60))
    slow = partial(troubled, sleeps, tmp_path)
    assert map_items(slow, [3], 1, "squares", lost) == ["3 timeout"]
    assert map_items(slow, [3], 1, "squares", lost, lambda _: 20) == [9]


def sleeps(_attempt: int) -> None:
    time.sleep(0.6)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("trouble", [wrong, refused, full], ids=lambda case: case.__name__)
def test_an_error_comes_across_as_it_was_with_its_place(trouble, threads, tmp_path):
    """Where it happened is told; its words, which may quote a header or a path, are its reader's to leave out."""
    with pytest.raises((ValueError, CurationError, OSError)) as raised:
        map_items(partial(troubled, trouble, tmp_path), list(range(8)), threads, "squares", lost)
    assert type(raised.value) is {wrong: ValueError, refused: CurationError, full: OSError}[trouble]
    if trouble is not refused:  # whose words are for the user
        assert "_worker.py" in place_of(raised.value) and "DOE" not in place_of(raised.value)
    if trouble is full:
        assert raised.value.errno == 28


def test_no_process_is_left_behind(tmp_path):
    ids = map_items(process_id, list(range(4)), 2, "squares", lost)
    with pytest.raises(ValueError, match="DOE"):
        map_items(partial(troubled, wrong, tmp_path), list(range(8)), 3, "squares", lost)
    for number in set(ids):
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_who_still_works_when_another_fails_is_ended(tmp_path):
    with pytest.raises(ValueError, match="DOE"):
        map_items(partial(one_fails_while_one_hangs, tmp_path), ["hangs", "fails"], 2, "squares", lost)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "number").read_text()), 0)


def one_fails_while_one_hangs(folder: Path, item: str) -> None:
    if item == "hangs":
        (folder / "new").write_text(str(os.getpid()))
        (folder / "new").rename(folder / "number")
        time.sleep(3600)
    while not (folder / "number").exists():
        time.sleep(0.01)
    raise ValueError("DOE^JANE")


def process_id(_item: int) -> int:
    return os.getpid()


def test_what_is_logged_is_written_by_the_stage(caplog):
    with caplog.at_level(logging.INFO, "radcurate"):
        map_items(says, [7], 1, "squares", lost)
    assert "item 7" in caplog.text


def says(item: int) -> None:
    logging.getLogger("radcurate").info("item %d", item)
