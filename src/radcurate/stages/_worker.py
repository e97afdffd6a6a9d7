"""One process that works for a stage: it gets the number of an item and sends back what became of it.

A process of its own can be ended when it hangs, and takes nobody with it when it crashes. It never outlives its stage:
the system ends it with its parent (Linux), or it finds the pipe closed.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from radcurate.errors import place_of
from radcurate.losses import KILLED, MEMORY

PR_SET_PDEATHSIG = 1  # prctl(2)
PATIENCE = 10  # seconds for a killed process to be gone; the system may hold it in a call to a file server


@dataclass(frozen=True)
class Answer:
    """What became of an item: its result, or what was raised, or why the process was lost."""

    result: Any = None
    error: BaseException | None = None
    lost: str | None = None


class Worker:
    """A process that knows `function` and all `items`, which the system lends to it without copying (Linux)."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any], others: Sequence[Worker]) -> None:
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        pipe: tuple[Connection, Connection] = context.Pipe()
        self.connection, theirs = pipe
        forked = sys.platform == "linux"
        if forked and (opencv := sys.modules.get("cv2")) is not None:
            opencv.setNumThreads(
                1
            )  # threads end here, where they are: a child that ends its copy of them waits for ever
        # a copy of a pipe's end in another process would hide that its owner has gone
        close = [self.connection, *(other.connection for other in others)] if forked else []
        arguments = (theirs, close, os.getpid(), function, items)
        self.process = context.Process(target=_work, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def begin(self, position: int) -> None:
        """Let it work on an item; a process that has gone is noticed by its answer."""
        with contextlib.suppress(OSError):
            self.connection.send(position)

    def answer(self) -> Answer | None:
        """Its answer, once `connection` has something to read; None where it was but a line for the log."""
        try:
            message: Answer | logging.LogRecord = self.connection.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            return Answer(lost=KILLED)
        if isinstance(message, Answer):
            return message
        logging.getLogger(message.name).handle(message)
        return None

    def end(self) -> None:
        """End the process, whatever it does."""
        self.connection.close()
        self.process.kill()
        self.process.join(PATIENCE)


def _work(
    connection: Connection,
    close: Sequence[Connection],
    parent: int,
    function: Callable[[Any], Any],
    items: Sequence[Any],
) -> None:
    _die_with(parent)
    for other in close:
        other.close()
    logging.getLogger().handlers = [_Forward(connection)]
    while True:
        try:
            position = connection.recv()
        except (EOFError, OSError):
            return
        answer = _answer(function, items[position])
        try:
            connection.send(answer)
        except OSError:
            return  # the stage has gone
        except Exception as error:  # what can't cross the pipe is told by its kind
            connection.send(Answer(error=_told(error)))


class _Forward(logging.Handler):
    """Lets the stage write what is logged here, so that a log has one writer."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        with contextlib.suppress(OSError):
            self.connection.send(record)


def _answer(function: Callable[[Any], Any], item: Any) -> Answer:
    try:
        return Answer(function(item))
    except MemoryError:
        return Answer(lost=MEMORY)
    except BaseException as error:
        return Answer(error=_portable(error))


def _portable(error: BaseException) -> BaseException:
    """The error with its place, which its traceback won't bring across; one that can't cross is told by its kind."""
    try:
        error.place = place_of(error)  # type: ignore[attr-defined]
        pickle.loads(pickle.dumps(error))  # our own, of a moment ago
    except Exception:
        return _told(error)
    return error


def _told(error: BaseException) -> RuntimeError:
    told = RuntimeError(type(error).__name__)
    told.place = place_of(error)  # type: ignore[attr-defined]
    return told


def _die_with(parent: int) -> None:
    """Ctrl-C is the stage's to answer; and when the stage dies, so does this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it could be said
            os._exit(1)
