"""A prepared region, and what several features need of it, computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from radcurate.features.prepare import Prepared

Result = TypeVar("Result")


class Region:
    """One region on its way through the families.

    Attributes:
        prepared: what is computed on.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._known: dict[tuple[Any, ...], Any] = {}

    def once(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """`function(prepared, *arguments)`, called only the first time."""
        place = (function, *arguments)
        if place not in self._known:
            self._known[place] = function(self.prepared, *arguments)
        return self._known[place]  # type: ignore[no-any-return]
