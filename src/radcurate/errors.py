"""Errors a user can act on: what was wanted, what was found, what to do.

No message ever holds a header value, a source path or a key: they are printed, logged and kept.
A file is named by its keyed code (`keys.Key.file_code`), a series by its pseudonym.
"""

from __future__ import annotations

import traceback
from pathlib import Path


class CurationError(Exception):
    """A problem that the user can fix.

    Args:
        problem: one line, what is wrong.
        wanted: what would have been right.
        found: what was there instead (never a header value).
        fix: what the user can do.
        where: optional (label, code) such as ("series", "S-7f3a91...") or ("file", "4be1...").
    """

    def __init__(
        self,
        problem: str,
        *,
        wanted: str,
        found: str,
        fix: str,
        where: tuple[str, str] | None = None,
    ) -> None:
        self.problem, self.wanted, self.found, self.fix, self.where = problem, wanted, found, fix, where
        super().__init__(self.text())

    def text(self) -> str:
        """Several lines: the problem, then wanted, found, fix and where, aligned."""
        lines = [self.problem, f"  wanted: {self.wanted}", f"  found:  {self.found}", f"  fix:    {self.fix}"]
        if self.where:
            lines.append(f"  {self.where[0]}: {self.where[1]}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Keep all parts when the error crosses a process boundary."""
        return (_rebuild, (self.problem, self.wanted, self.found, self.fix, self.where))


def _rebuild(problem: str, wanted: str, found: str, fix: str, where: tuple[str, str] | None) -> CurationError:
    return CurationError(problem, wanted=wanted, found=found, fix=fix, where=where)


def place_of(error: BaseException) -> str:
    """Type and code position of an unexpected error, without its message, which may quote a header value."""
    told = getattr(error, "place", None)  # of an error that came from another process
    if told:
        return str(told)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "radcurate" in frame.filename] or frames[-1:]
    steps = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(own))
    return f"{type(error).__name__} at {steps}" if steps else type(error).__name__
