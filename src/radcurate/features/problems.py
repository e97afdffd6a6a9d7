"""Why a region has no features."""

from __future__ import annotations


class RegionError(Exception):
    """A region that can't be extracted; `reason` is a short code for its row."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class TooManyLevelsError(Exception):
    """More grey levels than texture matrices are built for; a coarser discretisation helps."""
