"""Processes over the series of a chunk: results in order, progress, and nothing lost but what can't be done.

A series that hangs, crashes or needs more memory than there is costs itself: its process is ended and replaced, and the
stage is asked for a row in its place.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any, TypeVar

from radcurate.errors import CurationError
from radcurate.losses import REMEDIES, TIMEOUT
from radcurate.stages._worker import Answer, Worker

Item = TypeVar("Item")
Result = TypeVar("Result")
Lost = Callable[[Item, str], Result]
log = logging.getLogger("radcurate")
TIMEOUT_VARIABLE = "RADCURATE_SERIES_TIMEOUT"  # minutes; an option that changes no result must run nothing again


def map_items(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    threads: int,
    label: str,
    lost: Lost[Item, Result] | None = None,
    series: Callable[[Item], int] = lambda _: 1,
) -> list[Result]:
    """`[function(item) for item in items]` on `threads` processes; order and result don't depend on their number.

    Args:
        function: a module-level function or a `functools.partial` of one; it should turn the failure of one item into
            a row, and let a MemoryError pass. It may be called twice for an item, so it begins by clearing away what an
            earlier call left.
        items: what it is called with, one at a time.
        threads: processes.
        label: names the work in the log.
        lost: the result for an item whose process was ended, by reason (`radcurate.losses`); it clears away what the
            process left. None: such an end is an error, and a single process is this one.
        series: how many series an item holds, each of which has the time that TIMEOUT_VARIABLE allows.

    Raises:
        CurationError: a process was lost, and there is no `lost`.
        Exception: whatever `function` raised first.
    """
    if lost is None and (threads <= 1 or len(items) <= 1):
        results = []
        for done, item in enumerate(items, start=1):
            results.append(function(item))
            _progress(label, done, len(items))
        return results
    return _Pool(function, items, label, lost or _refuse, series).run(threads)


def _refuse(_item: Any, reason: str) -> Any:
    raise CurationError(
        "a process of this work was lost", wanted="every process to come to its end", found=reason, fix=REMEDIES[reason]
    )


def seconds_allowed() -> float:
    """What a series may take, in seconds of the clock; no limit where none is set."""
    return 60 * float(os.environ.get(TIMEOUT_VARIABLE) or 0) or math.inf


@dataclass
class _Pool:
    """Workers and what each of them is at. Whatever was lost for another reason than time is tried again, by itself."""

    function: Callable[[Any], Any]
    items: Sequence[Any]
    label: str
    lost: Callable[[Any, str], Any]
    series: Callable[[Any], int]
    results: dict[int, Any] = field(default_factory=dict)
    busy: dict[Worker, tuple[int, float]] = field(default_factory=dict)  # position, when its time is up
    idle: list[Worker] = field(default_factory=list)
    failed_once: list[int] = field(default_factory=list)

    def run(self, threads: int) -> list[Any]:
        try:
            self._all(range(len(self.items)), max(1, min(threads, len(self.items))))
            for position in sorted(self.failed_once):  # with the memory that the others have given back
                self._end_idle()
                self._all([position], 1)
        finally:
            for worker in [*self.busy, *self.idle]:
                worker.end()
        return [self.results[position] for position in range(len(self.items))]

    def _all(self, positions: Sequence[int], workers: int) -> None:
        waiting = deque(positions)
        while waiting or self.busy:
            while waiting and len(self.busy) < workers:
                self._begin(waiting.popleft())
            self._take()

    def _begin(self, position: int) -> None:
        worker = self.idle.pop() if self.idle else Worker(self.function, self.items, [*self.busy, *self.idle])
        worker.begin(position)
        allowed = seconds_allowed() * max(1, self.series(self.items[position]))
        self.busy[worker] = position, time.monotonic() + allowed

    def _take(self) -> None:
        """Wait for an answer or for a time that is up."""
        until = min(deadline for _, deadline in self.busy.values())
        remaining = None if math.isinf(until) else max(0.0, until - time.monotonic())
        ready = wait([worker.connection for worker in self.busy], remaining)
        for worker, (position, deadline) in list(self.busy.items()):
            if worker.connection in ready:
                answer = worker.answer()
                if answer is not None:
                    self._settle(worker, position, answer)
            elif time.monotonic() >= deadline:
                self._settle(worker, position, Answer(lost=TIMEOUT))

    def _settle(self, worker: Worker, position: int, answer: Answer) -> None:
        del self.busy[worker]
        if answer.lost is None:
            self.idle.append(worker)
        else:
            worker.end()
        if answer.error is not None:
            raise answer.error
        if answer.lost not in (None, TIMEOUT) and position not in self.failed_once:
            log.warning("%s: a process was lost (%s); its work is done again at the end", self.label, answer.lost)
            self.failed_once.append(position)
            return
        if answer.lost is not None:
            log.error("%s: given up: %s; %s", self.label, answer.lost, REMEDIES[answer.lost])
        self.results[position] = answer.result if answer.lost is None else self.lost(self.items[position], answer.lost)
        _progress(self.label, len(self.results), len(self.items))

    def _end_idle(self) -> None:
        for worker in self.idle:
            worker.end()
        self.idle.clear()


def _progress(label: str, done: int, total: int) -> None:
    """A bar on a terminal; in a log, a line at each quarter."""
    if sys.stderr.isatty():
        filled = 30 * done // total
        sys.stderr.write(
            f"\r{label} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}" + ("\n" if done == total else "")
        )
        sys.stderr.flush()
    elif total >= 8 and (4 * done) // total != (4 * (done - 1)) // total:
        log.info("%s: %d of %d", label, done, total)
