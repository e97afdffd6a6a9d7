"""A process pool over the series of a chunk, with progress and without surprises in order."""

from __future__ import annotations

import logging
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
log = logging.getLogger("radcurate")


def map_items(function: Callable[[Item], Result], items: Sequence[Item], threads: int, label: str) -> list[Result]:
    """`[function(item) for item in items]` on `threads` processes; order and result don't depend on their number.

    `function` must be a module-level function or a `functools.partial` of one and should turn the failure of one
    item into a row, not an exception.
    """
    if threads <= 1 or len(items) <= 1:
        results = []
        for done, item in enumerate(items, start=1):
            results.append(function(item))
            _progress(label, done, len(items))
        return results
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    # the function once for a process, not once for an item: what is bound to it may be large
    workers = min(threads, len(items))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_remember, initargs=(function,)) as pool:
        futures = [pool.submit(_call, item) for item in items]
        for done, _ in enumerate(as_completed(futures), start=1):
            _progress(label, done, len(items))
        return [future.result() for future in futures]


_function: Callable[[Any], Any] | None = None  # of a worker


def _remember(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function


def _call(item: Any) -> Any:
    assert _function is not None
    return _function(item)


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
